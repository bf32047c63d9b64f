"""Kinds of Keras layers as calls of network.Network. LAYERS says which settings and arrays each of them reads."""
from typing import Callable, NamedTuple

import numpy as np

from layers import ConvertError, dilated, same_pads
from network import Network

HALF = {  # dtype policies that compute in half precision, and the type that they compute in
    "float16": "float16",
    "mixed_float16": "float16",
    "bfloat16": "bfloat16",
    "mixed_bfloat16": "bfloat16",
}
DTYPES = ("float32", "float64", *HALF)
IDLE = (  # layers that do nothing outside training
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "Identity",
    "AugMix",
    "AutoContrast",
    "CutMix",
    "MixUp",
    "RandAugment",
    *(
        f"Random{kind}"
        for kind in (
            "Brightness ColorDegeneration ColorJitter Contrast ElasticTransform Erasing Flip GaussianBlur Grayscale Hue "
            "Invert Perspective Posterization Rotation Saturation Sharpness Shear Translation Zoom"
        ).split()
    ),
)


def softmax(net, x):
    return net.softmax(x, -1)


ACTIVATIONS = {
    "linear": lambda net, x: x,
    "relu": lambda net, x: net.act(x, "relu"),
    "relu6": lambda net, x: net.act(x, "relu6"),
    "sigmoid": lambda net, x: net.act(x, "sigmoid"),
    "tanh": lambda net, x: net.act(x, "tanh"),
    "swish": lambda net, x: net.act(x, "silu"),
    "silu": lambda net, x: net.act(x, "silu"),
    "hard_swish": lambda net, x: net.act(x, "hardswish"),
    "hard_silu": lambda net, x: net.act(x, "hardswish"),
    "hard_tanh": lambda net, x: net.clip(x, -1, 1),
    "exponential": lambda net, x: net.act(x, "exp"),
    "leaky_relu": lambda net, x: net.leaky_relu(x, 0.2),
    "elu": lambda net, x: net.elu(x, 1.0),
    "celu": lambda net, x: net.elu(x, 1.0),
    "selu": lambda net, x: net.elu(x, 1.6732632423543772, 1.0507009873554805),
    "gelu": lambda net, x: net.gelu(x, False),
    "mish": lambda net, x: net.mish(x),
    "softplus": lambda net, x: net.softplus(x),
    "log_sigmoid": lambda net, x: net.affine(net.softplus(net.affine(x, -1, 0)), -1, 0),
    "softsign": lambda net, x: net.softsign(x),
    "softmax": softmax,
    "log_softmax": softmax,
}


def activate(reader, x, name):
    """Applies an activation given by its Keras name, or by an object that stands for a function or a layer."""
    if isinstance(name, dict):
        own = name.get("registered_name") or ""
        if ">" in own or (name.get("module") or "keras").split(".")[0] not in ("keras", "builtins"):
            raise ConvertError(f"its activation {own or name.get('class_name')} is somebody's own")
        if isinstance(name.get("config"), dict):
            layer = {**name, "name": name["config"].get("name", name["class_name"])}
            return reader.layer(layer, reader.weights, [x], {})
        name = name["config"] if isinstance(name.get("config"), str) else name["class_name"]
    if name is None:
        return x
    net, source = reader.net, reader.net.source
    net.source = f"{source} ({name})"
    try:
        if name == "hard_sigmoid":
            return net.hard_sigmoid(x, 1 / 6 if reader.version >= 3 else 0.2, 0.5)
        if name not in ACTIVATIONS:
            raise ConvertError(f"the engine has no activation {name}")
        return ACTIVATIONS[name](net, x)
    finally:
        net.source = source


def pair(value):
    """A setting for both directions as (height, width). True is not a number, although Python treats it as 1."""
    values = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
    if any(isinstance(v, bool) for v in values):
        raise ConvertError(f"its setting {value} is not a pair of numbers")
    return values


def form_of(config):
    return "chw" if config.get("data_format") == "channels_first" else "hwc"


def sizes(x, form):
    if len(x.axes) != 4:
        raise ConvertError(f"its input of {x.text()} is not a picture")
    return x.shape[2:] if form == "chw" else x.shape[1:3]


def steps(config, k):
    """(strides, dilation, whether the padding is 'same')"""
    strides, dilation = pair(config.get("strides") or k), pair(config.get("dilation_rate", 1))
    padding = config.get("padding", "valid")
    if padding not in ("same", "valid"):
        raise ConvertError(f"its padding '{padding}' is not supported; use 'same' or 'valid'")
    if any(v < 1 for v in strides if isinstance(v, int)):
        raise ConvertError(f"its strides {strides} are not all positive integers")
    return strides, dilation, padding == "same"


def window(config, x, k):
    """(strides, pads, dilation)"""
    strides, dilation, same = steps(config, k)
    pads = same_pads(sizes(x, form_of(config)), k, strides, dilation) if same else (0,) * 4
    return strides, pads, dilation


def kernel_of(config, w):
    """The kernel of a convolution, [kh, kw, ...]."""
    kernel = w["kernel"]
    if kernel.ndim != 4 or tuple(config.get("kernel_size", kernel.shape[:2])) != kernel.shape[:2]:
        raise ConvertError(f"its weights have the shape {kernel.shape}, which is not that of its window")
    return kernel


def finished(reader, layer, out):
    return activate(reader, out, layer["config"].get("activation"))


def conv(reader, layer, w, x):
    config = layer["config"]
    kernel = kernel_of(config, w)
    strides, pads, dilation = window(config, x[0], kernel.shape[:2])
    out = reader.net.conv(
        x[0],
        kernel.transpose(3, 2, 0, 1),
        w.get("bias"),
        strides,
        pads,
        config.get("groups", 1),
        dilation,
        form_of(config),
    )
    return finished(reader, layer, out)


def conv_transpose(reader, layer, w, x):
    config = layer["config"]
    kernel = kernel_of(config, w)  # [kh, kw, cout, cin]
    strides, dilation, same = steps(config, 1)
    if config.get("output_padding") is not None:
        raise ConvertError(f"its output_padding is {config['output_padding']}; Pleura reads None")
    more = [max(dilated(k, step) - stride, 0) for k, step, stride in zip(kernel.shape[:2], dilation, strides)]
    out = [n * stride + (0 if same else extra) for n, stride, extra in zip(sizes(x[0], form_of(config)), strides, more)]
    pads = [extra // 2 if same else 0 for extra in more]
    out = reader.net.conv_transpose(
        x[0],
        kernel.transpose(3, 2, 0, 1),
        w.get("bias"),
        strides,
        pads,
        out,
        config.get("groups", 1),
        dilation,
        form_of(config),
    )
    return finished(reader, layer, out)


def depthwise(net: Network, x, kernel, bias, config):
    strides, pads, dilation = window(config, x, kernel.shape[:2])
    c, multiplier = kernel.shape[2:]
    kernel = kernel.transpose(2, 3, 0, 1).reshape(c * multiplier, 1, *kernel.shape[:2])
    return net.conv(x, kernel, bias, strides, pads, c, dilation, form_of(config))


def depthwise_conv(reader, layer, w, x):
    out = depthwise(reader.net, x[0], w["depthwise_kernel"], w.get("bias"), layer["config"])
    return finished(reader, layer, out)


def separable_conv(reader, layer, w, x):
    config = layer["config"]
    between = depthwise(reader.net, x[0], w["depthwise_kernel"], None, config)
    pointwise = w["pointwise_kernel"].transpose(3, 2, 0, 1)
    out = reader.net.conv(between, pointwise, w.get("bias"), form=form_of(config))
    return finished(reader, layer, out)


def dense(reader, layer, w, x):
    return finished(reader, layer, reader.net.dense(x[0], w["kernel"].T, w.get("bias")))


def along(x, axes, values):
    """An array over some axes, ready to be broadcast over x."""
    shape = [x.shape[n] if n in axes else 1 for n in range(len(x.axes))]
    if np.size(values) != int(np.prod(shape)):
        raise ConvertError(f"it has weights for {np.size(values)} channels, but its input is {x.text()}")
    return np.reshape(values, shape)


def axes_of(x, axis):
    """A setting with one axis or several, as numbers from 0."""
    return sorted(x.axis(int(a)) for a in (axis if isinstance(axis, list) else [axis]))


def scaled(net, x, axes, w, config):
    """gamma * x + beta"""
    gamma, beta = (w.get(role) for role in ("gamma", "beta"))
    factor = 1 if gamma is None else along(x, axes, gamma)
    return net.affine(x, factor, 0 if beta is None else along(x, axes, beta))


def batch_norm(reader, layer, w, x):
    config, view = layer["config"], x[0]
    axes = axes_of(view, config.get("axis", -1))
    if len(axes) != 1:
        raise ConvertError(f"it normalises the axes {axes}; the engine normalises channels")
    w = {role: array.astype(np.float64) for role, array in w.items()}
    factor = w.get("gamma", 1) / np.sqrt(w["moving_variance"] + config.get("epsilon", 1e-3))
    term = w.get("beta", 0) - w["moving_mean"] * factor
    return reader.net.affine(view, along(view, axes, factor), along(view, axes, term))


def layer_norm(reader, layer, w, x):
    config, view = layer["config"], x[0]
    axes = axes_of(view, config.get("axis", -1))
    out = reader.net.normalise(view, axes, config.get("epsilon", 1e-3))
    return scaled(reader.net, out, axes, w, config)


def group_norm(reader, layer, w, x):
    config, view = layer["config"], x[0]
    (axis,) = axes_of(view, config.get("axis", -1))
    c = view.shape[axis]
    groups = c if config["groups"] == -1 else config["groups"]
    shape = [*view.shape[:axis], groups, c // groups, *view.shape[axis + 1 :]]
    inner = [n for n in range(1, len(shape)) if n != axis]
    out = reader.net.normalise(view.reshaped(shape), inner, config.get("epsilon", 1e-3)).reshaped(view.shape)
    return scaled(reader.net, out, [axis], w, config)


def layer_scale(reader, layer, w, x):
    """Of ConvNeXt: one factor for each channel."""
    return reader.net.affine(x[0], w["gamma"], 0)


def relu(reader, layer, w, x):
    config, net = layer["config"], reader.net
    slope, threshold, limit = (number(config.get(key)) or 0 for key in ("negative_slope", "threshold", "max_value"))
    limit = float("inf") if number(config.get("max_value")) is None else limit
    if threshold:
        raise ConvertError("its threshold is not zero; the engine has only the plain ReLU")
    if not slope:
        return net.clip(x[0], 0, limit)
    return net.leaky_relu(net.clip(x[0], -float("inf"), limit), slope)


def number(value):
    """A number, which Keras 2 may write as an object."""
    return value["config"]["value"] if isinstance(value, dict) else value


def leaky_relu(reader, layer, w, x):
    config = layer["config"]
    return reader.net.leaky_relu(x[0], number(config.get("negative_slope", config.get("alpha", 0.3))))


def prelu(reader, layer, w, x):
    alpha = w["alpha"]
    return reader.net.leaky_relu(x[0], alpha[None])


def pool(op):
    def read(reader, layer, w, x):
        config = layer["config"]
        k, form = pair(config["pool_size"]), form_of(config)
        strides, pads, _ = window(config, x[0], k)
        if op == "maxpool":
            return reader.net.maxpool(x[0], k, strides, pads, form)
        return reader.net.avgpool(x[0], k, strides, pads, False, form)

    return read


def global_pool(kind):
    def read(reader, layer, w, x):
        config, form = layer["config"], form_of(layer["config"])
        sizes(x[0], form)
        return reader.net.reduce(kind, x[0], (2, 3) if form == "chw" else (1, 2), config.get("keepdims", False))

    return read


def border(key, sign):
    def read(reader, layer, w, x):
        config = layer["config"]
        (above, below), (left, right) = map(pair, pair(config[key]))
        sides = [sign * n for n in (above, left, below, right)]
        return reader.net.pad(x[0], sides, form=form_of(config))

    return read


def upsampling(reader, layer, w, x):
    config = layer["config"]
    mode, scales = config.get("interpolation", "nearest"), pair(config["size"])
    if mode not in ("nearest", "bilinear") and tuple(scales) != (1, 1):
        raise ConvertError(f"it resizes with '{mode}'; the engine has nearest and bilinear")
    return reader.net.resize(x[0], scales, "linear" if mode == "bilinear" else "nearest", form_of(config))


def resizing(reader, layer, w, x):
    config = layer["config"]
    old, new = tuple(sizes(x[0], form_of(config))), (config["height"], config["width"])
    if old != new:
        raise ConvertError(
            f"it resizes {old[0]}x{old[1]} to {new[0]}x{new[1]}; Pleura resizes the film itself. Build the model without "
            f"this layer for an input of {new[0]}x{new[1]}"
        )
    return x[0]


def concatenate(reader, layer, w, x):
    return reader.net.concat(x, layer["config"].get("axis", -1))


def merge(call, count=2):
    def read(reader, layer, w, x):
        if len(x) < 2 or (count == 1 and len(x) > 2):
            raise ConvertError(f"it joins {len(x)} inputs")
        out = x[0]
        for other in x[1:]:
            out = getattr(reader.net, call)(out, other)
        return out

    return read


def average(reader, layer, w, x):
    return reader.net.affine(merge("add")(reader, layer, w, x), 1 / len(x), 0)


def scaled_sum(reader, layer, w, x):
    """The residual of InceptionResNetV2: x[0] + scale * x[1]."""
    if len(x) != 2:
        raise ConvertError(f"it joins {len(x)} inputs")
    return reader.net.add(x[0], reader.net.affine(x[1], layer["config"]["scale"], 0))


def rescaling(reader, layer, w, x):
    config = layer["config"]
    return reader.net.affine(x[0], np.array(number(config["scale"])), np.array(number(config.get("offset", 0))))


def normalization(reader, layer, w, x):
    config, view = layer["config"], x[0]
    given = {role: np.array(w[role] if role in w else config[role]) for role in ("mean", "variance")}
    axis = config.get("axis", -1)
    axes = [] if axis is None else axes_of(view, axis)
    mean, variance = (along(view, axes, given[role].astype(np.float64)) for role in ("mean", "variance"))
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    if config.get("invert"):
        return reader.net.affine(view, deviation, mean)
    return reader.net.affine(view, 1 / deviation, -mean / deviation)


def reshape(reader, layer, w, x):
    shape, n = [int(v) for v in layer["config"]["target_shape"]], int(np.prod(x[0].shape))
    if -1 in shape:
        shape[shape.index(-1)] = -n // int(np.prod(shape))
    return x[0].reshaped((1, *shape))


def flatten(reader, layer, w, x):
    view = x[0]
    if form_of(layer["config"]) == "chw" and len(view.axes) == 4:
        view = view.transposed([0, 2, 3, 1])  # Keras flattens with the channels last in either form
    return view.reshaped((1, int(np.prod(view.shape))))


def permute(reader, layer, w, x):
    return x[0].transposed([0, *layer["config"]["dims"]])


def softmax_layer(reader, layer, w, x):
    (axis,) = axes_of(x[0], layer["config"].get("axis", -1))
    return reader.net.softmax(x[0], axis)


class Entry(NamedTuple):
    """How a kind of layer is read."""

    call: Callable  # (reader, layer, {role: array}, [View]) -> View
    settings: frozenset
    roles: Callable  # configuration -> the roles of its arrays, in the order of Keras


def entry(call, settings="", roles=()):
    """roles: names, or (name, setting, its default) for an array that a setting switches on."""

    def wanted(config):
        named = [role if isinstance(role, tuple) else (role, None, True) for role in roles]
        return [role for role, setting, default in named if config.get(setting, default)]

    return Entry(call, frozenset(settings.split()), wanted)


BIAS = ("bias", "use_bias", True)
SCALE = (("gamma", "scale", True), ("beta", "center", True))
WINDOW = "data_format padding strides "
CONV = WINDOW + "activation dilation_rate filters groups kernel_size use_bias "
NORM = "axis center epsilon scale "


def normalization_entry():
    made = entry(normalization, "axis mean variance invert count")
    return made._replace(roles=lambda config: [] if config.get("mean") is not None else ["mean", "variance", "count"])


LAYERS = {
    "Conv2D": entry(conv, CONV, ("kernel", BIAS)),
    "Conv2DTranspose": entry(conv_transpose, CONV + "output_padding", ("kernel", BIAS)),
    "DepthwiseConv2D": entry(depthwise_conv, CONV + "depth_multiplier", ("depthwise_kernel", BIAS)),
    "SeparableConv2D": entry(separable_conv, CONV + "depth_multiplier", ("depthwise_kernel", "pointwise_kernel", BIAS)),
    "Dense": entry(dense, "activation units use_bias", ("kernel", BIAS)),
    "BatchNormalization": entry(
        batch_norm,
        NORM + "momentum renorm_clipping renorm_momentum synchronized virtual_batch_size",
        (*SCALE, "moving_mean", "moving_variance"),
    ),
    "LayerNormalization": entry(layer_norm, NORM, SCALE),
    "GroupNormalization": entry(group_norm, NORM + "groups", SCALE),
    "LayerScale": entry(layer_scale, "init_values projection_dim", ("gamma",)),
    "ReLU": entry(relu, "max_value negative_slope threshold"),
    "LeakyReLU": entry(leaky_relu, "alpha negative_slope"),
    "PReLU": entry(prelu, "shared_axes", ("alpha",)),
    "ELU": entry(lambda reader, layer, w, x: reader.net.elu(x[0], number(layer["config"].get("alpha", 1.0))), "alpha"),
    "MaxPooling2D": entry(pool("maxpool"), WINDOW + "pool_size"),
    "AveragePooling2D": entry(pool("avgpool"), WINDOW + "pool_size"),
    "GlobalAveragePooling2D": entry(global_pool("mean"), "data_format keepdims"),
    "GlobalMaxPooling2D": entry(global_pool("max"), "data_format keepdims"),
    "ZeroPadding2D": entry(border("padding", 1), "data_format padding"),
    "Cropping2D": entry(border("cropping", -1), "data_format cropping"),
    "UpSampling2D": entry(upsampling, "data_format interpolation size"),
    "Resizing": entry(
        resizing,
        "data_format height width interpolation crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value antialias",
    ),
    "Concatenate": entry(concatenate, "axis"),
    "Add": entry(merge("add")),
    "CustomScaleLayer": entry(scaled_sum, "scale"),
    "Subtract": entry(merge("sub", 1)),
    "Multiply": entry(merge("mul")),
    "Maximum": entry(merge("maximum")),
    "Minimum": entry(merge("minimum")),
    "Average": entry(average),
    "Rescaling": entry(rescaling, "scale offset"),
    "Normalization": normalization_entry(),
    "Reshape": entry(reshape, "target_shape"),
    "Flatten": entry(flatten, "data_format"),
    "Permute": entry(permute, "dims"),
    "Softmax": entry(softmax_layer, "axis"),
    "Activation": entry(lambda reader, layer, w, x: finished(reader, layer, x[0]), "activation"),
}
