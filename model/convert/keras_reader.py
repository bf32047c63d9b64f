"""Reads Keras .h5 and .keras files without TensorFlow.

A JSON configuration describes the layers and how they connect; HDF5 holds their weights (keras_weights.py finds them).
Each function of LAYERS translates one kind of layer into calls of layers.Network.
"""
import io
import json
import zipfile

import h5py
import numpy as np

from keras_weights import NumberedWeights, Weights, layers_of
from layers import ConvertError, Network, View, same_pads

MODELS = ("Sequential", "Functional", "Model")
IDLE = (  # layers that do nothing outside training
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
    "RandomTranslation",
)
ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "swish": "silu",
    "silu": "silu",
    "hard_swish": "hardswish",
    "hard_silu": "hardswish",
}


class Reader:
    """Translates a model's configuration; net is the layers.Network that it builds."""

    def __init__(self, weights, version, size):
        self.weights, self.version, self.size, self.net = weights, version, size, None

    def model(self, kind, config, weights, inputs):
        """The output of a model as a View. inputs is None for the outermost model, which creates its own input."""
        layers = layers_of(config)
        if kind == "Sequential":
            return self.sequence(layers, weights, inputs)
        return self.functional(config, layers, weights, inputs)

    def sequence(self, layers, weights, inputs):
        x = inputs[0] if inputs else self.start(layers[0])
        for layer in layers:
            x = self.layer(layer, weights, [x])
        return x

    def functional(self, config, layers, weights, inputs):
        places = [p[0] for p in ends(config["input_layers"])]
        if len(places) != 1 or len(ends(config["output_layers"])) != 1:
            raise ConvertError(
                f"the model has {len(places)} inputs and {len(ends(config['output_layers']))} outputs; Pleura needs "
                "one input, the image, and one output"
            )
        by_name = {layer["config"]["name"]: layer for layer in layers}
        done = {(places[0], 0): inputs[0] if inputs else self.start(by_name[places[0]])}
        calls = [(layer, n, sources(node)) for layer in layers for n, node in enumerate(layer.get("inbound_nodes", []))]
        while calls:
            ready = [call for call in calls if all(source in done for source in call[2])]
            if not ready:
                raise ConvertError(f"layer '{calls[0][0]['config']['name']}': its inputs are missing from the file")
            for layer, n, needs in ready:
                if needs:
                    done[layer["config"]["name"], n] = self.layer(layer, weights, [done[source] for source in needs])
            calls = [call for call in calls if call not in ready]
        return done[ends(config["output_layers"])[0]]

    def start(self, layer):
        config = layer["config"]
        shape = config.get("batch_input_shape") or config.get("batch_shape") or config.get("build_input_shape")
        if shape is None and layer["class_name"] in MODELS:
            return self.start(layers_of(config)[0])
        if shape:
            sizes = [own or asked for own, asked in zip(shape[1:], self.size or (None,) * 3)]
        else:
            sizes = list(self.size or ())
        if len(sizes) != 3 or not all(sizes):
            raise ConvertError("the file leaves the size of its input open. Add --input HEIGHTxWIDTHxCHANNELS")
        if self.size and tuple(sizes) != self.size:
            raise ConvertError(
                f"its input is {'x'.join(map(str, sizes))}, but --input says {'x'.join(map(str, self.size))}"
            )
        self.net = Network(*sizes)
        return View(self.net.image, "hwc")

    def layer(self, layer, weights, x):
        kind, config = layer["class_name"], layer["config"]
        where = f"{kind} '{config.get('name')}'"
        if kind in MODELS:
            return self.model(kind, config, weights.inside(layer), x)
        if kind == "InputLayer" or kind in IDLE:
            return x[0]
        self.net.source = where
        try:
            if kind not in LAYERS:
                raise ConvertError("the engine has no such layer")
            if config.get("data_format", "channels_last") not in (None, "channels_last"):
                raise ConvertError("its channels come first; Pleura reads Keras models with channels last only")
            return LAYERS[kind](self, layer, weights, x)
        except ConvertError as error:
            raise ConvertError(f"{where}: {error}") from error
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
            # A layer that breaks its own definition fails somewhere in the arithmetic.
            raise ConvertError(f"{where}: its weights or settings are not valid for this layer ({error})") from error

    def activate(self, x, name):
        """Applies an activation given by its Keras name, or by the object that Keras 3 may write instead."""
        if isinstance(name, dict):
            name = name["config"] if isinstance(name.get("config"), str) else name["class_name"]
        if name in (None, "linear"):
            return x
        if name == "softmax":
            return self.net.softmax(x)
        if name == "hard_sigmoid":
            return self.net.hard_sigmoid(x, 1 / 6 if self.version >= 3 else 0.2, 0.5)
        if name not in ACTIVATIONS:
            raise ConvertError(f"the engine has no activation {name}")
        return self.net.act(x, ACTIVATIONS[name])


def ends(places):
    """Inputs or outputs of a model as [(layer, call)]. Keras 3 writes a single one as a bare [layer, call, tensor]."""
    return [(p[0], p[1]) for p in ([places] if isinstance(places[0], str) else places)]


def sources(node):
    """Inputs of one call of a layer as [(layer, call)]. Keras 2 nests lists; Keras 3 marks tensors among arguments."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            name, call, _ = node["config"]["keras_history"]
            return [(name, call)]
        return [source for value in node.values() for source in sources(value)]
    if isinstance(node, list):
        if len(node) in (3, 4) and isinstance(node[0], str):
            return [(node[0], node[1])]
        return [source for value in node for source in sources(value)]
    return []


def load(weights, layer, *roles):
    """{role: array} of a layer that needs all of them."""
    arrays = weights.get(layer, roles)
    missing = [role for role in roles if role not in arrays]
    if missing:
        raise ConvertError(f"its weights '{missing[0]}' are missing")
    return arrays


def bias_role(layer):
    return ["bias"] if layer["config"].get("use_bias", True) else []


def window(config, x, k):
    """(strides, pads, dilation)"""
    stride, dilation = pair(config.get("strides") or k), pair(config.get("dilation_rate", 1))
    padding = config.get("padding", "valid")
    if padding not in ("same", "valid"):
        raise ConvertError(f"its padding '{padding}' is not supported; use 'same' or 'valid'")
    pads = same_pads((x.shape[0], x.shape[1]), k, stride[0], dilation) if padding == "same" else (0,) * 4
    return stride, pads, dilation


def pair(value):
    """A setting for both directions as (height, width). True is not a number, although Python treats it as 1."""
    values = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
    if any(isinstance(v, bool) for v in values):
        raise ConvertError(f"its setting {value} is not a pair of numbers")
    return values


def feature_map(x):
    if x.form != "hwc":
        raise ConvertError(f"its input of {'x'.join(map(str, x.shape))} is not a feature map")
    return x


def conv(reader, layer, weights, x):
    config, bias = layer["config"], bias_role(layer)
    w = load(weights, layer, "kernel", *bias)
    stride, pads, dilation = window(config, feature_map(x[0]), w["kernel"].shape[:2])
    kernel = w["kernel"].transpose(3, 2, 0, 1)
    out = reader.net.conv(x[0], kernel, w.get("bias"), stride, pads, config.get("groups", 1), dilation)
    return reader.activate(out, config.get("activation"))


def depthwise(net, x, kernel, bias, config):
    stride, pads, dilation = window(config, feature_map(x), kernel.shape[:2])
    c, multiplier = kernel.shape[2:]
    kernel = kernel.transpose(2, 3, 0, 1).reshape(c * multiplier, 1, *kernel.shape[:2])
    return net.conv(x, kernel, bias, stride, pads, c, dilation)


def depthwise_conv(reader, layer, weights, x):
    config, bias = layer["config"], bias_role(layer)
    # Keras 3 uses the shorter name for the kernel.
    role = "depthwise_kernel" if weights.get(layer, ["depthwise_kernel"]) else "kernel"
    w = load(weights, layer, role, *bias)
    return reader.activate(depthwise(reader.net, x[0], w[role], w.get("bias"), config), config.get("activation"))


def separable_conv(reader, layer, weights, x):
    config, bias = layer["config"], bias_role(layer)
    w = load(weights, layer, "depthwise_kernel", "pointwise_kernel", *bias)
    between = depthwise(reader.net, x[0], w["depthwise_kernel"], None, config)
    out = reader.net.conv(between, w["pointwise_kernel"].transpose(3, 2, 0, 1), w.get("bias"))
    return reader.activate(out, config.get("activation"))


def dense(reader, layer, weights, x):
    w = load(weights, layer, "kernel", *bias_role(layer))
    return reader.activate(reader.net.dense(x[0], w["kernel"].T, w.get("bias")), layer["config"].get("activation"))


def batch_norm(reader, layer, weights, x):
    config = layer["config"]
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) else axis
    if axis not in (-1, len(x[0].shape)):
        raise ConvertError(f"it normalises axis {axis}; the engine normalises channels")
    learnt = [role for role, on in (("gamma", config.get("scale", True)), ("beta", config.get("center", True))) if on]
    w = load(weights, layer, *learnt, "moving_mean", "moving_variance")
    w = {role: array.astype(np.float64) for role, array in w.items()}
    if len(w["moving_mean"]) != x[0].shape[-1]:
        raise ConvertError(f"it has weights for {len(w['moving_mean'])} channels, but its input has {x[0].shape[-1]}")
    factor = w.get("gamma", 1) / np.sqrt(w["moving_variance"] + config.get("epsilon", 1e-3))
    return reader.net.affine(x[0], factor, w.get("beta", 0) - w["moving_mean"] * factor)


def relu(reader, layer, weights, x):
    config = layer["config"]
    slope, threshold, limit = (number(config.get(key)) for key in ("negative_slope", "threshold", "max_value"))
    if slope or threshold:
        raise ConvertError("its slope or threshold is not zero; the engine has only the plain ReLU")
    return reader.net.clip(x[0], 0, float("inf") if limit is None else limit)


def number(value):
    """A number, which Keras 2 may write as an object."""
    return value["config"]["value"] if isinstance(value, dict) else value


def pool(op):
    def read(reader, layer, weights, x):
        k = pair(layer["config"]["pool_size"])
        stride, pads, _ = window(layer["config"], feature_map(x[0]), k)
        if op == "avgpool" and any(pads):
            raise ConvertError("it averages without the padding; the engine counts the padding as zeros")
        return reader.net.window(op, x[0], k, stride, pads)

    return read


def global_mean(reader, layer, weights, x):
    return reader.net.mean(feature_map(x[0]), layer["config"].get("keepdims", False))


def global_max(reader, layer, weights, x):
    out = reader.net.window("maxpool", feature_map(x[0]), x[0].shape[:2], (1, 1), (0,) * 4)
    return out if layer["config"].get("keepdims", False) else reader.net.reshape(out, (out.shape[2],))


def zero_padding(reader, layer, weights, x):
    padding = pair(layer["config"]["padding"])
    (above, below), (left, right) = map(pair, padding)
    return reader.net.pad(feature_map(x[0]), (above, left, below, right))


def upsampling(reader, layer, weights, x):
    mode = layer["config"].get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise ConvertError(f"it resizes with '{mode}'; the engine has nearest and bilinear")
    return reader.net.resize(feature_map(x[0]), pair(layer["config"]["size"]), mode == "bilinear")


def concatenate(reader, layer, weights, x):
    if layer["config"].get("axis", -1) not in (-1, len(x[0].shape)):
        raise ConvertError("it does not concatenate along channels, as the engine does")
    return reader.net.concat(x)


def pairwise(call):
    def read(reader, layer, weights, x):
        out = x[0]
        for other in x[1:]:
            out = getattr(reader.net, call)(out, other)
        return out

    return read


def rescaling(reader, layer, weights, x):
    return reader.net.affine(x[0], np.array(layer["config"]["scale"]), np.array(layer["config"].get("offset", 0)))


def normalization(reader, layer, weights, x):
    config = layer["config"]
    w = weights.get(layer, ["mean", "variance"]) or {key: np.array(config[key]) for key in ("mean", "variance")}
    deviation = np.maximum(np.sqrt(w["variance"].reshape(-1).astype(np.float64)), 1e-7)
    if config.get("invert"):
        raise ConvertError("inverted normalisation is not supported")
    return reader.net.affine(x[0], 1 / deviation, -w["mean"].reshape(-1) / deviation)


def reshape(reader, layer, weights, x):
    shape, n = [int(v) for v in layer["config"]["target_shape"]], int(np.prod(x[0].shape))
    if -1 in shape:
        shape[shape.index(-1)] = -n // int(np.prod(shape))
    return reader.net.reshape(x[0], tuple(shape))


LAYERS = {
    "Conv2D": conv,
    "DepthwiseConv2D": depthwise_conv,
    "SeparableConv2D": separable_conv,
    "Dense": dense,
    "BatchNormalization": batch_norm,
    "ReLU": relu,
    "MaxPooling2D": pool("maxpool"),
    "AveragePooling2D": pool("avgpool"),
    "GlobalAveragePooling2D": global_mean,
    "GlobalMaxPooling2D": global_max,
    "ZeroPadding2D": zero_padding,
    "UpSampling2D": upsampling,
    "Concatenate": concatenate,
    "Add": pairwise("add"),
    "Multiply": pairwise("mul"),
    "Rescaling": rescaling,
    "Normalization": normalization,
    "Reshape": reshape,
    "Flatten": lambda reader, layer, weights, x: reader.net.reshape(x[0], (int(np.prod(x[0].shape)),)),
    "Softmax": lambda reader, layer, weights, x: reader.net.softmax(x[0]),
    "Activation": lambda reader, layer, weights, x: reader.activate(x[0], layer["config"]["activation"]),
}


def open_hdf5(source):
    """Opens an HDF5 file that contains all its data.

    The library follows links into any file of this machine, so a file with such links is refused.
    """
    file = h5py.File(source, "r")

    def link_outside(name, link):
        inside = link.type in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT)
        return None if inside else name.decode(errors="replace")

    def values_outside(name, item):
        return name if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual) else None

    # Both walks stop at the first name that is returned.
    outside = file.id.links.visit(link_outside, info=True) or file.visititems(values_outside)
    if outside:
        raise ConvertError(f"its '{outside}' is stored in another file. Save the whole model in one file")
    return file


def open_h5(path):
    """(configuration, weights, major version of Keras) of a .h5 file."""
    file = open_hdf5(path)
    text = file.attrs.get("model_config")
    if text is None:
        raise ConvertError("it contains weights but no model. Save the whole model in Keras: model.save('model.h5')")
    group = file["model_weights"]
    return json.loads(text), Weights(group), version(file.attrs.get("keras_version", "2"))


def open_zip(path):
    """(configuration, weights, major version of Keras) of a .keras file."""
    with zipfile.ZipFile(path) as archive:
        model, facts = json.loads(archive.read("config.json")), json.loads(archive.read("metadata.json"))
        file = open_hdf5(io.BytesIO(archive.read("model.weights.h5")))
    return model, NumberedWeights(file, layers_of(model["config"])), version(facts["keras_version"])


def version(text):
    return int((text if isinstance(text, str) else text.decode()).split(".")[0])


def read(path, size):
    """(network, View of its output) of a Keras file; size is (h, w, c) or None."""
    model, weights, main = open_zip(path) if zipfile.is_zipfile(path) else open_h5(path)
    reader = Reader(weights, main, size)
    if model["class_name"] not in MODELS:
        raise ConvertError(f"the model is a {model['class_name']}; Pleura reads Sequential and Functional models only")
    out = reader.model(model["class_name"], model["config"], weights, None)
    return reader.net, out
