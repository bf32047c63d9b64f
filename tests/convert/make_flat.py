"""Writes the ONNX file of a network without a class activation map, to the path given: flatten and dense. Label b is the
brightness of the upper left quarter."""
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

SIDE = 32
weight = np.zeros((2, SIDE, SIDE), np.float32)
weight[1, : SIDE // 2, : SIDE // 2] = 4 / (SIDE // 2) ** 2


def info(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("Gemm", ["f", "w"], ["y"], transB=1)]
weights = [numpy_helper.from_array(weight.reshape(2, -1), "w")]
graph = helper.make_graph(nodes, "g", [info("x", [1, 1, SIDE, SIDE])], [info("y", [1, 2])], weights)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), sys.argv[1])
