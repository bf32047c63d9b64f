"""Trains the networks on what the engine sees of each film.

With --lungs the lung U-Net (lungs.py), else the diagnosis networks. Each diagnosis network leaves two files in
build/model: NAME.pt, its folded parameters, and NAME.npz, its logits of films that it has not seen, of which `python3
-m report` makes tables.
"""
import argparse
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import minimum_filter
from torch.nn import functional as F

from training import augment
from training import data
from training import inputs
from training import lungs
from training.fit import BUILD, Batches, fit, start
from training.graph import Graph, resnet, unet

DIAGNOSIS_SIDE = 96
SETTINGS = inputs.Settings(lungs.LUNGS_SIDE, DIAGNOSIS_SIDE, margin=0.05, blur=2)
MIXED = ("block1",)  # layers after which mix_style() mixes the looks of hospitals
MEMBERS = (1, 2)  # seeds of the two networks in model/pleura.gguf
STEPS = 2500
BATCH = {"covid": 17, "pneumonia": 12, "normal": 19}  # films per batch of 48: most films outside a study are normal
# Share of each source within a class. A source with two large classes has the same share of both, so that the source
# says nothing about the class.
SHARES = {
    # The label of bimcv is a test result, and many of its films show nothing: they teach that normal films are
    # COVID-19.
    "covid": {"cohen": 0.3, "hannover": 0.2, "cxnet": 0.25, "bimcv_radiodb": 0.05, "webmix_radiodb": 0.2},
    "pneumonia": {"cohen": 0.3, "kermany": 0.15, "nih": 0.3, "rsna_lungonly": 0.25},
    "normal": {"cohen": 0.02, "kermany": 0.15, "nih": 0.3, "rsna_lungonly": 0.25, "rsna_radiodb": 0.28},
}
log = logging.getLogger(__name__)


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


def standardise(crop, mask):
    """(v - mean) / deviation under the mask, clipped, times the mask: lungs_input of src/engine/lungs.h."""
    weight = mask.sum((1, 2, 3), keepdim=True).clamp(min=1e-3)
    mean = (crop * mask).sum((1, 2, 3), keepdim=True) / weight
    deviation = (((crop - mean) ** 2 * mask).sum((1, 2, 3), keepdim=True) / weight).sqrt().clamp(min=1e-3)
    return ((crop - mean) / deviation).clamp(-3, 3) * mask


def augmented(crop, mask):
    """[n, 1, s, s] crops and masks with random shapes, edges, sharpness and grey levels."""
    side = crop.shape[-1]
    planes = augment.warp(torch.cat([crop / 3, mask], 1), side, zoom=(0.85, 1.2), stretch=0.1, shift=0.05, mirror=0.5)
    crop, mask = planes.split(1, 1)
    mask = augment.dense_away(3 * crop, mask, 0.25)
    parts = [augment.grow(part, -int(torch.randint(0, 4, ()))) for part in mask.chunk(4)]
    mask = augment.blur(torch.cat(parts), 0.5)
    crop = augment.curve(augment.sharpness(crop), 0.7)
    crop = augment.field(augment.greys(crop, 0.3), 1.0)
    return crop, augment.holes(mask, 0.3)


def to_float(crop, mask):
    """Rows of inputs.prepare() -> crops and masks [n, 1, s, s] float."""
    return torch.from_numpy(crop).float()[:, None] / inputs.GREY, torch.from_numpy(mask).float()[:, None] / 255


def network_input(crop, mask):
    """Rows of inputs.prepare() -> crop * mask [n, 1, s, s], as the engine feeds the network."""
    crop, mask = to_float(crop, mask)
    return crop * mask


def predict(network, x, batch=256):
    """Logits [n, 3] and pooled features [n, c] of inputs [n, 1, s, s]."""
    with torch.no_grad():
        out = [network(part) for part in x.split(batch)]
    return torch.cat([o["logits"] for o in out])[:, :, 0, 0], torch.cat([o["pool"] for o in out])[:, :, 0, 0]


def train_diagnosis(films, crops, masks, steps, seed):
    """Folded parameters of one diagnosis ResNet; crops and masks are rows of inputs.prepare()."""
    start(seed)
    label = torch.tensor([data.LABELS.index(film.label) for film in films])
    weight = torch.stack([sampling_weights(films) * (label == i) for i in range(len(data.LABELS))])

    def make():
        picks = torch.cat([torch.multinomial(w, n, replacement=True) for w, n in zip(weight, BATCH.values())]).numpy()
        picks = picks[np.random.permutation(len(picks))]
        return standardise(*augmented(*to_float(crops[picks], masks[picks]))), label[picks]

    def loss(out, target):
        return F.cross_entropy(out["logits"][:, :, 0, 0], target, label_smoothing=0.05)

    network = Graph(resnet(DIAGNOSIS_SIDE), mixed=MIXED)
    return fit(network, Batches(steps, make), loss, 4e-3, torch.channels_last).fold()


def load_network(lines, name):
    """The network of a checkpoint in build/model, as the engine runs it."""
    return Graph(lines, norm=False).load_folded(torch.load(BUILD / name))


def prepared(films):
    """inputs.prepare() with this model's lung network and settings."""
    network = load_network(unet(lungs.LUNGS_SIDE), "lungs.pt")
    return inputs.prepare(films, network, SETTINGS)


def without_black_edges(films, mask, pixels=3):
    """Erodes the masks of lungs_only films: the edge where their lungs turn black would reveal the source."""
    mask = mask.copy()
    for i, film in enumerate(films):
        if film.source == "rsna_lungonly":
            mask[i] = minimum_filter(mask[i], 2 * pixels + 1)
    return mask


class Run(NamedTuple):
    left_out: list  # names of folds
    steps: int
    seed: int

    @property
    def name(self):
        return f"leave-out-{'+'.join(self.left_out)}" if self.left_out else f"seed-{self.seed}"


def train_one(films, crop, mask, run):
    """Trains one network and writes NAME.pt and NAME.npz."""
    left_out = [source for fold in run.left_out for source in data.FOLDS[fold]]
    learnt = np.array([film.split == "train" and film.source not in left_out for film in films])
    rows = np.flatnonzero(learnt)
    parameters = train_diagnosis([films[i] for i in rows], crop[rows], mask[rows], run.steps, run.seed)
    torch.save(parameters, BUILD / f"{run.name}.pt")
    new = [i for i, film in enumerate(films) if film.split in ("test", "external") or film.source in left_out]
    network = Graph(resnet(DIAGNOSIS_SIDE), norm=False).load_folded(parameters)
    np.savez(
        BUILD / f"{run.name}.npz",
        logits=predict(network, network_input(crop[new], mask[new]))[0].numpy(),
        files=[str(Path(films[i].path).relative_to(data.home())) for i in new],
        **run._asdict(),
        manifest=data.manifest_hash(),
    )
    log.info("%s: %d films not seen in training", BUILD / f"{run.name}.npz", len(new))


def folds(text):
    """'cohen+nih' -> ['cohen', 'nih']"""
    names = text.split("+")
    unknown = sorted(set(names) - set(data.FOLDS))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no fold {', '.join(unknown)}; use {', '.join(data.FOLDS)} or all")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lungs", action="store_true", help="train the lung network instead of diagnosis networks")
    parser.add_argument(
        "--leave-out",
        metavar="FOLDS",
        type=lambda text: text if text == "all" else folds(text),
        help=f"train without these folds, joined by +: {', '.join(data.FOLDS)}; 'all' trains one network per fold",
    )
    parser.add_argument("--steps", type=int, help="optimizer steps per network")
    parser.add_argument("--seed", type=int, help=f"one network with this seed (default: {MEMBERS})")
    options = parser.parse_args()
    start(1)
    if options.lungs:
        return lungs.train_lungs(data.films(), BUILD / "lungs.pt", options.steps or lungs.STEPS)
    films = data.labelled()
    crop, mask, *_ = prepared(films)
    mask = without_black_edges(films, mask)
    left_out = [[fold] for fold in data.FOLDS] if options.leave_out == "all" else [options.leave_out or []]
    seeds = [options.seed] if options.seed else MEMBERS[:1] if options.leave_out else MEMBERS
    for names in left_out:
        for seed in seeds:
            train_one(films, crop, mask, Run(names, options.steps or STEPS, seed))


if __name__ == "__main__":
    main()
