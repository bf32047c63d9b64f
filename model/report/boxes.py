"""The opacity map of the released model against opacities that people drew: radiologists' boxes, and outlines."""
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import find_objects, label, maximum

from report import metrics
from report.stress import by_depth, diagnose, shuffled
from training import data
from training.engine import WEIGHTS, Model, for_each

DRAWN = ("siim", "bimcv_radiodb", "webmix_radiodb", "nih")  # sources whose opacities have boxes
OUTLINED = ("ggo", "cons")  # ground glass and consolidation, in masks/findings
LUNG_CELL = 0.5  # probability from which a pixel is lung
OVERLAPS = (0.25, 0.5)  # from which a box that was found is right
READINGS = (None, "typical", "indeterminate", "atypical")  # None: all films


class Localisation(NamedTuple):
    """How well one film's opacity map agrees with what was drawn."""

    pointing: bool  # whether the largest value lies in it
    area: float  # under the ROC curve over the pixels of the lungs
    mass: float  # share of the map inside
    commonest: bool  # whether the commonest place lies in it
    overlap: float  # intersection over union in the lungs
    errors: tuple  # of the extents of both lungs

    @classmethod
    def of(cls, found, drawn, threshold, commonest):
        """From a Diagnosis, whether each pixel [side, side] was drawn, and how often each pixel is."""
        heat, lungs = found.heatmap, found.lungs > LUNG_CELL
        hit, inside = lungs & (heat >= threshold * found.lungs), lungs & drawn
        right_half = np.arange(len(drawn)) + 0.5 > np.flatnonzero(lungs.any(0))[[0, -1]].mean()
        halves = [lungs & (right_half == half) for half in (0, 1)]
        shares = [(inside & half).sum() / max(half.sum(), 1) for half in halves]
        return cls(
            drawn.flat[heat.argmax()],
            metrics.auc(drawn[lungs], heat[lungs]),
            heat[drawn].sum() / max(heat.sum(), 1e-9),
            drawn.flat[(commonest * lungs).argmax()],
            (hit & inside).sum() / max((hit | inside).sum(), 1),
            tuple(abs(extent - share) for extent, share in zip(found.extent, shares)),
        )


def overlap_of_boxes(a, b):
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    both = max(width, 0) * max(height, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def boxes_found(found, threshold):
    """[(score, box)] around the connected regions of the lungs where the map reaches the threshold; the score is the
    largest value in them, boxes are in fractions of the film."""
    side = len(found.heatmap)
    regions, count = label((found.lungs > LUNG_CELL) & (found.heatmap >= threshold * found.lungs))
    scores = maximum(found.heatmap, regions, range(1, count + 1))
    boxes = ((x.start / side, y.start / side, x.stop / side, y.stop / side) for y, x in find_objects(regions))
    return list(zip(scores, boxes))


def judged(found, drawn, least):
    """[(score, whether it is right)] of the boxes found in one film, best first. One is right if it overlaps by at least
    `least` with a drawn box that no better one has taken."""
    free, out = [box[1:] for box in drawn], []
    for score, box in sorted(found, reverse=True):
        overlaps = [overlap_of_boxes(box, other) for other in free]
        right = bool(overlaps) and max(overlaps) >= least
        if right:
            free.pop(int(np.argmax(overlaps)))
        out.append((score, right))
    return out


def average_precision(films):
    """Area under the curve of precision over recall (Everingham et al., 2010, with all points), of
    [(boxes drawn, [(score, right)])]."""
    drawn = sum(count for count, _ in films)
    judgements = sorted((pair for _, found in films for pair in found), key=lambda pair: -pair[0])
    right = np.cumsum([right for _, right in judgements])
    if not drawn or not len(right):
        return 0.0 if drawn else np.nan
    precision = right / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(best * np.diff(right, prepend=0)) / drawn)


def named(threshold):
    return [
        "pointing game: the largest value lies inside %",
        "AUC over the pixels of the lungs %",
        "share of the map's mass inside %",
        "always pointing at the commonest place %",
        f"intersection over union in the lungs, from {threshold:.2f} on %",
    ]


def cells(values, patient):
    """Cells of named(), from Localisations."""
    columns = np.array([value[:-1] for value in values], float).T
    return [metrics.bootstrapped(lambda rows: np.nanmean(column[rows]), patient) for column in columns]


def extent_error(values, patient):
    errors = np.array([value.errors for value in values])
    return metrics.bootstrapped(lambda rows: errors[rows].mean(), patient)


def outlines(films):
    """[(film, its masks)] of the films with outlines that are not empty."""
    folder, out = data.home() / "masks" / "findings", []
    for film in films:
        paths = [folder / f"{Path(film.path).stem}_{kind}.png" for kind in OUTLINED]
        masks = [Image.open(path).convert("L") for path in paths if film.source == "cohen" and path.exists()]
        if any(mask.getbbox() for mask in masks):
            out.append((film, masks))
    return out


def drawn_over(masks, side):
    """[side, side] whether a pixel is inside one of the masks."""
    return np.any([np.asarray(mask.resize((side, side), Image.BOX)) > 127 for mask in masks], 0)


def random_weights():
    """The released model with the weights of every layer of the diagnosis in random order."""
    weights = WEIGHTS.read_bytes()
    layers = [layer for group in by_depth(Model(weights).lines()) for layer in group]
    return shuffled(weights, [*layers, "opacity"], np.random.default_rng(1))


class Drawn(NamedTuple):
    """Films, with what was drawn on them and what the released model says."""

    films: list
    boxes: list  # of each film
    places: list  # [side, side] of each film, whether a pixel is in a box
    found: list  # Diagnosis of each film


def against_boxes(test, threshold, commonest):
    """The table of the map, with a control whose weights are in random order."""
    patient, rows = metrics.patients(test.films), []

    def compared(diagnoses):
        return [Localisation.of(*pair, threshold, commonest) for pair in zip(diagnoses, test.places)]

    values, random = compared(test.found), compared(for_each(diagnose, test.films, random_weights()))
    for reading in READINGS:
        chosen = metrics.rows(test.films, reading=reading)
        rows.append([reading or "all", len(chosen), *cells([values[i] for i in chosen], patient[chosen])])
    rows.append(["all, weights in random order", len(test.films), *cells(random, patient)])
    return {
        "title": f"The opacity map against radiologists' boxes: {len(test.films)} films of the test split with boxes.",
        "columns": ["films", "n", *named(threshold)],
        "rows": rows,
        "note": "Mean absolute error of the extent of a lung, against the share of it in boxes: "
        f"{extent_error(values, patient)} points of 100. A box holds more than its opacity, so the boxes are an upper "
        "limit.",
    }


def precisions(test, threshold):
    """The table of average precision."""
    patient, rows = metrics.patients(test.films), []
    found = [boxes_found(diagnosis, threshold) for diagnosis in test.found]
    for reading in READINGS:
        chosen = metrics.rows(test.films, reading=reading)
        row = [reading or "all", len(chosen), *(sum(len(of[i]) for i in chosen) for of in (test.boxes, found))]
        for least in OVERLAPS:
            films = [(len(test.boxes[i]), judged(found[i], test.boxes[i], least)) for i in chosen]
            row.append(metrics.bootstrapped(lambda r: average_precision([films[i] for i in r]), patient[chosen]))
        rows.append(row)
    return {
        "title": "Boxes around the connected regions where the map reaches that threshold, scored by their largest value, "
        "on the same films.",
        "columns": ["films", "n", "boxes drawn", "boxes found"]
        + [f"average precision %, for an intersection over union of {least}" for least in OVERLAPS],
        "rows": rows,
        "note": "The map has 10 x 10 cells over both lungs, and regions that touch count as one.",
    }


def against_outlines(films, threshold, commonest):
    """The table of the map on films whose opacities were outlined by hand."""
    shown, masks = zip(*outlines(films))
    found, patient, rows = for_each(diagnose, shown), metrics.patients(shown), []
    places = [drawn_over(mask, len(commonest)) for mask in masks]
    values = [Localisation.of(*pair, threshold, commonest) for pair in zip(found, places)]
    learnt = np.array([film.split == "train" for film in shown])
    for name, chosen in (("validation and test split", ~learnt), ("training split", learnt)):
        part = [values[i] for i in np.flatnonzero(chosen)]
        rows.append([name, len(part), *cells(part, patient[chosen]), extent_error(part, patient[chosen])])
    return {
        "title": "The opacity map against coarse outlines of ground glass and consolidation, films of cohen.",
        "columns": ["films", "n", *named(threshold), "mean absolute error of the extent of a lung, points of 100"],
        "rows": rows,
        "note": "Training used the labels of its films, not these outlines.",
    }


def section(options):
    """The tables of `python3 -m report boxes`."""
    films, boxes = data.films(), {path: data.opacities(drawn) for path, drawn in data.boxes().items()}
    boxed = [film for film in films if boxes.get(film.path)]
    shown = [film for film in boxed if film.split == "test" and film.source in DRAWN]
    found = for_each(diagnose, shown)
    side = len(found[0].heatmap)
    learnt = [film for film in boxed if film.split == "train" and film.source == "siim"]
    commonest = np.sum([data.inside(boxes[film.path], side) for film in learnt], 0)
    drawn = [boxes[film.path] for film in shown]
    test = Drawn(shown, drawn, [data.inside(each, side) for each in drawn], found)
    threshold = Model(WEIGHTS.read_bytes()).number("pleura.opacity.threshold")
    return [
        against_boxes(test, threshold, commonest),
        precisions(test, threshold),
        against_outlines(films, threshold, commonest),
    ]
