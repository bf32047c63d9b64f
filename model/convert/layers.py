"""A foreign network as layers close to the engine's. network.py builds them, lower.py reduces them to its operations."""
from dataclasses import dataclass
from numbers import Integral
from typing import Optional

import numpy as np


class ConvertError(Exception):
    """What cannot be converted, as a sentence for the user."""


@dataclass(eq=False)
class Layer:
    """One operation; its output has the shape (c, h, w)."""

    op: str  # input conv affine gather pad maxpool avgpool resize concat add mul act softmax mean dense
    inputs: list
    shape: tuple
    source: str = ""  # its name in the foreign file
    act: str = "none"
    weight: Optional[np.ndarray] = None  # conv [cout, cin / groups, kh, kw], dense [cout, h, w, c], affine [c]
    bias: Optional[np.ndarray] = None
    index: Optional[np.ndarray] = None  # gather: the channel of its input that each channel of its output copies
    k: tuple = (1, 1)
    stride: int = 1
    pads: tuple = (0, 0, 0, 0)  # above, left, below, right; negative ones crop
    fill: float = 0  # what a pad layer pads with: 0, or -infinity for maxpool
    groups: int = 1
    dilation: tuple = (1, 1)
    scale: int = 1
    mode: str = "nearest"  # of resize: nearest, linear, or shuffle, which makes pixels of channels

    def __post_init__(self):
        if [len(self.shape), len(self.k), len(self.dilation), len(self.pads)] != [3, 2, 2, 4]:
            raise ConvertError(
                f"its window {self.k}, dilation {self.dilation} or padding {self.pads} is not two-dimensional"
            )
        sizes = (*self.shape, *self.k, self.stride, self.groups, *self.dilation, self.scale)
        if not all(isinstance(n, Integral) and n > 0 for n in sizes) or not all(
            isinstance(n, Integral) for n in self.pads
        ):
            raise ConvertError(
                f"its sizes and strides {', '.join(map(str, (*sizes, *self.pads)))} are not all positive integers"
            )
        # Computed here, once per layer: on demand, layers that read others twice would take exponential time.
        keeps_sign = self.op in ("maxpool", "avgpool", "resize", "concat", "add", "mul", "mean", "pad", "gather")
        self.never_negative = (
            keeps_sign
            and all(i.never_negative for i in self.inputs)
            or self.act in ("relu", "relu6", "sigmoid", "hardsigmoid", "exp", "sqrt", "uint8")
        )


def dilated(size, dilation):
    """Pixels that a dilated window spans."""
    return (size - 1) * dilation + 1


def stuffed(kernel, dilation):
    """A dilated kernel as a plain one with zeros between its values."""
    if dilation == (1, 1):
        return kernel
    kh, kw = (dilated(size, step) for size, step in zip(kernel.shape[2:], dilation))
    out = np.zeros((*kernel.shape[:2], kh, kw), kernel.dtype)
    out[:, :, :: dilation[0], :: dilation[1]] = kernel
    return out


def same_pads(sizes, k, strides, dilation=(1, 1), lower=False):
    """TensorFlow's SAME for (h, w) as (above, left, below, right).

    An odd pixel goes below or right, or with `lower` above or left.
    """
    before, after = [], []
    for size, window, stride, step in zip(sizes, k, strides, dilation):
        total = max((-(-size // stride) - 1) * stride + dilated(window, step) - size, 0)
        before.append(total - total // 2 if lower else total // 2)
        after.append(total - before[-1])
    return (*before, *after)
