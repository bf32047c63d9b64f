"""Computes ONNX nodes that depend on constants alone, with numpy: weights, shapes, and what exporters make of them."""
import math
from typing import Callable, NamedTuple

import numpy as np
import onnx


class Op(NamedTuple):
    """How an operator is read: the function, the attributes that it reads, and the most inputs that it knows."""

    call: Callable
    attributes: tuple = ()
    inputs: int = 1


def axes_of(x, s, n):
    """The axes of a reduction: an attribute, or since opset 13 or 18 input n; None for all, [] for none."""
    axes = s.get("axes", x[n] if len(x) > n else None)
    if axes is None or not np.size(axes):
        return [] if s.get("noop_with_empty_axes") else None
    return [int(a) for a in np.reshape(axes, -1)]


def numpy_type(number):
    if hasattr(onnx.helper, "tensor_dtype_to_np_dtype"):
        return onnx.helper.tensor_dtype_to_np_dtype(number)
    return onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[number]


def cast(x, s):
    wanted = np.dtype(np.float32 if s["to"] == 16 else numpy_type(s["to"]))
    with np.errstate(all="ignore"):
        return x[0].astype(wanted)


def divide(x, s):
    """Integers are divided towards zero."""
    if not np.issubdtype(x[0].dtype, np.integer):
        return x[0] / x[1]
    if np.any(x[1] == 0):
        raise ValueError("it divides by zero")
    return (np.sign(x[0]) * np.sign(x[1]) * (np.abs(x[0]) // np.abs(x[1]))).astype(x[0].dtype)


def shape(x, s):
    rank = x[0].ndim
    start, end = (min(max(v + rank if v < 0 else v, 0), rank) for v in (s.get("start", 0), s.get("end", rank)))
    return np.array(x[0].shape[start:end], np.int64)


def slice_known(x, s):
    starts, ends = (s.get(key, x[i] if len(x) > i else None) for i, key in ((1, "starts"), (2, "ends")))
    starts, ends = np.reshape(starts, -1), np.reshape(ends, -1)
    axes = s.get("axes", x[3] if len(x) > 3 and x[3] is not None else range(len(starts)))
    steps = x[4] if len(x) > 4 and x[4] is not None else [1] * len(starts)
    cut = [slice(None)] * x[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, np.reshape(steps, -1)):
        start, end, step = int(start), int(end), int(step)
        if step < 0 and end < -x[0].shape[int(axis)]:
            end = None  # numpy counts negative ends from the back
        cut[int(axis)] = slice(start, end, step)
    return x[0][tuple(cut)]


def new_shape(full, sizes, keeps_zero):
    """The sizes of a Reshape: 0 copies the old size unless `keeps_zero`, -1 is what is left."""
    sizes = [int(v) for v in np.reshape(sizes, -1)]
    sizes = [full[i] if v == 0 and not keeps_zero else v for i, v in enumerate(sizes)]
    if sizes.count(-1) == 1:
        rest = math.prod(v for v in sizes if v != -1)
        sizes[sizes.index(-1)] = math.prod(full) // rest if rest else 0
    if min(sizes, default=1) < 0:
        raise ValueError(f"it reshapes to {'x'.join(map(str, sizes))}")
    return sizes


def reshape(x, s):
    sizes = s["shape"] if "shape" in s else x[1]
    return x[0].reshape(new_shape(x[0].shape, sizes, s.get("allowzero")))


def flatten(x, s):
    axis = s.get("axis", 1)
    axis = axis + x[0].ndim if axis < 0 else axis
    return x[0].reshape(math.prod(x[0].shape[:axis]), -1)


def squeeze(x, s):
    axes = s.get("axes", x[1] if len(x) > 1 else None)
    return np.squeeze(x[0], None if axes is None else tuple(int(a) for a in axes))


def unsqueeze(x, s):
    axes = [int(a) for a in (s["axes"] if "axes" in s else x[1])]
    rank = x[0].ndim + len(axes)
    return np.expand_dims(x[0], tuple(sorted(a % rank for a in axes)))


def expand(x, s):
    return np.broadcast_to(x[0], np.broadcast_shapes(x[0].shape, tuple(int(v) for v in x[1]))).copy()


def split_sizes(size, sizes, parts):
    if sizes is not None:
        return [int(n) for n in sizes]
    each = -(-size // parts)
    return [min(each, size - each * n) for n in range(parts)]


def split(x, s):
    axis = s.get("axis", 0)
    sizes = s.get("split", x[1] if len(x) > 1 else None)
    sizes = split_sizes(x[0].shape[axis], sizes, s.get("num_outputs", s.outputs))
    return np.split(x[0], np.cumsum(sizes)[:-1], axis)


def reduce(call, n):
    """n: the input that holds the axes."""

    def read(x, s):
        axes = axes_of(x, s, n)
        if axes == []:
            return x[0]
        return np.asarray(call(x[0], axis=None if axes is None else tuple(axes), keepdims=bool(s.get("keepdims", 1))))

    return read


def per_axis(x, scale, axis):
    """A scale or zero point for one axis of x, ready to be broadcast."""
    if scale.ndim == 0 or scale.size == 1:
        return scale.reshape(())
    return scale.reshape([-1 if n == axis % x.ndim else 1 for n in range(x.ndim)])


def dequantise(x, s):
    """(x - zero point) * scale"""
    if s.get("block_size"):
        raise ValueError("blocks of quantised weights are not supported")
    axis = s.get("axis", 1)
    zero = per_axis(x[0], x[2], axis) if len(x) > 2 and x[2] is not None else 0
    return (x[0].astype(np.float32) - np.asarray(zero, np.float32)) * per_axis(x[0], x[1], axis).astype(np.float32)


def quantise(x, s):
    if s.get("block_size"):
        raise ValueError("blocks of quantised weights are not supported")
    zero = x[2] if len(x) > 2 and x[2] is not None else np.zeros((), numpy_type(s.get("output_dtype", 2)))
    axis, limits = s.get("axis", 1), np.iinfo(np.asarray(zero).dtype)
    values = np.rint(x[0] / per_axis(x[0], x[1], axis)) + per_axis(x[0], np.asarray(zero), axis).astype(np.float64)
    return np.clip(values, limits.min, limits.max).astype(np.asarray(zero).dtype)


def batch_norm(x, s):
    """Also in training mode, by which exporters write the standardised weights of NFNet."""
    view = [-1 if n == 1 else 1 for n in range(x[0].ndim)]
    scale, shift, mean, variance = (v.astype(np.float64).reshape(view) for v in x[1:5])
    if s.get("training_mode"):
        axes = tuple(n for n in range(x[0].ndim) if n != 1)
        mean, variance = x[0].mean(axes, np.float64, keepdims=True), x[0].var(axes, np.float64, keepdims=True)
    return ((x[0] - mean) / np.sqrt(variance + s.get("epsilon", 1e-5)) * scale + shift).astype(x[0].dtype)


def clip(x, s):
    low, high = (s.get(key, x[i] if len(x) > i else None) for i, key in ((1, "min"), (2, "max")))
    out = x[0] if low is None else np.maximum(x[0], np.asarray(low, x[0].dtype))
    return out if high is None else np.minimum(out, np.asarray(high, x[0].dtype))


def fold(call):
    """An operator with any number of inputs."""

    def read(x, s):
        out = x[0]
        for other in x[1:]:
            out = call(out, other)
        return out

    return Op(read, (), 1 << 20)


def with_type(call):
    """call(*x) in the type of its first input, as ONNX has it."""
    return lambda x, s: np.asarray(call(*x)).astype(x[0].dtype)


def range_of(x, s):
    start, limit, delta = (v.reshape(-1)[0] for v in x)
    return np.arange(start, limit, delta, dtype=x[0].dtype)


REDUCTION = ("axes", "keepdims", "noop_with_empty_axes")
one = lambda call: Op(with_type(call))
two = lambda call: Op(with_type(call), (), 2)
compare = lambda call: Op(lambda x, s: call(x[0], x[1]), (), 2)

ARITHMETIC = {
    "Add": two(np.add),
    "Sub": two(np.subtract),
    "Mul": two(np.multiply),
    "Div": Op(divide, (), 2),
    "Mod": Op(lambda x, s: np.asarray((np.fmod if s.get("fmod") else np.mod)(x[0], x[1])), ("fmod",), 2),
    "Pow": two(lambda a, b: np.power(a, b.astype(a.dtype) if a.dtype.kind == "f" else b)),
    "Sum": fold(np.add),
    "Min": fold(np.minimum),
    "Max": fold(np.maximum),
    "Mean": Op(lambda x, s: sum(x) / np.float32(len(x)), (), 1 << 20),
    "Floor": one(np.floor),
    "Ceil": one(np.ceil),
    "Round": one(np.rint),
    "Sqrt": one(np.sqrt),
    "Exp": one(np.exp),
    "Log": one(np.log),
    "Neg": one(np.negative),
    "Abs": one(np.abs),
    "Sign": one(np.sign),
    "Reciprocal": one(lambda a: 1 / a),
    "Relu": one(lambda a: np.maximum(a, 0)),
    "Sigmoid": one(lambda a: 1 / (1 + np.exp(-a))),
    "Tanh": one(np.tanh),
    "Clip": Op(clip, ("min", "max"), 3),
    "BatchNormalization": Op(batch_norm, ("epsilon", "momentum", "training_mode"), 5),
    "Equal": compare(np.equal),
    "Less": compare(np.less),
    "LessOrEqual": compare(np.less_equal),
    "Greater": compare(np.greater),
    "GreaterOrEqual": compare(np.greater_equal),
    "And": compare(np.logical_and),
    "Or": compare(np.logical_or),
    "Xor": compare(np.logical_xor),
    "Not": Op(lambda x, s: np.logical_not(x[0])),
    "Where": Op(lambda x, s: np.where(x[0], x[1], x[2]), (), 3),
    "Identity": Op(lambda x, s: x[0]),
    "Shape": Op(shape, ("start", "end")),
    "Size": Op(lambda x, s: np.array(x[0].size, np.int64)),
    "Cast": Op(cast, ("to", "saturate")),
    "CastLike": Op(lambda x, s: x[0].astype(x[1].dtype), ("saturate",), 2),
    "Gather": Op(lambda x, s: np.take(x[0], x[1].astype(np.int64), s.get("axis", 0)), ("axis",), 2),
    "Concat": Op(lambda x, s: np.concatenate(x, s["axis"]), ("axis",), 1 << 20),
    "Split": Op(split, ("axis", "split", "num_outputs"), 2),
    "Slice": Op(slice_known, ("starts", "ends", "axes"), 5),
    "Squeeze": Op(squeeze, ("axes",), 2),
    "Unsqueeze": Op(unsqueeze, ("axes",), 2),
    "Reshape": Op(reshape, ("allowzero", "shape"), 2),
    "Flatten": Op(flatten, ("axis",)),
    "Transpose": Op(lambda x, s: np.transpose(x[0], s.get("perm")), ("perm",)),
    "Expand": Op(expand, (), 2),
    "Tile": Op(lambda x, s: np.tile(x[0], [int(n) for n in x[1]]), (), 2),
    "Range": Op(range_of, (), 3),
    "MatMul": Op(lambda x, s: x[0] @ x[1], (), 2),
    "ConstantOfShape": Op(
        lambda x, s: np.full(x[0].astype(int), s["value"].reshape(-1)[0] if "value" in s else np.float32(0)), ("value",)
    ),
    "ReduceSum": Op(reduce(np.sum, 1), REDUCTION, 2),
    "ReduceMean": Op(reduce(np.mean, 1), REDUCTION, 2),
    "ReduceMax": Op(reduce(np.max, 1), REDUCTION, 2),
    "ReduceMin": Op(reduce(np.min, 1), REDUCTION, 2),
    "ReduceProd": Op(reduce(np.prod, 1), REDUCTION, 2),
    "DequantizeLinear": Op(dequantise, ("axis", "block_size", "output_dtype"), 3),
    "QuantizeLinear": Op(quantise, ("axis", "saturate", "block_size", "output_dtype"), 3),
    "Dropout": Op(lambda x, s: x[0], ("ratio", "seed")),
}
