"""Int8 forms of the trained networks, with the arithmetic of src/nn/int8.h, taught to answer as the float ones do.

Rounding the float networks costs up to 0.007 AUC. So every rounding is part of the network here (Jacob et al., 2018):
weights, scales and biases start at those of the float network and learn to bring back its outputs on training films,
while gradients pass through each rounding unchanged. Scales learn as in LSQ (Esser et al., 2020). The results are
NAME.int8.pt in build/model.

Weights use few of the 255 values that a byte has: entropy coding then sends about five bits for each.
"""
import argparse
import logging

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from training import data
from training import lungs
from training import train
from training.fit import BUILD, Batches, fit, start
from training.graph import DepthwiseProduct, Graph, efficientnet, unet

MAX_ACTIVATION = 127
MAX_WEIGHT = 127
# The largest integer weight, except in depthwise layers: few weights, which matter.
MAX_TAUGHT = {"lungs": 10, "diagnosis": 24}
MAX_BIAS = 2**20  # in units of a weight: beside tiny weights the bias must still fit
RANGE_SHARES = np.arange(20, 4, -1) / 20  # of the observed range, tried for each scale
FLOAT_OUTPUTS = ("features", "opacity", "mask", "logits", "pose", "gate")  # the engine reads them as floats
MOVES_VALUES = ("maxpool", "resize", "concat")  # the output's values are the inputs' values
TAUGHT = {"lungs": ("mask", "pose", "gate.pool"), "diagnosis": ("logits", "opacity", "pool")}
CLIP = 8  # logits beyond are certain
# Cycles of (steps, largest learning rate in units of a weight); relative changes of scales are slower.
CYCLES, SCALE_SLOWER = {"lungs": [(150, 0.03)], "diagnosis": [(220, 0.03), (220, 0.015)]}, 15
BATCH = 24  # films per step of the diagnosis network
log = logging.getLogger(__name__)


class Rounded(torch.autograd.Function):
    """x -> scale * q with q the nearest integer to x / scale in low..high; scale broadcasts to x."""

    @staticmethod
    def forward(ctx, x, scale, low, high):
        ctx.save_for_backward(x, scale)
        ctx.range = low, high
        return (x.float() / scale).round_().clamp_(low, high).mul_(scale).to(x.dtype)

    @staticmethod
    def backward(ctx, grad):
        (x, scale), (low, high) = ctx.saved_tensors, ctx.range
        exact = x.float() / scale
        inside = (exact > low - 0.5) & (exact < high + 0.5)
        error = exact.round().clamp_(low, high) - exact * inside
        return (grad * inside).to(x.dtype), (grad * error).sum_to_size(scale.shape), None, None


def coarse(x):
    """x with 8 significant bits; gradients pass unchanged."""
    return x + (x.detach().bfloat16().float() - x.detach())


def best_scale(values, low, high):
    """[rows] scales with the least squared error of values [rows, n] rounded to scale * low..high."""
    largest = torch.maximum(
        values.amax(1) / max(high, 1), -values.amin(1) / max(-low, 1) if low else values.amax(1) * 0
    )
    best, least = largest.clamp(min=1e-8), torch.full_like(largest, torch.inf)
    for share in RANGE_SHARES:
        scale = (largest * share).clamp(min=1e-8)
        rounded = (values / scale[:, None]).round().clamp(low, high) * scale[:, None]
        error = ((rounded - values) ** 2).sum(1)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best


class Step(nn.Module):
    """Rounds an output to the integers 0..127 that stand for it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("first", torch.ones(()))
        self.register_buffer("zero_point", torch.zeros((), dtype=torch.int))
        self.stretch = nn.Parameter(torch.zeros(()))

    def observe(self, values):
        low = min(float(values.min()), 0)
        zero = round(-low / (float(values.max()) - low) * MAX_ACTIVATION)
        self.zero_point.fill_(zero)
        self.first.copy_(best_scale(values.flatten()[None], -zero, MAX_ACTIVATION - zero)[0])

    @property
    def scale(self):
        return coarse(self.first * self.stretch.exp())

    def settle(self):
        with torch.no_grad():
            self.first.copy_(self.scale)
            self.stretch.zero_()

    def forward(self, x):
        zero = int(self.zero_point)
        return Rounded.apply(x, self.scale, -zero, MAX_ACTIVATION - zero)


class Int8Layer(nn.Module):
    """A convolution with integer weights, and with a float32 bias; starts at a float layer."""

    def __init__(self, layer, largest):
        super().__init__()
        self.stride, self.padding, self.depthwise = layer.stride[0], layer.padding[0], layer.groups > 1
        self.max = MAX_WEIGHT if self.depthwise else largest
        self.register_buffer("start", layer.weight.detach().clone())
        self.register_buffer("first_bias", layer.bias.detach().clone())
        first = best_scale(self.start.flatten(1), -self.max, self.max)
        first = torch.maximum(first, layer.bias.detach().abs() / MAX_BIAS)
        self.register_buffer("first", first[:, None, None, None])
        self.change = nn.Parameter(torch.zeros_like(self.start))  # in units of the first scale
        self.stretch = nn.Parameter(torch.zeros_like(self.first))
        self.shift = nn.Parameter(torch.zeros_like(self.first_bias))  # in units of a weight
        self.unit = None  # of a sum, if the bias is rounded to it

    @property
    def scale(self):
        return coarse(self.first * self.stretch.exp())

    @property
    def weight(self):
        return Rounded.apply(self.start + self.first * self.change, self.scale, -self.max, self.max)

    @property
    def bias(self):
        learnt = coarse(self.first_bias + self.shift * self.first.flatten())
        return learnt if self.unit is None else (learnt / self.unit).round() * self.unit

    def forward(self, x):
        if self.depthwise and torch.is_grad_enabled():
            y = DepthwiseProduct.apply(x, self.weight.to(x.dtype), self.stride, self.padding)
            return y + self.bias.to(x.dtype)[:, None, None]
        groups = len(self.start) if self.depthwise else 1
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, groups=groups)

    def numbers(self):
        """(int8 weights, scale [cout], bias [cout]) as arrays."""
        with torch.no_grad():
            integers = (self.weight / self.scale).round().to(torch.int8)
            return integers.numpy(), self.scale.flatten().numpy(), self.bias.numpy()

    def settle(self):
        """Makes what was learnt the start, so that nothing is rounded twice."""
        with torch.no_grad():
            self.start, self.first, self.first_bias = self.weight, self.scale, self.bias
            for learnt in (self.change, self.stretch, self.shift):
                learnt.zero_()


def int8_lines(lines):
    """The lines of a float graph with its image as int8, for the layers after it."""
    image, *rest = lines
    return [image, "image.bytes = quantise image", *(line.replace(" image ", " image.bytes ") for line in rest)]


class Int8Graph(Graph):
    """A folded Graph with the lines of int8_lines(): everything from the image on is int8 as far as the engine allows."""

    def __init__(self, lines, largest=MAX_WEIGHT):
        super().__init__(lines, norm=False)
        self.step_of = {}  # {int8 output: the output whose Step it shares}
        for name, op, inputs, _ in self.layers:
            reads = bool(inputs) and all(i in self.step_of for i in inputs)
            if op in ("conv", "depthwise") and reads:
                self.ops[self.key(name)] = Int8Layer(self.ops[self.key(name)], largest)
            if op == "quantise" or (reads and op != "mean" and name not in FLOAT_OUTPUTS):
                self.step_of[name] = name
            if op in MOVES_VALUES and name in self.step_of:
                shared = {self.step_of[i] for i in inputs}
                self.step_of.update({other: name for other, step in self.step_of.items() if step in shared})
        self.steps = nn.ModuleDict({self.key(step): Step() for step in set(self.step_of.values())})

    def step(self, name):
        return self.steps[self.key(self.step_of[name])]

    def stored(self, name, y):
        return self.step(name)(y) if name in self.step_of else y

    def settle(self):
        for module in self.modules():
            if isinstance(module, (Step, Int8Layer)):
                module.settle()
        return self

    def round_biases(self):
        """Rounds the biases to what 1 in a sum stands for, as the engine does."""
        for name, _, inputs, _ in self.layers:
            layer = self.ops[self.key(name)] if self.key(name) in self.ops else None
            if isinstance(layer, Int8Layer):
                layer.unit = (self.step(inputs[0]).scale * layer.scale.flatten()).detach()
        return self

    def fold(self):
        """The parameters of the layers that stay float32."""
        layers = {name: self.ops[self.key(name)] for name, op, *_ in self.layers if self.key(name) in self.ops}
        floats = {name: layer for name, layer in layers.items() if not isinstance(layer, Int8Layer)}
        return {name: (o.weight.detach().numpy(), o.bias.detach().numpy()) for name, o in floats.items()}

    def quantisation(self, prefix):
        """{metadata key: value}: scales and zero points of the outputs, 0 for float32."""
        steps = [self.step(name) if name in self.step_of else None for name, *_ in self.layers]
        scales, zeros = zip(*((step.scale.item(), int(step.zero_point)) if step else (0, 0) for step in steps))
        return {f"{prefix}.steps": np.array(scales, np.float32), f"{prefix}.zeros": np.array(zeros, np.float32)}

    @classmethod
    def of(cls, network, images, largest):
        """Starts at a folded float Graph, with the ranges of its outputs for some images."""
        out = cls(int8_lines(network.lines), largest)
        for name, layer in network.ops.items():
            if isinstance(out.ops[name], Int8Layer):
                out.ops[name] = Int8Layer(layer, largest)
            else:
                out.ops[name].load_state_dict(layer.state_dict())
        with torch.no_grad():
            values = network(images)
        values["image.bytes"] = values["image"]
        for step in set(out.step_of.values()):
            shared = [values[name].flatten() for name, of in out.step_of.items() if of == step]
            out.step(step).observe(torch.cat([v[:: max(1, len(v) // 200000)] for v in shared]))
        return out.to(memory_format=torch.channels_last).eval()


def diagnosis_lessons(films):
    """A function that makes a batch of what the diagnosis network sees: half of it augmented as in training, half not."""
    known = [film for film in films if train.learnable(film)]
    rows, weight = train.prepared(known, train.TRAINING_SIDE), train.sampling_weights(known)

    def make():
        picks = torch.multinomial(weight, BATCH, replacement=True).numpy()
        changed = train.augmented(*train.to_float(rows.rows(picks[::2])))[:2]
        plain = train.at_side(*train.to_float(rows.rows(picks[1::2]))[:2])
        return train.network_input(*(torch.cat(pair) for pair in zip(changed, plain)))

    return make


def lung_lessons(films):
    make = lungs.lessons(films)
    return lambda: make()[0]


def answers(out, name):
    """The output of a layer as it is compared: a constant of all logits of a film means nothing."""
    y = out[name].float().clamp(-CLIP, CLIP)
    return y - y.mean(1, keepdim=True) if name == "logits" else y


def taught(kind, network, make, steps=None):
    """The Int8Graph of a float Graph, after it learnt from batches of make() to give the same outputs; steps: of
    each cycle, instead of those of CYCLES."""
    layout = torch.channels_last
    images = torch.cat([make() for _ in range(4)]).contiguous(memory_format=layout)
    student = Int8Graph.of(network, images, MAX_TAUGHT[kind])

    def lesson():
        images = make().contiguous(memory_format=layout)
        with torch.no_grad():
            out = network(images)
        return images, {name: answers(out, name) for name in TAUGHT[kind]}

    def loss(out, target):
        """Squared errors over the variance of the float network's outputs."""
        return sum(F.mse_loss(answers(out, name), y) / y.var() for name, y in target.items())

    for usual, rate in CYCLES[kind]:
        rates = {rate: [], rate / SCALE_SLOWER: []}
        for name, parameter in student.named_parameters():
            rates[rate / SCALE_SLOWER if name.endswith("stretch") else rate].append(parameter)
        fit(student, Batches(steps or usual, lesson), loss, rates, layout).settle()
    return student


def load(lines, name):
    """The Int8Graph of a file in build/model."""
    network = Int8Graph(int8_lines(lines))
    network.load_state_dict(torch.load(BUILD / f"{name}.int8.pt"))
    return network.to(memory_format=torch.channels_last).eval()


def load_lungs():
    return load(unet(lungs.LUNGS_SIDE), "lungs")


def load_diagnosis(name):
    return load(efficientnet(train.DIAGNOSIS_SIDE), name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", help="a checkpoint in build/model (default: the best seed)")
    parser.add_argument("--steps", type=int, help="optimizer steps of each cycle")
    options = parser.parse_args()
    start(1)
    films = data.films()
    name = options.network or train.best_seed(films)
    for kind, file, load_floats, lessons in (
        ("lungs", "lungs", train.load_lungs, lung_lessons),
        ("diagnosis", name, lambda: train.load_diagnosis(name), diagnosis_lessons),
    ):
        out = BUILD / f"{file}.int8.pt"
        if not out.exists():
            log.info("%s", out)
            torch.save(taught(kind, load_floats(), lessons(films), options.steps).state_dict(), out)


if __name__ == "__main__":
    main()
