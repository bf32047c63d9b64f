"""A foreign network as layers close to the engine's; onnx_reader.py and keras_reader.py build it call by call.

A Layer's shape is (c, h, w). A View is its output as the foreign graph sees it: a feature map with channels first
("chw") or last ("hwc"), or a row of values flattened in one of the two orders ("flat chw", "flat hwc"). Reshapes and
transposes therefore cost nothing: they change the View and leave the Layer alone.
"""
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Optional

import numpy as np


class ConvertError(Exception):
    """What cannot be converted, as a sentence for the user."""


@dataclass(eq=False)
class Layer:
    op: str  # input conv affine pad maxpool avgpool resize concat add mul act softmax mean dense
    inputs: list
    shape: tuple
    source: str = ""  # its name in the foreign file
    act: str = "none"
    weight: Optional[np.ndarray] = None  # conv [cout, cin / groups, kh, kw], dense [cout, h, w, c], affine [c]
    bias: Optional[np.ndarray] = None
    k: tuple = (1, 1)
    stride: int = 1
    pads: tuple = (0, 0, 0, 0)  # above, left, below, right
    groups: int = 1
    dilation: tuple = (1, 1)
    scale: int = 1
    linear: bool = False

    def __post_init__(self):
        if [len(self.shape), len(self.k), len(self.dilation), len(self.pads)] != [3, 2, 2, 4]:
            raise ConvertError(
                f"its window {self.k}, dilation {self.dilation} or padding {self.pads} is not two-dimensional"
            )
        sizes = (*self.shape, *self.k, self.stride, self.groups, *self.dilation, self.scale)
        if not all(isinstance(n, Integral) and n > 0 for n in sizes) or not all(
            isinstance(n, Integral) and n >= 0 for n in self.pads
        ):
            raise ConvertError(
                f"its sizes and strides {', '.join(map(str, (*sizes, *self.pads)))} are not all positive integers"
            )
        # Computed here, once per layer: on demand, layers that read others twice would take exponential time.
        keeps_sign = self.op in ("maxpool", "avgpool", "resize", "concat", "add", "mul", "mean", "pad")
        self.never_negative = (
            keeps_sign
            and all(i.never_negative for i in self.inputs)
            or self.act in ("relu", "relu6", "sigmoid", "hardsigmoid")
        )


@dataclass(frozen=True)
class View:
    layer: Layer
    form: str
    # A scale and an offset for each value of a flattened feature map, until a dense layer absorbs them.
    factors: Optional[np.ndarray] = field(default=None, compare=False)
    terms: Optional[np.ndarray] = field(default=None, compare=False)

    @property
    def shape(self):
        """The shape in the foreign graph, without the batch."""
        c, h, w = self.layer.shape
        return {"chw": (c, h, w), "hwc": (h, w, c)}.get(self.form, (c * h * w,))

    @property
    def flat(self):
        return self.form.startswith("flat")


def dilated(size, dilation):
    """Pixels that a dilated window spans."""
    return (size - 1) * dilation + 1


def same_pads(sizes, k, stride, dilation=(1, 1), lower=False):
    """TensorFlow's SAME for (h, w) as (above, left, below, right).

    An odd pixel goes below or right, or with `lower` above or left.
    """
    before, after = [], []
    for size, window, step in zip(sizes, k, dilation):
        total = max((-(-size // stride) - 1) * stride + dilated(window, step) - size, 0)
        before.append(total - total // 2 if lower else total // 2)
        after.append(total - before[-1])
    return (*before, *after)


class Network:
    """Builds layers. Every call takes and returns Views, and raises ConvertError for what the engine cannot run.

    `source` is the name of the foreign node that is being read; the new layers remember it for messages.
    """

    def __init__(self, h, w, c):
        self.source = "input"
        self.image = Layer("input", [], (c, h, w), "input")
        self.joined = {}  # {ids of layers: the layer that concatenates them}

    def view(self, op, inputs, shape, form, **fields):
        return View(Layer(op, inputs, tuple(shape), self.source, **fields), form)

    def feature_map(self, x):
        """The layer below x, which must be a feature map or a single pixel."""
        if x.factors is not None:
            raise ConvertError(
                "the values of a flattened feature map are scaled one by one; the engine needs a dense layer right "
                "after that"
            )
        if x.flat and x.layer.shape[1:] != (1, 1):
            raise ConvertError("it works on a flattened feature map; the engine flattens only before a dense layer")
        return x.layer

    def window(self, op, x, k, stride, pads, **fields):
        layer = self.feature_map(x)
        if stride[0] != stride[1]:
            raise ConvertError(
                f"its strides {stride[0]} and {stride[1]} differ; the engine has one stride for both directions"
            )
        if min(pads) < 0:
            raise ConvertError("its padding is negative; the engine cannot crop")
        c, h, w = layer.shape
        foldable = op in ("conv", "avgpool") or (
            op == "maxpool" and layer.op == "pad" and layer.inputs[0].never_negative
        )
        if layer.op == "pad" and foldable:
            pads, layer = tuple(a + b for a, b in zip(pads, layer.pads)), layer.inputs[0]
        span = [dilated(size, step) for size, step in zip(k, fields.get("dilation", (1, 1)))]
        oh, ow = (layer.shape[1 + i] + pads[i] + pads[2 + i] - span[i] for i in range(2))
        if oh < 0 or ow < 0:
            raise ConvertError(f"its window of {k[0]}x{k[1]} is larger than its padded input of {h}x{w}")
        shape = (fields.pop("cout", c), oh // stride[0] + 1, ow // stride[0] + 1)
        return self.view(op, [layer], shape, x.form, k=tuple(k), stride=int(stride[0]), pads=tuple(pads), **fields)

    def conv(self, x, weight, bias, stride=(1, 1), pads=(0, 0, 0, 0), groups=1, dilation=(1, 1)):
        c, cout = x.layer.shape[0], weight.shape[0]
        if weight.ndim != 4 or weight.shape[1] * groups != c or cout % groups:
            raise ConvertError(
                f"its weights have the shape {'x'.join(map(str, weight.shape))}, which does not fit {c} input channels "
                f"in {groups} groups"
            )
        return self.window(
            "conv",
            x,
            weight.shape[2:],
            stride,
            pads,
            cout=cout,
            weight=weight,
            bias=self.bias(bias, cout),
            groups=groups,
            dilation=tuple(dilation),
        )

    @staticmethod
    def bias(bias, cout):
        bias = np.zeros(cout, np.float32) if bias is None else np.asarray(bias, np.float32).reshape(-1)
        if len(bias) not in (1, cout):
            raise ConvertError(f"its bias has {len(bias)} values for {cout} output channels")
        return np.broadcast_to(bias, cout).copy()

    def dense(self, x, weight, bias):
        """weight [cout, values of x]. On a feature map with channels last it works on each pixel, as in Keras."""
        c, h, w = x.layer.shape
        n = c if not x.flat else c * h * w
        if weight.ndim != 2 or weight.shape[1] != n or (x.form == "chw" and (h, w) != (1, 1)):
            raise ConvertError(
                f"its weights have the shape {'x'.join(map(str, weight.shape))}, which does not fit an input of "
                f"{'x'.join(map(str, x.shape))}"
            )
        cout = len(weight)
        if not x.flat and (h, w) != (1, 1):
            return self.conv(x, weight[:, :, None, None], bias)
        bias = self.bias(bias, cout)
        if x.factors is not None:
            bias, weight = bias + weight @ x.terms, weight * x.factors
        by_pixel = (
            weight.reshape(cout, h, w, c)
            if x.form.endswith("hwc")
            else weight.reshape(cout, c, h, w).transpose(0, 2, 3, 1)
        )
        return self.view("dense", [x.layer], (cout, 1, 1), x.form, weight=by_pixel, bias=bias)

    def affine(self, x, scale, shift):
        """x * scale + shift, with one number or one per channel."""
        c = x.layer.shape[0]
        if x.flat and x.layer.shape[1:] != (1, 1):
            n = x.shape[0]
            factors, terms = (np.ones(n), np.zeros(n)) if x.factors is None else (x.factors, x.terms)
            return replace(
                x, factors=(factors * scale).astype(np.float32), terms=(terms * scale + shift).astype(np.float32)
            )
        layer = self.feature_map(x)
        scale, shift = (np.broadcast_to(np.asarray(v, np.float64), c) for v in (scale, shift))
        if layer.op == "affine":
            shift, scale, layer = layer.bias * scale + shift, layer.weight * scale, layer.inputs[0]
        if np.allclose(scale, 1, 1e-7, 0) and not shift.any():
            return View(layer, x.form)
        return self.view("affine", [layer], layer.shape, x.form, weight=scale, bias=shift)

    def constant(self, x, values):
        """A constant that the foreign graph broadcasts over x, as one number per channel or one for all."""
        shape = (1,) * (1 + len(x.shape) - values.ndim) + values.shape
        axis = 3 if x.form == "hwc" else 1
        others = [n for i, n in enumerate(shape) if i != axis]
        if len(shape) != 1 + len(x.shape) or any(n != 1 for n in others) or shape[axis] not in (1, (1, *x.shape)[axis]):
            raise ConvertError(
                f"a constant of shape {'x'.join(map(str, values.shape)) or 'one'} cannot be applied per channel to an "
                f"input of {'x'.join(map(str, x.shape))}"
            )
        return values.reshape(-1).astype(np.float64)

    def act(self, x, act):
        layer = x.layer if x.flat and x.factors is None else self.feature_map(x)
        if act == "relu6" and layer.op == "affine" and np.all(layer.weight == 1) and np.all(layer.bias == 3):
            return self.affine(self.act(View(layer.inputs[0], x.form), "hardsigmoid"), 6, 0)
        return self.view("act", [layer], layer.shape, x.form, act=act)

    def hard_sigmoid(self, x, alpha, beta):
        """clip(alpha * x + beta, 0, 1), through the engine's hardsigmoid, whose alpha and beta are 1/6 and 1/2."""
        scale, shift = 6 * alpha, 6 * beta - 3
        scale, shift = 1 if abs(scale - 1) < 1e-6 else scale, 0 if abs(shift) < 1e-6 else shift
        return self.act(self.affine(x, scale, shift), "hardsigmoid")

    def clip(self, x, low, high):
        if low == 0 and high > 1e38:
            return self.act(x, "relu")
        if low < -1e38 or high > 1e38 or high <= low:
            raise ConvertError(f"it clips to {low}..{high}; the engine clips between two numbers, or at 0 alone")
        if (low, high) == (0, 6):
            return self.act(x, "relu6")
        step = (high - low) / 6
        return self.affine(self.act(self.affine(x, 1 / step, -low / step), "relu6"), step, low)

    def mul(self, a, b):
        for one, other in ((a, b), (b, a)):
            layer = one.layer
            if layer.op == "affine" and not layer.bias.any() and np.ptp(layer.weight) == 0:  # a constant factor
                return self.affine(self.mul(View(layer.inputs[0], one.form), other), layer.weight[0], 0)
            gate = {"sigmoid": "silu", "hardsigmoid": "hardswish"}.get(layer.act) if layer.op == "act" else None
            if gate and layer.inputs[0] is other.layer:
                return self.act(other, gate)
        if a.layer.shape[1:] == (1, 1):
            a, b = b, a
        first, second = self.feature_map(a), self.feature_map(b)
        if first.shape[0] != second.shape[0] or second.shape[1:] not in ((1, 1), first.shape[1:]):
            raise ConvertError(
                f"it multiplies {first.shape} by {second.shape} (channels, height, width); the engine needs equal "
                "shapes, or one factor per channel"
            )
        return self.view("mul", [first, second], first.shape, a.form)

    def add(self, a, b):
        first, second = self.feature_map(a), self.feature_map(b)
        if first.shape != second.shape:
            raise ConvertError(
                f"it adds {first.shape} and {second.shape} (channels, height, width); the engine needs equal shapes"
            )
        return self.view("add", [first, second], first.shape, a.form)

    def concat(self, parts):
        """Joins channels, four layers at most per operation of the engine.

        DenseNet concatenates ever longer lists with the same beginning; a beginning that exists already is reused.
        """
        layers = [self.feature_map(x) for x in parts]
        if any(layer.shape[1:] != layers[0].shape[1:] for layer in layers):
            raise ConvertError(
                "it concatenates feature maps of different sizes: "
                f"{', '.join(str(layer.shape[1:]) for layer in layers)} (height, width)"
            )
        done = next((n for n in range(len(layers), 1, -1) if tuple(map(id, layers[:n])) in self.joined), 0)
        if done:
            joined = self.joined[tuple(map(id, layers[:done]))]
        else:
            joined, done = layers[0], 1
        while done < len(layers):
            more = layers[done : done + 3]
            shape = (joined.shape[0] + sum(layer.shape[0] for layer in more), *joined.shape[1:])
            joined = Layer("concat", [joined, *more], shape, self.source)
            done += len(more)
            self.joined[tuple(map(id, layers[:done]))] = joined
        return View(joined, parts[0].form)

    def pad(self, x, pads):
        layer = self.feature_map(x)
        if min(pads) < 0:
            raise ConvertError("its padding is negative; the engine cannot crop")
        if not any(pads):
            return x
        c, h, w = layer.shape
        return self.view("pad", [layer], (c, h + pads[0] + pads[2], w + pads[1] + pads[3]), x.form, pads=tuple(pads))

    def resize(self, x, scales, linear):
        layer = self.feature_map(x)
        c, h, w = layer.shape
        scale = round(scales[0])
        if scales[0] != scales[1] or scale != scales[0] or scale < 1:
            raise ConvertError(
                f"it resizes by {scales[0]:g} and {scales[1]:g}; the engine enlarges both directions by the same "
                "integer"
            )
        return self.view("resize", [layer], (c, h * scale, w * scale), x.form, scale=scale, linear=linear)

    def mean(self, x, keep):
        layer = self.feature_map(x)
        form = x.form if keep else "flat chw"
        if layer.shape[1:] == (1, 1):
            return View(layer, form)
        return self.view("mean", [layer], (layer.shape[0], 1, 1), form)

    def softmax(self, x):
        return self.view("softmax", [self.feature_map(x)], x.layer.shape, x.form)

    def reshape(self, x, shape):
        if tuple(shape) == x.shape:
            return x
        flat = x.form if x.flat else f"flat {x.form}"
        if tuple(shape) == (int(np.prod(x.shape)),):
            return replace(x, form=flat)
        for form in (flat[5:], "chw", "hwc"):
            if View(x.layer, form).shape == tuple(shape) and (form == flat[5:] or x.layer.shape[1:] == (1, 1)):
                return replace(x, form=form)
        raise ConvertError(
            f"it reshapes {'x'.join(map(str, x.shape))} to {'x'.join(map(str, shape))}; the engine can only flatten"
        )
