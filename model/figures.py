"""Figures with 95 % intervals, and the films that they are of: what every section of the report shares."""
import numpy as np

import data
import train

ROUNDS = 1000
Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def whole_frames(*splits):
    """The labelled films of these splits, but for those whose surroundings are black already."""
    return [film for film in train.labelled() if film.split in splits and film.source != "rsna_lungonly"]


def truth(films):
    return np.array([data.LABELS.index(film.label) for film in films])


def patients(films):
    return np.array([film.patient for film in films])


def sets(films):
    """Whom the figures of headline() are of."""
    test = [film for film in films if film.split == "test"]
    return (f"{len(test):,} whole frames of {len(set(patients(test))):,} patients of the test split; "
            f"{sum(film.split == 'external' for film in films)} external normals, by largest probability")


def shown(figure, low, high, percent):
    if np.isnan(figure):
        return "-"
    scale, digits = (100, 1) if percent else (1, 3)
    return f"{scale * figure:.{digits}f} ({scale * low:.{digits}f}-{scale * high:.{digits}f})"


def share(hits):
    """A share of films in percent, with Wilson's interval."""
    n, p = len(hits), np.mean(hits) if len(hits) else np.nan
    if not n:
        return "-"
    centre, spread = p + Z * Z / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = ((centre + side * spread) / (1 + Z * Z / n) for side in (-1, 1))
    return shown(p, max(low, 0), min(high, 1), True)


def clustered(figure, patient, percent=True):
    """figure(rows) of all rows, with an interval from a bootstrap over patients."""
    order = np.argsort(patient, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(np.unique(patient, return_inverse=True)[1][order])) + 1)
    random = np.random.default_rng(1)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may lack a class
        draws = [figure(np.concatenate([groups[i] for i in random.integers(len(groups), size=len(groups))])) for _ in range(ROUNDS)]
        return shown(figure(order), *np.nanquantile(draws, [0.025, 0.975]), percent)


def balanced(label, called):
    """Mean over the classes that occur of the share called rightly."""
    return np.mean([np.mean(called[label == c] == c) for c in np.unique(label)])


HEADLINE = ["COVID AUC", "balanced accuracy %", "external normals called normal %"]


def headline(probability, films):
    """Cells of HEADLINE, from [n, 3] of test and external films."""
    called, label = probability.argmax(1), truth(films)
    test = np.array([film.split == "test" for film in films])
    score, covid = probability[test, 0], label[test] == 0
    return [clustered(lambda rows: train.auc(score[rows][covid[rows]], score[rows][~covid[rows]]), patients(films)[test], False),
            clustered(lambda rows: balanced(label[test][rows], called[test][rows]), patients(films)[test]),
            share(called[~test] == data.LABELS.index("normal"))]
