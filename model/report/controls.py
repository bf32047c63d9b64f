"""How much a classifier can tell without seeing disease.

Controls: films without lungs, outlines of lungs without grey levels, and a classifier of sources instead of diagnoses.
"""
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_dilation
from torch.nn import functional as F

from report import baselines
from report import metrics
from training import data
from training import train
from training.engine import for_each
from training.graph import Graph, parse

SIDE = 96  # pixels of a trained network's frame
BORDER = 0.09  # of the shorter side
MARGIN = 3  # pixels of the lung mask that are painted over around the lungs
CELLS = 14  # per side, of the linear models
MIN_FILMS = 20  # of a source that the classifier of sources knows
PARTS = 5  # of the cross-validation


def border_only(film):
    """Black except for the border."""
    width = round(BORDER * min(film.shape))
    out = film.copy()
    out[width:-width, width:-width] = 0
    return out


def without_lungs(film, lungs):
    """The lungs that the engine finds, and a little around them, in the film's median grey level."""
    mask = Image.fromarray(binary_dilation(lungs > 0.5, iterations=MARGIN))
    return np.where(np.asarray(mask.resize(film.shape[::-1])), np.median(film), film).astype(film.dtype)


ALTERED = {
    "the whole frame": lambda film, lungs: film,
    f"the border only, {100 * BORDER:.0f} % of the shorter side": lambda film, lungs: border_only(film),
    "the frame, lungs painted over": without_lungs,
}


def released(films):
    """Rows: the released model on altered films."""

    def diagnose(model, film):
        pixels = model.pixels(film.path)
        lungs = model.diagnose(pixels).lungs
        return [model.diagnose(alter(pixels, lungs)) for alter in ALTERED.values()]

    rows, test, patient = [], np.array([film.split == "test" for film in films]), metrics.patients(films)
    for name, found in zip(ALTERED, zip(*for_each(diagnose, films))):
        refused = np.array([diagnosis.gate != "" for diagnosis in found])
        cells = metrics.headline(np.stack([diagnosis.probability for diagnosis in found]), films)
        rows.append([name, metrics.proportion(refused[test], patient[test]), *cells])
    return rows


def trained_on_altered(learnt, unseen, steps):
    """Rows: a ResNet-10 on altered films when it is trained on such films."""
    films, rows = learnt + unseen, []
    lungs = for_each(lambda model, film: np.uint8(model.diagnose(model.pixels(film.path)).lungs * 255), films)
    whole = baselines.frames(films, SIDE)
    for name, alter in ALTERED.items():
        altered = np.stack([alter(frame, mask / 255) for frame, mask in zip(whole, lungs)])
        network = baselines.trained(Graph(baselines.resnet(SIDE)), learnt, altered[: len(learnt)], steps, 48, 4e-3)
        probability = baselines.probabilities(network, altered[len(learnt) :])
        rows.append([name, *metrics.headline(probability, unseen)])
    return rows


def linear_models(learnt, unseen):
    """Rows: linear models on the input of the diagnosis network, which is zero outside the lungs."""

    def cells_of(model, film):
        (lungs,) = model.layers(Path(film.path).read_bytes(), ["image"])
        view = torch.from_numpy(lungs)[None, :, :, 0]
        return torch.cat([F.adaptive_avg_pool2d(x, CELLS) for x in ((view != 0).float(), view)])

    cells = torch.stack(for_each(cells_of, learnt + unseen)).flatten(2)
    label, weight = torch.from_numpy(metrics.true_classes(learnt)), train.sampling_weights(learnt)
    rows = []
    for i, name in enumerate(("the outline of the lungs", "a thumbnail of the lungs")):
        predict = baselines.linear(cells[: len(learnt), i], label, weight)
        rows.append([name, *metrics.headline(predict(cells[len(learnt) :, i]), unseen)])
    return rows


def section(options):
    """The tables of `python3 -m report controls`."""
    learnt, unseen = metrics.whole_frames("train"), metrics.whole_frames("test", "external")
    black = [film for film in data.films() if film.split == "train" and film.source == "rsna_lungonly"]
    steps, films = options.steps or 400, metrics.describe(unseen)
    return [
        {
            "title": f"The released model on films without lungs: {films}, even if the film is refused.",
            "columns": ["shown", "refused %", *metrics.HEADLINE],
            "rows": released(unseen),
        },
        {
            "title": "A network trained on such films, which measures what the data give away, not what the model "
            f"uses: a ResNet-10 at {SIDE} px, {steps} steps of 48; {films}.",
            "columns": ["trained on and shown", *metrics.HEADLINE],
            "rows": trained_on_altered(learnt, unseen, steps),
            "note": "Without lungs, any AUC above 0.5 and any balanced accuracy above 25 % comes from source, view "
            "and age.",
        },
        {
            "title": f"Linear models on {CELLS} x {CELLS} cells of the diagnosis network's input, trained on the same "
            f"films as that network: {films}.",
            "columns": ["sees", *metrics.HEADLINE],
            "rows": linear_models(learnt + black, unseen),
        },
    ]


def predicted_sources(x, y, patient, classes):
    """[n] the source that a linear model predicts for each film, trained on other patients; sources weigh the same."""
    part = np.random.default_rng(1).integers(PARTS, size=len(patient))[np.unique(patient, return_inverse=True)[1]]
    predicted = np.empty(len(y), int)
    for i in range(PARTS):
        rest, rows = part != i, part == i
        target = torch.from_numpy(y[rest])
        weight = 1 / torch.bincount(target, minlength=classes)[target].float()
        predicted[rows] = baselines.linear(x[rest], target, weight, classes)(x[rows]).argmax(1)
    return predicted


def pooled_features(films):
    """[n, c]: the input of the released model's last layer."""

    def features(model, film):
        (last,) = (inputs for name, _, inputs, _ in map(parse, model.lines()) if name == "logits")
        return model.layers(Path(film.path).read_bytes(), last)[0].ravel()

    return torch.from_numpy(np.stack(for_each(features, films)))


def source_row(name, films):
    """One row: how well a linear model recognises the sources of these films."""
    counts = Counter(film.source for film in films)
    kept = sorted(source for source in counts if counts[source] >= MIN_FILMS)
    films = [film for film in films if film.source in kept]
    y, patient = np.array([kept.index(film.source) for film in films]), metrics.patients(films)
    cells = []
    for x in (pooled_features(films), baselines.network_input(baselines.frames(films, 32)).flatten(1)):
        predicted = predicted_sources(x, y, patient, len(kept))
        cells.append(metrics.balanced_accuracy_cell(y, predicted, patient))
    return [name, ", ".join(f"{source} {counts[source]}" for source in kept), f"{100 / len(kept):.1f}", *cells]


def sources(options):
    """The table of `python3 -m report source`, on films that the networks were not trained on."""
    films = metrics.whole_frames("val", "test")
    groups = {
        "covid": [film for film in films if film.label == "covid"],
        "normal": [film for film in films if film.label == "normal"],
        "pneumonia of adults": [film for film in films if film.label == "pneumonia" and not film.child],
    }
    return [
        {
            "title": "Balanced accuracy of a linear model that predicts the source among films of one class: "
            "validation and test split, which the network was not trained on; cross-validation in "
            f"{PARTS} parts by patient.",
            "columns": [
                "films",
                "sources",
                "chance %",
                "from the released model's pooled features %",
                "from 32 x 32 of the whole frame %",
            ],
            "rows": [source_row(name, group) for name, group in groups.items()],
            "note": f"Sources with fewer than {MIN_FILMS} such films are left out.",
        }
    ]
