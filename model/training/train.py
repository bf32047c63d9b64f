"""Trains the networks on what the engine sees of each film.

With --lungs the lung finder (lungs.py), else one diagnosis network for each seed; training.export releases the one that
is best on the validation split. Each diagnosis network leaves two files in build/model: NAME.pt, its folded parameters,
and NAME.npz, its outputs for films that it has not seen, of which `python3 -m report` makes tables. A network that is
there already is not trained again.
"""
import argparse
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from training import augment
from training import backbone
from training import data
from training import inputs
from training import lungs
from training.fit import BUILD, Batches, fit, start
from training.graph import Graph, efficientnet, unet

DIAGNOSIS_SIDE = 160
TRAINING_SIDE = 192  # of the crops before augmentation
SETTINGS = inputs.Settings(margin=0.06, blur=2, grow=2, contrast=0.25)
FROZEN = "block4"  # the layers up to this one keep their ImageNet weights
MIXED = ("block4",)  # layers after which mix_style() mixes the looks of hospitals
SEEDS = (1, 2, 3)
STEPS = 1200
RATE, BACKBONE_RATE = 1e-3, 3e-4
MAP_WEIGHT = 0.5  # of the opacity map's loss
BATCH = {"covid": 15, "pneumonia": 11, "normal": 16, "other": 6}  # films per step
# Share of each source within a class. A source with several large classes has about the same share of each, so that the
# source says little about the class; sources with one class are left out.
SHARES = {
    "covid": {"siim": 0.5, "cohen": 0.3, "bimcv_radiodb": 0.1, "webmix_radiodb": 0.1},
    "pneumonia": {"siim": 0.35, "cohen": 0.15, "nih": 0.15, "rsna_lungonly": 0.25, "kermany": 0.1},
    "normal": {"siim": 0.35, "cohen": 0.02, "nih": 0.2, "rsna_lungonly": 0.25, "kermany": 0.1, "bimcv_radiodb": 0.08},
    "other": {"rsna_lungonly": 0.6, "nih": 0.25, "cohen": 0.15},
}
# What a reading says about the class, where it is not certain.
SOFT = {"indeterminate": {"covid": 0.7, "pneumonia": 0.3}}
log = logging.getLogger(__name__)


def learnable(film):
    """Whether the film's label is something that somebody saw in it."""
    return film.split == "train" and film.source in SHARES[film.label] and data.read_by_someone(film)


def sampling_weights(films):
    """Sampling weight of each film: classes have equal weight, sources that of SHARES."""
    groups = {}
    for i, film in enumerate(films):
        groups.setdefault((film.label, film.source), []).append(i)
    out = torch.zeros(len(films))
    for label in data.LABELS:
        present = {source: share for source, share in SHARES[label].items() if (label, source) in groups}
        for source, share in present.items():
            members = groups[label, source]
            out[members] = share / sum(present.values()) / len(members)
    return out


def targets(films):
    """[n, labels] probabilities."""
    out = torch.zeros(len(films), len(data.LABELS))
    for row, film in zip(out, films):
        for label, share in SOFT.get(film.reading, {film.label: 1}).items():
            row[data.LABELS.index(label)] = share
    return out


def map_known(films, boxes):
    """[n] whether the film's opacities are known: boxes were drawn, or there is nothing to draw."""
    read = np.array([bool(film.reading) or film.label == "normal" or film.source == "rsna_lungonly" for film in films])
    return torch.from_numpy(read | boxes.any((1, 2)))


def standardise(crop, mask):
    """(v - mean) / deviation under the mask, clipped: lungs_input of src/engine/lungs.h, step 2."""
    weight = mask.sum((1, 2, 3), keepdim=True).clamp(min=1e-3)
    mean = (crop * mask).sum((1, 2, 3), keepdim=True) / weight
    deviation = (((crop - mean) ** 2 * mask).sum((1, 2, 3), keepdim=True) / weight).sqrt().clamp(min=1e-3)
    return ((crop - mean) / deviation).clamp(-3, 3)


def normalise_locally(crop, mask, contrast=SETTINGS.contrast, cell=8, window=5):
    """lungs_input of src/engine/lungs.h, step 3."""
    sums = [
        F.avg_pool2d(F.avg_pool2d(part, cell), window, 1, window // 2) for part in (mask, mask * crop, mask * crop**2)
    ]
    lung = sums[0].clamp(min=1e-9)
    mean = sums[1] / lung
    deviation = (sums[2] / lung - mean**2).clamp(min=0).sqrt()
    mean, deviation = (
        F.interpolate(part, scale_factor=cell, mode="bilinear", align_corners=False) for part in (mean, deviation)
    )
    return (crop - mean) / (deviation + contrast)


def network_input(crop, mask):
    """Crops and masks [n, 1, s, s] -> what the engine feeds the network."""
    return normalise_locally(standardise(crop, mask), mask) * mask


def augmented(crop, mask, boxes):
    """(crop, mask [n, 1, DIAGNOSIS_SIDE, DIAGNOSIS_SIDE], map [n, 1, 10, 10]) with random shapes, edges, sharpness and
    grey levels. Masks are changed at half size, which is much faster."""
    n, side = len(crop), DIAGNOSIS_SIDE
    theta = augment.affine(n, zoom=(0.85, 1.2), stretch=0.1, degrees=8, shift=0.05, mirror=0.5)
    crop = augment.sample(crop / 3, theta, side)
    mask = augment.sample(mask, theta, side // 2)
    cells = F.avg_pool2d(augment.sample(boxes, theta, side // 4), 4)
    mask = augment.dense_away(3 * F.avg_pool2d(crop, 2), mask, 0.15)
    parts = [augment.grow(part, int(torch.randint(-3, 2, ()))) for part in mask.chunk(8)]
    mask = augment.holes(augment.blur(torch.cat(parts), 0.5), 0.2)
    mask = F.interpolate(mask, scale_factor=2, mode="bilinear", align_corners=False)
    crop = augment.curve(augment.coarse(augment.sharpness(crop)), 0.7)
    crop = augment.field(augment.greys(crop, 0.3), 1.0)
    return crop, mask, cells


def to_float(rows):
    """The crop, mask and boxes of Inputs as [n, 1, s, s] floats."""
    crop, mask, boxes = (torch.from_numpy(plane).float()[:, None] for plane in rows[:3])
    return crop / inputs.GREY, mask / 255, boxes / 255


def at_side(*planes):
    """Planes [n, 1, s, s] at the side of the network's input."""
    if planes[0].shape[-1] == DIAGNOSIS_SIDE:
        return planes
    return tuple(F.interpolate(plane, (DIAGNOSIS_SIDE,) * 2, mode="area") for plane in planes)


class Outputs(NamedTuple):
    logits: torch.Tensor  # [n, labels]
    pool: torch.Tensor  # [n, c] pooled features
    opacity: torch.Tensor  # [n, h, w] logits of the map


def predict(network, rows, batch=128):
    """The Outputs of a network in eval() for rows of inputs.prepare()."""
    parts = []
    for i in range(0, len(rows.crop), batch):
        crop, mask, _ = to_float(rows.rows(slice(i, i + batch)))
        crop, mask = at_side(crop, mask)
        with torch.no_grad():
            out = network(network_input(crop, mask).contiguous(memory_format=torch.channels_last))
        parts.append((out["logits"][:, :, 0, 0], out["pool"][:, :, 0, 0], out["opacity"][:, 0]))
    return Outputs(*(torch.cat(column) for column in zip(*parts)))


def train_diagnosis(films, rows, steps, seed):
    """Folded parameters of one diagnosis network; rows are those of inputs.prepare()."""
    start(seed)
    target, known = targets(films), map_known(films, rows.boxes).float()
    weight = sampling_weights(films)
    label = np.array([film.label for film in films])
    weights = [weight * torch.from_numpy(label == name) for name in data.LABELS]

    def make():
        picks = torch.cat([torch.multinomial(w, n, replacement=True) for w, n in zip(weights, BATCH.values())]).numpy()
        picks = picks[np.random.permutation(len(picks))]
        crop, mask, cells = augmented(*to_float(rows.rows(picks)))
        return network_input(crop, mask), (target[picks], cells, known[picks])

    def loss(out, target):
        classes, cells, known = target
        label = F.cross_entropy(out["logits"][:, :, 0, 0].float(), classes, label_smoothing=0.05)
        opacity = F.binary_cross_entropy_with_logits(out["opacity"].float(), cells, reduction="none").mean((1, 2, 3))
        return label + MAP_WEIGHT * (opacity * known).sum() / known.sum().clamp(min=1)

    network = backbone.load(Graph(efficientnet(DIAGNOSIS_SIDE), mixed=MIXED, eps=backbone.EPS)).freeze(FROZEN)
    rates = {RATE: [], BACKBONE_RATE: []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            rates[BACKBONE_RATE if name.startswith("ops.block") else RATE].append(parameter)
    return fit(network, Batches(steps, make), loss, rates, torch.channels_last).fold()


def load_network(lines, name):
    """The network of a checkpoint in build/model, as the engine runs it."""
    if not (BUILD / name).exists():
        raise SystemExit(f"{BUILD / name} is missing. `make model` trains it.")
    network = Graph(lines, norm=False).load_folded(torch.load(BUILD / name, weights_only=False))
    return network.to(memory_format=torch.channels_last)


def load_diagnosis(name):
    """The diagnosis network of a run."""
    return load_network(efficientnet(DIAGNOSIS_SIDE), f"{name}.pt")


def load_lungs():
    """The lung finder."""
    return load_network(unet(lungs.LUNGS_SIDE), "lungs.pt")


def prepared(films, side=DIAGNOSIS_SIDE, finder=None):
    """inputs.prepare() with this model's settings, and with its lung finder unless there is another."""
    return inputs.prepare(films, finder or load_lungs(), SETTINGS, side)


def best_seed(films):
    """The network with the smallest cross-entropy on the films of the validation split that somebody read."""
    kept_apart = [film for film in films if film.split != "train"]
    chosen = [i for i, film in enumerate(kept_apart) if film.split == "val" and data.read_by_someone(film)]
    label = torch.tensor([data.LABELS.index(kept_apart[i].label) for i in chosen])
    losses = {}
    for name in (f"seed-{seed}" for seed in SEEDS):
        with np.load(BUILD / f"{name}.npz") as stored:
            logits = torch.from_numpy(stored["logits"][: len(kept_apart)][chosen])
        losses[name] = float(F.cross_entropy(logits, label))
    log.info("val: cross-entropy %s", ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items()))
    return min(losses, key=losses.get)


class Run(NamedTuple):
    left_out: list  # names of folds
    steps: int
    seed: int

    @property
    def name(self):
        return f"leave-out-{'+'.join(self.left_out)}" if self.left_out else f"seed-{self.seed}"


def train_one(films, run):
    """Trains one network and writes NAME.pt and NAME.npz."""
    left_out = [source for fold in run.left_out for source in data.FOLDS[fold]]
    checkpoint = BUILD / f"{run.name}.pt"
    known = [film for film in films if learnable(film)]
    learnt = np.array([film.source not in left_out for film in known])
    rows = prepared(known, TRAINING_SIDE)
    if not checkpoint.exists():
        chosen = np.flatnonzero(learnt)
        parameters = train_diagnosis([known[i] for i in chosen], rows.rows(chosen), run.steps, run.seed)
        torch.save(parameters, checkpoint)
    network = load_diagnosis(run.name)
    kept_apart = [film for film in films if film.split != "train"]
    parts = [(kept_apart, predict(network, prepared(kept_apart)))]
    if left_out:
        chosen = np.flatnonzero(~learnt)
        parts.append(([known[i] for i in chosen], predict(network, rows.rows(chosen))))
    np.savez(
        BUILD / f"{run.name}.npz",
        logits=torch.cat([out.logits for _, out in parts]).numpy(),
        opacity=torch.cat([out.opacity for _, out in parts]).numpy(),
        files=[str(Path(film.path).relative_to(data.home())) for part, _ in parts for film in part],
        **run._asdict(),
        manifest=data.manifest_hash(),
    )
    log.info("%s: %d films not seen in training", BUILD / f"{run.name}.npz", sum(len(part) for part, _ in parts))


def folds(text):
    """'cohen+nih' -> ['cohen', 'nih']"""
    names = text.split("+")
    unknown = sorted(set(names) - set(data.FOLDS))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no fold {', '.join(unknown)}; use {', '.join(data.FOLDS)} or all")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lungs", action="store_true", help="train the lung finder instead of diagnosis networks")
    parser.add_argument(
        "--leave-out",
        metavar="FOLDS",
        type=lambda text: text if text == "all" else folds(text),
        help=f"train without these folds, joined by +: {', '.join(data.FOLDS)}; 'all' trains one network per fold",
    )
    parser.add_argument("--steps", type=int, help="optimizer steps per network")
    parser.add_argument("--seed", type=int, help=f"one network with this seed (default: {SEEDS})")
    options = parser.parse_args()
    start(1)
    films = data.films()
    data.boxes()  # a box that cannot be right must end the run now, not after the lungs were found
    if options.lungs:
        if not (BUILD / "lungs.pt").exists():
            lungs.train_lungs(films, BUILD / "lungs.pt", options.steps or lungs.STEPS)
        return
    left_out = [[fold] for fold in data.FOLDS] if options.leave_out == "all" else [options.leave_out or []]
    seeds = [options.seed] if options.seed else SEEDS[:1] if options.leave_out else SEEDS
    for names in left_out:
        for seed in seeds:
            train_one(films, Run(names, options.steps or STEPS, seed))


if __name__ == "__main__":
    main()
