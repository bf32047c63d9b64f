"""Views: a layer's output as the foreign graph sees it, with its own axes in its own order.

A layer's output is (channels, height, width). The foreign graph may see it with the channels last, flattened to a row,
split into groups of channels, or with more axes of size 1. A View says for each axis of the foreign tensor which runs
of the layer's dimensions it consists of, so reshapes, transposes and squeezes change the View and leave the layer alone.
"""
import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Optional

import numpy as np

from layers import ConvertError, Layer

DIMENSIONS = "chw"  # of a layer's shape


class Atom(NamedTuple):
    """`size` positions along one dimension of the layer, `step` apart."""

    dim: str
    size: int
    step: int


def whole(dim, size):
    """The axis that is one whole dimension. Atoms of size 1 are left out, since they can stand anywhere."""
    return (Atom(dim, size, 1),) if size > 1 else ()


def length(axis):
    return math.prod(atom.size for atom in axis)


@dataclass(frozen=True)
class View:
    layer: Layer
    axes: tuple  # per axis of the foreign tensor, batch included, a tuple of Atoms; every position occurs once
    # A scale and an offset for each single value of the layer, [c, h, w], until a dense layer absorbs them.
    factors: Optional[np.ndarray] = field(default=None, compare=False)
    terms: Optional[np.ndarray] = field(default=None, compare=False)

    @property
    def shape(self):
        """The shape in the foreign graph, batch included."""
        return tuple(length(axis) for axis in self.axes)

    def text(self):
        return "x".join(map(str, self.shape)) or "a single value"

    def axis(self, number):
        """The axis as a number from 0."""
        rank = len(self.axes)
        if not -rank <= number < rank:
            raise ConvertError(f"its axis {number} does not exist in an input of {self.text()}")
        return int(number) % rank

    def places(self, number):
        """{dim: positions along the layer's dimension that axis `number` adds, by its own index}"""
        out = {dim: np.zeros(1, np.int64) for dim in DIMENSIONS}
        for atom in self.axes[number]:
            for dim in DIMENSIONS:
                steps = np.arange(atom.size) * (atom.step if dim == atom.dim else 0)
                out[dim] = (out[dim][:, None] + steps).reshape(-1)
        return out

    def reshaped(self, shape):
        """The same values, in the same order, as a tensor of this shape."""
        if math.prod(shape) != math.prod(self.shape):
            raise ConvertError(f"it reshapes {self.text()} to {'x'.join(map(str, shape))}, which has another size")
        atoms, axes = [atom for axis in self.axes for atom in axis], []
        for size in shape:
            axis, left = [], size
            while left > 1:
                atom = atoms.pop(0)
                if left % atom.size == 0:
                    axis.append(atom)
                    left //= atom.size
                elif atom.size % left == 0:
                    inner = atom.size // left
                    axis.append(Atom(atom.dim, left, atom.step * inner))
                    atoms.insert(0, Atom(atom.dim, inner, atom.step))
                    left = 1
                else:
                    raise ConvertError(
                        f"it reshapes {self.text()} to {'x'.join(map(str, shape))}, which tears pixels apart; the "
                        "engine has no such operation"
                    )
            axes.append(joined(axis))
        return replace(self, axes=tuple(axes))

    def transposed(self, order):
        if sorted(order) != list(range(len(self.axes))):
            raise ConvertError(f"it transposes {self.text()} to the order {list(order)}, which is no order of its axes")
        return replace(self, axes=tuple(self.axes[i] for i in order))


def joined(axis):
    """The axis with neighbouring atoms that form one run joined."""
    out = []
    for atom in axis:
        last = out[-1] if out else None
        if last and last.dim == atom.dim and last.step == atom.step * atom.size:
            out[-1] = Atom(atom.dim, last.size * atom.size, atom.step)
        else:
            out.append(atom)
    return tuple(out)


def spread(x, values):
    """A constant that the foreign graph broadcasts over x, as an array [c or 1, h or 1, w or 1] in the layer's order."""
    values = np.asarray(values)
    shape = (1,) * (len(x.axes) - values.ndim) + values.shape
    if len(shape) != len(x.axes) or any(a not in (1, b) for a, b in zip(shape, x.shape)):
        raise ConvertError(
            f"a constant of shape {'x'.join(map(str, values.shape))} does not fit an input of {x.text()}"
        )
    sizes, atoms = [], []
    for size, axis in zip(shape, x.axes):
        for atom in axis:
            atoms.append(atom)
            sizes.append(atom.size if size > 1 else 1)
    values, order = values.reshape(sizes), []
    for dim in DIMENSIONS:
        mine = sorted((n for n, atom in enumerate(atoms) if atom.dim == dim), key=lambda n: -atoms[n].step)
        if any(sizes[n] > 1 for n in mine):  # a part of the dimension may vary while another does not
            for n in mine:
                values = np.repeat(values, atoms[n].size, n) if sizes[n] == 1 else values
        order.append(mine)
    values = values.transpose([n for mine in order for n in mine])
    out, at = [], 0
    for mine in order:
        out.append(math.prod(values.shape[at : at + len(mine)]))
        at += len(mine)
    return values.reshape(out)
