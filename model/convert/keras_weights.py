"""Finds the arrays of a Keras file by layer and role ("kernel", "bias"), which .h5 and .keras store differently.

Every array of a layer must be asked for: an array that nobody knows (of LoRA, of a quantised layer) would change what
the layer computes, so it is an error.
"""
import re

import numpy as np

from layers import ConvertError

FOLDERS = ("layers", "_layer_checkpoint_dependencies")


def layers_of(config):
    """The layers of a model's configuration, each with its name in its own configuration.

    In the oldest files a Sequential model is a bare list of layers.
    """
    layers = config if isinstance(config, list) else config["layers"]
    for layer in layers:
        layer["config"].setdefault("name", layer.get("name"))
    return layers


def array(dataset):
    values = np.array(dataset)
    if values.dtype.kind == "V" and values.dtype.itemsize == 2 and "bfloat16" in str(dataset.attrs.get("dtype", "")):
        return (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    if values.dtype.kind not in "fiu":
        raise ConvertError(f"its array {dataset.name} holds {values.dtype} instead of numbers")
    return values


def texts(attributes, key):
    """A list of texts; HDF5 holds at most 64 KB of them in one attribute, so Keras numbers the parts of a longer one."""
    found = attributes.get(key)
    if found is None:
        parts = []
        while f"{key}{len(parts)}" in attributes:
            parts.append(attributes[f"{key}{len(parts)}"])
        found = [text for part in parts for text in part]
    return [text if isinstance(text, str) else text.decode() for text in found]


class Weights:
    """The arrays of one model in a .h5 file, or of a model inside it.

    Each layer's group lists its arrays by names such as "conv2d/kernel:0"; the group of an inner model lists those of
    all its layers.
    """

    def __init__(self, group, names=None):
        self.group, self.names = group, names

    def listed(self, layer):
        """(group, {role: name}) of a layer's arrays."""
        own = layer["config"]["name"]
        if self.names is not None:
            group, names = self.group, self.names
            mine = [n for n in names if n.rpartition("/")[0] == own]
            mine = mine or [n for n in names if n.rpartition("/")[0].endswith(f"/{own}")]
        else:
            group = self.group.get(own)
            mine = [] if group is None else texts(group.attrs, "weight_names")
        return group, [(n.rpartition("/")[2].split(":")[0], n) for n in mine]

    def get(self, layer, roles):
        """{role: array} of the roles that exist."""
        group, listed = self.listed(layer)
        owners = {name.rpartition("/")[0] for _, name in listed}
        if len(owners) > 1:
            raise ConvertError(f"its weights could be those of {' or '.join(sorted(owners))}")
        return {role: array(group[name]) for role, name in listed if role in roles}

    def unknown(self, layer, roles):
        """The names of the layer's arrays beside those roles."""
        return [role for role, _ in self.listed(layer)[1] if role not in roles]

    def inside(self, layer):
        """The arrays of an inner model."""
        if self.names is not None:
            return self
        group = self.group.get(layer["config"]["name"])
        return Weights(group, [] if group is None else texts(group.attrs, "weight_names"))


def snake_case(name):
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


class NumberedWeights:
    """The arrays in model.weights.h5 of a .keras file.

    Layers are stored by kind and number, in the order of the configuration, and their arrays by number. Keras 2.12 and
    2.13 count every layer twice; tf_keras and later versions once; some write the layers' names instead.
    """

    def __init__(self, group, layers):
        self.group, self.place = group, {}
        for folder in FOLDERS:
            stored = {name for name, item in group.get(folder, {}).items() if self.holds_arrays(item)}
            for place in (self.numbered(layers, 1), self.numbered(layers, 2), {n: n for n in self.numbered(layers, 1)}):
                if stored and not self.place and stored <= set(place.values()):
                    self.place = {layer: f"{folder}/{name}" for layer, name in place.items()}

    @staticmethod
    def holds_arrays(item):
        found = item.visititems(lambda name, one: True if hasattr(one, "shape") else None)
        return bool(found)

    @staticmethod
    def numbered(layers, step):
        """{layer's name: its kind and number}"""
        count, place = {}, {}
        for layer in layers:
            kind = snake_case(layer["class_name"])
            n = count[kind] = count.get(kind, -step) + step
            place[layer["config"]["name"]] = f"{kind}_{n}" if n else kind
        return place

    def find(self, layer):
        place = self.place.get(layer["config"]["name"])
        return self.group[place] if place and place in self.group else {}

    def get(self, layer, roles):
        arrays = self.find(layer).get("vars", {})
        return {role: array(arrays[str(n)]) for n, role in enumerate(roles) if str(n) in arrays}

    def unknown(self, layer, roles):
        arrays = self.find(layer).get("vars", {})
        return [f"vars/{n}" for n in arrays if not n.isdigit() or int(n) >= len(roles)]

    def inside(self, layer):
        return NumberedWeights(self.find(layer), layers_of(layer["config"]))
