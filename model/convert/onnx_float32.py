"""Writes an ONNX network that computes in half precision so that it computes in float32, for onnxruntime to compare with.

onnxruntime rounds after each step of such a network, and has few operators for bfloat16; Pleura does not round.
"""
import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from onnx_ops import HALF
from onnx_reader import Files

TYPES = ("to", "dtype", "output_dtype")  # attributes that name the type of an output


def write_float32(source, path):
    model = onnx.load(str(source), load_external_data=False)
    files = Files(source)
    widen_graph(model.graph, files)
    for function in model.functions:
        widen_nodes(function.node, files)
        del function.value_info[:]
    onnx.save(model, str(path))


def widen_graph(graph, files):
    for tensor in graph.initializer:
        widen_tensor(tensor, files)
    for tensor in graph.sparse_initializer:
        widen_tensor(tensor.values, files)
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in HALF:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    del graph.value_info[:]
    widen_nodes(graph.node, files)


def widen_nodes(nodes, files):
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                widen_tensor(attribute.t, files)
            elif attribute.HasField("g"):
                widen_graph(attribute.g, files)
            elif attribute.name in TYPES and attribute.i in HALF:
                attribute.i = TensorProto.FLOAT


def widen_tensor(tensor, files):
    """Half precision as float32, and the bytes of a data file in the tensor itself."""
    if tensor.data_type in HALF:
        tensor.CopyFrom(numpy_helper.from_array(files.array(tensor).astype(np.float32), tensor.name))
    elif tensor.data_location == TensorProto.EXTERNAL:
        tensor.CopyFrom(files.loaded(tensor))
