"""The released model against radiologists' readings of films from hospitals with disease and none, and on disease that
it was not trained on."""
from typing import NamedTuple

import numpy as np

from report import metrics
from report.stress import diagnose
from training import data
from training.engine import for_each


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
