"""Trains both graphs on the engine's own preprocessing -> build/model/*.pt; figures printed are of the validation split."""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import minimum_filter
from scipy.stats import rankdata
from torch.nn import functional as F

import augment
import data
import inputs
from engine import Engine
from graph import Graph, resnet, unet

BUILD = Path(__file__).resolve().parent.parent / "build" / "model"
LUNGS_SIDE, FRAME_SIDE, DIAGNOSIS_SIDE = 128, 160, 112
MARGIN, BLUR = 0.05, 2  # share of the lungs' box around it; passes of 1 2 1
MIXED = ("block1",)     # layers after which mix_style() mixes hospitals
FRAME_ONLY = 600  # lungs_only films that teach the U-Net what blackened surroundings look like


def start(seed):
    torch.manual_seed(seed)
    np.random.seed(seed)
    torch.set_num_threads(2)
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
        total += value.item()
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
        mask = Image.open(path).convert("L") if path else Image.open(film.path).convert("L").point(lambda v: 255 * (v > 16))
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
    only = [(film, None) for film in everything if film.source == "rsna_lungonly" and film.split == "train"][:FRAME_ONLY]
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
    print(f"lungs: Dice on val {dice(network, films, masks):.3f}, surroundings blackened {dice(network, black, masks):.3f}, "
          f"n={len(films)}")
    torch.save(network.state_dict(), out)
    return network


# Films of each class in a batch of 48: outside a study most films are normal.
BATCH = {"covid": 17, "pneumonia": 12, "normal": 19}
# Share of each source within a class. A source with two large classes has the same share of both: it then tells nothing.
SHARES = {
    "covid": {"cohen": 0.25, "hannover": 0.15, "cxnet": 0.2, "bimcv_radiodb": 0.2, "webmix_radiodb": 0.2},
    "pneumonia": {"cohen": 0.3, "kermany": 0.15, "nih": 0.3, "rsna_lungonly": 0.25},
    "normal": {"cohen": 0.02, "kermany": 0.15, "nih": 0.3, "rsna_lungonly": 0.25, "rsna_radiodb": 0.28},
}
SOURCES = tuple(dict.fromkeys(source for shares in SHARES.values() for source in shares))


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
    """(v - mean) / deviation under the mask, clipped, times mask: lungs_input of src/lungs.h."""
    weight = mask.sum((1, 2, 3), keepdim=True).clamp(min=1e-3)
    mean = (crop * mask).sum((1, 2, 3), keepdim=True) / weight
    deviation = (((crop - mean) ** 2 * mask).sum((1, 2, 3), keepdim=True) / weight).sqrt().clamp(min=1e-3)
    return ((crop - mean) / deviation).clamp(-3, 3) * mask


def lung_views(crop, mask, strength):
    """Training's random views of [n, 1, s, s] crops and masks: other shapes, edges, sharpness and greys."""
    side = crop.shape[-1]
    planes = augment.warp(torch.cat([crop / 3, mask], 1), side, zoom=(0.85, 1.2), stretch=0.1, shift=0.05, mirror=0.5)
    crop, mask = planes.split(1, 1)
    mask = augment.dense_away(3 * crop, mask, 0.25 * strength)
    parts = [augment.grow(part, -int(torch.randint(0, 4, ()))) for part in mask.chunk(4)]
    mask = augment.blur(torch.cat(parts), 0.5)
    crop = augment.greys(augment.sharpness(crop), 0.3 * strength)
    return standardise(crop, augment.holes(mask, 0.3 * strength))


def evaluate(network, x, batch=256):
    """Logits [n, 3] and pooled features [n, 128] of inputs [n, 1, s, s]."""
    with torch.no_grad():
        out = [network(part) for part in x.split(batch)]
    return torch.cat([o["logits"] for o in out])[:, :, 0, 0], torch.cat([o["pool"] for o in out])[:, :, 0, 0]


def as_input(crop, mask):
    """Cached rows -> crop * mask [n, 1, s, s] float, as the engine feeds it."""
    return torch.from_numpy(crop).float()[:, None] / inputs.GREY * (torch.from_numpy(mask).float()[:, None] / 255)


def train_diagnosis(films, crops, masks, out, steps, seed=1):
    """The diagnosis ResNet on sampled films; crops int8, masks uint8 as inputs.prepare() gives them. Two cycles: the
    second with milder views, nearer to what it will see."""
    start(seed)
    network = Graph(resnet(DIAGNOSIS_SIDE), mixed=MIXED)
    for rate, share, strength in ((4e-3, 0.5, 1.0), (2e-3, 0.5, 0.5)):
        diagnosis_cycle(network, films, crops, masks, int(steps * share), rate, strength)
        network.mixed = ()
    torch.save(network.state_dict(), out)
    return network


def diagnosis_cycle(network, films, crops, masks, steps, rate, strength):
    """One cycle of fit() on films drawn by weights()."""
    label = torch.tensor([data.LABELS.index(film.label) for film in films])
    weight = torch.stack([weights(films) * (label == i) for i in range(3)])

    def make():
        picks = torch.cat([torch.multinomial(w, n, replacement=True) for w, n in zip(weight, BATCH.values())]).numpy()
        picks = picks[np.random.permutation(len(picks))]
        crop = torch.from_numpy(crops[picks]).float()[:, None] / inputs.GREY
        return lung_views(crop, torch.from_numpy(masks[picks]).float()[:, None] / 255, strength), label[picks]

    def loss(out, target):
        return F.cross_entropy(out["logits"][:, :, 0, 0], target, label_smoothing=0.05)

    fit(network, Batches(steps, make), loss, rate, torch.channels_last)


def labelled():
    """The films of the three classes, in the manifests' order."""
    return [film for film in data.films() if film.label in data.LABELS]


def seen(films, lungs):
    """inputs.prepare() with this model's settings."""
    folded = Graph(unet(LUNGS_SIDE), norm=False).load_folded(lungs.fold())
    return inputs.prepare(BUILD, films, folded, LUNGS_SIDE, DIAGNOSIS_SIDE, MARGIN, BLUR)


def narrowed(films, mask, pixels=3):
    """The masks, those of lungs_only films eroded: the line where their lungs turn black would tell the source."""
    mask = mask.copy()
    for i, film in enumerate(films):
        if film.source == "rsna_lungonly":
            mask[i] = minimum_filter(mask[i], 2 * pixels + 1)
    return mask


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leave-out", choices=sorted(data.FOLDS), help="train the diagnosis without a fold of sources")
    parser.add_argument("--lungs", action="store_true", help="train the lung network as well, even where a checkpoint exists")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    start(arguments.seed)
    if arguments.lungs or not (BUILD / "lungs.pt").exists():
        lungs = train_lungs(data.films(), BUILD / "lungs.pt")
    else:
        lungs = Graph(unet(LUNGS_SIDE))
        lungs.load_state_dict(torch.load(BUILD / "lungs.pt"))
        lungs.eval()
    films = labelled()
    crop, mask, *_ = seen(films, lungs)
    mask = narrowed(films, mask)
    out = data.FOLDS.get(arguments.leave_out, ())
    rows = np.array([i for i, film in enumerate(films) if film.split == "train" and film.source not in out])
    name = f"without-{arguments.leave_out}.pt" if out else "diagnosis.pt"
    network = train_diagnosis([films[i] for i in rows], crop[rows], mask[rows], BUILD / name, arguments.steps, seed=arguments.seed)
    report(films, network, crop, mask, out)
    if out:
        against_external(films, network, crop, mask, out)


def auc(positive, negative):
    """Share of pairs in the right order, ties half."""
    ranks = rankdata(np.concatenate([positive, negative]))[:len(positive)]
    return (ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))


def against_external(films, network, crop, mask, out, rounds=500):
    """COVID of the left-out sources against the external normals: both sides unseen. 95 % intervals over patients."""
    sides = []
    for chosen in ([i for i, film in enumerate(films) if film.source in out and film.label == "covid"],
                   [i for i, film in enumerate(films) if film.split == "external"]):
        if not chosen:
            return
        score = evaluate(network, as_input(crop[chosen], mask[chosen]))[0].softmax(1).numpy()
        groups = {}
        for row, i in enumerate(chosen):
            groups.setdefault(films[i].patient, []).append(row)
        sides.append((score, list(groups.values())))
    random = np.random.default_rng(1)
    draws = [auc(*(score[np.concatenate([groups[i] for i in random.integers(len(groups), size=len(groups))])][:, 0]
                   for score, groups in sides)) for _ in range(rounds)]
    (covid, _), (normal, _) = sides
    low, high = np.quantile(draws, [0.025, 0.975])
    print(f"unseen {'+'.join(out)} covid (n={len(covid)}) against external normal (n={len(normal)}): AUC "
          f"{auc(covid[:, 0], normal[:, 0]):.3f} ({low:.3f}-{high:.3f}); "
          f"covid called covid {100 * (covid.argmax(1) == 0).mean():.1f} %, normal called normal {100 * (normal.argmax(1) == 2).mean():.1f} %")


def report(films, network, crop, mask, out):
    """Validation figures by source: share called by each label; of a left-out source all but its test split."""
    for source in SOURCES:
        for label in data.LABELS:
            rows = np.array([i for i, film in enumerate(films) if (film.source, film.label) == (source, label)
                             and (film.split == "val" or source in out and film.split == "train")])
            if not len(rows):
                continue
            logits, _ = evaluate(network, as_input(crop[rows], mask[rows]))
            share = np.bincount(logits.argmax(1).numpy(), minlength=3) / len(rows)
            print(f"{'unseen ' if source in out else ''}{source:15} {label:10} n={len(rows):5} "
                  + " ".join(f"{name} {100 * s:5.1f} %" for name, s in zip(data.LABELS, share)))


if __name__ == "__main__":
    main()
