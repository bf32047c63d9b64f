"""ONNX operators on the image, as calls of network.Network. OPS says which attributes and inputs each of them reads."""
import math
from dataclasses import replace

import numpy as np

from layers import ConvertError, dilated, same_pads
from onnx_constants import REDUCTION, Op, axes_of, dequantise, new_shape, numpy_type, split_sizes
from views import View

HALF = {10: "float16", 16: "bfloat16"}  # of onnx.TensorProto.DataType
FLOATS = (1, 11, *HALF)  # float32 and float64 too


def known(value, what):
    """The array, which must not depend on the image."""
    if not isinstance(value, np.ndarray):
        raise ConvertError(f"its {what} are computed while the network runs; the engine needs them in the file")
    return value


def optional(x, n, default=None):
    """Input number n of a node, if it has one."""
    return known(x[n], "settings") if len(x) > n and x[n] is not None else default


def image(x):
    """The only View among the inputs, which must come first."""
    if not isinstance(x[0], View):
        raise ConvertError("its first input is a constant; the engine needs the picture there")
    return x[0]


def sizes_of(x):
    """Height and width of a batch of pictures with channels first."""
    if len(x.axes) != 4:
        raise ConvertError(f"its input of {x.text()} is not a picture with its channels before height and width")
    return x.shape[2:]


def window_pads(x, k, s, dilation):
    """pads or auto_pad of ONNX as (above, left, below, right)."""
    mode = s.get("auto_pad", b"NOTSET").decode()
    if mode.startswith("SAME"):
        return same_pads(sizes_of(x), k, s.get("strides", [1, 1]), dilation, mode == "SAME_LOWER")
    if mode not in ("NOTSET", "VALID"):
        raise ConvertError(f"its auto_pad is {mode}")
    return tuple(s.get("pads", [0] * 4)) if mode == "NOTSET" else (0,) * 4


def conv(net, x, s):
    weight, dilation = known(x[1], "weights"), s.get("dilations", [1, 1])
    if weight.ndim != 4:
        raise ConvertError(f"it convolves over {weight.ndim - 2} dimensions; the engine convolves over two")
    if tuple(s.get("kernel_shape", weight.shape[2:])) != weight.shape[2:]:
        raise ConvertError(f"its kernel_shape is {s['kernel_shape']}, but its weights are {weight.shape[2:]}")
    pads = window_pads(image(x), weight.shape[2:], s, dilation)
    return net.conv(x[0], weight, optional(x, 2), s.get("strides", [1, 1]), pads, s.get("group", 1), dilation)


def pool(op):
    def read(net, x, s):
        k, stride = s["kernel_shape"], s.get("strides", [1, 1])
        if len(k) != 2:
            raise ConvertError(f"it pools over {len(k)} dimensions; the engine pools over two")
        if s.get("dilations", [1, 1]) != [1, 1]:
            raise ConvertError("its window is dilated; the engine pools without dilation")
        own = window_pads(image(x), k, s, (1, 1))
        pads, sizes = list(own), sizes_of(x[0])
        for i in range(2 if s.get("ceil_mode") else 0):
            spare = (sizes[i] + pads[i] + pads[2 + i] - k[i]) % stride[i]
            last = sizes[i] + pads[i] + pads[2 + i] - k[i] + stride[i] - spare  # where the window more begins
            if spare and last < sizes[i] + pads[i]:  # one that begins behind the picture is left out
                pads[2 + i] += stride[i] - spare
        if op == "maxpool":
            return net.maxpool(x[0], k, stride, pads)
        counted = bool(s.get("count_include_pad"))
        if counted and tuple(pads) != tuple(own) and any(own):
            raise ConvertError("it counts the padding but not what ceil_mode adds; the engine counts all or nothing")
        return net.avgpool(x[0], k, stride, pads, counted and tuple(pads) == tuple(own))

    return read


def global_pool(kind):
    return lambda net, x, s: net.reduce(kind, image(x), range(2, len(x[0].axes)), True)


def reduce(kind, n):
    """n: the input that holds the axes."""

    def read(net, x, s):
        axes = axes_of([image(x), optional(x, 1)], s, 1)
        if axes == []:
            return x[0]
        return net.reduce(kind, x[0], range(len(x[0].axes)) if axes is None else axes, s.get("keepdims", 1))

    return Op(read, REDUCTION, n + 1)


def per_channel(x, values):
    """One number per channel, ready to be broadcast over axis 1."""
    if len(x.axes) < 2 or len(values) != x.shape[1]:
        raise ConvertError(f"it has weights for {len(values)} channels, but its input is {x.text()}")
    return np.reshape(values, (1, -1) + (1,) * (len(x.axes) - 2))


def batch_norm(net, x, s):
    if s.get("training_mode") or s.get("is_test", 1) == 0 and s.opset < 7:
        raise ConvertError("it is in training mode and uses the picture's own statistics. Export in eval mode")
    if s.get("spatial", 1) != 1:
        raise ConvertError("it has statistics for each pixel; the engine normalises channels")
    scale, shift, mean, variance = (known(v, "weights").astype(np.float64) for v in x[1:5])
    factor = scale / np.sqrt(variance + s.get("epsilon", 1e-5))
    return net.affine(image(x), per_channel(x[0], factor), per_channel(x[0], shift - mean * factor))


def instance_norm(net, x, s):
    out = net.normalise(image(x), range(2, len(x[0].axes)), s.get("epsilon", 1e-5))
    return net.affine(out, *(per_channel(out, known(v, "weights")) for v in x[1:3]))


def group_norm(net, x, s):
    groups, view = s["num_groups"], image(x)
    n, c, *sizes = view.shape
    parts = net.normalise(
        view.reshaped([n, groups, c // groups, *sizes]), range(2, len(sizes) + 3), s.get("epsilon", 1e-5)
    )
    out = parts.reshaped(view.shape)
    scale, shift = (known(v, "weights") for v in x[1:3])
    if len(scale) == groups != c:  # before opset 21 one number per group
        scale, shift = np.repeat(scale, c // groups), np.repeat(shift, c // groups)
    return net.affine(out, per_channel(out, scale), per_channel(out, shift))


def layer_norm(net, x, s):
    view = image(x)
    first = view.axis(s.get("axis", -1))
    out = net.normalise(view, range(first, len(view.axes)), s.get("epsilon", 1e-5))
    return net.affine(out, known(x[1], "weights"), optional(x, 2, np.float32(0)))


def binary(name):
    """Add, Sub, Mul and Div of two views, or of a view and a constant."""

    def read(net, x, s):
        if s.get("broadcast") and "axis" in s:
            raise ConvertError("it is broadcast along an axis as before opset 7. Export with a newer opset")
        a, b = x
        if isinstance(a, View) and isinstance(b, View):
            return {"Add": net.add, "Sub": net.sub, "Mul": net.mul, "Div": net.div}[name](a, b)
        if isinstance(b, View):
            if name == "Div":
                return net.affine(net.act(b, "reciprocal"), a, 0)
            return net.affine(b, a if name == "Mul" else -1 if name == "Sub" else 1, 0 if name == "Mul" else a)
        b = b.astype(np.float64)
        return {
            "Add": lambda: net.affine(a, 1, b),
            "Sub": lambda: net.affine(a, 1, -b),
            "Mul": lambda: net.affine(a, b, 0),
            "Div": lambda: net.affine(a, 1 / b, 0),
        }[name]()

    return Op(read, ("broadcast", "axis"), 2)


def extreme(name):
    """Min and Max of any number of inputs."""

    def read(net, x, s):
        views, constants = [v for v in x if isinstance(v, View)], [v for v in x if not isinstance(v, View)]
        out = views[0]
        for other in views[1:]:
            out = (net.minimum if name == "Min" else net.maximum)(out, other)
        for value in constants:  # max(x, v) = relu(x - v) + v
            sign = -1 if name == "Min" else 1
            out = net.affine(net.act(net.affine(out, sign, -sign * value), "relu"), sign, value)
        return out

    return Op(read, (), 1 << 20)


def total(mean):
    def read(net, x, s):
        out, add = x[0], OPS["Add"].call
        for other in x[1:]:
            out = add(net, [out, other], {}) if isinstance(out, View) or isinstance(other, View) else out + other
        return net.affine(out, 1 / len(x), 0) if mean else out

    return Op(read, (), 1 << 20)


def power(net, x, s):
    exponent = known(x[1], "exponents")
    if exponent.size != 1:
        raise ConvertError("its exponents differ from each other")
    return net.power(image(x), float(exponent.reshape(())))


def gemm(net, x, s):
    view, weight = image(x), known(x[1], "weights")
    if s.get("transA"):
        raise ConvertError("its first input is transposed, which the engine does not support")
    if weight.ndim != 2 or len(view.axes) != 2:
        raise ConvertError(f"its inputs of {view.text()} and {weight.shape} are no matrices")
    bias = optional(x, 2)
    out = net.dense(view, (weight if s.get("transB") else weight.T) * np.float32(s.get("alpha", 1)))
    return out if bias is None else net.affine(out, 1, bias * np.float64(s.get("beta", 1)))


def matmul(net, x, s):
    if isinstance(x[0], View) and isinstance(x[1], View):
        raise ConvertError(
            "it multiplies two matrices that depend on the picture, as attention does; the engine cannot"
        )
    view, weight = image(x), x[1]
    if weight.ndim == 1:
        out = net.dense(view, weight[None])
        return replace(out, axes=out.axes[:-1])
    if weight.ndim > 2 and math.prod(weight.shape[:-2]) == 1:
        rank = max(weight.ndim, len(view.axes))
        view, weight = replace(view, axes=((),) * (rank - len(view.axes)) + view.axes), weight.reshape(
            weight.shape[-2:]
        )
    return net.dense(view, weight.T)


def clip(net, x, s):
    low, high = (
        float(np.reshape(optional(x, i, np.array(s.get(key, end))), ()))
        for i, key, end in ((1, "min", -math.inf), (2, "max", math.inf))
    )
    return net.clip(image(x), low, high)


def concat(net, x, s):
    views = [v for v in x if isinstance(v, View)]
    axis = views[0].axis(s["axis"])
    return net.concat([v if isinstance(v, View) else net.constant_like(views[0], v, axis) for v in x], axis)


def pad(net, x, s):
    view = image(x)
    pads = [int(v) for v in (s["pads"] if "pads" in s else s["paddings"] if "paddings" in s else known(x[1], "pads"))]
    mode, value = s.get("mode", b"constant"), float(np.reshape(optional(x, 2, np.array(s.get("value", 0))), ()))
    axes = [view.axis(int(a)) for a in optional(x, 3, np.arange(len(view.axes)))]
    if len(pads) != 2 * len(axes):
        raise ConvertError(f"it has {len(pads)} paddings for {len(axes)} axes")
    before, after = ({axis: n for axis, n in zip(axes, part)} for part in (pads[: len(axes)], pads[len(axes) :]))
    if not any(pads):
        return view
    if mode != b"constant":
        raise ConvertError(f"it pads by mode {mode.decode()}; the engine pads with a constant")
    form = next((f for f in ("chw", "hwc") if _is_picture(net, view, f)), None)
    rows = {"chw": (2, 3), "hwc": (1, 2)}.get(form, ())
    if not rows or any(n for side in (before, after) for axis, n in side.items() if axis not in rows):
        raise ConvertError("the engine can only pad the height and width of a picture")
    return net.pad(view, [side.get(axis, 0) for side in (before, after) for axis in rows], value, form)


def _is_picture(net, view, form):
    try:
        net.feature_map(view, form)
    except ConvertError:
        return False
    return True


def resize(net, x, s):
    """Resize and Upsample, by scales or to sizes, where the coordinates are those of the engine."""
    view = image(x)
    rank = len(view.axes)
    axes = [view.axis(a) for a in s.get("axes", range(rank))]
    if "height_scale" in s or "width_scale" in s:
        raise ConvertError("its scales are written as before opset 7. Export with a newer opset")
    scales, sizes = s.get("scales"), None
    if scales is None and s.opset > 10 and len(x) > 3 and x[3] is not None and np.size(x[3]):
        sizes = [int(n) for n in known(x[3], "sizes")]
    elif scales is None:
        scales = known(x[2] if s.opset > 10 and len(x) > 2 else x[1], "scales").tolist()
    old = [view.shape[a] for a in axes]
    if sizes is not None:
        scales = [new / size for new, size in zip(sizes, old)]
        policy = s.get("keep_aspect_ratio_policy", b"stretch").decode()
        if policy != "stretch":
            scales = [(min if policy == "not_larger" else max)(scales)] * len(scales)
            sizes = [math.floor(scales[0] * size + 0.5) for size in old]
            scales = [new / size for new, size in zip(sizes, old)]
    wanted = {axis: float(scale) for axis, scale in zip(axes, scales) if scale != 1}
    if not wanted:
        return view
    if len(scales) != len(axes) or rank != 4 or set(wanted) - {2, 3}:
        raise ConvertError("it resizes other axes than the height and width of a picture with its channels first")
    mode = s.get("mode", b"nearest").decode()
    grid = s.get("coordinate_transformation_mode", b"half_pixel").decode() if s.opset > 10 else "asymmetric"
    rounding = s.get("nearest_mode", b"round_prefer_floor").decode() if s.opset > 10 else "floor"
    both = [wanted.get(2, 1.0), wanted.get(3, 1.0)]
    integer = all(scale == round(scale) for scale in both)
    centres = grid in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric") and integer
    # With an integer scale these choose the same pixels: the half of 2 is rounded down by the first two.
    floors = rounding == "floor" or (rounding == "round_prefer_floor" and both in ([2, 2], [1, 2], [2, 1]))
    nearest = (grid == "asymmetric" and floors) or (centres and rounding.startswith("round"))
    if not integer:
        raise ConvertError(
            f"it resizes {view.shape[2]}x{view.shape[3]} by {both[0]:g} and {both[1]:g}; the engine enlarges by integers. "
            "If that is the network's first step, export the network without it, for the larger input: Pleura stretches "
            "the film itself"
        )
    if grid == "align_corners" or not (nearest if mode == "nearest" else mode == "linear" and centres):
        raise ConvertError(
            f"it resizes with mode {mode}, {grid}, {rounding}; the engine has nearest, and linear between pixel centres"
        )
    return net.resize(view, both, mode)


def reshape(net, x, s):
    sizes = s["shape"] if "shape" in s else known(x[1], "sizes")
    return image(x).reshaped(new_shape(x[0].shape, sizes, s.get("allowzero")))


def flatten(net, x, s):
    shape = image(x).shape
    axis = s.get("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return x[0].reshaped((math.prod(shape[:axis]), math.prod(shape[axis:])))


def squeeze(net, x, s):
    view = image(x)
    axes = s.get("axes", optional(x, 1, np.array([i for i, n in enumerate(view.shape) if n == 1])))
    axes = [view.axis(int(a)) for a in axes]
    if any(view.shape[a] != 1 for a in axes):
        raise ConvertError(f"it removes the axes {axes} of {view.text()}; only axes of size 1 can go")
    return replace(view, axes=tuple(axis for i, axis in enumerate(view.axes) if i not in axes))


def unsqueeze(net, x, s):
    view = image(x)
    added = [int(a) for a in s.get("axes", optional(x, 1))]
    axes = list(view.axes)
    for a in sorted(a % (len(view.axes) + len(added)) for a in added):
        axes.insert(a, ())
    return replace(view, axes=tuple(axes))


def slice_view(net, x, s):
    view = image(x)
    starts, ends = (np.reshape(s.get(key, optional(x, i)), -1) for i, key in ((1, "starts"), (2, "ends")))
    axes = s.get("axes", optional(x, 3, range(len(starts))))
    steps = optional(x, 4, [1] * len(starts))
    wanted = {}
    for axis, start, end, step in zip(axes, starts, ends, np.reshape(steps, -1)):
        axis = view.axis(int(axis))
        size, start, end, step = view.shape[axis], int(start), int(end), int(step)
        if step < 0 and end < -size:
            end = None
        wanted[axis] = np.arange(size)[slice(start, end, step)]
    return net.slice(view, wanted)


def split(net, x, s):
    view = image(x)
    axis = view.axis(s.get("axis", 0))
    sizes = s.get("split", optional(x, 1))
    sizes = split_sizes(view.shape[axis], sizes, s.get("num_outputs", s.outputs))
    ends = np.cumsum(sizes)
    if ends[-1] != view.shape[axis]:
        raise ConvertError(f"it splits axis {axis} of {view.text()} into {sizes}")
    return [net.slice(view, {axis: np.arange(end - size, end)}) for size, end in zip(sizes, ends)]


def gather(net, x, s):
    view, index = image(x), known(x[1], "indices").astype(np.int64)
    axis = view.axis(s.get("axis", 0))
    size = view.shape[axis]
    if np.any(index < -size) or np.any(index >= size):
        raise ConvertError(f"it takes the positions {index.tolist()} of axis {axis} of {view.text()}")
    out = net.slice(view, {axis: index.reshape(-1) % size})
    if index.ndim == 0:
        return replace(out, axes=out.axes[:axis] + out.axes[axis + 1 :])
    return out if index.ndim == 1 else out.reshaped((*view.shape[:axis], *index.shape, *view.shape[axis + 1 :]))


def expand(net, x, s):
    view, sizes = image(x), [int(n) for n in known(x[1], "sizes")]
    view = replace(view, axes=((),) * (len(sizes) - len(view.axes)) + view.axes)
    return net.expand(view, np.broadcast_shapes(view.shape, (1,) * (len(view.axes) - len(sizes)) + tuple(sizes)))


def tile(net, x, s):
    view, counts = image(x), [int(n) for n in known(x[1], "counts")]
    if len(counts) != len(view.axes) or any(n != 1 and size != 1 for n, size in zip(counts, view.shape)):
        raise ConvertError(f"it repeats {view.text()}, which the engine cannot")
    return net.expand(view, [n * size for n, size in zip(counts, view.shape)])


def transpose(net, x, s):
    view = image(x)
    return view.transposed(s.get("perm", range(len(view.axes))[::-1]))


def softmax(net, x, s):
    view = image(x)
    axis = view.axis(s.get("axis", -1 if s.opset > 12 else 1))
    if s.opset < 13 and math.prod(view.shape[axis + 1 :]) > 1:
        raise ConvertError("it runs over several axes at once, as before opset 13; the engine's runs over the channels")
    return net.softmax(view, axis)


def cast(net, x, s):
    if s["to"] not in FLOATS:
        raise ConvertError("it makes integers or truth values of a picture; the engine computes with real numbers")
    net.half = HALF.get(s["to"]) or net.half
    return image(x)


def dropout(net, x, s):
    training = optional(x, 2)
    if (training is not None and np.any(training)) or (s.opset < 7 and s.get("is_test", 0) == 0):
        raise ConvertError("it is in training mode. Export in eval mode")
    return image(x)


def prelu(net, x, s):
    return net.leaky_relu(image(x), known(x[1], "slopes"))


def depth_to_space(net, x, s):
    return net.depth_to_space(image(x), s["blocksize"], s.get("mode", b"DCR") == b"DCR")


def conv_transpose(net, x, s):
    weight, strides, dilation = known(x[1], "weights"), s.get("strides", [1, 1]), s.get("dilations", [1, 1])
    if weight.ndim != 4:
        raise ConvertError(f"it convolves over {weight.ndim - 2} dimensions; the engine convolves over two")
    if tuple(s.get("kernel_shape", weight.shape[2:])) != weight.shape[2:]:
        raise ConvertError(f"its kernel_shape is {s['kernel_shape']}, but its weights are {weight.shape[2:]}")
    mode, more, sizes = s.get("auto_pad", b"NOTSET").decode(), s.get("output_padding", [0, 0]), sizes_of(image(x))
    spans = [dilated(k, step) for k, step in zip(weight.shape[2:], dilation)]
    full = [(n - 1) * step + extra + span for n, step, extra, span in zip(sizes, strides, more, spans)]
    pads, out = s.get("pads", [0] * 4), s.get("output_shape")
    if out is None:
        same = mode.startswith("SAME")
        out = (
            [n * step for n, step in zip(sizes, strides)]
            if same
            else [size - pads[i] - pads[i + 2] for i, size in enumerate(full)]
        )
    if mode != "NOTSET" or "output_shape" in s:  # the padding follows from the size of the output
        total = [max(size - wanted, 0) for size, wanted in zip(full, out[-2:])]
        pads = [n // 2 if mode == "SAME_UPPER" else n - n // 2 for n in total]
    return net.conv_transpose(x[0], weight, optional(x, 2), strides, pads[:2], out[-2:], s.get("group", 1), dilation)


def norm(kind):
    """ReduceMin, ReduceL1, ReduceL2 and ReduceSumSquare, by those reductions that the engine has."""

    def read(net, x, s):
        view = image(x)
        before = {"L1": net.absolute, "Min": lambda v: net.affine(v, -1, 0)}.get(kind, lambda v: net.mul(v, v))
        if axes_of([view, optional(x, 1)], s, 1) == []:
            raise ConvertError("it reduces no axis, which tools understand differently")
        out = reduce("max" if kind == "Min" else "sum", 1).call(net, [before(view), *x[1:]], s)
        return {"Min": lambda: net.affine(out, -1, 0), "L2": lambda: net.act(out, "sqrt")}.get(kind, lambda: out)()

    return Op(read, REDUCTION, 2)


def one_number(value, what):
    """A scale or a zero point of a whole tensor."""
    value = known(value, what)
    if value.size != 1:
        raise ConvertError(f"it has {value.size} {what}s for its activations; the engine rounds all channels alike")
    return value.reshape(())


def quantise_linear(net, x, s):
    """x / scale + zero point as integers. The engine keeps them as real numbers."""
    if s.get("block_size") or s.get("precision"):
        raise ConvertError("it quantises block by block or in another precision, which the engine cannot")
    kind = np.asarray(
        optional(x, 2, np.zeros((), numpy_type(s["output_dtype"]) if s.get("output_dtype") else np.uint8))
    )
    if kind.dtype.kind not in "iu":
        raise ConvertError(f"it rounds to {kind.dtype}; the engine rounds to 8-bit integers")
    limits = np.iinfo(kind.dtype)
    scale = float(one_number(x[1], "scale"))
    return net.quantise(image(x), scale, int(one_number(kind, "zero point")), int(limits.min), int(limits.max))


def dequantise_linear(net, x, s):
    if s.get("block_size"):
        raise ConvertError("it is quantised block by block, which the engine cannot")
    zero = float(one_number(optional(x, 2, np.zeros((), np.uint8)), "zero point"))
    scale = one_number(x[1], "scale")
    net.half = HALF.get(s.get("output_dtype")) or ("float16" if scale.dtype == np.float16 else net.half)
    return net.affine(image(x), float(scale), -zero * float(scale))


def real(net, x, axis=1):
    """The real values of a quantised tensor (values, scale, zero point): a View, or an array with one scale per axis."""
    if isinstance(x[0], View):
        return dequantise_linear(net, x, {})
    return dequantise(x, {"axis": axis})


def integer_op(operator, operands, attributes, more=()):
    """An operator of onnxruntime's QOperator format: `operator` of the real values, rounded.

    Its inputs are (values, scale, zero point) for each of `operands`, then scale and zero point of the output. `more`
    makes the operator's further inputs of all of them.
    """

    def read(net, x, s):
        if s.get("channels_last"):
            raise ConvertError("its channels are last; the engine reads this operator with its channels first")
        x = [*x, *[None] * (3 * operands + 2 + len(more) - len(x))]
        parts = [real(net, x[i : i + 3], 0 if operator == "Conv" else 1) for i in range(0, 3 * operands, 3)]
        out = OPS[operator].call(net, [*parts, *(make(x) for make in more)], s)
        return quantise_linear(net, [out, *x[3 * operands : 3 * operands + 2]], {})

    return Op(read, tuple(attributes.split()), 3 * operands + 2 + len(more))


def bias_of(at):
    """The bias of QLinearConv and QGemm, in units of the sum."""

    def make(x):
        if x[at] is None:
            return None
        return known(x[at], "bias").astype(np.float32) * (x[1] * np.reshape(x[4], -1)).astype(np.float32)

    return make


def integer_gemm(net, x, s):
    x = [*x, *[None] * (9 - len(x))]
    weight = real(net, x[3:6], 0 if s.get("transB") else 1)
    bias = bias_of(6)(x)
    out = gemm(net, [real(net, x[:3]), weight, bias], s)
    return out if x[7] is None else quantise_linear(net, [out, x[7], x[8]], {})


def integer_concat(net, x, s):
    parts = [real(net, x[i : i + 3]) for i in range(2, len(x), 3)]
    return quantise_linear(net, [concat(net, parts, s), *x[:2]], {})


def act(name, attributes=()):
    return Op(lambda net, x, s: net.act(image(x), name), attributes)


def same(net, x, s):
    return image(x)


def call(function, attributes="", inputs=1):
    return Op(function, tuple(attributes.split()), inputs)


WINDOW = "auto_pad dilations kernel_shape pads strides "
OPS = {
    "Conv": call(conv, WINDOW + "group", 3),
    "ConvTranspose": call(conv_transpose, WINDOW + "group output_padding output_shape", 3),
    "DepthToSpace": call(depth_to_space, "blocksize mode"),
    "MaxPool": call(pool("maxpool"), WINDOW + "ceil_mode storage_order"),
    "AveragePool": call(pool("avgpool"), WINDOW + "ceil_mode count_include_pad"),
    "GlobalMaxPool": call(global_pool("max")),
    "GlobalAveragePool": call(global_pool("mean")),
    "ReduceMean": reduce("mean", 1),
    "ReduceSum": reduce("sum", 1),
    "ReduceMax": reduce("max", 1),
    **{f"Reduce{kind}": norm(kind) for kind in ("Min", "L1", "L2", "SumSquare")},
    "BatchNormalization": call(batch_norm, "epsilon momentum spatial training_mode is_test consumed_inputs", 5),
    "InstanceNormalization": call(instance_norm, "epsilon", 3),
    "GroupNormalization": call(group_norm, "epsilon num_groups stash_type", 3),
    "LayerNormalization": call(layer_norm, "axis epsilon stash_type", 3),
    "LRN": call(
        lambda net, x, s: net.local_response(
            image(x), s["size"], s.get("alpha", 1e-4), round(s.get("beta", 0.75), 6), s.get("bias", 1.0)
        ),
        "alpha beta bias size",
    ),
    "Gemm": call(gemm, "alpha beta transA transB broadcast", 3),
    "MatMul": call(matmul, "", 2),
    "Add": binary("Add"),
    "Sub": binary("Sub"),
    "Mul": binary("Mul"),
    "Div": binary("Div"),
    "Sum": total(False),
    "Mean": total(True),
    "Min": extreme("Min"),
    "Max": extreme("Max"),
    "Pow": call(power, "", 2),
    "Sqrt": act("sqrt"),
    "Exp": act("exp"),
    "Erf": act("erf"),
    "Reciprocal": act("reciprocal"),
    "Log": call(lambda net, x, s: net.log(image(x))),
    "Softplus": call(lambda net, x, s: net.softplus(image(x))),
    "Abs": call(lambda net, x, s: net.absolute(image(x))),
    "Neg": call(lambda net, x, s: net.affine(image(x), -1, 0)),
    "Relu": act("relu", ("consumed_inputs",)),
    "Sigmoid": act("sigmoid"),
    "Tanh": act("tanh"),
    "HardSwish": act("hardswish"),
    "HardSigmoid": call(
        lambda net, x, s: net.hard_sigmoid(image(x), s.get("alpha", 0.2), s.get("beta", 0.5)), "alpha beta"
    ),
    "LeakyRelu": call(lambda net, x, s: net.leaky_relu(image(x), s.get("alpha", 0.01)), "alpha"),
    "PRelu": call(prelu, "", 2),
    "Elu": call(lambda net, x, s: net.elu(image(x), s.get("alpha", 1.0)), "alpha"),
    "Selu": call(
        lambda net, x, s: net.elu(
            image(x), s.get("alpha", 1.67326319217681884765625), s.get("gamma", 1.05070102214813232421875)
        ),
        "alpha gamma",
    ),
    "Celu": call(lambda net, x, s: net.elu(image(x), s.get("alpha", 1.0), 1.0, s.get("alpha", 1.0)), "alpha"),
    "Gelu": call(lambda net, x, s: net.gelu(image(x), s.get("approximate", b"none") == b"tanh"), "approximate"),
    "Mish": call(lambda net, x, s: net.mish(image(x))),
    "Softsign": call(lambda net, x, s: net.softsign(image(x))),
    "Clip": call(clip, "min max", 3),
    "Concat": call(concat, "axis", 1 << 20),
    "Split": call(split, "axis split num_outputs", 2),
    "Slice": call(slice_view, "starts ends axes", 5),
    "Gather": call(gather, "axis", 2),
    "Pad": call(pad, "mode pads paddings value", 4),
    "Resize": call(
        resize,
        "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
        "keep_aspect_ratio_policy mode nearest_mode scales",
        4,
    ),
    "Upsample": call(resize, "mode scales height_scale width_scale", 2),
    "Reshape": call(reshape, "allowzero shape", 2),
    "Flatten": call(flatten, "axis"),
    "Squeeze": call(squeeze, "axes", 2),
    "Unsqueeze": call(unsqueeze, "axes", 2),
    "Expand": call(expand, "", 2),
    "Tile": call(tile, "", 2),
    "Transpose": call(transpose, "perm"),
    "Softmax": call(softmax, "axis"),
    "LogSoftmax": call(softmax, "axis"),
    "Identity": call(same),
    "Dropout": call(dropout, "ratio seed is_test consumed_inputs", 3),
    "Cast": call(cast, "to saturate"),
    "QuantizeLinear": call(quantise_linear, "axis saturate block_size output_dtype precision", 3),
    "DequantizeLinear": call(dequantise_linear, "axis block_size output_dtype", 3),
    "QLinearConv": integer_op("Conv", 2, WINDOW + "group", [bias_of(8)]),
    "QLinearMatMul": integer_op("MatMul", 2, ""),
}
POOL = WINDOW + "ceil_mode count_include_pad channels_last"
MICROSOFT = {  # onnxruntime's own operators, in files that its quantize_static wrote
    "QLinearAdd": integer_op("Add", 2, ""),
    "QLinearMul": integer_op("Mul", 2, ""),
    "QLinearSigmoid": integer_op("Sigmoid", 1, ""),
    "QLinearLeakyRelu": integer_op("LeakyRelu", 1, "alpha"),
    "QLinearSoftmax": integer_op("Softmax", 1, "axis opset"),
    "QLinearGlobalAveragePool": integer_op("GlobalAveragePool", 1, "channels_last"),
    "QLinearAveragePool": integer_op("AveragePool", 1, POOL),
    "QLinearConcat": call(integer_concat, "axis", 1 << 20),
    "QGemm": call(integer_gemm, "alpha transA transB", 9),
    **{name: OPS[name] for name in ("QuantizeLinear", "DequantizeLinear")},
}
