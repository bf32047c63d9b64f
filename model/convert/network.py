"""Builds the layers of a foreign network call by call; onnx_reader.py and keras_reader.py make the calls.

Every call takes and returns Views, whatever order their axes have, and raises ConvertError for what the engine cannot
run. Most operations that the engine lacks are composed of those that it has.
"""
import itertools
import math
from dataclasses import replace

import numpy as np

from layers import ConvertError, Layer, dilated, stuffed
from views import DIMENSIONS, Atom, View, joined, spread, whole

ORDERS = {"chw": ((), "c", "h", "w"), "hwc": ((), "h", "w", "c")}  # of a batch of pictures
HUGE = 1e30  # a bound beyond this is none


def picture(layer, form):
    """A View of the layer as a batch of one picture, with channels first ("chw") or last ("hwc")."""
    sizes = dict(zip(DIMENSIONS, layer.shape))
    return View(layer, tuple(whole(dim, sizes[dim]) if dim else () for dim in ORDERS[form]))


def positions(atoms, channels):
    """Where along an axis of these atoms each of the layer's channels lies."""
    position, channel = np.zeros(channels, np.int64), np.arange(channels)
    for atom in atoms:
        position = position * atom.size + channel // atom.step % atom.size
    return position


class Network:
    """`source` is the name of the foreign node that is being read; the new layers remember it for messages."""

    def __init__(self, h, w, c, form, kind):
        self.form, self.kind = form, kind  # of the foreign input ("chw" or "hwc"), and of the file ("onnx" or "keras")
        self.source = "input"
        self.image = Layer("input", [], (c, h, w), "input")
        self.joined = {}  # {ids of layers: the layer that concatenates them}
        self.softplus_of = {}  # {id of a layer that holds a softplus: the View of its input}
        self.rounded = 0  # how many activations the network rounds to integers
        self.takes_integers = False  # whether the input holds integers
        self.half = None  # the type of 16 bits in which the file asks to compute, such as "bfloat16"

    # Views

    def layer(self, op, inputs, shape, **fields):
        return Layer(op, inputs, tuple(int(n) for n in shape), self.source, **fields)

    def plain(self, x):
        """The layer below x, which must not wait for a dense layer."""
        if x.factors is not None:
            raise ConvertError(
                "its input has a factor or term for each pixel; the engine needs a dense layer right after that"
            )
        return x.layer

    def like(self, x, layer):
        """x's axes on a layer of the same shape."""
        return replace(x, layer=layer, factors=None, terms=None)

    def channels(self, layer, index):
        """The layer whose channel n is channel index[n] of `layer`."""
        index = np.asarray(index).reshape(-1)
        if len(index) == layer.shape[0] and np.array_equal(index, np.arange(len(index))):
            return layer
        if not len(index):
            raise ConvertError("it leaves no channel")
        if layer.op == "gather":
            index, layer = layer.index[index], layer.inputs[0]
            return self.channels(layer, index)
        return self.layer("gather", [layer], (len(index), *layer.shape[1:]), index=index)

    def select(self, x, axis=None, positions=None):
        """x with these positions along one axis; also brings the channels into the order of the view."""
        layer, places = self.plain(x), [x.places(n) for n in range(len(x.axes))]
        with_c = [n for n, one in enumerate(x.axes) if any(atom.dim == "c" for atom in one)]
        if axis is not None:
            places[axis] = {dim: run[positions] for dim, run in places[axis].items()}
        if any(atom.dim != "c" for n in with_c for atom in x.axes[n]) or (axis is not None and axis not in with_c):
            if axis is None or (axis in with_c and len(positions) == x.shape[axis]):
                return x
            raise ConvertError(f"it takes a part of axis {axis} of {x.text()}, which mixes channels and pixels")
        index = np.zeros(1, np.int64)
        for n in with_c:
            index = (index[:, None] + places[n]["c"]).reshape(-1)
        axes, step = list(x.axes), len(index)
        for n in with_c:
            size = len(places[n]["c"])
            step //= max(size, 1)
            axes[n] = (Atom("c", size, step),) if size > 1 else ()
        return View(self.channels(layer, index), tuple(axes))

    def feature_map(self, x, form):
        """The layer below x, which must be a batch of one picture in this form; its channels in the view's order."""
        x = self.select(x)
        if x.axes != picture(x.layer, form).axes:
            order = "before" if form == "chw" else "after"
            raise ConvertError(f"its input of {x.text()} is not a picture with its channels {order} height and width")
        return self.plain(x)

    # Windows

    def window(self, op, x, k, strides, pads, form="chw", **fields):
        layer = self.feature_map(x, form)
        if strides[0] == strides[1]:
            return picture(self.windowed(op, layer, k, strides[0], pads, **fields), form)
        # A direction with a single window may have any stride.
        rows, columns = (self.windowed(op, layer, k, stride, pads, **dict(fields)).shape for stride in strides)
        for shape, stride in ((rows, strides[0]), (columns, strides[1])):
            if shape[1:] == (rows[1], columns[2]):
                return picture(self.windowed(op, layer, k, stride, pads, **fields), form)
        raise ConvertError(
            f"its strides {strides[0]} and {strides[1]} differ; the engine has one stride for both directions"
        )

    def windowed(self, op, layer, k, stride, pads, **fields):
        c, h, w = layer.shape
        dilation = fields.get("dilation", (1, 1))
        span = [dilated(size, step) for size, step in zip(k, dilation)]
        if layer.op == "pad" and self.takes_padding(op, layer, k, stride, pads):
            pads, layer = tuple(a + b for a, b in zip(pads, layer.pads)), layer.inputs[0]
        if layer.op == "pad" and layer.fill:
            raise ConvertError(f"it reads a picture that is padded with {layer.fill}; only a maximum can do that")
        oh, ow = (layer.shape[1 + i] + pads[i] + pads[2 + i] - span[i] for i in range(2))
        if oh < 0 or ow < 0:
            raise ConvertError(f"its window of {k[0]}x{k[1]} is larger than its padded input of {h}x{w}")
        shape = (fields.pop("cout", c), oh // stride + 1, ow // stride + 1)
        return self.layer(op, [layer], shape, k=tuple(k), stride=stride, pads=tuple(map(int, pads)), **fields)

    def takes_padding(self, op, layer, k, stride, pads):
        """Whether a window over a pad layer may add the padding to its own instead."""
        if op in ("conv", "avgpool"):
            return not layer.fill
        both = [a + b for a, b in zip(pads, layer.pads)]
        # Zeros that the window reads beside values that are never negative change no maximum.
        fits = all(pad < k[i % 2] for i, pad in enumerate(both))
        return op == "maxpool" and fits and (layer.fill < 0 or layer.inputs[0].never_negative)

    def conv(self, x, weight, bias=None, strides=(1, 1), pads=(0, 0, 0, 0), groups=1, dilation=(1, 1), form="chw"):
        """weight [cout, cin / groups, kh, kw]."""
        if weight.ndim != 4:
            raise ConvertError(f"it convolves over {weight.ndim - 2} dimensions; the engine convolves over two")
        if len(x.axes) == 4 and x.axes != picture(x.layer, form).axes and x.shape.count(1) == 3 and groups == 1:
            return self.conv_of_row(x, weight, bias, pads, form)
        layer, cout = self.feature_map(x, form), weight.shape[0]
        c = layer.shape[0]
        if weight.shape[1] * groups != c or cout % groups:
            raise ConvertError(
                f"its weights have the shape {'x'.join(map(str, weight.shape))}, which does not fit {c} input channels "
                f"in {groups} groups"
            )
        if layer.op == "gather" and groups == 1:  # reads the layer before with its weights in another order
            source, wide = layer.inputs[0], np.zeros((cout, layer.inputs[0].shape[0], *weight.shape[2:]), weight.dtype)
            np.add.at(wide, (slice(None), layer.index), weight)
            x, weight = picture(source, form), wide
        fields = {"weight": weight, "bias": self.bias(bias, cout), "groups": groups, "dilation": tuple(dilation)}
        return self.window("conv", x, weight.shape[2:], strides, pads, form, cout=cout, **fields)

    def conv_of_row(self, x, weight, bias, pads, form):
        """A convolution of a flattened picture that stands in the channels of a single pixel: a dense layer."""
        at = [pads[i] if pads[i] < weight.shape[2 + i] else None for i in range(2)]
        size = [pads[i] + pads[2 + i] + 2 - weight.shape[2 + i] for i in range(2)]
        axis = ORDERS[form].index("c")
        if None in at or size != [1, 1] or x.shape[axis] != math.prod(x.shape):
            raise ConvertError(f"its input of {x.text()} is not a picture")
        row = self.dense(x.reshaped((1, x.shape[axis])), weight[:, :, at[0], at[1]], bias)
        return row.reshaped([row.shape[1] if n == axis else 1 for n in range(4)])

    @staticmethod
    def bias(bias, cout):
        bias = np.zeros(cout, np.float32) if bias is None else np.asarray(bias, np.float32).reshape(-1)
        if len(bias) not in (1, cout):
            raise ConvertError(f"its bias has {len(bias)} values for {cout} output channels")
        return np.broadcast_to(bias, cout).copy()

    def maxpool(self, x, k, strides, pads, form="chw"):
        if any(pad >= k[i % 2] for i, pad in enumerate(pads)):
            raise ConvertError("some of its windows lie in the padding alone")
        return self.window("maxpool", x, k, strides, pads, form)

    def avgpool(self, x, k, strides, pads, counts_padding, form="chw"):
        """The mean of each window; without counts_padding only of what is no padding."""
        if counts_padding or not any(pads):
            return self.window("avgpool", x, k, strides, pads, form)
        layer = self.feature_map(x, form)
        c = layer.shape[0]
        ones = np.ones((c, 1, *k), np.float32)
        sums = self.conv(picture(layer, form), ones, None, strides, pads, c, form=form)
        count = self.conv(self.all_ones(layer, form), ones, None, strides, pads, c, form=form)
        return self.mul(sums, self.act(count, "reciprocal"))

    def all_ones(self, layer, form):
        """A picture of the layer's shape whose values are 1."""
        c = layer.shape[0]
        zeros, ones = np.zeros((c, 1, 1, 1), np.float32), np.ones(c, np.float32)
        return picture(self.windowed("conv", layer, (1, 1), 1, (0,) * 4, weight=zeros, bias=ones, groups=c), form)

    def global_max(self, layer):
        c, h, w = layer.shape
        return self.windowed("maxpool", layer, (h, w), 1, (0,) * 4)

    def pad(self, x, pads, fill=0.0, form="chw"):
        """Pads above, left, below, right; negative numbers crop."""
        layer = self.feature_map(x, form)
        pads = tuple(map(int, pads))
        if not any(pads):
            return x
        if min(pads) < 0:
            if max(pads) > 0:
                x = self.pad(x, [min(pad, 0) for pad in pads], form=form)
                return self.pad(x, [max(pad, 0) for pad in pads], fill, form)
            return picture(self.cut(layer, 1, pads), form)
        if abs(fill) < HUGE and fill:
            return self.affine(self.pad(self.affine(x, 1, -fill), pads, form=form), 1, fill)
        if fill > 0:
            raise ConvertError(f"it pads with {fill:g}; the engine cannot")
        c, h, w = layer.shape
        shape = (c, h + pads[0] + pads[2], w + pads[1] + pads[3])
        return picture(self.layer("pad", [layer], shape, pads=pads, fill=-math.inf if fill else 0), form)

    def cut(self, layer, stride, pads):
        """Every stride-th pixel of a picture that is cropped by negative pads."""
        c = layer.shape[0]
        ones = np.ones((c, 1, 1, 1), np.float32)
        return self.windowed("conv", layer, (1, 1), stride, pads, weight=ones, bias=np.zeros(c, np.float32), groups=c)

    def slice(self, x, wanted):
        """x at the positions {axis: positions}."""
        cuts = {}
        for axis, at in wanted.items():
            axis, at = x.axis(axis), np.asarray(at)
            dims = {atom.dim for atom in x.axes[axis]}
            if not len(at):
                raise ConvertError("it takes nothing of its input")
            if len(at) == x.shape[axis] and np.array_equal(at, np.arange(len(at))):
                continue
            if dims == {"c"}:
                x = self.select(x, axis, at)
            else:
                cuts[axis] = at
        return self.cropped(x, cuts) if cuts else x

    def cropped(self, x, cuts):
        """x at some rows and columns, all of one step."""
        layer, pads, axes, steps = self.plain(x), [0, 0, 0, 0], list(x.axes), {}
        for axis, at in cuts.items():
            dim = x.axes[axis][0].dim if x.axes[axis] else ""
            size = layer.shape[DIMENSIONS.index(dim)]
            step = int(at[1] - at[0]) if len(at) > 1 else size
            if not dim or x.axes[axis] != whole(dim, size) or step < 1 or np.any(np.diff(at) != step):
                raise ConvertError(f"it takes a part of axis {axis} of {x.text()} that the engine cannot cut out")
            side = DIMENSIONS.index(dim) - 1
            steps[dim] = step if len(at) > 1 else None
            last = int(at[0]) + (len(at) - 1) * step
            pads[side], pads[side + 2] = -int(at[0]), -int(size - 1 - last)
            axes[axis] = whole(dim, len(at))
        for dim, size in zip("hw", layer.shape[1:]):
            if dim not in steps:
                steps[dim] = 1 if size > 1 else None
        stride = {step for step in steps.values() if step}
        if len(stride) > 1:
            raise ConvertError(f"it takes rows and columns of {x.text()} in the steps {sorted(stride)}, which differ")
        return View(self.cut(layer, stride.pop() if stride else 1, tuple(pads)), tuple(axes))

    def resize(self, x, scales, mode, form="chw"):
        """mode is "nearest" or "linear", at the engine's coordinates."""
        layer = self.feature_map(x, form)
        c, h, w = layer.shape
        if tuple(scales) == (1, 1):
            return x
        scale = round(scales[0])
        if scales[0] != scales[1] or scale != scales[0] or scale < 1:
            raise ConvertError(
                f"it resizes by {scales[0]:g} and {scales[1]:g}; the engine enlarges both directions by the same "
                "integer"
            )
        return picture(self.layer("resize", [layer], (c, h * scale, w * scale), scale=scale, mode=mode), form)

    def shuffle(self, layer, scale):
        """A picture `scale` times as large, whose pixels are parts of the layer's channels, row by row."""
        c, h, w = layer.shape
        if scale == 1:
            return layer
        shape = (c // scale**2, h * scale, w * scale)
        return self.layer("resize", [layer], shape, scale=scale, mode="shuffle")

    def depth_to_space(self, x, scale, pixels_first, form="chw"):
        """Pixels of channels; with pixels_first channel (row * scale + column) * c + o becomes channel o of a pixel."""
        layer = self.feature_map(x, form)
        c = layer.shape[0]
        if scale < 1 or c % scale**2:
            raise ConvertError(f"it makes {scale}x{scale} pixels of {c} channels, which cannot be divided among them")
        if not pixels_first:
            layer = self.channels(layer, np.arange(c).reshape(-1, scale**2).T)
        return picture(self.shuffle(layer, scale), form)

    def conv_transpose(self, x, weight, bias, strides, pads, out, groups=1, dilation=(1, 1), form="chw"):
        """The transpose of a convolution; weight [cin, cout / groups, kh, kw], pads and size of the output (h, w).

        A stride of s means that each output pixel reads every s-th weight only: it is a plain convolution with s * s
        times as many channels, which are then shuffled into pixels.
        """
        layer, s = self.feature_map(x, form), strides[0]
        if strides[0] != strides[1]:
            raise ConvertError(
                f"its strides {strides[0]} and {strides[1]} differ; the engine has one for both directions"
            )
        cin, part = weight.shape[:2]
        if cin != layer.shape[0] or cin % groups:
            raise ConvertError(f"its weights are for {cin} channels in {groups} groups, but it has {layer.shape[0]}")
        weight, cout = stuffed(weight, tuple(dilation)), part * groups
        taps = [self.transposed_taps(size, s, pad) for size, pad in zip(weight.shape[2:], pads)]
        kernel = np.zeros((s, s, cout, cin, *(last - first + 1 for first, last in taps)), np.float32)
        for (a, b), (n, m) in itertools.product(np.ndindex(s, s), np.ndindex(kernel.shape[4:])):
            y, x = (phase + pad - s * (first + at) for phase, pad, (first, _), at in zip((a, b), pads, taps, (n, m)))
            if not (0 <= y < weight.shape[2] and 0 <= x < weight.shape[3]):
                continue
            for group in range(groups):
                own = slice(group * (cin // groups), (group + 1) * (cin // groups))
                kernel[a, b, group * part : (group + 1) * part, own, n, m] = weight[own, :, y, x].T
        rows = [-(-size // s) for size in out]
        sides = [-first for first, _ in taps] + [
            n - 1 + last - (size - 1) for n, (_, last), size in zip(rows, taps, layer.shape[1:])
        ]
        bias = np.tile(self.bias(bias, cout), s * s)
        wide = self.conv(picture(layer, "chw"), kernel.reshape(s * s * cout, cin, *kernel.shape[4:]), bias, pads=sides)
        made = picture(self.shuffle(wide.layer, s), form)
        return self.pad(made, [0, 0, out[0] - rows[0] * s, out[1] - rows[1] * s], form=form)

    @staticmethod
    def transposed_taps(size, stride, pad):
        """The first and the last input pixel, from its own place on, that an output pixel can read."""
        return -((size - 1 - pad) // stride), (stride - 1 + pad) // stride

    def expand(self, x, shape):
        """x repeated along its axes of size 1: a pixel over a picture, or a map over channels."""
        shape = tuple(int(n) for n in shape)
        if shape == x.shape:
            return x
        if math.prod(x.shape) == 1 and max(shape) == math.prod(shape):  # a number along one axis
            axis, n = shape.index(max(shape)), max(shape)
            layer = self.channels(self.plain(x), np.zeros(n, int))
            return View(layer, tuple(whole("c", n) if i == axis else () for i in range(len(shape))))
        for form, order in ORDERS.items():
            layer = self.plain(x)
            if len(shape) != 4 or x.axes != picture(layer, form).axes or shape[0] != 1:
                continue
            c, h, w = (shape[order.index(dim)] for dim in DIMENSIONS)
            layer = self.channels(layer, np.zeros(c, int)) if c != layer.shape[0] else layer
            if layer.shape[1:] == (h, w):
                return picture(layer, form)
            if layer.shape[1:] == (1, 1) and h == w:
                return self.resize(picture(layer, form), (h, w), "nearest", form)
        raise ConvertError(f"it repeats {x.text()} to {'x'.join(map(str, shape))}, which the engine cannot")

    # Products

    def dense(self, x, weight, bias=None):
        """x @ weight.T + bias over the last axis; weight [cout, length of that axis]."""
        n = x.shape[-1] if x.axes else 0
        if weight.ndim != 2 or weight.shape[1] != n:
            raise ConvertError(
                f"its weights have the shape {'x'.join(map(str, weight.shape))}, which does not fit an input of "
                f"{x.text()}"
            )
        cout, layer = len(weight), x.layer
        c, h, w = layer.shape
        places = x.places(len(x.axes) - 1)
        if math.prod(x.shape[:-1]) == 1:
            bias = self.bias(bias, cout)
            at = (places["h"] * w + places["w"]) * c + places["c"]
            if x.factors is not None:
                bias = bias + weight @ x.terms.transpose(1, 2, 0).reshape(-1)[at]
                weight = weight * x.factors.transpose(1, 2, 0).reshape(-1)[at]
            by_pixel = np.zeros((cout, h * w * c), np.result_type(weight, np.float32))
            by_pixel[:, at] = weight
            made = self.layer("dense", [layer], (cout, 1, 1), weight=by_pixel.reshape(cout, h, w, c), bias=bias)
            return View(made, (*x.axes[:-1], whole("c", cout)))
        if n != c or {atom.dim for atom in x.axes[-1]} - {"c"}:
            raise ConvertError(
                f"it multiplies the last axis of {x.text()} by a matrix; the engine can do that with all channels"
            )
        made = self.conv(picture(self.channels(self.plain(x), places["c"]), "chw"), weight[:, :, None, None], bias)
        return View(made.layer, (*x.axes[:-1], whole("c", cout)))

    # Value by value

    def affine(self, x, scale, shift):
        """x * scale + shift, where both are numbers or arrays that the foreign graph broadcasts over x."""
        scale, shift = np.asarray(scale, np.float64), np.asarray(shift, np.float64)
        rank = max(len(x.axes), scale.ndim, shift.ndim)
        x = replace(x, axes=((),) * (rank - len(x.axes)) + x.axes)
        factor, term = spread(x, scale), spread(x, shift)
        layer = x.layer
        if x.factors is not None or factor.shape[1:] != (1, 1) or term.shape[1:] != (1, 1):
            factors, terms = (np.ones(1), np.zeros(1)) if x.factors is None else (x.factors, x.terms)
            factors, terms = (np.broadcast_to(v, layer.shape) for v in (factors * factor, terms * factor + term))
            return replace(x, factors=factors, terms=terms)
        factor, term = (np.broadcast_to(v.reshape(-1), layer.shape[0]) for v in (factor, term))
        return self.like(x, self.scaled(layer, factor, term))

    def scaled(self, layer, scale, shift):
        """layer * scale + shift, one number per channel."""
        if np.allclose(scale, 1, 1e-7, 0) and not shift.any():
            return layer
        if layer.op == "affine":
            shift, scale, layer = layer.bias * scale + shift, layer.weight * scale, layer.inputs[0]
            return self.scaled(layer, scale, shift)
        if layer.op == "gather" and len(set(layer.index)) == len(layer.index) == layer.inputs[0].shape[0]:
            order = np.argsort(layer.index)  # a permutation, which a convolution after it can take in
            return self.channels(self.scaled(layer.inputs[0], scale[order], shift[order]), layer.index)
        return self.layer("affine", [layer], layer.shape, weight=scale, bias=shift)

    def act(self, x, act):
        layer = self.plain(x)
        if act == "tanh" and id(layer) in self.softplus_of:
            return self.tanh_softplus(self.softplus_of[id(layer)])
        if act == "relu6" and layer.op == "affine" and np.all(layer.weight == 1) and np.all(layer.bias == 3):
            return self.affine(self.act(self.like(x, layer.inputs[0]), "hardsigmoid"), 6, 0)
        return self.like(x, self.layer("act", [layer], layer.shape, act=act))

    def hard_sigmoid(self, x, alpha, beta):
        """clip(alpha * x + beta, 0, 1), through the engine's hardsigmoid, whose alpha and beta are 1/6 and 1/2."""
        scale, shift = 6 * alpha, 6 * beta - 3
        scale, shift = 1 if abs(scale - 1) < 1e-6 else scale, 0 if abs(shift) < 1e-6 else shift
        return self.act(self.affine(x, scale, shift), "hardsigmoid")

    def quantise(self, x, scale, zero, low, high):
        """The integers low..high of QuantizeLinear: x / scale, rounded half to even, plus zero, clamped."""
        if not 0 < high - low <= 255:
            raise ConvertError(
                f"it rounds to the {high - low + 1} integers {low}..{high}; the engine rounds to 8 bits. Quantise with "
                "activations of 8 bits, or convert the file from before"
            )
        self.rounded += 1
        return self.integers(self.affine(x, 1 / np.float64(scale), zero), low, high)

    def integers(self, x, low, high):
        """x rounded to the integers low..high; the engine has 0..255, so that a smaller range takes two steps."""
        top = self.affine(self.act(self.affine(x, 1, 255 - high), "uint8"), 1, high - 255)
        return top if high - low == 255 else self.affine(self.act(self.affine(top, 1, -low), "uint8"), 1, low)

    def holds_integers(self, x):
        layer = x.layer.inputs[0] if x.layer.op == "affine" and np.all(x.layer.weight == 1) else x.layer
        return layer.act == "uint8"

    def clip(self, x, low, high):
        """min(max(x, low), high)"""
        if self.holds_integers(x):  # PyTorch's fake quantisation narrows them
            least = float(x.layer.bias[0]) if x.layer.op == "affine" else 0.0
            within = max(low, least), min(high, least + 255)
            if within[0] < within[1] and all(bound == round(bound) for bound in within):
                return self.integers(x, *within)
        if math.isnan(low) or math.isnan(high):
            raise ConvertError(f"it clips to {low}..{high}")
        if low >= high:
            return self.affine(x, 0, high)
        if low < -HUGE and high > HUGE:
            return x
        if (low, high) == (0, 6):
            return self.act(x, "relu6")
        if high > HUGE:
            return self.affine(self.act(self.affine(x, 1, -low), "relu"), 1, low)
        if low < -HUGE:
            return self.affine(self.act(self.affine(x, -1, high), "relu"), -1, high)
        step = (high - low) / 6
        return self.affine(self.act(self.affine(x, 1 / step, -low / step), "relu6"), step, low)

    def leaky_relu(self, x, slope):
        """x where it is positive, else slope * x; slope is a number or an array that is broadcast over x."""
        slope = np.asarray(slope, np.float64)
        if np.all(slope == 0):
            return self.act(x, "relu")
        return self.add(self.affine(self.act(x, "relu"), 1 - slope, 0), self.affine(x, slope, 0))

    def elu(self, x, alpha, scale=1.0, width=1.0):
        """scale * x where it is positive, else scale * alpha * (e^(x / width) - 1)."""
        low = self.affine(self.act(self.affine(x, -1, 0), "relu"), -1 / width, 0)
        low = self.affine(self.act(low, "exp"), scale * alpha, -scale * alpha)
        return self.add(self.affine(self.act(x, "relu"), scale, 0), low)

    def gelu(self, x, approximate):
        if approximate:  # x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 x^3))
            cube = self.mul(self.affine(self.mul(x, x), 0.044715, 1), x)
            return self.mul(x, self.act(self.affine(cube, 2 * math.sqrt(2 / math.pi), 0), "sigmoid"))
        half = self.affine(self.act(self.affine(x, math.sqrt(0.5), 0), "erf"), 0.5, 0.5)
        return self.mul(x, half)

    def mish(self, x):
        return self.mul(x, self.tanh_softplus(x))

    def tanh_softplus(self, x):
        """tanh(ln(1 + e^x)) = (1 - q) / (1 + q) with q = sigmoid(-x)^2."""
        s = self.act(self.affine(x, -1, 0), "sigmoid")
        return self.affine(self.act(self.affine(self.mul(s, s), 1, 1), "reciprocal"), 2, -1)

    def softplus(self, x):
        """ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)"""
        small = self.act(self.affine(self.absolute(x), -1, 0), "exp")
        out = self.add(self.act(x, "relu"), self.log(self.affine(small, 1, 1)))
        self.softplus_of[id(out.layer)] = x  # older files write Mish by it
        return out

    def log(self, x):
        """The natural logarithm. That of a softmax is the softmax's input, but for a term that all labels share."""
        return x if x.layer.op == "softmax" else self.act(x, "log")

    def softsign(self, x):
        return self.mul(x, self.act(self.affine(self.absolute(x), 1, 1), "reciprocal"))

    def absolute(self, x):
        return self.add(self.act(x, "relu"), self.act(self.affine(x, -1, 0), "relu"))

    def power(self, x, exponent):
        if exponent in (0.5, -0.5):
            x = self.act(x, "sqrt")
            return x if exponent > 0 else self.act(x, "reciprocal")
        if exponent == -1:
            return self.act(x, "reciprocal")
        if exponent not in (1, 2, 3, 4):  # of a value that is not negative, as in generalised-mean pooling
            return self.act(self.affine(self.log(x), exponent, 0), "exp")
        square = self.mul(x, x) if exponent > 1 else x
        return {1: x, 2: square}.get(exponent) or self.mul(square, x if exponent == 3 else square)

    # Two views

    def aligned(self, a, b):
        """(x, y, swapped): a and b as views of equal axes, or y one pixel as deep as x; swapped if x is b's."""
        rank = max(len(a.axes), len(b.axes))
        a, b = (replace(x, axes=((),) * (rank - len(x.axes)) + x.axes) for x in (a, b))
        shapes = f"{a.text()} and {b.text()}"
        if any(m != n and 1 not in (m, n) for m, n in zip(a.shape, b.shape)):
            raise ConvertError(f"it joins inputs of {shapes}, which do not fit each other")
        swapped = math.prod(b.shape) > math.prod(a.shape)
        main, other = (b, a) if swapped else (a, b)
        if any(m < n for m, n in zip(main.shape, other.shape)):
            if main.layer.shape[0] > 1:
                main, other, swapped = other, main, not swapped
            main = self.widened(main, other, shapes)
        self.plain(main), self.plain(other)
        return main, self.fitted(main, other, shapes), swapped

    def widened(self, main, other, shapes):
        """A picture of one channel as deep as the pixel that it meets."""
        c = other.layer.shape[0]
        if main.layer.shape[0] != 1 or other.layer.shape[1:] != (1, 1):
            raise ConvertError(f"it joins inputs of {shapes}; the engine can repeat only one of them")
        axes = tuple(theirs if theirs else mine for mine, theirs in zip(main.axes, other.axes))
        return View(self.channels(self.plain(main), np.zeros(c, int)), axes)

    def fitted(self, main, other, shapes):
        """`other` with main's axes, its channels in main's order and repeated where main has more."""
        wrong = ConvertError(f"it joins inputs of {shapes}, whose axes do not run along the same pixels or channels")
        c, h, w = main.layer.shape
        index, seen = np.zeros(c, np.int64), set()
        for number, (mine, theirs) in enumerate(zip(main.axes, other.axes)):
            if not theirs:
                continue
            pairs = [(mine, theirs)]
            if {atom.dim for atom in mine} != {"c"} or {atom.dim for atom in theirs} != {"c"}:
                if [(a.dim, a.size) for a in mine] != [(b.dim, b.size) for b in theirs]:
                    raise wrong
                pairs = [((a,), (b,)) for a, b in zip(mine, theirs)]
            for one, two in pairs:
                if one[0].dim != "c":
                    if one != two:
                        raise wrong
                    seen.add(one[0].dim)
                    continue
                index += View(other.layer, (two,)).places(0)["c"][positions(one, c)]
        layer = self.channels(other.layer, index)
        needed = {dim for dim, size in zip("hw", (h, w)) if size > 1}
        if seen and seen != needed:
            raise ConvertError(f"it joins inputs of {shapes}; the engine repeats one pixel only over all of them")
        return View(layer, main.axes)

    def mul(self, a, b):
        for one, other in ((a, b), (b, a)):
            layer = one.layer
            if layer.op == "affine" and not layer.bias.any() and np.ptp(layer.weight) == 0:  # a constant factor
                return self.affine(self.mul(self.like(one, layer.inputs[0]), other), layer.weight[0], 0)
            gate = {"sigmoid": "silu", "hardsigmoid": "hardswish"}.get(layer.act) if layer.op == "act" else None
            if gate and layer.inputs[0] is other.layer and one.axes == other.axes:
                return self.act(other, gate)
        x, y, _ = self.aligned(a, b)
        return View(self.layer("mul", [x.layer, y.layer], x.layer.shape), x.axes)

    def add(self, a, b):
        x, y, _ = self.aligned(a, b)
        layer = y.layer
        if layer.shape != x.layer.shape:  # one pixel: written out as a picture
            layer = self.layer("mul", [self.all_ones(x.layer, "chw").layer, layer], x.layer.shape)
        return View(self.layer("add", [x.layer, layer], x.layer.shape), x.axes)

    def sub(self, a, b):
        return self.add(a, self.affine(b, -1, 0))

    def div(self, a, b):
        return self.mul(a, self.act(b, "reciprocal"))

    def maximum(self, a, b):
        return self.add(self.act(self.sub(a, b), "relu"), b)

    def minimum(self, a, b):
        return self.sub(a, self.act(self.sub(a, b), "relu"))

    # Along axes

    def concat(self, parts, axis):
        """Joins channels, four layers at most per operation of the engine.

        DenseNet concatenates ever longer lists with the same beginning; a beginning that exists already is reused.
        """
        axis = parts[0].axis(axis)
        parts = [self.select(x) for x in parts]
        first = parts[0]
        for x in parts:
            own = x.axes[axis] == whole("c", x.layer.shape[0])
            if (
                len(x.axes) != len(first.axes)
                or not own
                or any(mine != theirs for n, (mine, theirs) in enumerate(zip(x.axes, first.axes)) if n != axis)
            ):
                raise ConvertError(
                    f"it concatenates {', '.join(one.text() for one in parts)} along axis {axis}; the engine "
                    "concatenates the channels of pictures of one size"
                )
        joined_layer = self.stacked([self.plain(x) for x in parts])
        axes = list(first.axes)
        axes[axis] = whole("c", joined_layer.shape[0])
        return View(joined_layer, tuple(axes))

    def stacked(self, layers):
        sources = {id(one.inputs[0]) for one in layers if one.op == "gather"}
        if len(sources) == 1 and all(one.op == "gather" for one in layers):  # x[..., ::-1], channel by channel
            return self.channels(layers[0].inputs[0], np.concatenate([one.index for one in layers]))
        done = next((n for n in range(len(layers), 1, -1) if tuple(map(id, layers[:n])) in self.joined), 0)
        if done:
            out = self.joined[tuple(map(id, layers[:done]))]
        else:
            out, done = layers[0], 1
        while done < len(layers):
            more = layers[done : done + 3]
            shape = (out.shape[0] + sum(layer.shape[0] for layer in more), *out.shape[1:])
            out = self.layer("concat", [out, *more], shape)
            done += len(more)
            self.joined[tuple(map(id, layers[:done]))] = out
        return out

    def constant_like(self, x, values, axis):
        """A constant as a view beside x for concat(): one number per channel, the same for every pixel."""
        values, axis = np.asarray(values, np.float32), x.axis(axis)
        values = values.reshape((1,) * (len(x.axes) - values.ndim) + values.shape)
        rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
        if np.any(rows != rows[:, :1]):
            raise ConvertError("it concatenates a picture with a constant that differs from pixel to pixel")
        layer = self.plain(x)
        c = len(rows)
        zeros = np.zeros((c, layer.shape[0], 1, 1), np.float32)
        made = self.windowed("conv", layer, (1, 1), 1, (0,) * 4, cout=c, weight=zeros, bias=rows[:, 0].copy())
        axes = list(x.axes)
        axes[axis] = whole("c", c)
        return View(made, tuple(axes))

    def reduce(self, kind, x, axes, keep):
        """The mean, sum or max over these axes."""
        axes = sorted({x.axis(int(a)) for a in axes})
        gone = [atom for n in axes for atom in x.axes[n]]
        layer = self.plain(x)
        sizes = dict(zip(DIMENSIONS, layer.shape))
        count = math.prod(atom.size for atom in gone)
        out = [() if n in axes else axis for n, axis in enumerate(x.axes)]
        pixels = {dim for dim in "hw" if any(atom.dim == dim for atom in gone)}
        for dim in pixels:
            if math.prod(atom.size for atom in gone if atom.dim == dim) != sizes[dim]:
                raise ConvertError(f"it works over a part of the {'height' if dim == 'h' else 'width'}")
        if pixels:
            layer = self.reduced_pixels(kind, layer, pixels)
        if any(atom.dim == "c" for atom in gone):
            layer, out = self.reduced_channels(kind, layer, x, axes, out)
        result = View(layer, tuple(out))
        if kind == "sum":
            result = self.affine(result, count, 0)
        if not keep:
            result = replace(result, axes=tuple(axis for n, axis in enumerate(result.axes) if n not in axes))
        return result

    def reduced_pixels(self, kind, layer, dims):
        c, h, w = layer.shape
        whole_picture = (h == 1 or "h" in dims) and (w == 1 or "w" in dims)
        if kind == "max":
            if not whole_picture:
                raise ConvertError("it takes the maximum of rows or columns; the engine takes that of a whole picture")
            return self.global_max(layer)
        if whole_picture:
            return self.layer("mean", [layer], (c, 1, 1))
        k = (h if "h" in dims else 1, w if "w" in dims else 1)
        weight = np.full((c, 1, *k), 1 / (k[0] * k[1]), np.float32)
        return self.windowed("conv", layer, k, 1, (0,) * 4, weight=weight, bias=np.zeros(c, np.float32), groups=c)

    def reduced_channels(self, kind, layer, x, axes, out):
        """Over those atoms of the channels that the axes hold; what is left keeps its order."""
        kept = [(n, atom) for n, axis in enumerate(x.axes) for atom in axis if atom.dim == "c" and n not in axes]
        lost = [atom for n in axes for atom in x.axes[n] if atom.dim == "c"]
        channel, position = np.arange(layer.shape[0]), positions([atom for _, atom in kept], layer.shape[0])
        size = math.prod(atom.size for _, atom in kept)
        step, axes_of = size, {n: [] for n, _ in kept}
        for n, atom in kept:
            step //= atom.size
            axes_of[n].append(Atom("c", atom.size, step))
        for n, atoms in axes_of.items():
            others = [atom for atom in x.axes[n] if atom.dim != "c"]
            if others:
                raise ConvertError("it works over a part of the channels of a flattened picture")
            out[n] = joined(atoms)
        if kind != "max":
            share = math.prod(atom.size for atom in lost)
            weight = np.zeros((size, layer.shape[0], 1, 1), np.float32)
            weight[position, channel] = 1 / share
            return self.conv(picture(layer, "chw"), weight).layer, out
        groups = [np.flatnonzero(position == n) for n in range(size)]
        rows = np.array(groups)  # [size, share]; halved until one is left
        parts = picture(self.channels(layer, rows.T.reshape(-1)), "chw")
        share = rows.shape[1]
        while share > 1:
            half = share // 2
            take = lambda start, count: self.select(parts, 1, np.arange(start * size, (start + count) * size))
            top = self.maximum(take(0, half), take(half, half))
            parts = self.concat([top, take(2 * half, 1)], 1) if share % 2 else top
            share = half + share % 2
        return parts.layer, out

    def normalise(self, x, axes, epsilon):
        """(x - mean) / sqrt(variance + epsilon) over these axes."""
        centred = self.sub(x, self.reduce("mean", x, axes, True))
        variance = self.reduce("mean", self.mul(centred, centred), axes, True)
        return self.mul(centred, self.power(self.affine(variance, 1, epsilon), -0.5))

    def local_response(self, x, size, alpha, beta, bias, form="chw"):
        """x / (bias + alpha / size * sum of squares of `size` neighbouring channels) ^ beta"""
        layer = self.feature_map(x, form)
        c, offset = layer.shape[0], np.subtract.outer(np.arange(layer.shape[0]), np.arange(layer.shape[0]))
        near = (offset <= (size - 1) // 2) & (offset >= -(size // 2))
        band = near.astype(np.float32) * np.float32(alpha / size)
        sums = self.conv(self.mul(x, x), band[:, :, None, None], np.full(c, bias, np.float32), form=form)
        root = self.act(self.power(sums, 0.5), "sqrt")  # the fourth root
        if beta not in (0.25, 0.5, 0.75, 1):
            raise ConvertError(f"its exponent is {beta:g}; the engine has 0.25, 0.5, 0.75 and 1")
        return self.div(x, self.power(root, round(beta * 4)))

    def softmax(self, x, axis):
        axis = x.axis(axis)
        x = self.select(x)
        if x.axes[axis] != whole("c", x.layer.shape[0]):
            raise ConvertError(f"it runs over axis {axis} of {x.text()}; the engine's softmax runs over the channels")
        layer = self.plain(x)
        if layer.shape[0] == 1:
            raise ConvertError("a softmax over one value is always 1. A network with one output needs a sigmoid")
        return self.like(x, self.layer("softmax", [layer], layer.shape))
