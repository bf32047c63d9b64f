"""Reads ONNX files.

Each node is translated by its definition in ONNX's operator list. OPS (onnx_ops.py) turns operations on the image into
calls of network.Network, ARITHMETIC (onnx_constants.py) computes with numpy what depends on constants alone. Both tables
say which attributes and how many inputs they read; anything else in a file is refused, never ignored. Nodes are computed
on demand from the output back, so their order does not matter and what nothing reads is left alone.
"""
import math
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from layers import ConvertError
from limits import MAX_FLOATS
from network import Network, picture
from onnx_constants import ARITHMETIC, numpy_type
from onnx_ops import FLOATS, HALF, MICROSOFT, OPS
from views import View

MAX_NESTING = 16  # of functions and branches
ONNX_DOMAINS = ("", "ai.onnx")
HINTS = {  # operators of networks that somebody else's tool has changed
    "com.microsoft": "onnxruntime optimised this file; convert the file from before",
    "com.microsoft.nchwc": "onnxruntime optimised this file; convert the file from before",
    "ai.onnx.ml": "it belongs to a classical model, whose input is no picture",
}
REASONS = {  # why a frequent operator is missing
    **dict.fromkeys(("LSTM", "GRU", "RNN", "Loop", "Scan"), "it is recurrent; Pleura reads feed-forward networks only"),
    **dict.fromkeys(
        ("ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"),
        "this network chooses its scales anew for each picture. Convert the file from before, or one that "
        "onnxruntime's quantize_static wrote",
    ),
    **dict.fromkeys(("ArgMax", "TopK", "Hardmax"), "export the network without it, so that it ends in the logits"),
}


class Settings(dict):
    """A node's attributes, and the version of the operator list that defines them."""

    def __init__(self, settings, opset, outputs):
        super().__init__(settings)
        self.opset, self.outputs = opset, outputs


class Files:
    """The weights in the file, and in those that lie beside it."""

    def __init__(self, path):
        self.path = path

    def array(self, tensor):
        try:
            if uses_external_data(tensor):
                tensor = self.loaded(tensor)
            values = numpy_helper.to_array(tensor)
            if values.dtype.kind not in "fiub":
                values = values.astype(np.float32) if "bfloat16" in str(values.dtype) else values
            if values.dtype.kind not in "fiub":
                raise ValueError(f"they are {values.dtype} instead of numbers")
            return values
        except (KeyError, TypeError, ValueError, RuntimeError, MemoryError, AttributeError) as error:
            # An unknown type, or too few bytes.
            raise ConvertError(f"its weights '{tensor.name}' cannot be read ({error})") from error

    def loaded(self, tensor):
        """The tensor with its bytes from a file beside the model, and from no other: the file could name any."""
        info, folder = ExternalDataInfo(tensor), self.path.parent
        name = info.location
        path = folder / name
        own = name.endswith("data") or name.startswith(self.path.stem)
        if Path(name).name != name or "\\" in name or not own or path.is_symlink():
            raise ConvertError(
                f"its weights '{tensor.name}' are stored in another file, '{name}'. Pleura reads only a data file "
                "beside the model. Write everything into one file, in Python: onnx.save(onnx.load('model.onnx'), "
                "'whole.onnx')"
            )
        if not path.is_file():
            raise ConvertError(
                f"its weights are stored in '{name}', which is missing. Put that file beside {self.path.name}, or write "
                "everything into one file, in Python: onnx.save(onnx.load('model.onnx'), 'whole.onnx')"
            )
        offset, size = info.offset or 0, path.stat().st_size
        values, kind = math.prod(tensor.dims), tensor.data_type
        if values > MAX_FLOATS:
            raise ConvertError(
                f"its weights '{tensor.name}' have {values} values; the engine accepts at most {MAX_FLOATS}"
            )
        needed = values * (2 if kind == onnx.TensorProto.BFLOAT16 else numpy_type(kind).itemsize)
        count = info.length if info.length is not None else needed
        if count > needed:
            raise ValueError(f"they take {count} bytes of {name}, but their shape needs {needed}")
        if offset < 0 or count < 0 or offset + count > size:
            raise ValueError(f"{name} has {size} bytes, fewer than they need")
        with path.open("rb") as file:
            file.seek(offset)
            raw = file.read(count)
        whole = onnx.TensorProto()
        whole.CopyFrom(tensor)
        whole.ClearField("external_data")
        whole.data_location = onnx.TensorProto.DEFAULT
        whole.raw_data = raw
        return whole

    def sparse(self, tensor):
        """A sparse tensor written out."""
        values, indices = self.array(tensor.values), self.array(tensor.indices).astype(np.int64)
        dims = tuple(tensor.dims)
        out = np.zeros(dims, values.dtype)
        flat = indices if indices.ndim == 1 else np.ravel_multi_index(tuple(indices.T), dims)
        out.reshape(-1)[flat] = values
        return out


class Graph:
    """The nodes of one graph, function or branch. `values` maps a name to a View, or to an array that is known before."""

    def __init__(self, reader, nodes, values, outer=None):
        self.reader, self.values, self.outer = reader, values, outer
        self.makers = {name: node for node in nodes for name in node.output if name}
        self.depth = outer.depth + 1 if outer else 0
        if self.depth > MAX_NESTING:
            raise ConvertError("its functions or branches call each other without end")

    def find(self, name):
        graph = self
        while graph and name not in graph.values:
            graph = graph.outer
        return graph

    def value(self, name):
        """The value of that name, computed with all that it needs. Not recursive, since networks are deep."""
        waiting, begun = [(name, None)], set()
        while waiting:
            name, reader = waiting.pop()
            if self.find(name):
                continue
            node = self.makers.get(name)
            if node is None:
                if self.outer:
                    self.outer.value(name)
                    continue
                raise ConvertError(f"{label(reader)}its input '{name}' is missing from the file")
            missing = [one for one in node.input if one and not self.find(one)]
            if not missing:
                self.run(node)
                if name not in self.values:
                    raise ConvertError(f"{label(node)}its output '{name}' is one that the engine does not compute")
                continue
            if name in begun:
                raise ConvertError(f"{label(node)}it depends on its own output")
            begun.add(name)
            waiting.append((name, reader))
            waiting.extend((one, node) for one in missing)
        return self.find(name).values[name]

    def run(self, node):
        where = label(node)
        self.reader.net.source = where.removesuffix(": ")
        try:
            out = self.computed(node)
        except ConvertError as error:
            raise error if str(error).startswith(where) else ConvertError(f"{where}{error}") from error
        except (
            KeyError,
            IndexError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
            MemoryError,
            AssertionError,
        ) as error:
            # A node that breaks its own definition fails somewhere in the arithmetic.
            raise ConvertError(f"{where}its inputs or settings are not valid for this operation ({error})") from error
        self.values.update(zip(node.output, out if isinstance(out, list) else [out]))

    def computed(self, node):
        """The output of one node, or a list of all outputs."""
        x = [self.find(name).values[name] if name else None for name in node.input]
        settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        table = OPS if node.domain in ONNX_DOMAINS else MICROSOFT if node.domain == "com.microsoft" else {}
        name = node.op_type if table else None
        if (node.domain, node.op_type) in self.reader.functions:
            return self.called(self.reader.functions[node.domain, node.op_type], x, node)
        if name == "Constant":
            return self.reader.constant(settings)
        if name == "If":
            return self.branch(x[0], settings)
        known = not any(isinstance(v, View) for v in x)
        if name in ("Shape", "Size") and not known:
            x, known = [np.broadcast_to(np.float32(0), x[0].shape)], True
        op = (ARITHMETIC if known else table).get(name)
        if op is None:
            reason = REASONS.get(node.op_type) or HINTS.get(node.domain)
            raise ConvertError("the engine has no such operation" + (f": {reason}" if reason else ""))
        unknown = sorted(set(settings) - set(op.attributes))
        if unknown:
            raise ConvertError(f"its attribute '{unknown[0]}' is not one that Pleura knows for {name}")
        if len(x) > op.inputs:
            raise ConvertError(f"it has {len(x)} inputs; Pleura knows {op.inputs} for {name}")
        for key, value in settings.items():
            settings[key] = self.reader.files.array(value) if isinstance(value, onnx.TensorProto) else value
        s = Settings(settings, self.reader.opset, len(node.output))
        return op.call(x, s) if known else op.call(self.reader.net, x, s)

    def branch(self, condition, settings):
        if not isinstance(condition, np.ndarray):
            raise ConvertError("which branch it takes depends on the picture; the engine has no branches")
        body = settings["then_branch" if condition.reshape(-1)[0] else "else_branch"]
        graph = Graph(self.reader, body.node, self.reader.weights(body), self)
        return [graph.value(one.name) for one in body.output]

    def called(self, function, x, node):
        if function.attribute:
            raise ConvertError("it is a function with attributes, which Pleura does not read")
        if len(x) > len(function.input):
            raise ConvertError(f"it has {len(x)} inputs; its function has {len(function.input)}")
        graph = Graph(self.reader, function.node, {n: v for n, v in zip(function.input, x) if v is not None})
        graph.depth = self.depth + 1
        if graph.depth > MAX_NESTING:
            raise ConvertError("its functions or branches call each other without end")
        return [graph.value(name) for name in function.output[: len(node.output)]]


class Reader:
    def __init__(self, model, size, path):
        self.files, graph = Files(path), model.graph
        self.opset = max((o.version for o in model.opset_import if o.domain in ONNX_DOMAINS), default=0)
        self.functions = {(f.domain, f.name): f for f in getattr(model, "functions", [])}
        values = self.weights(graph)
        images = [one for one in graph.input if one.name not in values]
        if not graph.node or not graph.output or not images:
            raise ConvertError(
                f"the graph has {len(graph.node)} nodes, {len(graph.output)} outputs and {len(images)} inputs without "
                "values; Pleura needs one input, the image, and one output"
            )
        for what, ends in (("inputs", images), ("outputs", graph.output)):
            if len(ends) > 1:
                raise ConvertError(
                    f"it has {len(ends)} {what} ({', '.join(one.name for one in ends)}); Pleura needs one input, the "
                    "image, and one output, the values of the labels. Export the network with these alone"
                )
        kind, image = images[0].type.tensor_type, images[0].name
        h, w, c, form = image_size([max(d.dim_value, 0) for d in kind.shape.dim], size, image)
        casts = only_cast(graph, image)
        if kind.elem_type not in FLOATS and not casts:
            raise ConvertError(f"its input '{image}' holds integers, and not only Cast reads it")
        self.net = Network(h, w, c, form, "onnx")
        self.net.takes_integers = kind.elem_type not in FLOATS
        self.net.half = None if casts else HALF.get(kind.elem_type)
        self.output = graph.output[0].name
        self.graph = Graph(self, graph.node, {**values, image: picture(self.net.image, form)})

    def weights(self, graph):
        sparse = {one.values.name: self.files.sparse(one) for one in graph.sparse_initializer}
        return {**{tensor.name: self.files.array(tensor) for tensor in graph.initializer}, **sparse}

    def constant(self, settings):
        (kind, value), *_ = settings.items()
        if kind == "value":
            return self.files.array(value)
        if kind == "sparse_value":
            return self.files.sparse(value)
        if "string" in kind:
            raise ConvertError("it is a text")
        return np.array(value, np.float32 if "float" in kind else np.int64)

    def run(self):
        """The output of the graph as a View."""
        out = self.graph.value(self.output)
        if not isinstance(out, View):
            raise ConvertError(f"its output '{self.output}' is not computed from the image")
        return out


def only_cast(graph, name):
    """Whether nothing computes with this value before it has another type."""
    readers = [node for node in graph.node if name in node.input]
    moved = [node for node in readers if node.op_type in ("Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")]
    return all(node.op_type == "Cast" or node in moved for node in readers) and all(
        only_cast(graph, node.output[0]) for node in moved
    )


def label(node):
    return f"{node.op_type} '{node.name or ', '.join(node.output)}': " if node is not None else ""


def image_size(dims, size, name):
    """(h, w, c, form) from the graph's own shape and --input; 0 is a size that the graph leaves open."""
    if len(dims) != 4:
        raise ConvertError(
            f"its input '{name}' has {len(dims)} dimensions; an image has 4: batch, channels, height, width"
        )
    if dims[0] > 1:
        raise ConvertError(f"its input '{name}' holds {dims[0]} pictures at once. Export it with a batch of one")
    if size is None:
        first = dims[1] in (1, 3, 4)
    else:
        first = all(a in (0, b) for a, b in zip(dims[1:], (size[2], *size[:2])))
    c, h, w = dims[1:] if first else (dims[3], dims[1], dims[2])
    h, w, c = (own or asked for own, asked in zip((h, w, c), size or (0, 0, 0)))
    if size is not None and (h, w, c) != tuple(size):
        raise ConvertError(
            f"its input '{name}' is {'x'.join(str(d or '?') for d in dims[1:])}, but --input says "
            f"{'x'.join(map(str, size))}"
        )
    if not (h and w and c):
        raise ConvertError(
            f"its input '{name}' leaves sizes open ({'x'.join(str(d or '?') for d in dims)}). Add --input "
            "HEIGHTxWIDTHxCHANNELS"
        )
    return h, w, c, "chw" if first else "hwc"


def read(path, size):
    """(network, View of its output) of an ONNX file; size is (h, w, c) or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # protobuf only warns about parts that it cannot read
        model = onnx.load(str(path), load_external_data=False)
    reader = Reader(model, size, path)
    return reader.net, reader.run()
