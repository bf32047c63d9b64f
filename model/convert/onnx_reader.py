"""Reads ONNX files.

Each node is translated by its definition in ONNX's operator list: OPS turns operations on the image into calls of
layers.Network, ARITHMETIC computes nodes that depend on constants alone with numpy.
"""
import math
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.external_data_helper import uses_external_data

from layers import ConvertError, Network, View, same_pads

MAX_FLOAT = float(np.finfo(np.float32).max)


class Reader:
    """Walks the graph. `values` maps each name to a View, or to an array if it is known before the network runs."""

    def __init__(self, model, size):
        self.graph = model.graph
        self.opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
        self.values = {tensor.name: array(tensor) for tensor in self.graph.initializer}
        images = [one for one in self.graph.input if one.name not in self.values]
        if not self.graph.node or len(self.graph.output) != 1 or len(images) != 1:
            names = ", ".join(one.name for one in images)
            raise ConvertError(
                f"the graph has {len(self.graph.node)} nodes, {len(self.graph.output)} outputs and {len(images)} "
                f"inputs without values ({names}); Pleura needs one input, the image, and one output"
            )
        h, w, c, form = image_size([d.dim_value for d in images[0].type.tensor_type.shape.dim], size, images[0].name)
        self.net = Network(h, w, c)
        self.values[images[0].name] = View(self.net.image, form)

    def run(self):
        """The output of the graph as a View."""
        for node in self.graph.node:
            where = f"{node.op_type} '{node.name or ', '.join(node.output)}'"
            self.net.source = where
            try:
                out = self.node(node)
            except ConvertError as error:
                raise ConvertError(f"{where}: {error}") from error
            except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
                # A node that breaks its own definition fails somewhere in the arithmetic.
                raise ConvertError(
                    f"{where}: its inputs or settings are not valid for this operation ({error})"
                ) from error
            self.values.update(zip(node.output, out if isinstance(out, list) else [out]))
        name = self.graph.output[0].name
        if not isinstance(self.values.get(name), View):
            raise ConvertError(f"its output '{name}' is not computed from the image")
        return self.values[name]

    def node(self, node):
        """The output of one node: a View, or an array that was computed now."""
        missing = [name for name in node.input if name and name not in self.values]
        if missing:
            raise ConvertError(f"its input '{missing[0]}' is missing from the file")
        x = [self.values[name] if name else None for name in node.input]
        settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        name = node.op_type if node.domain in ("", "ai.onnx") else None
        if name == "Constant":
            return constant(settings)
        if name == "Shape" and isinstance(x[0], View):
            return np.array((1, *x[0].shape))
        if x and not any(isinstance(v, View) for v in x):
            if name in ARITHMETIC:
                return ARITHMETIC[name](x, settings)
        elif name in OPS:
            return OPS[name](self.net, x, Settings(settings, self.opset))
        raise ConvertError("the engine has no such operation")


class Settings(dict):
    """A node's attributes, and the version of the operator list that defines them."""

    def __init__(self, settings, opset):
        super().__init__(settings)
        self.opset = opset


def image_size(dims, size, name):
    """(h, w, c, form) from the graph's own shape and --input; 0 is a size that the graph leaves open."""
    if len(dims) != 4:
        raise ConvertError(
            f"its input '{name}' has {len(dims)} dimensions; an image has 4: batch, channels, height, width"
        )
    if size is None:
        first = dims[1] in (1, 3, 4)
    else:
        first = all(a in (0, b) for a, b in zip(dims[1:], (size[2], *size[:2])))
    c, h, w = dims[1:] if first else (dims[3], dims[1], dims[2])
    h, w, c = (own or asked for own, asked in zip((h, w, c), size or (0, 0, 0)))
    if size is not None and (h, w, c) != tuple(size):
        raise ConvertError(
            f"its input '{name}' is {'x'.join(map(str, dims[1:]))}, but --input says {'x'.join(map(str, size))}"
        )
    if not (h and w and c):
        raise ConvertError(
            f"its input '{name}' leaves sizes open ({'x'.join(str(d or '?') for d in dims)}). Add --input "
            "HEIGHTxWIDTHxCHANNELS"
        )
    return h, w, c, "chw" if first else "hwc"


def array(tensor):
    if uses_external_data(tensor):  # it could name any file of this machine
        raise ConvertError(
            f"its weights '{tensor.name}' are stored in another file. Write everything into one file first, in Python: "
            "onnx.save(onnx.load('model.onnx'), 'whole.onnx')"
        )
    try:
        values = numpy_helper.to_array(tensor)
        if values.dtype.kind not in "fiub":
            raise ValueError(f"they are {values.dtype} instead of numbers")
        return values
    except (KeyError, TypeError, ValueError, RuntimeError, MemoryError) as error:  # an unknown type, or too few bytes
        raise ConvertError(f"its weights '{tensor.name}' cannot be read ({error})") from error


def constant(settings):
    if "value" in settings:
        return array(settings["value"])
    kind = next(iter(settings))
    return np.array(settings[kind], np.float32 if "float" in kind else np.int64)


def known(value, what):
    """The array, which must not depend on the image."""
    if not isinstance(value, np.ndarray):
        raise ConvertError(f"its {what} are computed while the network runs; the engine needs them in the file")
    return value


def optional(x, n, default=None):
    """Input number n of a node, if it has one."""
    return known(x[n], "settings") if len(x) > n and x[n] is not None else default


def channels_first(x):
    if x.form != "chw":
        raise ConvertError(
            f"its input of {'x'.join(map(str, x.shape))} does not have its channels before height and width"
        )
    return x


def window_pads(x, k, s, dilation):
    """pads or auto_pad of ONNX as (above, left, below, right)."""
    mode = s.get("auto_pad", b"NOTSET").decode()
    if mode.startswith("SAME"):
        return same_pads(x.shape[1:], k, s.get("strides", [1, 1])[0], dilation, mode == "SAME_LOWER")
    return tuple(s.get("pads", [0] * 4)) if mode == "NOTSET" else (0,) * 4


def conv(net, x, s):
    weight, dilation = known(x[1], "weights"), s.get("dilations", [1, 1])
    if weight.ndim != 4:
        raise ConvertError(f"it convolves over {weight.ndim - 2} dimensions; the engine convolves over two")
    pads = window_pads(channels_first(x[0]), weight.shape[2:], s, dilation)
    return net.conv(x[0], weight, optional(x, 2), s.get("strides", [1, 1]), pads, s.get("group", 1), dilation)


def pool(op):
    def read(net, x, s):
        k, stride = s["kernel_shape"], s.get("strides", [1, 1])
        if s.get("dilations", [1, 1]) != [1, 1]:
            raise ConvertError("its window is dilated; the engine pools without dilation")
        pads = list(window_pads(channels_first(x[0]), k, s, (1, 1)))
        own = tuple(pads)
        for i in range(2 if s.get("ceil_mode") else 0):
            spare = (x[0].shape[1 + i] + pads[i] + pads[2 + i] - k[i]) % stride[i]
            pads[2 + i] += stride[i] - spare if spare else 0
        if op == "avgpool" and (tuple(pads) != own or (any(pads) and not s.get("count_include_pad"))):
            raise ConvertError("it averages without the padding; the engine counts the padding as zeros")
        return net.window(op, x[0], k, stride, pads)

    return read


def global_max(net, x, s):
    return net.window("maxpool", channels_first(x[0]), x[0].shape[1:], (1, 1), (0,) * 4)


def reduce_mean(net, x, s):
    axes = sorted(int(a) % (1 + len(x[0].shape)) for a in s.get("axes", optional(x, 1, np.arange(4))))
    if axes != ([1, 2] if x[0].form == "hwc" else [2, 3]) or x[0].flat:
        raise ConvertError(f"it averages over the axes {axes}; the engine averages over height and width")
    return net.mean(x[0], s.get("keepdims", 1))


def batch_norm(net, x, s):
    scale, shift, mean, variance = (known(v, "weights").astype(np.float64) for v in x[1:5])
    if len(scale) != x[0].shape[0]:
        raise ConvertError(f"it has weights for {len(scale)} channels, but its input has {x[0].shape[0]}")
    factor = scale / np.sqrt(variance + s.get("epsilon", 1e-5))
    return net.affine(x[0], factor, shift - mean * factor)


def binary(name):
    """Add, Sub, Mul and Div of two feature maps, or of a feature map and a constant."""

    def read(net, x, s):
        a, b = x
        if isinstance(a, View) and isinstance(b, View):
            if name not in ("Add", "Mul"):
                raise ConvertError("the engine can only add and multiply feature maps")
            return net.add(a, b) if name == "Add" else net.mul(a, b)
        view, other = (a, b) if isinstance(a, View) else (b, a)
        value = net.constant(view, other)
        if name == "Add":
            return net.affine(view, 1, value)
        if name == "Mul":
            return net.affine(view, value, 0)
        if name == "Sub":
            return net.affine(view, 1, -value) if view is a else net.affine(view, -1, value)
        if view is not a:
            raise ConvertError("the engine cannot divide by a feature map")
        return net.affine(view, 1 / value, 0)

    return read


def gemm(net, x, s):
    weight = known(x[1], "weights")
    if s.get("transA"):
        raise ConvertError("its first input is transposed, which the engine does not support")
    weight = (weight if s.get("transB") else weight.T) * np.float32(s.get("alpha", 1))
    bias = optional(x, 2)
    return net.dense(x[0], weight, None if bias is None else bias * np.float32(s.get("beta", 1)))


def clip(net, x, s):
    low, high = (
        float(optional(x, i, np.array(s.get(key, end))))
        for i, key, end in ((1, "min", -MAX_FLOAT), (2, "max", MAX_FLOAT))
    )
    return net.clip(x[0], low, high)


def concat(net, x, s):
    if not all(isinstance(v, View) for v in x):
        raise ConvertError("it concatenates a feature map with a constant, which the engine does not support")
    axis = s["axis"] % (1 + len(x[0].shape))
    if axis != (3 if x[0].form == "hwc" else 1) or any(v.flat != x[0].flat for v in x):
        raise ConvertError(f"it concatenates along axis {axis}; the engine concatenates channels")
    return net.concat(x)


def pad(net, x, s):
    pads = [int(v) for v in (s["pads"] if "pads" in s else known(x[1], "pads"))]
    mode, value = s.get("mode", b"constant"), float(optional(x, 2, np.array(s.get("value", 0))))
    n = len(channels_first(x[0]).shape) + 1
    if mode != b"constant" or value or len(pads) != 2 * n or any(pads[i] for i in (0, 1, n, n + 1)):
        raise ConvertError("the engine can only pad height and width, with zeros")
    return net.pad(x[0], (pads[2], pads[3], pads[n + 2], pads[n + 3]))


def resize(net, x, s):
    """Resize and Upsample, by scales or to sizes, where the coordinates are those of the engine."""
    _, h, w = channels_first(x[0]).shape
    scales = s.get("scales")
    given = [known(v, "sizes") for v in x[1:] if v is not None and np.size(v)]
    if scales is None:
        last = given[-1]
        scales = last / np.array((1, x[0].shape[0], h, w)) if last.dtype == np.int64 else last
    mode = s.get("mode", b"nearest").decode()
    grid = s.get("coordinate_transformation_mode", b"half_pixel").decode() if s.opset > 10 else "asymmetric"
    rounding = s.get("nearest_mode", b"round_prefer_floor").decode() if s.opset > 10 else "floor"
    centres = grid in ("half_pixel", "pytorch_half_pixel")
    nearest = (grid == "asymmetric" and rounding == "floor") or (centres and rounding.startswith("round"))
    if (
        len(scales) != 4
        or tuple(scales[:2]) != (1, 1)
        or not (nearest if mode == "nearest" else mode == "linear" and centres)
    ):
        raise ConvertError(
            f"it resizes with mode {mode}, {grid}, {rounding}; the engine has nearest, and linear between pixel centres"
        )
    return net.resize(x[0], [float(v) for v in scales[2:]], mode == "linear")


def reshape(net, x, s):
    sizes = [int(v) for v in known(x[1], "sizes")]
    full = (1, *x[0].shape)
    sizes = [full[i] if v == 0 else v for i, v in enumerate(sizes)]
    if sizes[0] == -1 and math.prod(sizes[1:]) == math.prod(full):
        sizes[0] = 1
    if -1 in sizes:
        rest = -math.prod(sizes)
        sizes[sizes.index(-1)] = math.prod(full) // rest
    if sizes[0] != 1 or math.prod(sizes) != math.prod(full):
        raise ConvertError(
            f"it reshapes {'x'.join(map(str, full))} to {'x'.join(map(str, sizes))}, which does not keep the batch of "
            "one"
        )
    return net.reshape(x[0], tuple(sizes[1:]))


def flatten(net, x, s):
    if s.get("axis", 1) not in (1, -len(x[0].shape)):
        raise ConvertError("it flattens the batch, too; the engine flattens one image")
    return net.reshape(x[0], (math.prod(x[0].shape),))


def squeeze(net, x, s):
    full = (1, *x[0].shape)
    axes = s.get("axes", optional(x, 1, np.array([i for i, n in enumerate(full) if n == 1 and i])))
    axes = [int(a) % len(full) for a in axes]
    if any(full[a] != 1 or a == 0 for a in axes):
        raise ConvertError(
            f"it removes the axes {axes} of {'x'.join(map(str, full))}; only axes of size 1 after the batch can go"
        )
    return net.reshape(x[0], tuple(n for i, n in enumerate(full) if i and i not in axes))


def unsqueeze(net, x, s):
    shape = [1, *x[0].shape]
    axes = [int(a) for a in s.get("axes", optional(x, 1))]
    for a in sorted(a % (len(shape) + len(axes)) for a in axes):
        shape.insert(a, 1)
    return net.reshape(x[0], tuple(shape[1:]))


def transpose(net, x, s):
    perm, form = list(s.get("perm", [])), x[0].form
    turned = {("chw", (0, 2, 3, 1)): "hwc", ("hwc", (0, 3, 1, 2)): "chw"}.get((form, tuple(perm)))
    if perm == list(range(len(perm))) and perm:
        return x[0]
    if not turned:
        raise ConvertError(
            f"it transposes {'x'.join(map(str, x[0].shape))} to the order {perm}; only the channels can change their "
            "place"
        )
    return View(x[0].layer, turned)


def softmax(net, x, s):
    if s.get("axis", -1 if s.opset > 12 else 1) % (1 + len(x[0].shape)) != (3 if x[0].form == "hwc" else 1):
        raise ConvertError("it does not run over channels, as the engine's softmax does")
    return net.softmax(x[0])


def unary(act):
    return lambda net, x, s: net.act(x[0], act)


def same(net, x, s):
    return x[0]


OPS = {
    "Conv": conv,
    "MaxPool": pool("maxpool"),
    "AveragePool": pool("avgpool"),
    "GlobalMaxPool": global_max,
    "GlobalAveragePool": lambda net, x, s: net.mean(channels_first(x[0]), True),
    "ReduceMean": reduce_mean,
    "BatchNormalization": batch_norm,
    "Gemm": gemm,
    "MatMul": lambda net, x, s: net.dense(x[0], known(x[1], "weights").T, None),
    "Add": binary("Add"),
    "Sub": binary("Sub"),
    "Mul": binary("Mul"),
    "Div": binary("Div"),
    "Relu": unary("relu"),
    "Sigmoid": unary("sigmoid"),
    "Tanh": unary("tanh"),
    "HardSwish": unary("hardswish"),
    "Clip": clip,
    "HardSigmoid": lambda net, x, s: net.hard_sigmoid(x[0], s.get("alpha", 0.2), s.get("beta", 0.5)),
    "Concat": concat,
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "Identity": same,
    "Dropout": same,
    "Cast": same,
}


def slice_known(x, s):
    starts, ends = s.get("starts", optional(x, 1)), s.get("ends", optional(x, 2))
    axes, steps = s.get("axes", optional(x, 3, range(len(starts)))), optional(x, 4, [1] * len(starts))
    cut = [slice(None)] * x[0].ndim
    for axis, *ends in zip(axes, starts, ends, steps):
        cut[int(axis)] = slice(*map(int, ends))
    return x[0][tuple(cut)]


def squeeze_known(x, s):
    axes = s.get("axes", optional(x, 1))
    return np.squeeze(x[0], None if axes is None else tuple(int(a) for a in axes))


def divide(x, s):
    return x[0] // x[1] if np.issubdtype(x[0].dtype, np.integer) else x[0] / x[1]


ARITHMETIC = {
    "Add": lambda x, s: x[0] + x[1],
    "Sub": lambda x, s: x[0] - x[1],
    "Mul": lambda x, s: x[0] * x[1],
    "Div": divide,
    "Floor": lambda x, s: np.floor(x[0]),
    "Ceil": lambda x, s: np.ceil(x[0]),
    "Sqrt": lambda x, s: np.sqrt(x[0]),
    "Neg": lambda x, s: -x[0],
    "Identity": lambda x, s: x[0],
    "Shape": lambda x, s: np.array(x[0].shape),
    "Cast": lambda x, s: x[0].astype(onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[s["to"]]),
    "Gather": lambda x, s: np.take(x[0], x[1].astype(np.int64), s.get("axis", 0)),
    "Concat": lambda x, s: np.concatenate(x, s["axis"]),
    "Slice": slice_known,
    "Squeeze": squeeze_known,
    "Unsqueeze": lambda x, s: np.expand_dims(x[0], tuple(int(a) for a in s.get("axes", optional(x, 1)))),
    "Reshape": lambda x, s: x[0].reshape([int(v) for v in x[1]]),
    "Transpose": lambda x, s: np.transpose(x[0], s.get("perm")),
    "ConstantOfShape": lambda x, s: np.full(x[0].astype(int), array(s["value"])[0] if "value" in s else np.float32(0)),
}


def read(path, size):
    """(network, View of its output) of an ONNX file; size is (h, w, c) or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # protobuf only warns about parts that it cannot read
        model = onnx.load(str(path), load_external_data=False)
    reader = Reader(model, size)
    return reader.net, reader.run()
