"""The released model against radiologists: their readings of films from hospitals with disease and none, disease that
it was not trained on, and their boxes around opacities."""
from pathlib import Path

import numpy as np

from report import metrics
from training import data
from training.engine import WEIGHTS, Model, for_each

PNEUMONIA_BOXES = ("opacity", "pneumonia", "infiltrate")
LUNG_CELL = 0.5  # probability from which a pixel is lung
OVERLAPS = (0.25, 0.5)  # at which a found box counts


def diagnose(model, film):
    return model.diagnose(Path(film.path).read_bytes())


def probabilities(films):
    return np.stack([found.probability for found in for_each(diagnose, films)])


def where(films, **fields):
    """Numbers of the films whose fields have one of these values."""
    return np.array(
        [i for i, film in enumerate(films) if all(getattr(film, key) in values for key, values in fields.items())], int
    )


def called(index, rows, predicted, films):
    """Share of the rows whose most probable class is this one."""
    return metrics.proportion(predicted[rows] == index, metrics.patients([films[i] for i in rows]))


def section(options):
    """The tables of `python3 -m report readings`."""
    films = [film for film in data.films() if film.split in ("test", "external")]
    probability = probabilities(films)
    ill, predicted = 1 - probability[:, 2], probability.argmax(1)
    covid = probability[:, 0] / (probability[:, 0] + probability[:, 1])

    def auc(score, positive, negative):
        return metrics.auc_cell(score, films, positive, negative)

    siim = {reading: where(films, source=["siim"], reading=[reading]) for reading in data.READINGS}
    shown = np.concatenate([siim[reading] for reading in ("typical", "indeterminate", "atypical")])
    external, tuberculosis = where(films, source=["openist"]), where(films, source=["tbdb"])
    rows = [
        ["typical against negative, 1 - P(normal)", auc(ill, siim["typical"], siim["negative"])],
        ["any opacity against negative, 1 - P(normal)", auc(ill, shown, siim["negative"])],
        ["typical against atypical, P(covid) of covid and pneumonia", auc(covid, siim["typical"], siim["atypical"])],
        ["tuberculosis against normals of another unseen hospital, 1 - P(normal)", auc(ill, tuberculosis, external)],
    ]
    for source in ("nih", "rsna_lungonly", "kermany"):
        pair = (where(films, source=[source], label=[label]) for label in ("pneumonia", "normal"))
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


def boxes_of(film, boxes, side):
    """[side, side] whether a pixel's centre is in a box of opacity; None without such a box."""
    centres, out = (np.arange(side) + 0.5) / side, np.zeros((side, side), bool)
    for box in boxes.get(film.path, []):
        if box.kind in PNEUMONIA_BOXES:
            columns, rows = (centres > box.x0) & (centres < box.x1), (centres > box.y0) & (centres < box.y1)
            out |= rows[:, None] & columns
    return out if out.any() else None


def measured(heat, lungs, box, commonest):
    """One film's measures of localisation: pointing game, area under the curve over the pixels of the lungs, share of
    the mass inside, intersection over union at the threshold of the weights, and pointing at the commonest place."""
    inside, lung = box & lungs, lungs
    score, truth = heat[lung], inside[lung]
    area = metrics.auc(truth, score)
    peak = box.flat[heat.argmax()]
    return peak, area, heat[box].sum() / max(heat.sum(), 1e-9), box.flat[(commonest * lung).argmax()]


def localisation(options):
    """The table of `python3 -m report boxes`."""
    boxes = data.boxes()
    films = [film for film in data.films() if film.split == "test" and film.path in boxes]
    films = [film for film in films if film.source in ("siim", "bimcv_radiodb", "webmix_radiodb", "nih")]
    threshold = Model(WEIGHTS.read_bytes()).number("pleura.opacity.threshold")
    found = for_each(diagnose, films)
    side = found[0].heatmap.shape[0]
    truth = [boxes_of(film, boxes, side) for film in films]
    kept = [i for i, box in enumerate(truth) if box is not None]
    learnt = [film for film in data.films() if film.split == "train" and film.source == "siim"]
    commonest = np.sum([box for box in (boxes_of(film, boxes, side) for film in learnt) if box is not None], 0)
    values, overlap, extents = [], [], []
    for i in kept:
        heat, lungs, box = found[i].heatmap, found[i].lungs > LUNG_CELL, truth[i]
        values.append(measured(heat, lungs, box, commonest))
        hit = lungs & (heat >= threshold * found[i].lungs)
        overlap.append((hit & box & lungs).sum() / max((hit | (box & lungs)).sum(), 1))
        middle = (np.arange(side) + 0.5) / side > np.mean([np.flatnonzero(lungs.any(0))[[0, -1]].mean() / side])
        for half, extent in enumerate(found[i].extent):
            part = lungs & (middle == half)
            extents.append(abs(extent - (box & part).sum() / max(part.sum(), 1)))
    values = np.column_stack([np.array(values, float), overlap])
    patient = metrics.patients([films[i] for i in kept])
    names = [
        "pointing game: the largest value lies in a box %",
        "AUC over the pixels of the lungs %",
        "share of the map's mass in a box %",
        "always pointing at the commonest place %",
        f"intersection over union in the lungs, from {threshold:.2f} on %",
    ]
    rows = []
    readings = np.array([films[i].reading for i in kept])
    for reading in ("", "typical", "indeterminate", "atypical"):
        chosen = np.flatnonzero((readings == reading) | (reading == ""))
        if len(chosen) < metrics.MIN_FILMS:
            continue
        cells = [metrics.bootstrapped(lambda r: np.nanmean(column[chosen][r]), patient[chosen]) for column in values.T]
        rows.append([reading or "all", len(chosen), *cells])
    error = np.array(extents).reshape(len(kept), 2)
    return [
        {
            "title": f"The opacity map against radiologists' boxes: {len(kept)} films of the test split with boxes.",
            "columns": ["films", "n", *names],
            "rows": rows,
            "note": "Mean absolute error of the extent of a lung, against the share of it in boxes: "
            f"{metrics.bootstrapped(lambda r: error[r].mean(), patient)} points of 100. A box holds more than its opacity, so "
            "the boxes are an upper limit.",
        }
    ]
