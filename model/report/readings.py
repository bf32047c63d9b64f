"""The released model against radiologists: their readings of films from hospitals with disease and none, disease that
it was not trained on, and their boxes around opacities."""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from report import metrics
from training import data
from training.engine import WEIGHTS, Model, for_each

DRAWN = ("siim", "bimcv_radiodb", "webmix_radiodb", "nih")  # sources whose opacities have boxes
LUNG_CELL = 0.5  # probability from which a pixel is lung


def diagnose(model, film):
    return model.diagnose(Path(film.path).read_bytes())


def probabilities(films):
    return np.stack([found.probability for found in for_each(diagnose, films)])


def covid_against_pneumonia(probability):
    return probability[:, 0] / (probability[:, 0] + probability[:, 1])


def called(index, rows, predicted, films):
    """Share of the rows whose most probable class is this one."""
    return metrics.proportion(predicted[rows] == index, metrics.patients([films[i] for i in rows]))


class Groups(NamedTuple):
    """Numbers of the films that this section compares."""

    siim: dict  # of each reading
    shown: np.ndarray  # siim's with an opacity
    external: np.ndarray  # normal, of another unseen hospital
    tuberculosis: np.ndarray

    @classmethod
    def of(cls, films):
        siim = {reading: metrics.rows(films, None, ["siim"], "test", reading) for reading in data.READINGS}
        shown = np.concatenate([siim[reading] for reading in ("typical", "indeterminate", "atypical")])
        return cls(siim, shown, metrics.rows(films, "normal", ["openist"]), metrics.rows(films, "other", ["tbdb"]))


def section(options):
    """The tables of `python3 -m report readings`."""
    films = [film for film in data.films() if film.split in ("test", "external")]
    probability = probabilities(films)
    ill, predicted, covid = 1 - probability[:, 2], probability.argmax(1), covid_against_pneumonia(probability)

    def auc(score, positive, negative):
        return metrics.auc_cell(score, films, positive, negative)

    siim, shown, external, tuberculosis = Groups.of(films)
    rows = [
        ["typical against negative, 1 - P(normal)", auc(ill, siim["typical"], siim["negative"])],
        ["any opacity against negative, 1 - P(normal)", auc(ill, shown, siim["negative"])],
        ["typical against atypical, P(covid) of covid and pneumonia", auc(covid, siim["typical"], siim["atypical"])],
        ["tuberculosis against normals of another unseen hospital, 1 - P(normal)", auc(ill, tuberculosis, external)],
    ]
    for source in ("nih", "rsna_lungonly", "kermany"):
        pair = (metrics.rows(films, label, [source]) for label in ("pneumonia", "normal"))
        rows.append([f"pneumonia against normal, {source}, 1 - P(normal)", auc(ill, *pair)])
    labels = [f"called {label} %" for label in data.LABELS]
    groups = {f"siim, {reading}": numbers for reading, numbers in siim.items()}
    groups |= {"openist, normal (external)": external, "tuberculosis (external)": tuberculosis}
    return [
        {
            "title": "AUC on films of the test split and on external films, of patients that the model has not seen.",
            "columns": ["question", "AUC"],
            "rows": rows,
        },
        {
            "title": "Most probable class, in percent of the films.",
            "columns": ["films", "n", *labels],
            "rows": [
                [name, len(numbers), *(called(i, numbers, predicted, films) for i in range(len(labels)))]
                for name, numbers in groups.items()
            ],
        },
    ]


class Localisation(NamedTuple):
    """How well one film's opacity map agrees with its boxes."""

    pointing: bool  # whether the largest value lies in a box
    area: float  # under the ROC curve over the pixels of the lungs
    mass: float  # share of the map inside the boxes
    commonest: bool  # whether the commonest place does
    overlap: float  # intersection over union in the lungs
    errors: tuple  # of the extents of both lungs

    @classmethod
    def of(cls, found, box, threshold, commonest):
        """From a Diagnosis, box [side, side] whether a pixel is in a box, and how often each pixel is."""
        heat, lungs = found.heatmap, found.lungs > LUNG_CELL
        hit, drawn = lungs & (heat >= threshold * found.lungs), lungs & box
        right_half = np.arange(len(box)) + 0.5 > np.flatnonzero(lungs.any(0))[[0, -1]].mean()
        halves = [lungs & (right_half == half) for half in (0, 1)]
        shares = [(drawn & half).sum() / max(half.sum(), 1) for half in halves]
        return cls(
            box.flat[heat.argmax()],
            metrics.auc(box[lungs], heat[lungs]),
            heat[box].sum() / max(heat.sum(), 1e-9),
            box.flat[(commonest * lungs).argmax()],
            (hit & drawn).sum() / max((hit | drawn).sum(), 1),
            tuple(abs(extent - share) for extent, share in zip(found.extent, shares)),
        )


def localisation(options):
    """The table of `python3 -m report boxes`."""
    boxes = {path: data.opacities(drawn) for path, drawn in data.boxes().items()}
    films = [film for film in data.films() if boxes.get(film.path)]
    learnt = [film for film in films if film.split == "train" and film.source == "siim"]
    films = [film for film in films if film.split == "test" and film.source in DRAWN]
    threshold = Model(WEIGHTS.read_bytes()).number("pleura.opacity.threshold")
    found = for_each(diagnose, films)
    side = len(found[0].heatmap)
    commonest = np.sum([data.inside(boxes[film.path], side) for film in learnt], 0)
    values = [
        Localisation.of(diagnosis, data.inside(boxes[film.path], side), threshold, commonest)
        for film, diagnosis in zip(films, found)
    ]
    columns = np.array([value[:-1] for value in values], float).T
    error, patient = np.array([value.errors for value in values]), metrics.patients(films)
    names = [
        "pointing game: the largest value lies in a box %",
        "AUC over the pixels of the lungs %",
        "share of the map's mass in a box %",
        "always pointing at the commonest place %",
        f"intersection over union in the lungs, from {threshold:.2f} on %",
    ]
    rows = []
    for reading in (None, "typical", "indeterminate", "atypical"):
        chosen = metrics.rows(films, reading=reading)
        cells = [metrics.bootstrapped(lambda r: np.nanmean(column[chosen][r]), patient[chosen]) for column in columns]
        rows.append([reading or "all", len(chosen), *cells])
    return [
        {
            "title": f"The opacity map against radiologists' boxes: {len(films)} films of the test split with boxes.",
            "columns": ["films", "n", *names],
            "rows": rows,
            "note": "Mean absolute error of the extent of a lung, against the share of it in boxes: "
            f"{metrics.bootstrapped(lambda r: error[r].mean(), patient)} points of 100. A box holds more than its opacity, so "
            "the boxes are an upper limit.",
        }
    ]
