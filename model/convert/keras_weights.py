"""Where the arrays of a Keras file are, which differs between .h5 and .keras; keras_reader.py asks by layer and role."""
import re

import numpy as np


def layers_of(config):
    """The layers of a model's configuration, each with its name inside; the oldest Sequential is a bare list."""
    layers = config if isinstance(config, list) else config["layers"]
    for layer in layers:
        layer["config"].setdefault("name", layer.get("name"))
    return layers


def array(dataset):
    values = np.array(dataset)
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{dataset.name} holds {values.dtype}, no numbers")
    return values


class Weights:
    """The arrays of one model, or of a model within it.

    .h5 keeps a list of names at each layer, "conv2d/kernel:0"; a model within the model lists the names of all its layers.
    """

    def __init__(self, group, names=None):
        self.group, self.names = group, names

    def listed(self, layer):
        names = self.names
        if names is None:
            group = self.group.get(layer["config"]["name"])
            names = (
                []
                if group is None
                else [(n if isinstance(n, str) else n.decode()) for n in group.attrs.get("weight_names", [])]
            )
            return group, names
        return self.group, [n for n in names if n.split("/")[-2:-1] == [layer["config"]["name"]]]

    def get(self, layer, roles):
        """{role: array} of those that are there."""
        group, names = self.listed(layer)
        by_role = {name.split("/")[-1].split(":")[0]: name for name in names}
        return {role: array(group[by_role[role]]) for role in roles if role in by_role}

    def inside(self, layer):
        group, names = (self.group, self.names) if self.names is not None else self.listed(layer)
        return Weights(group, names)


class NumberedWeights:
    """model.weights.h5 of Keras 3: layers by kind and number in the order of the configuration, arrays by number."""

    def __init__(self, group, layers):
        self.group, self.place, count = group, {}, {}
        for layer in layers:
            kind = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])).lower()
            n = count[kind] = count.get(kind, -1) + 1
            self.place[layer["config"]["name"]] = f"{kind}_{n}" if n else kind

    def find(self, layer):
        """Its group: by kind and number, or by name as Keras 2.13 to 2.15 have it."""
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
