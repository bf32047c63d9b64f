"""Trains large networks beside one of the shipped architecture, to see how much its size costs: pack, then train.

`pack` writes all that `train` needs to one file, so that a machine with a GPU but neither films nor libpleura can train;
`train` writes the logits of every network to another, of which model/report/ceiling_report.py makes tables.
"""
import argparse
import concurrent.futures
import io
import lzma
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from training import augment
from training import data
from training import inputs
from training import train
from training.graph import Graph, resnet, unet

FOLDER = train.BUILD.parent / "ceiling"
SIDE, QUALITY = 160, 85  # of the packed crops; WebP's quality
FOLDS, SEEDS = ("", "hannover", "cxnet", "cohen", "bimcv", "nih"), (1, 2)  # "": trained on all sources
STEPS = {fold: 1200 if fold else train.STEPS for fold in FOLDS}  # as for the model card
POOL = 25  # batches whose views are made at once, for a GPU waits at every small step
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Candidate(NamedTuple):
    title: str
    side: int
    lines: list
    rate: float
    mixed: tuple  # layers of train.MIXED's kind
    pretrained: bool = False
    teachers: tuple = ()  # candidates of the same fold whose answers are half of the target
    folds: tuple = FOLDS
    seeds: tuple = SEEDS


def resnet18(side, widths=(64, 128, 256, 512), classes=3):
    """Lines of ResNet-18 (He et al., 2016), for greys."""
    lines = [
        f"image = input h={side} w={side} c=1",
        f"stem = conv image k=7 stride=2 pad=3 c={widths[0]} act=relu",
        "small = maxpool stem k=3 stride=2 pad=1",
    ]
    last = "small"
    for number, width in enumerate(widths, 1):
        for part in (1, 2):
            stride, out = 2 if number > 1 and part == 1 else 1, f"block{number}" if part == 2 else f"half{number}"
            lines += [
                f"{out}a = conv {last} k=3 stride={stride} pad=1 c={width} act=relu",
                f"{out}b = conv {out}a k=3 stride=1 pad=1 c={width}",
            ]
            if stride == 2:
                lines.append(f"{out}s = conv {last} k=1 stride=2 pad=0 c={width}")
                last = f"{out}s"
            lines.append(f"{out} = add {out}b {last} act=relu")
            last = out
    return lines + [f"pool = mean {last}", f"logits = dense pool c={classes}"]


def mobilenet(side, classes=3):
    """Lines of MobileNetV1 (Howard et al., 2017) for greys, up to its twelfth block; TensorFlow pads behind first."""
    lines = [f"image = input h={side} w={side} c=1", "stem = conv image k=3 stride=2 pad=0 after=1 c=32 act=relu6"]
    last, width = "stem", 32
    for number, wider in enumerate((64, 128, 128, 256, 256, *[512] * 6, 1024), 1):
        step = "stride=2 pad=0 after=1" if number in (2, 4, 6, 12) else "stride=1 pad=1"
        lines += [
            f"dw{number} = depthwise {last} k=3 {step} c={width} act=relu6",
            f"pw{number} = conv dw{number} k=1 stride=1 pad=0 c={wider} act=relu6",
        ]
        last, width = f"pw{number}", wider
    return lines + [f"pool = mean {last}", f"logits = dense pool c={classes}"]


# All this was set before the first run, so nothing is chosen by a figure of the report; folds and seeds of the last are what
# there was time for.
SMALL = resnet(train.DIAGNOSIS_SIDE)
CANDIDATES = {
    "shipped": Candidate("ResNet-10, 96 px, as shipped", train.DIAGNOSIS_SIDE, SMALL, 4e-3, train.MIXED),
    "resnet18": Candidate("ResNet-18, 160 px", SIDE, resnet18(SIDE), 2e-3, train.MIXED),
    "mobilenet": Candidate("MobileNetV1 of ImageNet, 160 px", SIDE, mobilenet(SIDE), 1e-3, ("pw3",), pretrained=True),
    "taught": Candidate(
        "ResNet-10, 96 px, taught by the four large ones",
        train.DIAGNOSIS_SIDE,
        SMALL,
        4e-3,
        train.MIXED,
        teachers=("resnet18", "mobilenet"),
        folds=FOLDS[1:],
        seeds=SEEDS[:1],
    ),
}


def webp(crop):
    out = io.BytesIO()
    Image.fromarray((crop.astype(np.int16) + 128).astype(np.uint8)).save(out, "WEBP", quality=QUALITY)
    return np.frombuffer(out.getvalue(), np.uint8)


def pack(place):
    """Crops as WebP, unblurred; masks at half their side in 16 steps; label, source and split of each film."""
    films = data.labelled()
    lungs = train.folded(unet(train.LUNGS_SIDE), "lungs.pt")
    crop, mask, *_ = inputs.prepare(train.BUILD, films, lungs, train.LUNGS_SIDE, SIDE, train.MARGIN, 0)
    mask = train.narrowed(films, mask, round(3 * SIDE / train.DIAGNOSIS_SIDE))
    pictures = [webp(row) for row in crop]
    half = np.rint(mask.reshape(len(films), SIDE // 2, 2, SIDE // 2, 2).mean((2, 4)) / 17).astype(np.uint8)
    with np.load(data.home() / "pretrained" / "mobilenet_v1_imagenet.npz") as stored:
        pretrained = {f"pretrained/{name}": stored[name].astype(np.float16) for name in stored.files}
    place.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        place,
        pictures=np.concatenate(pictures),
        sizes=[len(picture) for picture in pictures],
        masks=np.frombuffer(lzma.compress(half.tobytes()), np.uint8),
        manifest=data.manifest_hash(),
        films=np.array([(film.label, film.source, film.split) for film in films]),
        **pretrained,
    )
    print(f"{place}: {len(films)} films, {place.stat().st_size / 2 ** 20:.1f} MiB")


class Pack:
    """What pack() wrote: films that know label, source and split; crops [n, 1, SIDE, SIDE] and masks of half their side on DEVICE."""

    def __init__(self, place):
        with np.load(place) as stored:
            self.pretrained = {
                name.split("/")[1]: stored[name] for name in stored.files if name.startswith("pretrained/")
            }
            self.films = [
                data.Film("", label, source, "", split, "", "", "") for label, source, split in stored["films"]
            ]
            pictures = np.split(stored["pictures"], np.cumsum(stored["sizes"])[:-1])
            half = np.frombuffer(lzma.decompress(stored["masks"].tobytes()), np.uint8).reshape(
                -1, 1, SIDE // 2, SIDE // 2
            )
        with ThreadPoolExecutor() as pool:
            crop = np.stack(
                list(pool.map(lambda picture: np.asarray(Image.open(io.BytesIO(picture)).convert("L")), pictures))
            )
        self.crop = torch.from_numpy((crop.astype(np.int16) - 128).astype(np.int8))[:, None].to(DEVICE)
        self.half = torch.tensor(half).to(DEVICE)

    def __call__(self, rows, side):
        """Crops and masks [n, 1, side, side] of these films: sized, BLUR passes of 1 2 1 each weighted by the mask."""
        crop = self.crop[rows].float() / inputs.GREY
        mask = F.interpolate(self.half[rows].float() / 15, (SIDE, SIDE), mode="bilinear", align_corners=False)
        return smoothed(crop, mask, side)


def smoothed(crop, mask, side):
    if side != crop.shape[-1]:
        crop, mask = (
            F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False) for x in (crop, mask)
        )
    for _ in range(train.BLUR):
        weight = augment.blur(mask, 1)
        crop = torch.where(weight > 1e-3, augment.blur(crop * mask, 1) / weight.clamp(min=1e-3), crop)
    return crop, mask


class Half(nn.Module):
    """A network's logits [n, classes], computed in bfloat16 on a GPU."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=DEVICE.type == "cuda"):
            return self.network(x)["logits"][:, :, 0, 0].float()


def begin_at(network, weights, x):
    """Loads folded weights below fresh batch norms, each of which starts with the statistics of x that it divides by: so the
    network begins as the one that was loaded. Only `logits` stays as it is."""

    def settle(norm, seen):
        y = seen[0]
        norm.running_mean.copy_(y.mean((0, 2, 3)))
        norm.running_var.copy_(y.var((0, 2, 3)))
        norm.bias.copy_(norm.running_mean)
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())

    hooks = []
    with torch.no_grad():
        for name, op, _, _ in network.layers:
            if op in ("conv", "depthwise"):
                conv, norm = network.ops[name]
                conv.weight.copy_(torch.from_numpy(weights[f"{name}.w"]))
                conv.bias.copy_(torch.from_numpy(weights[f"{name}.b"]))
                hooks.append(norm.register_forward_pre_hook(settle))
        network.ops["stem"][0].weight /= 3  # our greys run from -3 to 3, those of ImageNet from -1 to 1
        network.eval()(x)
    for hook in hooks:
        hook.remove()
    return network


def name_of(candidate, fold, seed):
    return f"{candidate}-{fold or 'all'}-{seed}"


def judged(films, fold):
    """Rows that a network of this fold has not seen, and the rows that it learns from."""
    out = data.FOLDS[fold] if fold else ()
    new = np.array([film.split != "train" or film.source in out for film in films])
    learnt = np.array([film.split == "train" and film.source not in out for film in films])
    return np.flatnonzero(new), np.flatnonzero(learnt)


class Views:
    """Batches drawn as train_diagnosis() draws them: (input, label[, the teachers' probabilities])."""

    def __init__(self, pack, rows, candidate, steps, teachers):
        self.pack, self.candidate, self.steps, self.teachers = pack, candidate, steps, teachers
        films = [pack.films[i] for i in rows]
        self.rows = torch.from_numpy(rows).to(DEVICE)
        self.label = torch.tensor([data.LABELS.index(film.label) for film in films])
        weight = train.weights(films)
        self.weight = [weight * (self.label == i) for i in range(len(data.LABELS))]

    def __len__(self):
        return self.steps

    def __iter__(self):
        for start in range(0, self.steps, POOL):
            yield from self.pool(min(POOL, self.steps - start))

    def pool(self, count):
        """varied() erodes each quarter of what it is given alike, so every batch takes its share of each."""
        picks = torch.cat(
            [torch.multinomial(w, n * count, replacement=True) for w, n in zip(self.weight, train.BATCH.values())]
        )
        size = len(picks) // count
        picks = torch.cat([part[torch.randperm(len(part))] for part in (picks[i::count] for i in range(count))]).view(
            count, size
        )
        picks = picks.T.flatten()
        crop, mask = train.varied(*self.pack(self.rows[picks], SIDE if self.teachers else self.candidate.side))
        x, label = train.standardise(crop, mask), self.label[picks]
        if self.teachers:
            told = answers(self.teachers, x).softmax(1)
            x = train.standardise(*smoothed(crop, mask, self.candidate.side))
        for i in range(count):
            yield (x[i::count], label[i::count], told[i::count]) if self.teachers else (x[i::count], label[i::count])


def answers(networks, x):
    """Mean logits [n, classes]."""
    with torch.no_grad():
        return torch.cat([sum(network(part) for network in networks) / len(networks) for part in x.split(256)])


def loss(logits, label, told=None):
    hard = F.cross_entropy(logits, label, label_smoothing=0.05)
    return hard if told is None else (hard + F.cross_entropy(logits, told)) / 2


def trained(name, path):
    """What run() has saved, for answers()."""
    network = Graph(CANDIDATES[name].lines)
    network.load_state_dict(torch.load(path))
    return Half(network).eval()


def run(job):
    """Trains one network; its parameters and its logits of all films that it has not seen go to files."""
    name, fold, seed, folder = job
    began, candidate = time.time(), CANDIDATES[name]
    train.start(seed)
    new, learnt = judged(PACK.films, fold)
    network = Graph(candidate.lines, mixed=candidate.mixed)
    if candidate.pretrained:
        drawn = torch.from_numpy(np.random.choice(learnt, 256)).to(DEVICE)
        begin_at(network, PACK.pretrained, train.standardise(*PACK(drawn, candidate.side)))
    teachers = [
        trained(teacher, folder / f"{name_of(teacher, fold, own)}.pt")
        for teacher in candidate.teachers
        for own in SEEDS
    ]
    views = Views(PACK, learnt, candidate, STEPS[fold], teachers)
    network = train.fit(Half(network), views, loss, candidate.rate, torch.channels_last).network
    torch.save(network.state_dict(), folder / f"{name_of(name, fold, seed)}.pt")
    seen = torch.cat(
        [
            train.evaluate(network, train.standardise(*PACK(part, candidate.side)))[0].cpu()
            for part in torch.from_numpy(new).to(DEVICE).split(512)
        ]
    )
    np.save(folder / f"{name_of(name, fold, seed)}.npy", seen.numpy())
    print(f"{name_of(name, fold, seed)}: {STEPS[fold]} steps, {time.time() - began:.0f} s", flush=True)
    return name_of(name, fold, seed)


def awake(place):
    """What each process does first: the films onto the device, where all random numbers are then drawn, too."""
    global PACK
    if DEVICE.type == "cuda":
        torch.set_default_device(DEVICE)
    PACK = Pack(place)


def train_all(place, out, workers):
    """Every candidate, fold and seed, in order of worth; what there is is stored after each."""
    began, folder, done = time.time(), FOLDER / "networks", {}
    folder.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    with np.load(place) as stored:
        manifest = stored["manifest"]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), awake, (place,)) as pool:
        for taught in (False, True):
            jobs = [
                pool.submit(run, (name, fold, seed, folder))
                for seed in SEEDS
                for fold in FOLDS
                for name, candidate in CANDIDATES.items()
                if bool(candidate.teachers) == taught and fold in candidate.folds and seed in candidate.seeds
            ]
            for job in concurrent.futures.as_completed(jobs):
                done[job.result()] = np.load(folder / f"{job.result()}.npy")
                np.savez(
                    out / "answers.part.npz",
                    manifest=manifest,
                    minutes=(time.time() - began) / 60,
                    device=torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU",
                    **done,
                )
                os.replace(out / "answers.part.npz", out / "answers.npz")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["pack", "train"], help="without one: both")
    parser.add_argument("--films", type=Path, default=FOLDER / "films.npz", help="what pack writes and train reads")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of answers.npz, which train writes")
    parser.add_argument("--workers", type=int, default=1, help="networks that are trained at once")
    options = parser.parse_args()
    if options.part != "train":
        pack(options.films)
    if options.part != "pack":
        train_all(options.films, options.out, options.workers)


if __name__ == "__main__":
    main()
