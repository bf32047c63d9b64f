"""Trains the graphs on the engine's own preprocessing -> build/model/*.pt, folded; what each makes of films -> *.json."""
import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import minimum_filter
from torch.nn import functional as F

from training import augment
from training import data
from report import metrics
from training import inputs
from training.engine import Engine
from training.graph import Graph, resnet, unet

BUILD = Path(__file__).resolve().parent.parent.parent / "build" / "model"
LUNGS_SIDE, FRAME_SIDE, DIAGNOSIS_SIDE = 128, 160, 96
MARGIN, BLUR = 0.05, 2  # share of the lungs' box around it; passes of 1 2 1
MIXED = ("block1",)  # layers after which mix_style() mixes hospitals
MEMBERS = (1, 2)  # seeds of the networks that are shipped side by side
FRAME_ONLY = 600  # lungs_only films that teach the U-Net what blackened surroundings look like


def start(seed):
    torch.manual_seed(seed)
    np.random.seed(seed)
    if "OMP_NUM_THREADS" not in os.environ:  # torch would take one here and there
        torch.set_num_threads(os.cpu_count())
    torch.set_flush_denormal(True)
    BUILD.mkdir(parents=True, exist_ok=True)


def fit(network, batches, loss, rate, layout=torch.contiguous_format):
    """AdamW under one cosine cycle with warm-up; batches yields (input, *target of the loss)."""
    network = network.to(memory_format=layout)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    steps, began, total = len(batches), time.time(), 0.0
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.15)
    network.train()
    for step, (x, *target) in enumerate(batches, 1):
        value = loss(network(x.contiguous(memory_format=layout)), *target)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        schedule.step()
        total += value.detach()  # a number would make a GPU wait at every step
        if step % 100 == 0 or step == steps:
            mean = total / (step - (step - 1) // 100 * 100)
            print(f"  step {step}/{steps} loss {mean:.4f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
    return network.eval()


class Batches:
    """`steps` batches of make()."""

    def __init__(self, steps, make):
        self.steps, self.make = steps, make

    def __len__(self):
        return self.steps

    def __iter__(self):
        return (self.make() for _ in range(self.steps))


def frames(pairs, side):
    """[(film, mask path or None)] -> films [n, 1, side, side] in -1..1 and masks in 0..1; no path: all that is not black."""
    engine, out = Engine(), []
    for film, path in pairs:
        decoded = engine.decode(film.path)
        mask = (
            Image.open(path).convert("L")
            if path
            else Image.open(film.path).convert("L").point(lambda v: 255 * (v > 16))
        )
        mask = np.asarray(mask.resize((side, side), Image.BOX), np.float32) / 255
        out.append(np.stack([engine.film_input(decoded, side), mask]))
        engine.free(decoded)
    out = torch.from_numpy(np.stack(out))
    return out[:, :1], out[:, 1:]


def mask_loss(out, mask):
    """Binary cross-entropy and soft Dice of logits against [n, 1, h, w]."""
    logits = out["mask"]
    p, where = torch.sigmoid(logits), mask.sum((1, 2, 3)) > 0
    dice = 1 - (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, mask) + dice[where].mean()


def dice(network, films, masks):
    """Mean Dice of the thresholded mask."""
    with torch.no_grad():
        p = (network(films)["mask"] > 0).float()
    m = (masks > 0.5).float()
    return float((2 * (p * m).sum((1, 2, 3)) / (p.sum((1, 2, 3)) + m.sum((1, 2, 3)))).mean())


def train_lungs(everything, out, steps=600, batch=16, seed=1):
    """The lung U-Net, from drawn masks of the cohen films and blackened films; other things get an empty mask."""
    start(seed)
    drawn = data.masked(everything)
    only = [(film, None) for film in everything if film.source == "rsna_lungonly" and film.split == "train"][
        :FRAME_ONLY
    ]
    train = [frames([pair for pair in drawn if pair[0].split == "train"], FRAME_SIDE), frames(only, FRAME_SIDE)]
    train[1] = train[1][0], augment.grow(augment.grow(train[1][1], 2), -2)
    shares = (batch * 3 // 4, batch - batch * 3 // 4)

    def make():
        picks = [torch.randint(len(group[0]), (n,)) for group, n in zip(train, shares)]
        film = torch.cat([group[0][pick] for group, pick in zip(train, picks)])
        mask = torch.cat([group[1][pick] for group, pick in zip(train, picks)])
        film, mask = augment.warp(torch.cat([film, mask], 1), LUNGS_SIDE, mirror=0.3).split(1, 1)
        film = augment.labels(augment.greys(film))
        film = augment.rescale(augment.blacken(augment.blur(film), mask, 0.25))
        for i in torch.nonzero(torch.rand(batch) < 0.2).flatten().tolist():
            film[i], mask[i] = augment.no_chest(film[i]), 0
        return augment.rescale(film), mask

    network = fit(Graph(unet(LUNGS_SIDE)), Batches(steps, make), mask_loss, 4e-3)
    films, masks = frames([pair for pair in drawn if pair[0].split == "val"], LUNGS_SIDE)
    black = augment.rescale(augment.blacken(films, masks, 1.0))
    print(
        f"lungs: Dice on val {dice(network, films, masks):.3f}, surroundings blackened {dice(network, black, masks):.3f}, "
        f"n={len(films)}"
    )
    torch.save(network.fold(), out)


STEPS = 2500
# Films of each class in a batch of 48: outside a study most films are normal.
BATCH = {"covid": 17, "pneumonia": 12, "normal": 19}
# Share of each source within a class. A source with two large classes has the same share of both: it then tells nothing.
SHARES = {
    # Many films of bimcv show nothing, for its label is a test's result: they teach that normal films are COVID-19.
    "covid": {"cohen": 0.3, "hannover": 0.2, "cxnet": 0.25, "bimcv_radiodb": 0.05, "webmix_radiodb": 0.2},
    "pneumonia": {"cohen": 0.3, "kermany": 0.15, "nih": 0.3, "rsna_lungonly": 0.25},
    "normal": {"cohen": 0.02, "kermany": 0.15, "nih": 0.3, "rsna_lungonly": 0.25, "rsna_radiodb": 0.28},
}


def weights(films):
    """Sampling weight of each film: classes alike, sources by SHARES."""
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
    """(v - mean) / deviation under the mask, clipped, times mask: lungs_input of src/engine/lungs.h."""
    weight = mask.sum((1, 2, 3), keepdim=True).clamp(min=1e-3)
    mean = (crop * mask).sum((1, 2, 3), keepdim=True) / weight
    deviation = (((crop - mean) ** 2 * mask).sum((1, 2, 3), keepdim=True) / weight).sqrt().clamp(min=1e-3)
    return ((crop - mean) / deviation).clamp(-3, 3) * mask


def varied(crop, mask):
    """[n, 1, s, s] crops and masks -> the same with other shapes, edges, sharpness and greys."""
    side = crop.shape[-1]
    planes = augment.warp(torch.cat([crop / 3, mask], 1), side, zoom=(0.85, 1.2), stretch=0.1, shift=0.05, mirror=0.5)
    crop, mask = planes.split(1, 1)
    mask = augment.dense_away(3 * crop, mask, 0.25)
    parts = [augment.grow(part, -int(torch.randint(0, 4, ()))) for part in mask.chunk(4)]
    mask = augment.blur(torch.cat(parts), 0.5)
    crop = augment.curve(augment.sharpness(crop), 0.7)
    crop = augment.field(augment.greys(crop, 0.3), 1.0)
    return crop, augment.holes(mask, 0.3)


def lung_views(crop, mask):
    """Training's random views: what the network sees of varied() films."""
    return standardise(*varied(crop, mask))


def evaluate(network, x, batch=256):
    """Logits [n, 3] and pooled features [n, c] of inputs [n, 1, s, s]."""
    with torch.no_grad():
        out = [network(part) for part in x.split(batch)]
    return torch.cat([o["logits"] for o in out])[:, :, 0, 0], torch.cat([o["pool"] for o in out])[:, :, 0, 0]


def as_input(crop, mask):
    """Cached rows -> crop * mask [n, 1, s, s] float, as the engine feeds it."""
    return torch.from_numpy(crop).float()[:, None] / inputs.GREY * (torch.from_numpy(mask).float()[:, None] / 255)


def train_diagnosis(films, crops, masks, steps, seed):
    """One diagnosis ResNet, folded, on films drawn by weights(); crops int8, masks uint8 as inputs.prepare() gives them."""
    start(seed)
    label = torch.tensor([data.LABELS.index(film.label) for film in films])
    weight = torch.stack([weights(films) * (label == i) for i in range(3)])

    def make():
        picks = torch.cat([torch.multinomial(w, n, replacement=True) for w, n in zip(weight, BATCH.values())]).numpy()
        picks = picks[np.random.permutation(len(picks))]
        crop = torch.from_numpy(crops[picks]).float()[:, None] / inputs.GREY
        return lung_views(crop, torch.from_numpy(masks[picks]).float()[:, None] / 255), label[picks]

    def loss(out, target):
        return F.cross_entropy(out["logits"][:, :, 0, 0], target, label_smoothing=0.05)

    return fit(Graph(resnet(DIAGNOSIS_SIDE), mixed=MIXED), Batches(steps, make), loss, 4e-3, torch.channels_last).fold()


def folded(lines, name):
    """The network of a checkpoint, as the engine runs it."""
    return Graph(lines, norm=False).load_folded(torch.load(BUILD / name))


def seen(films):
    """inputs.prepare() with this model's lung network and settings."""
    return inputs.prepare(BUILD, films, folded(unet(LUNGS_SIDE), "lungs.pt"), LUNGS_SIDE, DIAGNOSIS_SIDE, MARGIN, BLUR)


def narrowed(films, mask, pixels=3):
    """The masks, those of lungs_only films eroded: the line where their lungs turn black would tell the source."""
    mask = mask.copy()
    for i, film in enumerate(films):
        if film.source == "rsna_lungonly":
            mask[i] = minimum_filter(mask[i], 2 * pixels + 1)
    return mask


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lungs", action="store_true", help="train the lung network instead of a diagnosis network")
    parser.add_argument(
        "--leave-out", default="", help=f"train without these folds, joined by +: {', '.join(data.FOLDS)}"
    )
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, help=f"this one alone instead of {MEMBERS}")
    arguments = parser.parse_args()
    unknown = set(filter(None, arguments.leave_out.split("+"))) - set(data.FOLDS)
    if unknown:
        parser.error(f"no such fold: {', '.join(sorted(unknown))}")
    start(1)
    if arguments.lungs:
        return train_lungs(data.films(), BUILD / "lungs.pt")
    films = data.labelled()
    crop, mask, *_ = seen(films)
    mask = narrowed(films, mask)
    seeds = [arguments.seed] if arguments.seed else MEMBERS[:1] if arguments.leave_out else MEMBERS
    for seed in seeds:
        train_one(films, crop, mask, arguments.leave_out, arguments.steps, seed)


def train_one(films, crop, mask, left_out, steps, seed):
    """build/model/seed-N.pt or leave-out-FOLDS.pt and, beside it, a table of what the network makes of films."""
    folds = left_out.split("+") if left_out else []
    out = [source for fold in folds for source in data.FOLDS[fold]]
    rows = np.array([i for i, film in enumerate(films) if film.split == "train" and film.source not in out])
    parameters = train_diagnosis([films[i] for i in rows], crop[rows], mask[rows], steps, seed)
    name = f"leave-out-{left_out}" if folds else f"seed-{seed}"
    torch.save(parameters, BUILD / f"{name}.pt")
    rows = np.array([i for i, film in enumerate(films) if film.split in ("test", "external") or film.source in out])
    network = Graph(resnet(DIAGNOSIS_SIDE), norm=False).load_folded(parameters)
    probability, judged = evaluate(network, as_input(crop[rows], mask[rows]))[0].softmax(1).numpy(), [
        films[i] for i in rows
    ]
    found = metrics.unseen(judged, probability, out) if folds else metrics.known(judged, probability)
    table = {
        "command": f"cd model && /usr/bin/python3 -m training.train --seed {seed} --steps {steps}"
        + (f" --leave-out {left_out}" if folds else ""),
        "title": "Left-out sources" if folds else "Seeds",
        "columns": ["left out" if folds else "seed", *found],
        "rows": [[left_out or seed, *found.values()]],
    }
    (BUILD / f"{name}.json").write_text(json.dumps(table))
    print(name, *(f"{key}: {value}" for key, value in found.items()), sep="\n  ", flush=True)


if __name__ == "__main__":
    main()
