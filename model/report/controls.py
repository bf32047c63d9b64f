"""What is left without disease: pictures without lungs, outlines without greys, and which source a film comes from."""
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_dilation
from torch.nn import functional as F

from report import baselines
from training import data
from report import metrics
from training import train
from training.engine import each
from training.graph import Graph, resnet

SIDE, RING, GROWN = (
    96,
    0.09,
    3,
)  # pixels of a trained network's frame; share of the shorter side; pixels of the lung mask
CELLS = 14
FEWEST, PARTS = 20, 5  # films of a source worth telling; parts of the cross-validation


def ring_only(film):
    """Black but for a ring at the border."""
    thick = round(RING * min(film.shape))
    out = film.copy()
    out[thick:-thick, thick:-thick] = 0
    return out


def lungs_away(film, lungs):
    """The engine's lungs, and a little around them, in the film's median grey."""
    mask = Image.fromarray(binary_dilation(lungs > 0.5, iterations=GROWN))
    return np.where(np.asarray(mask.resize(film.shape[::-1])), np.median(film), film).astype(film.dtype)


ALTERED = {
    "the whole frame": lambda film, lungs: film,
    f"the border only, {100 * RING:.0f} % of the shorter side": lambda film, lungs: ring_only(film),
    "the frame, lungs painted over": lungs_away,
}


def shipped(films):
    """Rows: what the shipped weights make of altered films."""

    def ask(model, film):
        greys = model.greys(film.path)
        lungs = model.diagnose(greys).lungs
        return [model.diagnose(alter(greys, lungs)) for alter in ALTERED.values()]

    rows, test, patient = [], np.array([film.split == "test" for film in films]), metrics.patients(films)
    for name, found in zip(ALTERED, zip(*each(ask, films))):
        refused = np.array([diagnosis.gate != "" for diagnosis in found])
        rows.append(
            [
                name,
                metrics.share(refused[test], patient[test]),
                *metrics.headline(np.stack([d.probability for d in found]), films),
            ]
        )
    return rows


def for_it(learn, judge, steps):
    """Rows: what a ResNet-10 finds in altered films when it is trained on them."""
    films, rows = learn + judge, []
    lungs = each(lambda model, film: (model.diagnose(model.greys(film.path)).lungs * 255).astype(np.uint8), films)
    whole = baselines.frames(films, SIDE)
    for name, alter in ALTERED.items():
        altered = np.stack([alter(frame, mask / 255) for frame, mask in zip(whole, lungs)])
        network = baselines.trained(Graph(resnet(SIDE)), learn, altered[: len(learn)], steps, 48, 4e-3)
        rows.append([name, *metrics.headline(baselines.answers(network, altered[len(learn) :]), judge)])
    return rows


def linears(learn, judge):
    """Rows: linear models on what the second network sees of the lungs; it is zero outside them."""

    def ask(model, film):
        (lungs,) = model.layers(Path(film.path).read_bytes(), ["image"])
        seen = torch.from_numpy(lungs)[None, :, :, 0]
        return torch.cat([F.adaptive_avg_pool2d(x, CELLS) for x in ((seen != 0).float(), seen)])

    cells = torch.stack(each(ask, learn + judge)).flatten(2)
    label, weight = torch.from_numpy(metrics.truth(learn)), train.weights(learn)
    return [
        [
            name,
            *metrics.headline(baselines.linear(cells[: len(learn), i], label, weight)(cells[len(learn) :, i]), judge),
        ]
        for i, name in enumerate(("the outline of the lungs", "a thumbnail of the lungs"))
    ]


def section(options):
    """The tables of `report.py controls`."""
    train.start(1)
    learn, judge = metrics.whole_frames("train"), metrics.whole_frames("test", "external")
    only = [film for film in data.labelled() if film.split == "train" and film.source == "rsna_lungonly"]
    steps, sets = options.steps or 400, metrics.sets(judge)
    return [
        {
            "title": f"The shipped weights on films without lungs: {sets}. Refused films count by their largest probability, too.",
            "columns": ["shown", "refused %", *metrics.HEADLINE],
            "rows": shipped(judge),
        },
        {
            "title": f"What a network finds that is trained for it, which tells of the data, not of the model: a ResNet-10 at {SIDE} px, "
            f"{steps} steps of 48; {sets}.",
            "columns": ["trained on and shown", *metrics.HEADLINE],
            "rows": for_it(learn, judge, steps),
            "note": "Where nothing of the lungs is shown, all above an AUC of 0.5 and a balanced accuracy of 33.3 % is source, view and age.",
        },
        {
            "title": f"Linear models on {CELLS} x {CELLS} cells of what the second network sees, trained on its films: {sets}.",
            "columns": ["sees", *metrics.HEADLINE],
            "rows": linears(learn + only, judge),
        },
    ]


def told(x, y, patient, classes):
    """[n] which source a linear model calls each film, trained on the other patients; sources weigh alike."""
    part = np.random.default_rng(1).integers(PARTS, size=len(patient))[np.unique(patient, return_inverse=True)[1]]
    called = np.empty(len(y), int)
    for i in range(PARTS):
        rest, rows = part != i, part == i
        target = torch.from_numpy(y[rest])
        weight = 1 / torch.bincount(target, minlength=classes)[target].float()
        called[rows] = baselines.linear(x[rest], target, weight, classes)(x[rows]).argmax(1)
    return called


def sources(options):
    """The table of `report.py source`: films that the network was not trained on, grouped by label and source."""
    train.start(1)
    rows = []
    for name, label in (("covid", "covid"), ("normal", "normal"), ("pneumonia of adults", "pneumonia")):
        films = [
            film
            for film in metrics.whole_frames("val", "test")
            if film.label == label and not (film.child and "adults" in name)
        ]
        counts = Counter(film.source for film in films)
        kept = sorted(source for source in counts if counts[source] >= FEWEST)
        films = [film for film in films if film.source in kept]
        y, patient = np.array([kept.index(film.source) for film in films]), metrics.patients(films)
        cells = []
        for x in (pooled(films), baselines.as_input(baselines.frames(films, 32)).flatten(1)):
            called = told(x, y, patient, len(kept))
            cells.append(metrics.clustered(lambda rows: metrics.balanced(y[rows], called[rows]), patient))
        rows.append(
            [name, ", ".join(f"{source} {counts[source]}" for source in kept), f"{100 / len(kept):.1f}", *cells]
        )
    return [
        {
            "title": "How well a linear model tells the source among films of one class: balanced accuracy, validation and test split "
            f"(the network was not trained on them), {PARTS} parts by patient.",
            "columns": [
                "films",
                "sources",
                "chance %",
                "from the shipped network's pooled features %",
                "from 32 x 32 of the whole frame %",
            ],
            "rows": rows,
            "note": f"Sources with fewer than {FEWEST} such films are left out.",
        }
    ]


def pooled(films):
    """[n, c]: what the shipped network's last layer reads."""

    def ask(model, film):
        (last,) = (line.split()[3] for line in model.lines() if line.startswith("logits = "))
        return model.layers(Path(film.path).read_bytes(), [last])[0].ravel()

    return torch.from_numpy(np.stack(each(ask, films)))
