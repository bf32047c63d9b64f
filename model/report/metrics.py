"""Metrics with 95 % intervals, and the films that they are computed on: what all sections of the report share.

scikit-learn and statsmodels compute the metrics. Films of one patient are correlated, so every interval counts patients
instead of films: Wilson's interval has as many cases as patients, and the bootstrap draws patients.
"""
import warnings

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from training import data

ROUNDS = 1000  # of the bootstrap
MIN_FILMS = 10  # on each side of an AUC


def whole_frames(*splits):
    """The films of these splits, without those whose surroundings are black already, and without those that are
    labelled after a test alone, which nobody read. Of the external films only the normal ones."""
    return [
        film
        for film in data.films()
        if film.split in splits
        and film.source != "rsna_lungonly"
        and data.read_by_someone(film)
        and (film.split != "external" or film.label == "normal")
    ]


def true_classes(films):
    return np.array([data.LABELS.index(film.label) for film in films])


def patients(films):
    return np.array([film.patient for film in films])


def describe(films):
    """The films that the cells of headline() are computed on."""
    test = [film for film in films if film.split == "test"]
    return (
        f"{len(test):,} whole frames of {len(set(patients(test))):,} patients of the test split and "
        f"{sum(film.split == 'external' for film in films)} external normals; each film counts as its most probable "
        "class"
    )


def cell(value, low, high, percent):
    if np.isnan(value):
        return "-"
    scale, digits = (100, 1) if percent else (1, 3)
    return f"{scale * value:.{digits}f} ({scale * low:.{digits}f}-{scale * high:.{digits}f})"


def proportion(hits, patient):
    """A share of films in percent with Wilson's interval, for as many cases as there are patients."""
    cases = len(set(patient))
    if not cases:
        return "-"
    share = np.mean(hits)
    low, high = proportion_confint(share * cases, cases, method="wilson")
    return cell(share, low, high, True)


def bootstrapped(metric, patient, percent=True):
    """metric(rows) of all rows, with an interval from a bootstrap over patients."""
    order = np.argsort(patient, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(np.unique(patient, return_inverse=True)[1][order])) + 1)
    random = np.random.default_rng(1)
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a draw may lack a class
        draws = [
            metric(np.concatenate([groups[i] for i in random.integers(len(groups), size=len(groups))]))
            for _ in range(ROUNDS)
        ]
        return cell(metric(order), *np.nanquantile(draws, [0.025, 0.975]), percent)


def auc(positive, score):
    """AUC of the scores; NaN if all films are on one side."""
    return np.nan if positive.all() or not positive.any() else roc_auc_score(positive, score)


def auc_cell(score, films, positive, negative):
    """AUC of the scores [n] between two sets of rows; a dash if one has fewer than MIN_FILMS films."""
    if min(len(positive), len(negative)) < MIN_FILMS:
        return "-"
    rows = np.concatenate([positive, negative])
    is_positive, score = np.arange(len(rows)) < len(positive), score[rows]
    return bootstrapped(lambda r: auc(is_positive[r], score[r]), patients(films)[rows], False)


def balanced_accuracy_cell(label, predicted, patient):
    return bootstrapped(lambda rows: balanced_accuracy_score(label[rows], predicted[rows]), patient)


HEADLINE = ["COVID AUC", "balanced accuracy %", "external normals called normal %"]


def headline(probability, films):
    """Cells of HEADLINE, from [n, labels] of test and external films."""
    predicted, label, patient = probability.argmax(1), true_classes(films), patients(films)
    test = np.array([film.split == "test" for film in films])
    score, covid = probability[test, 0], label[test] == 0
    return [
        bootstrapped(lambda rows: auc(covid[rows], score[rows]), patient[test], False),
        balanced_accuracy_cell(label[test], predicted[test], patient[test]),
        proportion(predicted[~test] == data.LABELS.index("normal"), patient[~test]),
    ]


def rows(films, label=None, sources=None, split=None, reading=None):
    """Numbers of the films with this label, from these sources, in this split and with this reading; None: any."""
    return np.array(
        [
            i
            for i, film in enumerate(films)
            if label in (None, film.label)
            and reading in (None, film.reading)
            and (sources is None or film.source in sources)
            and (split is None or film.split == split)
        ],
        int,
    )
