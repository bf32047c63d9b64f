"""How much better large networks would be on the same films, in three steps: pack, train (best on a GPU), report.

`pack` writes all that `train` needs to one file, so that a machine with neither films nor libpleura can train;
`train` writes the logits of every network to another, from which `report` makes its tables.
"""
import argparse
import concurrent.futures
import io
import json
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

import augment
import calibrate
import data
import export
import figures
import inputs
import train
from graph import Graph, resnet, unet

FOLDER = train.BUILD.parent / "ceiling"
SIDE, QUALITY = 160, 85  # of the packed crops; WebP's quality
FOLDS, SEEDS = ("", "hannover", "cxnet", "cohen", "bimcv", "nih"), (1, 2)  # "": trained on all sources
POOL = 25                # batches whose views are made at once, for a GPU waits at every small step
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Candidate(NamedTuple):
    title: str
    side: int
    lines: list
    rate: float
    mixed: tuple             # layers of train.MIXED's kind
    pretrained: bool = False
    teachers: tuple = ()     # candidates of the same fold whose answers are half of the target


def resnet18(side, widths=(64, 128, 256, 512), classes=3):
    """Lines of ResNet-18 (He et al., 2016), for greys."""
    lines = [f"image = input h={side} w={side} c=1", f"stem = conv image k=7 stride=2 pad=3 c={widths[0]} act=relu",
             "small = maxpool stem k=3 stride=2 pad=1"]
    last = "small"
    for number, width in enumerate(widths, 1):
        for part in (1, 2):
            stride, out = (2 if number > part == 1 else 1), f"block{number}" if part == 2 else f"half{number}"
            lines += [f"{out}a = conv {last} k=3 stride={stride} pad=1 c={width} act=relu",
                      f"{out}b = conv {out}a k=3 stride=1 pad=1 c={width}"]
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
        lines += [f"dw{number} = depthwise {last} k=3 {step} c={width} act=relu6",
                  f"pw{number} = conv dw{number} k=1 stride=1 pad=0 c={wider} act=relu6"]
        last, width = f"pw{number}", wider
    return lines + [f"pool = mean {last}", f"logits = dense pool c={classes}"]


# Everything here was set before the first run: nothing is chosen by a figure of the report.
SMALL = resnet(train.DIAGNOSIS_SIDE)
CANDIDATES = {
    "shipped": Candidate("ResNet-10, 96 px, as shipped", train.DIAGNOSIS_SIDE, SMALL, 4e-3, train.MIXED),
    "resnet18": Candidate("ResNet-18, 160 px", SIDE, resnet18(SIDE), 2e-3, train.MIXED),
    "mobilenet": Candidate("MobileNetV1 of ImageNet, 160 px", SIDE, mobilenet(SIDE), 1e-3, ("pw3",), pretrained=True),
    "taught": Candidate("ResNet-10, 96 px, taught by the four large ones", train.DIAGNOSIS_SIDE, SMALL, 4e-3, train.MIXED,
                        teachers=("resnet18", "mobilenet")),
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
    np.savez(place, pictures=np.concatenate(pictures), sizes=[len(picture) for picture in pictures],
             masks=np.frombuffer(lzma.compress(half.tobytes()), np.uint8), manifest=data.manifest_hash(),
             films=np.array([(film.label, film.source, film.split) for film in films]), **pretrained)
    print(f"{place}: {len(films)} films, {place.stat().st_size / 2 ** 20:.1f} MiB")


class Pack:
    """What pack() wrote: films that know label, source and split; crops int8 and masks uint8 [n, 1, SIDE, SIDE] on DEVICE."""

    def __init__(self, place):
        with np.load(place) as stored:
            self.pretrained = {name.split("/")[1]: stored[name] for name in stored.files if name.startswith("pretrained/")}
            self.films = [data.Film("", label, source, "", split, "", "", "") for label, source, split in stored["films"]]
            pictures = np.split(stored["pictures"], np.cumsum(stored["sizes"])[:-1])
            half = np.frombuffer(lzma.decompress(stored["masks"].tobytes()), np.uint8).reshape(-1, 1, SIDE // 2, SIDE // 2)
            self.manifest = str(stored["manifest"])
        with ThreadPoolExecutor() as pool:
            crop = np.stack(list(pool.map(lambda picture: np.asarray(Image.open(io.BytesIO(picture)).convert("L")), pictures)))
        self.crop = torch.from_numpy((crop.astype(np.int16) - 128).astype(np.int8))[:, None].to(DEVICE)
        self.half = torch.tensor(half).to(DEVICE)

    def __call__(self, rows, side):
        """Crops and masks [n, 1, side, side] of these films: sized, BLUR passes of 1 2 1 each weighted by the mask."""
        crop = self.crop[rows].float() / inputs.GREY
        mask = F.interpolate(self.half[rows].float() / 15, (SIDE, SIDE), mode="bilinear", align_corners=False)
        return smoothed(crop, mask, side)


def smoothed(crop, mask, side):
    if side != crop.shape[-1]:
        crop, mask = (F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False) for x in (crop, mask))
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
        picks = torch.cat([torch.multinomial(w, n * count, replacement=True) for w, n in zip(self.weight, train.BATCH.values())])
        size = len(picks) // count
        picks = torch.cat([part[torch.randperm(len(part))] for part in (picks[i::count] for i in range(count))]).view(count, size)
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


def run(job):
    """Trains one network; its parameters and its logits of all films that it has not seen go to files."""
    name, fold, seed, steps, folder = job
    began, candidate = time.time(), CANDIDATES[name]
    train.start(seed)
    new, learnt = judged(PACK.films, fold)
    network = Graph(candidate.lines, mixed=candidate.mixed)
    if candidate.pretrained:
        drawn = torch.from_numpy(np.random.choice(learnt, 256)).to(DEVICE)
        begin_at(network, PACK.pretrained, train.standardise(*PACK(drawn, candidate.side)))
    teachers = []
    for teacher in [name_of(teacher, fold, own) for teacher in candidate.teachers for own in SEEDS]:
        teachers.append(Half(Graph(CANDIDATES[teacher.split("-")[0]].lines)).eval())
        teachers[-1].network.load_state_dict(torch.load(folder / f"{teacher}.pt"))
    views = Views(PACK, learnt, candidate, steps, teachers)
    network = train.fit(Half(network), views, loss, candidate.rate, torch.channels_last).network
    torch.save(network.state_dict(), folder / f"{name_of(name, fold, seed)}.pt")
    seen = torch.cat([train.evaluate(network, train.standardise(*PACK(part, candidate.side)))[0].cpu()
                      for part in torch.from_numpy(new).to(DEVICE).split(512)])
    np.save(folder / f"{name_of(name, fold, seed)}.npy", seen.numpy())
    print(f"{name_of(name, fold, seed)}: {steps} steps, {time.time() - began:.0f} s", flush=True)
    return name_of(name, fold, seed)


def awake(place):
    """What each process does first: the films onto the device, where all random numbers are then drawn, too."""
    global PACK
    torch.backends.cudnn.benchmark = True
    if DEVICE.type == "cuda":
        torch.set_default_device(DEVICE)
    PACK = Pack(place)


def train_all(place, out, steps, workers):
    """Every candidate, fold and seed, in order of worth; what there is is stored after each."""
    began, folder, done = time.time(), FOLDER / "networks", {}
    folder.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), awake, (place,)) as pool:
        for taught in (False, True):
            names = [name for name, candidate in CANDIDATES.items() if bool(candidate.teachers) == taught]
            jobs = [pool.submit(run, (name, fold, seed, steps, folder)) for seed in SEEDS for fold in FOLDS for name in names]
            for job in concurrent.futures.as_completed(jobs):
                done[job.result()] = np.load(folder / f"{job.result()}.npy")
                with np.load(place) as stored:
                    np.savez(out / "answers.part.npz", manifest=stored["manifest"], steps=steps, minutes=(time.time() - began) / 60,
                             device=torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU", **done)
                os.replace(out / "answers.part.npz", out / "answers.npz")


class Question(NamedTuple):
    column: str
    fold: str
    score: object            # of probabilities [n, 3]
    positive: np.ndarray     # rows of data.labelled()
    negative: np.ndarray


def questions(films):
    """What is asked of networks that know neither side."""
    external = figures.rows(films, "normal", split="external")
    covid, pneumonia = lambda p: p[:, 0], lambda p: p[:, 1]
    out = [Question(f"{title}: covid, external normals", fold, covid, figures.rows(films, "covid", data.FOLDS[fold]), external)
           for title, fold in (("hannover", "hannover"), ("cxnet", "cxnet"), ("cohen", "cohen"), ("bimcv and webmix", "bimcv"))]
    own = lambda label, source: figures.rows(films, label, [source])
    return out + [Question("cohen: covid, own pneumonia", "cohen", figures.covid_not_pneumonia, own("covid", "cohen"), own("pneumonia", "cohen")),
                  Question("nih: pneumonia, own normals", "nih", pneumonia, own("pneumonia", "nih"), own("normal", "nih"))]


TEAMS = {**{name: ((name,), candidate.title) for name, candidate in CANDIDATES.items()},
         "large": (("resnet18", "mobilenet"), "the four large ones together")}
ORDER = ("shipped", "resnet18", "mobilenet", "large", "taught")


class Answers:
    """The logits of a training, by the rows of data.labelled(); films that a network has learnt from are not a number."""

    def __init__(self, place, films):
        with np.load(place) as stored:
            self.stored = {name: stored[name] for name in stored.files}
        if str(self.stored["manifest"]) != data.manifest_hash():
            raise SystemExit(f"{place} is of other films than {data.home()}")
        self.films = films

    def has(self, team, fold):
        return all(name_of(name, fold, seed) in self.stored for name in TEAMS[team][0] for seed in SEEDS)

    def logits(self, team, fold, seeds=SEEDS):
        out = np.full((len(self.films), len(data.LABELS)), np.nan, np.float32)
        new = judged(self.films, fold)[0]
        out[new] = np.mean([self.stored[name_of(name, fold, seed)] for name in TEAMS[team][0] for seed in seeds], 0)
        return out

    def probability(self, *which):
        return torch.from_numpy(self.logits(*which)).softmax(1).numpy()


def size_of(team):
    names = TEAMS[team][0]
    return sum(p.numel() for name in names for p in Graph(CANDIDATES[name].lines, norm=False).parameters()) * len(SEEDS) / 1e6


def unseen(answers, teams):
    """Tables of the left-out sources: the two seeds together, what that is above the shipped architecture, each seed alone."""
    films, asked = answers.films, questions(answers.films)
    strangers, folds = figures.rows(films, "normal", split="external"), [q.fold for q in asked[:4]]
    patient = figures.patients(films)

    def kept(team, seeds=SEEDS):
        """[4 folds, external normals]: called normal?"""
        return np.stack([answers.logits(team, fold, seeds)[strangers].argmax(1) == 2 for fold in folds])

    def compared(team, question):
        rows = np.concatenate([question.positive, question.negative])
        yes = np.arange(len(rows)) < len(question.positive)
        ours, theirs = (question.score(answers.probability(name, question.fold))[rows] for name in (team, "shipped"))
        return figures.clustered(lambda r: figures.auc(ours[r][yes[r]], ours[r][~yes[r]]) - figures.auc(theirs[r][yes[r]], theirs[r][~yes[r]]),
                                 patient[rows], False, figures.change)

    def alone(team, question):
        scores = [question.score(answers.probability(team, question.fold, [seed])) for seed in SEEDS]
        return ", ".join(f"{figures.auc(score[question.positive], score[question.negative]):.3f}" for score in scores)

    columns = [*(q.column for q in asked), "external normals called normal %, mean of the first four"]
    together, above, seeds = [], [], []
    for team in teams:
        title, normal = TEAMS[team][1], kept(team).mean(0)
        cells = [figures.area(q.score(answers.probability(team, q.fold)), films, q.positive, q.negative) for q in asked]
        together.append([title, f"{size_of(team):.1f}", *cells, figures.clustered(lambda r: normal[r].mean(), patient[strangers])])
        if team != "shipped":
            more = normal - kept("shipped").mean(0)
            above.append([title, *(compared(team, q) for q in asked),
                          figures.clustered(lambda r: more[r].mean(), patient[strangers], True, figures.change)])
        if team != "large":
            shares = ", ".join(f"{100 * kept(team, [seed]).mean():.1f}" for seed in SEEDS)
            seeds.append([title, *(alone(team, q) for q in asked), shares])
    return [{"title": "Neither side seen: AUC of two networks of different seeds, their logits averaged", "columns": ["network", "million parameters", *columns], "rows": together},
            {"title": "The same, above the shipped architecture: differences on the same films", "columns": ["network", *columns], "rows": above},
            {"title": "Each of the two seeds alone", "columns": ["network", *columns], "rows": seeds}]


def seen(answers, teams):
    """The table of the test split, whose hospitals all networks know; calibrated as export.py calibrates."""
    films, label, patient = answers.films, torch.from_numpy(figures.truth(answers.films)), figures.patients(answers.films)
    fitted = np.array([film.split == "val" and film.source not in export.UNJUDGED for film in films])
    test = np.array([i for i, film in enumerate(films) if film.split == "test" and film.source != "rsna_lungonly"])
    strangers = figures.rows(films, "normal", split="external")
    own = lambda label: figures.rows(films, label, ["nih"], "test")
    rows = []
    for team in teams:
        logits = torch.from_numpy(answers.logits(team, ""))
        t, bias = calibrate.scaling(logits[fitted], label[fitted])
        p = ((logits + torch.from_numpy(bias)) / t).softmax(1).numpy()
        called, truth = p.argmax(1)[test], label.numpy()[test]
        rows.append([TEAMS[team][1], figures.area(p[:, 0], films, test[truth == 0], test[truth != 0]),
                     figures.clustered(lambda r: figures.balanced(truth[r], called[r]), patient[test]),
                     *(figures.clustered(lambda r: np.mean(called[r][truth[r] == c] == c), patient[test]) for c in range(len(data.LABELS))),
                     figures.area(p[:, 1], films, own("pneumonia"), own("normal")),
                     figures.share(p[strangers].argmax(1) == 2)])
    return [{"title": f"Hospitals seen: {figures.sets([films[i] for i in [*test, *strangers]])}, two seeds together, calibrated on the validation split",
             "columns": ["network", "COVID AUC", "balanced accuracy %", *(f"sensitivity for {name} %" for name in data.LABELS),
                         "nih: pneumonia, own normals, AUC", "external normals called normal %"], "rows": rows}]


def report(place):
    """build/model/ceiling.json, for report.py."""
    answers = Answers(place, data.labelled())
    teams = [team for team in ORDER if all(answers.has(team, fold) for fold in FOLDS)]
    of = answers.stored
    note = {"note": f"{int(of['steps'])} steps of {sum(train.BATCH.values())} for every network, {float(of['minutes']):.0f} minutes on one {of['device']}."}
    tables = [{**table, "command": "/usr/bin/python3 model/ceiling.py"} for table in [*unseen(answers, teams), *seen(answers, teams)]]
    tables[-1].update(note)
    (train.BUILD / "ceiling.json").write_text(json.dumps(tables, indent=1))
    for table in tables:
        print(table["title"], *(" | ".join(map(str, row)) for row in [table["columns"], *table["rows"]]), "", sep="\n")
    print(note["note"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["pack", "train", "report"], help="without one: all three")
    parser.add_argument("--films", type=Path, default=FOLDER / "films.npz", help="what pack writes and train reads")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of answers.npz, which train writes and report reads")
    parser.add_argument("--steps", type=int, default=train.STEPS)
    parser.add_argument("--workers", type=int, default=1, help="networks that are trained at once")
    options = parser.parse_args()
    if options.part in (None, "pack"):
        pack(options.films)
    if options.part in (None, "train"):
        train_all(options.films, options.out, options.steps, options.workers)
    if options.part in (None, "report"):
        report(options.out / "answers.npz")


if __name__ == "__main__":
    main()
