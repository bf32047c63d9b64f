"""The layer lines of a Pleura graph as a PyTorch module: one text defines training, export and goldens.

A line is `name = op inputs... key=value...`, in order of execution; src/nn/graph.h defines the operations. parse() is
the only reader of such lines in Python. In training every convolution but the last of a U-Net has a batch norm, which
fold() removes.
"""
import torch
from torch import nn
from torch.nn import functional as F


def parse(line):
    """One layer line -> (name, op, inputs, options); options are integers except act and mode."""
    name, expression = line.split(" = ")
    op, *words = expression.split()
    inputs = [word for word in words if "=" not in word]
    options = dict(word.split("=") for word in words if "=" in word)
    return name, op, inputs, {key: int(value) if value.isdigit() else value for key, value in options.items()}


WITHOUT_NORM = ("mask", "opacity")  # convolutions that are outputs

ACTS = {
    "none": lambda y: y,
    "relu": F.relu,
    "relu6": lambda x: x.clamp(0, 6),  # F.relu6 of PyTorch 1.13 has no backward pass in bfloat16
    "silu": F.silu,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def mix_style(y):
    """Mixes the channel means and deviations of each film with those of another (MixStyle, Zhou et al., 2021).

    They carry the look of a hospital rather than the findings.
    """
    mean, deviation = y.mean((2, 3), keepdim=True).detach(), y.std((2, 3), keepdim=True).detach() + 1e-5
    share = torch.distributions.Beta(0.3, 0.3).sample((len(y), 1, 1, 1))
    other = torch.randperm(len(y))
    return (
        (y - mean) / deviation * (share * deviation + (1 - share) * deviation[other])
        + share * mean
        + (1 - share) * mean[other]
    )


class DepthwiseProduct(torch.autograd.Function):
    """conv2d with one filter per channel and no bias, for x [n, c, h, w] and weight [c, 1, k, k].

    PyTorch's own backward pass is several times slower on CPUs. The gradient of x is a depthwise convolution of the
    gradient of the output, spread by the stride, with the flipped filter; the gradient of the weight is one sum of
    products for each of the k * k shifts.
    """

    @staticmethod
    def forward(ctx, x, weight, stride, pad):
        ctx.save_for_backward(x, weight)
        ctx.window = stride, pad
        return F.conv2d(x, weight, stride=stride, padding=pad, groups=len(weight))

    @staticmethod
    def backward(ctx, grad):
        (x, weight), (s, pad) = ctx.saved_tensors, ctx.window
        k, (h, w), (oh, ow) = weight.shape[-1], x.shape[2:], grad.shape[2:]
        spread, reach = grad, (slice(0, (oh - 1) * s + 1, s), slice(0, (ow - 1) * s + 1, s))
        size = h + 2 * pad - k + 1, w + 2 * pad - k + 1
        if size != (oh, ow):
            spread = grad.new_zeros(grad.shape[:2] + size).contiguous(memory_format=torch.channels_last)
            spread[:, :, reach[0], reach[1]] = grad
        dx = F.conv2d(spread, weight.flip(2, 3), padding=k - 1 - pad, groups=len(weight))
        x = F.pad(x, (pad,) * 4) if pad else x
        shifts = [x[:, :, i:, j:][:, :, reach[0], reach[1]] for i in range(k) for j in range(k)]
        dw = torch.stack([(shift * grad).sum((0, 2, 3)) for shift in shifts], 1)
        return dx, dw.view(weight.shape).to(weight.dtype), None, None


class Depthwise(nn.Conv2d):
    """A depthwise convolution whose backward pass is quick."""

    def forward(self, x):
        if not torch.is_grad_enabled():
            return super().forward(x)
        y = DepthwiseProduct.apply(x, self.weight.to(x.dtype), self.stride[0], self.padding[0])
        return y + self.bias.to(x.dtype)[:, None, None]


class Graph(nn.Module):
    """Runs the lines on [batch, c, h, w]. norm=False is the folded network that the engine runs.

    In training, the outputs of the layers in `mixed` go through mix_style() half of the time.
    """

    def __init__(self, lines, norm=True, mixed=(), eps=1e-5):
        super().__init__()
        self.mixed, self.frozen = mixed, frozenset()
        self.lines, self.layers = list(lines), [parse(line) for line in lines]
        self.shapes, self.ops = {}, nn.ModuleDict()
        for name, op, inputs, o in self.layers:
            shape = self.shape(op, [self.shapes[i] for i in inputs], o)
            if op in ("conv", "depthwise"):
                conv = self.convolution(op, self.shapes[inputs[0]][0], o)
                batch_norm = norm and name not in WITHOUT_NORM
                norms = [nn.BatchNorm2d(o.get("c", conv.out_channels), eps)] if batch_norm else []
                self.ops[self.key(name)] = nn.Sequential(conv, *norms) if norms else conv
            if op == "dense":
                c, h, w = self.shapes[inputs[0]]
                self.ops[self.key(name)] = nn.Linear(c * h * w, o["c"])
            self.shapes[name] = shape

    @staticmethod
    def convolution(op, cin, o):
        """The layer without its padding if that is uneven; bordered() then adds it."""
        pad = 0 if "after" in o else o.get("pad", 0)
        if op == "depthwise":
            return Depthwise(cin, cin, o["k"], o.get("stride", 1), pad, groups=cin)
        return nn.Conv2d(cin, o["c"], o["k"], o.get("stride", 1), pad)

    def freeze(self, last):
        """Folds the batch norms of the layers up to `last`, which will not learn."""
        names = list(self.shapes)
        self.frozen = frozenset(names[: names.index(last) + 1])
        folded = self.fold()
        for name in self.frozen & folded.keys():
            layer = self.ops[self.key(name)][0]
            layer.weight.data, layer.bias.data = map(torch.as_tensor, folded[name])
            self.ops[self.key(name)] = layer.requires_grad_(False)
        return self

    @staticmethod
    def bordered(x, o, fill=0.0):
        pad, after = o.get("pad", 0), o.get("after", o.get("pad", 0))
        return F.pad(x, (pad, after, pad, after), value=fill)

    @staticmethod
    def key(name):
        return name.replace(".", "_")

    @staticmethod
    def shape(op, inputs, o):
        """(c, h, w) of the layer's output."""
        if op == "input":
            return o["c"], o["h"], o["w"]
        c, h, w = inputs[0]
        if op in ("conv", "depthwise", "maxpool", "avgpool"):
            k, stride, around = o["k"], o.get("stride", 1), o.get("pad", 0) + o.get("after", o.get("pad", 0))
            return o.get("c", c), (h + around - k) // stride + 1, (w + around - k) // stride + 1
        if op == "resize":
            return c, h * o["scale"], w * o["scale"]
        if op == "concat":
            return sum(i[0] for i in inputs), h, w
        same = (c, h, w)
        shapes = {"mean": (c, 1, 1), "dense": (o.get("c"), 1, 1)}
        return {**dict.fromkeys(("add", "mul", "act", "quantise"), same), **shapes}[op]

    def stored(self, name, y):
        """A layer's output as the layers after it read it; quantise.py rounds it."""
        return y

    def forward(self, image):
        """image [batch, c, h, w] -> {layer name: tensor [batch, c, h, w]}."""
        out, learns = {}, torch.is_grad_enabled()
        for name, op, inputs, o in self.layers:
            x = [out[i] for i in inputs]
            torch.set_grad_enabled(learns and name not in self.frozen)
            if op == "input":
                y = image
            elif op in ("conv", "depthwise"):
                y = self.ops[self.key(name)](self.bordered(x[0], o) if "after" in o else x[0])
            elif op == "maxpool":
                y = F.max_pool2d(self.bordered(x[0], o, -torch.inf), o["k"], o.get("stride", 1))
            elif op == "avgpool":
                y = F.avg_pool2d(x[0], o["k"], o.get("stride", 1))
            elif op == "resize":
                y = F.interpolate(
                    x[0], scale_factor=o["scale"], mode="bilinear" if o.get("mode") == "linear" else "nearest"
                )
            elif op == "concat":
                y = torch.cat(x, 1)
            elif op == "add":
                y = sum(x[1:], x[0])
            elif op == "mul":
                y = x[0] * x[1]
            elif op in ("act", "quantise"):
                y = x[0]
            elif op == "mean":
                y = x[0].mean((2, 3), keepdim=True)
            elif op == "dense":
                y = self.ops[self.key(name)](x[0].permute(0, 2, 3, 1).flatten(1))[:, :, None, None]
            else:
                raise ValueError(f"no such op: {op}")
            y = ACTS[o.get("act", "none")](y)
            mix = self.training and name in self.mixed and torch.rand(()) < 0.5
            out[name] = self.stored(name, mix_style(y) if mix else y)
        torch.set_grad_enabled(learns)
        return out

    def fold(self):
        """{layer: (weight, bias)} as float32 arrays with batch norms folded in.

        Weights are conv [cout, cin, k, k], depthwise [c, 1, k, k], dense [cout, h*w*c].
        """
        parameters = {}
        for name, op, _, _ in self.layers:
            if op not in ("conv", "depthwise", "dense"):
                continue
            layer = self.ops[self.key(name)]
            if isinstance(layer, nn.Sequential):
                conv, bn = layer
                scale = (bn.weight / torch.sqrt(bn.running_var + bn.eps)).detach()
                weight = conv.weight.detach() * scale[:, None, None, None]
                bias = (conv.bias.detach() - bn.running_mean) * scale + bn.bias.detach()
            else:
                weight, bias = layer.weight.detach(), layer.bias.detach()
            parameters[name] = weight.numpy(), bias.numpy()
        return parameters

    def load_folded(self, parameters):
        """Loads the result of fold() into a graph that was built with norm=False."""
        with torch.no_grad():
            for name, (weight, bias) in parameters.items():
                self.ops[self.key(name)].weight.copy_(torch.as_tensor(weight))
                self.ops[self.key(name)].bias.copy_(torch.as_tensor(bias))
        return self.eval()


def unet(side=128, widths=(12, 24, 48, 96), poses=6):
    """Lines of the lung U-Net: two 3x3 convolutions per level, nearest resize on the way up, logits `mask` and `pose`.

    The pose has the logits of 0 to 3 quarter turns to the left of upright, of no chest film, and of inverted greys.
    """
    lines, last = [f"image = input h={side} w={side} c=1"], "image"
    for level, width in enumerate(widths, 1):
        if level > 1:
            lines.append(f"down{level - 1} = maxpool {last} k=2 stride=2")
            last = f"down{level - 1}"
        for part in "ab":
            lines.append(f"enc{level}{part} = conv {last} k=3 stride=1 pad=1 c={width} act=relu")
            last = f"enc{level}{part}"
    for level in range(len(widths) - 1, 0, -1):
        lines += [f"up{level} = resize {last} scale=2", f"cat{level} = concat up{level} enc{level}b"]
        last = f"cat{level}"
        for part in "ab":
            lines.append(f"dec{level}{part} = conv {last} k=3 stride=1 pad=1 c={widths[level - 1]} act=relu")
            last = f"dec{level}{part}"
    pool = f"enc{len(widths)}b"
    return lines + [
        f"mask = conv {last} k=1 stride=1 pad=0 c=1",
        f"gate.pool = mean {pool}",
        f"pose = dense gate.pool c={poses}",
    ]


# EfficientNet-lite0 (Tan and Le, 2019; github.com/tensorflow/tpu, efficientnet/lite): for each block the size of its
# window, its stride, how much it widens its input, and its channels. The stages with 192 and 320 channels, which the
# original has behind them, are left out: their stride of 32 is too coarse for a map of opacities.
EFFICIENTNET_LITE0 = (
    [(3, 1, 1, 16)]
    + [(3, 2, 6, 24), (3, 1, 6, 24)]
    + [(5, 2, 6, 40), (5, 1, 6, 40)]
    + [(3, 2, 6, 80)]
    + [(3, 1, 6, 80)] * 2
    + [(5, 1, 6, 112)] * 3
)


def padding(side, k, stride):
    """(pad, after) as TensorFlow's SAME."""
    total = max((-(-side // stride) - 1) * stride + k - side, 0)
    return total // 2, total - total // 2


def efficientnet(side=160, classes=4, features=256):
    """Lines of the diagnosis network: EfficientNet-lite0 up to stride 16, `features`, the `opacity` map, `logits`."""
    lines, last, cin = [f"image = input h={side} w={side} c=1"], "stem", 32

    def window(k, stride):
        nonlocal side
        pad, after = padding(side, k, stride)
        side = -(-side // stride)
        return f"k={k} stride={stride} pad={pad}" + (f" after={after}" if after != pad else "")

    lines.append(f"stem = conv image {window(3, 2)} c={cin} act=relu6")
    for number, (k, stride, expand, c) in enumerate(EFFICIENTNET_LITE0):
        name, inner = f"block{number}", last
        if expand > 1:
            inner = f"{name}.expand"
            lines.append(f"{inner} = conv {last} k=1 c={cin * expand} act=relu6")
        lines.append(f"{name}.depthwise = depthwise {inner} {window(k, stride)} act=relu6")
        adds = stride == 1 and c == cin
        lines.append(f"{name}{'.project' if adds else ''} = conv {name}.depthwise k=1 c={c}")
        if adds:
            lines.append(f"{name} = add {name}.project {last}")
        last, cin = name, c
    return lines + [
        f"features = conv {last} k=1 c={features} act=relu6",
        "opacity = conv features k=1 c=1",
        "pool = mean features",
        f"logits = dense pool c={classes}",
    ]
