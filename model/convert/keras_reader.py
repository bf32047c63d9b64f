"""Reads Keras .h5 and .keras files without TensorFlow.

A JSON configuration describes the layers and how they connect; HDF5 holds their weights (keras_weights.py finds them).
LAYERS (keras_layers.py) and OPERATIONS (keras_operations.py) translate each kind of layer into calls of
network.Network. They list the settings that they read; any other setting in a file is refused, never ignored.
"""
import io
import json
import zipfile

import h5py

from keras_layers import DTYPES, HALF, IDLE, LAYERS
from keras_operations import OPERATIONS, TENSORFLOW
from keras_weights import NumberedWeights, Weights, layers_of
from layers import ConvertError
from network import Network, picture
from views import View

PACKAGES = ("keras", "tf_keras", "tensorflow")  # whose classes have the meaning that Pleura knows
MODELS = ("Sequential", "Functional", "Model")
UNREAD = {  # settings that change nothing when a trained network answers
    "name",
    "trainable",
    "dtype",  # read by dtype_of
    "batch_input_shape",
    "batch_shape",
    "activity_regularizer",
    "seed",
    "autocast",
}
UNREAD_ENDS = ("_initializer", "_regularizer", "_constraint")
MAX_CONFIG = 64 << 20  # bytes of the configuration in a zip
REASONS = {  # layers that no other file format would help
    **dict.fromkeys(
        "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU LSTM RNN SimpleRNN".split(),
        "It is recurrent; Pleura reads feed-forward networks only",
    ),
    **dict.fromkeys(
        "AdditiveAttention Attention Dot GroupQueryAttention MultiHeadAttention".split(),
        "It multiplies two values that depend on the picture, as attention does; Pleura reads convolutional networks",
    ),
    **dict.fromkeys(
        "Conv1D Conv1DTranspose Conv3D Conv3DTranspose SeparableConv1D".split(),
        "It convolves over one or three dimensions; the engine convolves over two",
    ),
}
EXPORT = "export it to ONNX: model.export('m.onnx', format='onnx'), or tf2onnx"


class Reader:
    """Translates a model's configuration; net is the network.Network that it builds."""

    def __init__(self, weights, version, size):
        self.weights, self.version, self.size, self.net = weights, version, size, None
        self.shared = {}  # {(kind, name): the arrays of that layer}, for a layer that stands in two models

    def model(self, kind, config, weights, inputs):
        """The output of a model as a View. inputs is None for the outermost model, which creates its own input."""
        layers = layers_of(config)
        if kind == "Sequential":
            return self.sequence(layers, weights, inputs)
        return self.functional(config, layers, weights, inputs)

    def sequence(self, layers, weights, inputs):
        x = inputs[0] if inputs else self.start(layers[0])
        for layer in layers:
            x = self.layer(layer, weights, [x], {})
        return x

    def functional(self, config, layers, weights, inputs):
        places, outputs = ends(config["input_layers"]), ends(config["output_layers"])
        for what, names in (("inputs", places), ("outputs", outputs)):
            if len(names) != 1:
                raise ConvertError(
                    f"the model has {len(names)} {what} ({', '.join(name for name, _ in names)}); Pleura needs one input, "
                    "the image, and one output, the values of the labels. Save the model with these alone: "
                    "keras.Model(model.input, model.get_layer(NAME).output).save('model.keras')"
                )
        by_name = {layer["config"]["name"]: layer for layer in layers}
        calls = [Call(layer, n, node) for layer in layers for n, node in enumerate(nodes_of(layer))]
        numbers = {}  # {layer: the numbers of its calls that others name}
        for name, number in [source for call in calls for source in call.sources]:
            numbers.setdefault(name, set()).add(number)

        def place(name, number, is_output=False):
            """Keras 2 counts a model's own making as its call 0, Keras 3 does so for the outputs of a model only."""
            kind, made = by_name.get(name, {}).get("class_name"), is_output and self.version >= 3
            if kind in MODELS and number > 0:
                named = numbers.get(name, {number} if is_output else set())
                if (made and kind != "Sequential") or (
                    self.version < 3 and 0 not in named | ({number} if is_output else set())
                ):
                    return name, number - 1
            return name, number

        done = {(places[0][0], 0): inputs[0] if inputs else self.start(by_name[places[0][0]])}
        while calls:
            ready = [call for call in calls if all(place(*source) in done for source in call.sources)]
            if not ready:
                raise ConvertError(f"layer '{calls[0].name}': its inputs are missing from the file")
            for call in ready:
                if call.sources:
                    known = lambda source: done[place(*source)]
                    done[call.name, call.number] = self.layer(call.layer, weights, *call.inputs(known))
            calls = [call for call in calls if call not in ready]
        end = place(*outputs[0], True)
        if end not in done:
            raise ConvertError(f"its output '{outputs[0][0]}' is missing from the file")
        return done[end]

    def start(self, layer):
        config = layer["config"]
        shape = config.get("batch_input_shape") or config.get("batch_shape") or config.get("build_input_shape")
        shape = shape or layer.get("build_config", {}).get("input_shape")
        if shape is None and layer["class_name"] in MODELS:
            return self.start(layers_of(config)[0])
        own = list(shape[1:]) if shape else [None] * 3
        if len(own) != 3:
            what = f"a row of {own[0]} numbers" if len(own) == 1 else "x".join(str(n or "?") for n in own)
            advice = " without channels. Give it an axis of channels" if len(own) == 2 else ""
            raise ConvertError(f"its input is {what}{advice}; Pleura reads networks whose input is a picture")
        first = self.channels_first(layer) and own[0] in (1, 3, 4)
        if self.size:
            order = (2, 0, 1) if first else (0, 1, 2)
            sizes = [mine or self.size[n] for mine, n in zip(own, order)]
        else:
            sizes = own
        if not all(sizes):
            raise ConvertError("the file leaves the size of its input open. Add --input HEIGHTxWIDTHxCHANNELS")
        h, w, c = (sizes[1], sizes[2], sizes[0]) if first else sizes
        if self.size and (h, w, c) != tuple(self.size):
            raise ConvertError(
                f"its input is {'x'.join(map(str, (h, w, c)))}, but --input says {'x'.join(map(str, self.size))}"
            )
        self.net = Network(h, w, c, "chw" if first else "hwc", "keras")
        return picture(self.net.image, self.net.form)

    def channels_first(self, layer):
        """Whether the outermost model has its channels first, as the first layer that says so."""
        waiting = list(self.outermost)
        while waiting:
            one = waiting.pop(0)
            if one["class_name"] in MODELS:
                waiting = layers_of(one["config"]) + waiting
            elif one["config"].get("data_format"):
                return one["config"]["data_format"] == "channels_first"
        return False

    def layer(self, layer, weights, x, arguments):
        """The output of one call; x: its Views, arguments: what else it is called with."""
        kind, config = layer["class_name"], layer["config"]
        name = config.get("name")
        where = self.net.source = f"{kind} '{name}'"
        try:
            own = layer.get("registered_name")
            if (layer.get("module", "keras") or "").split(".")[0] not in PACKAGES or ">" in f"{own}{kind}":
                raise ConvertError(
                    f"it is a layer of somebody's own ({own or kind}), whose code is not in the file. Replace it by "
                    f"layers of Keras, or {EXPORT}"
                )
            training = arguments.pop("training", False) and self.version < 3  # Keras 3 asks with training=False
            if training:
                raise ConvertError(
                    "it is called with training=True and then uses the picture's own statistics, or chance. Call it "
                    "with training=False"
                )
            if kind in MODELS:
                return self.model(kind, config, weights.inside(layer), x)
            if kind == "InputLayer" or kind in IDLE:
                return x[0]
            if kind == "TFOpLambda" or kind == "SlicingOpLambda":
                return self.operation(TENSORFLOW, config.get("function"), x, arguments, {})
            others = [key for key, value in arguments.items() if not (value in (None, False) or holds_views(value))]
            # An operation of Keras 3 may have the name of a layer, and a .h5 file does not say which it is.
            bare = kind in OPERATIONS and (kind not in LAYERS or others) and self.version >= 3
            if ".ops" in layer.get("module", "") or bare:
                return self.operation(OPERATIONS, kind, x, arguments, config)
            entry = LAYERS.get(kind)
            if entry is None:
                advice = REASONS.get(kind) or f"Replace it, or {EXPORT}"
                raise ConvertError(f"the engine has no such layer. {advice}")
            self.net.half = HALF.get(dtype_of(config)) or self.net.half
            if config.get("quantization_config"):
                raise ConvertError(
                    f"it is quantised ({quantisation(config)}). Save the model from before model.quantize()"
                )
            check_settings(config, entry.settings)
            if others:
                raise ConvertError(f"it is called with {', '.join(map(str, others))}, which Pleura does not read")
            return entry.call(self, layer, self.arrays(layer, weights, entry.roles(config)), x)
        except ConvertError as error:
            if kind in MODELS and self.net.source != where:
                raise
            raise ConvertError(f"{where}: {error}") from error
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
            # A layer that breaks its own definition fails somewhere in the arithmetic.
            raise ConvertError(f"{where}: its weights or settings are not valid for this layer ({error})") from error

    def operation(self, table, name, x, arguments, config):
        if name not in table:
            raise ConvertError(f"the engine has no such operation. Replace it by a layer, or {EXPORT}")
        given = dict(arguments)
        given |= {key: value for key, value in config.items() if key not in ("name", "trainable", "dtype")}
        if name == "Cast" and "dtype" in config:  # its argument; elsewhere the policy
            given["dtype"] = config["dtype"]
        return table[name](self.net, x, given)

    def arrays(self, layer, weights, roles):
        """{role: array}; every array that the layer has must be one of the roles, and each role must be there."""
        found = weights.get(layer, roles)
        key = layer["class_name"], layer["config"]["name"]
        missing = [role for role in roles if role not in found]
        if missing and not found and key in self.shared:  # Keras 3 stores a layer of two models in one of them
            return self.shared[key]
        if missing:
            if layer["class_name"] == "DepthwiseConv2D" and "depthwise_kernel" in roles:
                # Keras 3 uses the shorter name for the kernel.
                renamed = ["kernel" if role == "depthwise_kernel" else role for role in roles]
                found = self.arrays(layer, weights, renamed)
                return {**found, "depthwise_kernel": found["kernel"]}
            raise ConvertError(f"its weights '{missing[0]}' are missing")
        unknown = weights.unknown(layer, roles)
        if unknown:
            raise ConvertError(
                f"the file holds its array '{unknown[0]}', which Pleura does not know. Merge or remove what added it"
                + (" (LoRA: save as .keras, which merges it)" if "lora" in unknown[0] else "")
            )
        self.shared[key] = found
        return found


class Call:
    """One call of a layer, from either form of inbound_nodes."""

    def __init__(self, layer, number, node):
        self.layer, self.number, self.node, self.name = layer, number, node, layer["config"]["name"]
        self.sources = sources(node)

    def inputs(self, known):
        """([Views], {position or name: argument}); known(source) is the View of a source."""
        views, arguments = [], {}

        def collect(value):
            if is_tensor(value):
                views.append(known(source_of(value)))
                return views[-1]
            if isinstance(value, (list, tuple)):
                return [collect(one) for one in value]
            return value

        if isinstance(self.node, dict):
            arguments = {n: collect(value) for n, value in enumerate(self.node.get("args", []))}
            arguments |= {key: collect(value) for key, value in self.node.get("kwargs", {}).items()}
            return views, arguments
        nodes = [self.node] if is_tensor(self.node) or is_constant(self.node) else self.node
        for n, node in enumerate(nodes):
            arguments[n] = node[2] if is_constant(node) else collect(node)
            arguments |= {key: collect(value) for key, value in (node[3] if len(node) > 3 else {}).items()}
        return views, arguments


def holds_views(value):
    return isinstance(value, View) or (isinstance(value, list) and bool(value) and all(map(holds_views, value)))


def nodes_of(layer):
    return layer.get("inbound_nodes", [])


def is_constant(value):
    """Keras 2 writes a number that stands before a tensor as ["_CONSTANT_VALUE", -1, number, {...}]."""
    return isinstance(value, list) and len(value) >= 3 and value[0] == "_CONSTANT_VALUE"


def is_tensor(value):
    """Whether it stands for the output of a layer: [layer, call, tensor] in Keras 2, an object in Keras 3."""
    if isinstance(value, dict):
        return value.get("class_name") == "__keras_tensor__"
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and value[0] != "_CONSTANT_VALUE"
        and isinstance(value[1], int)
    )


def source_of(value):
    place = value["config"]["keras_history"] if isinstance(value, dict) else value
    if place[2] != 0:
        raise ConvertError(f"layer '{place[0]}': one of its further outputs is read, and Pleura knows only the first")
    return place[0], place[1]


def sources(node):
    """The (layer, call) of all tensors in one call of a layer."""
    if is_tensor(node):
        rest = node[3] if isinstance(node, list) and len(node) > 3 else {}
        return [source_of(node), *sources(rest)]
    if isinstance(node, dict):
        return [source for value in node.values() for source in sources(value)]
    if isinstance(node, list):
        return [source for value in node for source in sources(value)]
    return []


def ends(places):
    """Inputs or outputs of a model as [(layer, call)], written bare, in a list, or in an object with their names."""
    if isinstance(places, dict):
        return [end for value in places.values() for end in ends(value)]
    if places and isinstance(places[0], str):
        return [(places[0], places[1])]
    return [end for value in places for end in ends(value)]


def check_settings(config, known):
    for key, value in config.items():
        unread = key in known or key in UNREAD or key.endswith(UNREAD_ENDS)
        if not unread and value not in (None, False):
            raise ConvertError(f"its setting '{key}' is one that Pleura does not know")


def quantisation(config):
    name = str(config["quantization_config"].get("class_name", "")).lower()
    return next((mode for mode in ("int8", "int4", "float8", "gptq", "awq") if mode in name), name)


def dtype_of(config):
    """The name of a layer's dtype policy. Refuses quantised layers, whose weights are integers with scales."""
    dtype = config.get("dtype")
    if isinstance(dtype, dict):
        if "Quantized" in dtype.get("class_name", ""):
            mode = dtype.get("config", {}).get("mode") or dtype.get("config", {}).get("name")
            raise ConvertError(f"it is quantised ({mode}). Save the model from before model.quantize()")
        dtype = dtype.get("config", {}).get("name")
    if dtype is not None and dtype not in DTYPES:
        raise ConvertError(f"it computes in {dtype}; Pleura reads floating point only")
    return dtype


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
        raise ConvertError(
            "it contains weights without a model. Save the whole model in Keras: model.save('model.keras')"
        )
    model = json.loads(text)
    check_model(model)
    return model, Weights(file["model_weights"]), version(file.attrs.get("keras_version", "2"))


def open_zip(path):
    """(configuration, weights, major version of Keras) of a .keras file."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "config.json" not in names:
            raise ConvertError(
                "it is a zip file without a Keras model. Save the model in Keras: model.save('model.keras'); a network "
                "of PyTorch: torch.onnx.export(model, x, 'm.onnx')"
            )
        large = next(
            (one for one in archive.infolist() if one.file_size > max(MAX_CONFIG, 64 * path.stat().st_size)), None
        )
        if large:
            raise ConvertError(f"its part '{large.filename}' would be {large.file_size >> 20} MB unpacked")
        model, facts = json.loads(archive.read("config.json")), json.loads(archive.read("metadata.json"))
        check_model(model)
        file = open_hdf5(io.BytesIO(archive.read("model.weights.h5")))
    return model, NumberedWeights(file, layers_of(model["config"])), version(facts["keras_version"])


def check_model(model):
    own = model.get("registered_name") or ""
    if model["class_name"] not in MODELS or ">" in own:
        raise ConvertError(
            f"the model is a {model['class_name']}, a class of somebody's own, whose code is not in the file. Pleura "
            f"reads Sequential and Functional models; {EXPORT}"
        )


def version(text):
    return int((text if isinstance(text, str) else text.decode()).split(".")[0])


def read(path, size):
    """(network, View of its output) of a Keras file; size is (h, w, c) or None."""
    model, weights, main = open_zip(path) if zipfile.is_zipfile(path) else open_h5(path)
    reader = Reader(weights, main, size)
    reader.outermost = layers_of(model["config"])
    out = reader.model(model["class_name"], model["config"], weights, None)
    return reader.net, out
