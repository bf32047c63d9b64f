"""Operations of Keras 3 and TensorFlow between layers: `x / 127.5 - 1`, `x[..., ::-1]`, `keras.ops.mean(x, (1, 2))`.

Keras 3 writes them as objects of keras.src.ops, Keras 2 as layers TFOpLambda with the name of TensorFlow's function.
Each entry takes (network, [Views], {position or name: argument}) and must read every argument.
"""
from dataclasses import replace

import numpy as np

from keras_layers import ACTIVATIONS, DTYPES, HALF
from layers import ConvertError
from views import View


def value_of(argument):
    """A View, or a number or list as an array."""
    if isinstance(argument, View):
        return argument
    if isinstance(argument, dict):
        argument = argument.get("config", {}).get("value") if isinstance(argument.get("config"), dict) else None
    if isinstance(argument, bool) or argument is None:
        raise ConvertError("one of its arguments is not a number")
    values = np.asarray(argument)
    if values.dtype.kind not in "fiu":
        raise ConvertError("one of its arguments is not a number")
    return values.astype(np.float64)


def arguments(given, *names, **defaults):
    """The arguments of these names or positions; any other one that says something is an error."""
    places = {name: n for n, name in enumerate((*names, *defaults))}
    unread = [
        key
        for key, value in given.items()
        if key not in places and key not in places.values() and key != "name" and value not in (None, False)
    ]
    if unread:
        raise ConvertError(f"its argument {unread[0]} is one that Pleura does not read")
    return [given.get(name, given.get(n, defaults.get(name))) for name, n in places.items()]


def arithmetic(name, names=("x1", "x2")):
    def read(net, x, given):
        a, b = (value_of(one) for one in arguments(given, *names))
        if isinstance(a, View) and isinstance(b, View):
            return getattr(net, name)(a, b)
        view, constant = (a, b) if isinstance(a, View) else (b, a)
        if not isinstance(view, View):
            raise ConvertError("none of its inputs depends on the picture")
        if name == "add":
            return net.affine(view, 1, constant)
        if name == "mul":
            return net.affine(view, constant, 0)
        if name == "sub":
            return net.affine(view, 1, -constant) if view is a else net.affine(view, -1, constant)
        if name == "div":
            return (
                net.affine(view, 1 / constant, 0) if view is a else net.affine(net.act(view, "reciprocal"), constant, 0)
            )
        if name == "power":
            if view is not a or constant.size != 1:
                raise ConvertError("the engine can only raise a picture to one number")
            return net.power(view, float(constant.reshape(())))
        sign = 1 if name == "maximum" else -1  # max(x, v) = relu(x - v) + v
        return net.affine(net.act(net.affine(view, sign, -sign * constant), "relu"), sign, constant)

    return read


def unary(call):
    def read(net, x, given):
        arguments(given, "x")
        return call(net, x[0])

    return read


def reduce(kind, names=("x", "axis", "keepdims")):
    def read(net, x, given):
        _, axis, keep = arguments(given, *names)
        axes = range(len(x[0].axes)) if axis is None else axis if isinstance(axis, list) else [axis]
        return net.reduce(kind, x[0], axes, keep)

    return read


def concatenate(net, x, given):
    _, axis = arguments(given, "xs", axis=-1)
    return net.concat(x, axis)


def stack(net, x, given):
    _, axis = arguments(given, "x", axis=0)
    rank = len(x[0].axes) + 1
    at = axis % rank
    return net.concat([replace(one, axes=(*one.axes[:at], (), *one.axes[at:])) for one in x], at)


def get_item(net, x, given):
    _, key = arguments(given, "x", "key") if "slice_spec" not in given else (None, given["slice_spec"])
    view, keys = x[0], key if isinstance(key, list) else [key]
    is_ellipsis = lambda one: one == "..." or (
        isinstance(one, dict) and "ellipsis" in str(one.get("class_name")).lower()
    )
    at = next((n for n, one in enumerate(keys) if is_ellipsis(one)), None)
    if at is not None:
        keys = keys[:at] + [slice(None)] * (len(view.axes) - len(keys) + 1) + keys[at + 1 :]
    wanted, gone = {}, []
    for axis, one in enumerate(keys):
        if isinstance(one, dict):
            parts = one.get("config", one)
            one = slice(*(parts.get(part) for part in ("start", "stop", "step")))
        if isinstance(one, bool) or not isinstance(one, (int, slice)):
            raise ConvertError(f"it takes the positions {one} of {view.text()}, which Pleura does not read")
        wanted[axis] = np.atleast_1d(np.arange(view.shape[view.axis(axis)])[one])
        if isinstance(one, int):
            gone.append(axis)
    out = net.slice(view, wanted)
    return replace(out, axes=tuple(axis for n, axis in enumerate(out.axes) if n not in gone))


def clip(names):
    def read(net, x, given):
        _, low, high = arguments(given, *names)
        return net.clip(x[0], float(low), float(high))

    return read


def leaky_relu(names, default):
    def read(net, x, given):
        _, slope = arguments(given, names[0], **{names[1]: default})
        return net.leaky_relu(x[0], slope)

    return read


def tf_relu(net, x, given):
    """keras.activations.relu of Keras 2."""
    _, slope, limit, threshold = arguments(given, "x", alpha=0.0, max_value=None, threshold=0.0)
    if threshold:
        raise ConvertError("its threshold is not zero; the engine has only the plain ReLU")
    out = net.clip(x[0], -np.inf, np.inf if limit is None else limit)
    return net.leaky_relu(out, slope) if slope else net.clip(x[0], 0, np.inf if limit is None else limit)


def gelu(net, x, given):
    _, approximate = arguments(given, "x", approximate=True)
    return net.gelu(x[0], approximate)


def cast(net, x, given):
    _, dtype = arguments(given, "x", "dtype")
    if dtype not in DTYPES:
        raise ConvertError(f"it makes {dtype} of a picture; the engine computes with real numbers")
    net.half = HALF.get(dtype) or net.half
    return x[0]


def reshape(net, x, given):
    _, shape = arguments(given, "x", "newshape")
    shape = [1 if n is None or (n == -1 and at == 0) else int(n) for at, n in enumerate(shape)]
    if -1 in shape:
        shape[shape.index(-1)] = -int(np.prod(x[0].shape)) // int(np.prod(shape))
    return x[0].reshaped(shape)


def softmax(net, x, given):
    _, axis = arguments(given, "x", axis=-1)
    return net.softmax(x[0], axis)


def transpose(net, x, given):
    _, axes = arguments(given, "x", "axes")
    return x[0].transposed(axes if axes is not None else range(len(x[0].axes))[::-1])


def squeeze(net, x, given):
    _, axis = arguments(given, "x", "axis")
    view = x[0]
    gone = (
        [n for n, size in enumerate(view.shape) if size == 1]
        if axis is None
        else [view.axis(int(a)) for a in np.atleast_1d(axis)]
    )
    if any(view.shape[n] != 1 for n in gone):
        raise ConvertError(f"it removes the axes {gone} of {view.text()}; only axes of size 1 can go")
    return replace(view, axes=tuple(one for n, one in enumerate(view.axes) if n not in gone))


def expand_dims(net, x, given):
    _, axis = arguments(given, "x", "axis")
    at = int(axis) % (len(x[0].axes) + 1)
    return replace(x[0], axes=(*x[0].axes[:at], (), *x[0].axes[at:]))


def relus(net, x):
    return net.act(x, "relu")


PLAIN = {
    "relu": relus,
    **{
        name: ACTIVATIONS[name] for name in ("sigmoid", "tanh", "silu", "relu6", "selu", "softsign", "mish", "softplus")
    },
    "exp": lambda net, x: net.act(x, "exp"),
    "log": lambda net, x: net.log(x),
    "sqrt": lambda net, x: net.act(x, "sqrt"),
    "rsqrt": lambda net, x: net.power(x, -0.5),
    "square": lambda net, x: net.mul(x, x),
    "negative": lambda net, x: net.affine(x, -1, 0),
    "absolute": lambda net, x: net.absolute(x),
    "reciprocal": lambda net, x: net.act(x, "reciprocal"),
    "erf": lambda net, x: net.act(x, "erf"),
    "identity": lambda net, x: x,
}
ARITHMETIC = {
    "Add": "add",
    "Subtract": "sub",
    "Multiply": "mul",
    "TrueDivide": "div",
    "Divide": "div",
    "Power": "power",
    "Maximum": "maximum",
    "Minimum": "minimum",
}
OPERATIONS = {
    **{name: arithmetic(call) for name, call in ARITHMETIC.items()},
    **{name.capitalize(): unary(call) for name, call in PLAIN.items() if name != "relu6"},
    "Relu6": unary(PLAIN["relu6"]),
    "Abs": unary(PLAIN["absolute"]),
    "HardSilu": unary(ACTIVATIONS["hard_silu"]),
    "HardSigmoid": unary(lambda net, x: net.hard_sigmoid(x, 1 / 6, 0.5)),
    "LeakyRelu": leaky_relu(("x", "negative_slope"), 0.2),
    "Elu": unary(ACTIVATIONS["elu"]),
    "Gelu": gelu,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "Clip": clip(("x", "x_min", "x_max")),
    "Mean": reduce("mean"),
    "Sum": reduce("sum"),
    "Max": reduce("max"),
    "Concatenate": concatenate,
    "Stack": stack,
    "GetItem": get_item,
    "Cast": cast,
    "Reshape": reshape,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "ExpandDims": expand_dims,
}
XY = ("x", "y")
TENSORFLOW = {
    "math.add": arithmetic("add", XY),
    "__operators__.add": arithmetic("add", XY),
    "math.subtract": arithmetic("sub", XY),
    "math.multiply": arithmetic("mul", XY),
    "math.truediv": arithmetic("div", XY),
    "math.divide": arithmetic("div", XY),
    "math.pow": arithmetic("power", XY),
    "math.maximum": arithmetic("maximum", XY),
    "math.minimum": arithmetic("minimum", XY),
    "nn.bias_add": arithmetic("add", ("value", "bias")),
    "math.reduce_mean": reduce("mean", ("input_tensor", "axis", "keepdims")),
    "math.reduce_sum": reduce("sum", ("input_tensor", "axis", "keepdims")),
    "math.reduce_max": reduce("max", ("input_tensor", "axis", "keepdims")),
    "math.sigmoid": unary(PLAIN["sigmoid"]),
    "math.tanh": unary(PLAIN["tanh"]),
    "math.exp": unary(PLAIN["exp"]),
    "math.log": unary(PLAIN["log"]),
    "math.softplus": unary(PLAIN["softplus"]),
    "math.sqrt": unary(PLAIN["sqrt"]),
    "math.rsqrt": unary(PLAIN["rsqrt"]),
    "math.square": unary(PLAIN["square"]),
    "math.negative": unary(PLAIN["negative"]),
    "math.abs": unary(PLAIN["absolute"]),
    "nn.relu": unary(relus),
    "nn.relu6": unary(PLAIN["relu6"]),
    "nn.silu": unary(PLAIN["silu"]),
    "nn.swish": unary(PLAIN["silu"]),
    "keras.activations.relu": tf_relu,
    "clip_by_value": clip(("t", "clip_value_min", "clip_value_max")),
    "cast": cast,
    "__operators__.getitem": get_item,
}
