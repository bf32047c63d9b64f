"""The layer lines of a Pleura graph as a PyTorch module: one text defines training, export and goldens.

A line is `name = op inputs... key=value...`, in order of execution; src/nn/graph.h defines the operations. parse() is
the only reader of such lines in Python. In training every convolution but the last of a U-Net has a batch norm, which
fold() removes.
"""
import numpy as np
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


def layer_line(name, op, inputs, options):
    """The inverse of parse()."""
    return " ".join([name, "=", op, *inputs, *(f"{key}={value}" for key, value in options.items())])


ACTS = {
    "none": lambda y: y,
    "relu": F.relu,
    "relu6": F.relu6,
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


class Graph(nn.Module):
    """Runs the lines on [batch, c, h, w]. norm=False is the folded network that the engine runs.

    In training, the outputs of the layers in `mixed` go through mix_style() half of the time.
    """

    def __init__(self, lines, norm=True, mixed=()):
        super().__init__()
        self.mixed = mixed
        self.lines, self.layers = list(lines), [parse(line) for line in lines]
        self.shapes, self.ops = {}, nn.ModuleDict()
        for name, op, inputs, o in self.layers:
            shape = self.shape(op, [self.shapes[i] for i in inputs], o)
            if op in ("conv", "depthwise"):
                conv = self.convolution(op, self.shapes[inputs[0]][0], o)
                self.ops[self.key(name)] = (
                    nn.Sequential(conv, nn.BatchNorm2d(o["c"])) if norm and name != "mask" else conv
                )
            if op == "dense":
                c, h, w = self.shapes[inputs[0]]
                self.ops[self.key(name)] = nn.Linear(c * h * w, o["c"])
            self.shapes[name] = shape

    @staticmethod
    def convolution(op, cin, o):
        """The layer without its padding if that is uneven; bordered() then adds it."""
        pad = 0 if "after" in o else o.get("pad", 0)
        return nn.Conv2d(cin, o.get("c", cin), o["k"], o.get("stride", 1), pad, groups=cin if op == "depthwise" else 1)

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
        return {"add": same, "mul": same, "act": same, "mean": (c, 1, 1), "dense": (o.get("c"), 1, 1)}[op]

    def forward(self, image):
        """image [batch, c, h, w] -> {layer name: tensor [batch, c, h, w]}."""
        out = {}
        for name, op, inputs, o in self.layers:
            x = [out[i] for i in inputs]
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
            elif op == "act":
                y = x[0]
            elif op == "mean":
                y = x[0].mean((2, 3), keepdim=True)
            elif op == "dense":
                y = self.ops[self.key(name)](x[0].permute(0, 2, 3, 1).flatten(1))[:, :, None, None]
            else:
                raise ValueError(f"no such op: {op}")
            y = ACTS[o.get("act", "none")](y)
            mix = self.training and name in self.mixed and torch.rand(()) < 0.5
            out[name] = mix_style(y) if mix else y
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


def unet(side=128, widths=(12, 24, 48, 96)):
    """Lines of the lung U-Net: two 3x3 convolutions per level, nearest resize on the way up, logits `mask`."""
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
    return lines + [f"mask = conv {last} k=1 stride=1 pad=0 c=1"]


def resnet(side=96, widths=(16, 32, 64, 128), classes=3):
    """Lines of the diagnosis ResNet-10: strided stem, one residual block per width, `features`, `pool`, `logits`."""
    lines = [f"image = input h={side} w={side} c=1", f"stem = conv image k=5 stride=2 pad=2 c={widths[0]} act=relu"]
    last = "stem"
    for number, width in enumerate(widths, 1):
        stride, out = (1, f"block{number}") if number == 1 else (2, f"block{number}")
        lines += [
            f"{out}a = conv {last} k=3 stride={stride} pad=1 c={width} act=relu",
            f"{out}b = conv {out}a k=3 stride=1 pad=1 c={width}",
        ]
        if stride == 2:
            lines.append(f"{out}s = conv {last} k=1 stride=2 pad=0 c={width}")
            last = f"{out}s"
        out = "features" if number == len(widths) else out
        lines.append(f"{out} = add block{number}b {last} act=relu")
        last = out
    return lines + ["pool = mean features", f"logits = dense pool c={classes}"]


def ensemble(lines, parameters):
    """(lines, folded parameters) of one network that runs networks of the same lines side by side.

    Its logits are the mean of theirs.
    """
    layers = [parse(line) for line in lines]
    names = {name for name, op, *_ in layers if op != "input"}
    out, joined = [lines[0]], {}
    for member, folded in zip("abcdefgh", parameters):
        own = lambda name: f"{member}.{name}" if name in names else name
        out += [
            layer_line(own(name), op, map(own, inputs), options)
            for name, op, inputs, options in layers
            if op != "input" and name not in ("pool", "logits")
        ]
        joined.update({own(name): value for name, value in folded.items() if name != "logits"})
    weights, biases = zip(*(folded["logits"] for folded in parameters))
    joined["logits"] = np.concatenate(weights, 1) / len(parameters), np.mean(biases, 0)
    features = " ".join(f"{member}.features" for member in "abcdefgh"[: len(parameters)])
    return (
        out + [f"features = concat {features}", "pool = mean features", f"logits = dense pool c={len(biases[0])}"],
        joined,
    )
