"""Finds the arrays of a Keras file by layer and role ("kernel", "bias"), which .h5 and .keras store differently."""
import re

import numpy as np


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
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{dataset.name} holds {values.dtype} instead of numbers")
    return values


class Weights:
    """The arrays of one model in a .h5 file, or of a model inside it.

    Each layer's group lists its arrays by names such as "conv2d/kernel:0"; the group of an inner model lists those of
    all its layers.
    """

    def __init__(self, group, names=None):
        self.group, self.names = group, names

    def listed(self, layer):
        """(group, names) of a layer's arrays."""
        own = layer["config"]["name"]
        if self.names is not None:
            return self.group, [n for n in self.names if n.split("/")[-2:-1] == [own]]
        group = self.group.get(own)
        names = [] if group is None else group.attrs.get("weight_names", [])
        return group, [n if isinstance(n, str) else n.decode() for n in names]

    def get(self, layer, roles):
        """{role: array} of the roles that exist."""
        group, names = self.listed(layer)
        by_role = {name.split("/")[-1].split(":")[0]: name for name in names}
        return {role: array(group[by_role[role]]) for role in roles if role in by_role}

    def inside(self, layer):
        """The arrays of an inner model."""
        group, names = (self.group, self.names) if self.names is not None else self.listed(layer)
        return Weights(group, names)


class NumberedWeights:
    """The arrays in model.weights.h5 of Keras 3.

    Layers are stored by kind and number, in the order of the configuration, and their arrays by number.
    """

    def __init__(self, group, layers):
        self.group, self.place, count = group, {}, {}
        for layer in layers:
            kind = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])).lower()
            n = count[kind] = count.get(kind, -1) + 1
            self.place[layer["config"]["name"]] = f"{kind}_{n}" if n else kind

    def find(self, layer):
        """The layer's group: by kind and number, or by name as Keras 2.13 to 2.15 write it."""
        for folder in ("layers", "_layer_checkpoint_dependencies"):
            for name in (self.place[layer["config"]["name"]], layer["config"]["name"]):
                if f"{folder}/{name}" in self.group:
                    return self.group[f"{folder}/{name}"]
        return {}

    def get(self, layer, roles):
        arrays = self.find(layer).get("vars", {})
        return {role: array(arrays[str(n)]) for n, role in enumerate(roles) if str(n) in arrays}

    def inside(self, layer):
        return NumberedWeights(self.find(layer), layers_of(layer["config"]))
