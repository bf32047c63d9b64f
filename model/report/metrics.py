"""Figures with 95 % intervals, and the films that they are of: what every section of the report shares."""
import numpy as np
from scipy.stats import rankdata

from training import data

ROUNDS, FEWEST = 1000, 10
Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def whole_frames(*splits):
    """The labelled films of these splits, but for those whose surroundings are black already."""
    return [film for film in data.labelled() if film.split in splits and film.source != "rsna_lungonly"]


def truth(films):
    return np.array([data.LABELS.index(film.label) for film in films])


def patients(films):
    return np.array([film.patient for film in films])


def sets(films):
    """Whom the figures of headline() are of."""
    test = [film for film in films if film.split == "test"]
    return (
        f"{len(test):,} whole frames of {len(set(patients(test))):,} patients of the test split; "
        f"{sum(film.split == 'external' for film in films)} external normals, by largest probability"
    )


def shown(figure, low, high, percent):
    if np.isnan(figure):
        return "-"
    scale, digits = (100, 1) if percent else (1, 3)
    return f"{scale * figure:.{digits}f} ({scale * low:.{digits}f}-{scale * high:.{digits}f})"


def change(figure, low, high, percent):
    scale, digits = (100, 1) if percent else (1, 3)
    return f"{scale * figure:+.{digits}f} ({scale * low:+.{digits}f} to {scale * high:+.{digits}f})"


def share(hits, patient):
    """A share of films in percent, with Wilson's interval: the films of one patient are alike, and count as one case."""
    n, p = len(set(patient)), np.mean(hits) if len(hits) else np.nan
    if not n:
        return "-"
    centre, spread = p + Z * Z / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = ((centre + side * spread) / (1 + Z * Z / n) for side in (-1, 1))
    return shown(p, max(low, 0), min(high, 1), True)


def clustered(figure, patient, percent=True, show=shown):
    """figure(rows) of all rows, with an interval from a bootstrap over patients."""
    order = np.argsort(patient, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(np.unique(patient, return_inverse=True)[1][order])) + 1)
    random = np.random.default_rng(1)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may lack a class
        draws = [
            figure(np.concatenate([groups[i] for i in random.integers(len(groups), size=len(groups))]))
            for _ in range(ROUNDS)
        ]
        return show(figure(order), *np.nanquantile(draws, [0.025, 0.975]), percent)


def auc(positive, negative):
    """Share of pairs in the right order, ties half."""
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return (ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))


def area(score, films, positive, negative):
    """AUC of the scores [n] between two sets of rows; a dash where one has fewer than FEWEST films."""
    if min(len(positive), len(negative)) < FEWEST:
        return "-"
    rows = np.concatenate([positive, negative])
    yes, score = np.arange(len(rows)) < len(positive), score[rows]
    return clustered(lambda r: auc(score[r][yes[r]], score[r][~yes[r]]), patients(films)[rows], False)


def balanced(label, called):
    """Mean over the classes that occur of the share called rightly."""
    return np.mean([np.mean(called[label == c] == c) for c in np.unique(label)])


HEADLINE = ["COVID AUC", "balanced accuracy %", "external normals called normal %"]


def headline(probability, films):
    """Cells of HEADLINE, from [n, 3] of test and external films."""
    called, label, patient = probability.argmax(1), truth(films), patients(films)
    test = np.array([film.split == "test" for film in films])
    score, covid = probability[test, 0], label[test] == 0
    return [
        clustered(lambda rows: auc(score[rows][covid[rows]], score[rows][~covid[rows]]), patient[test], False),
        clustered(lambda rows: balanced(label[test][rows], called[test][rows]), patient[test]),
        share(called[~test] == data.LABELS.index("normal"), patient[~test]),
    ]


def rows(films, label, sources=None, split=None):
    return np.array(
        [
            i
            for i, film in enumerate(films)
            if film.label == label
            and (sources is None or film.source in sources)
            and (split is None or film.split == split)
        ],
        int,
    )


def covid_not_pneumonia(probability):
    return probability[:, 0] / (probability[:, 0] + probability[:, 1])


def unseen(films, probability, out):
    """{column: cell} of a network trained without the sources `out`: both sides of every figure are new to it."""
    covid, external = rows(films, "covid", out), rows(films, "normal", split="external")
    called, patient = probability.argmax(1), patients(films)
    pneumonia, normal = (
        rows(films, label, out[:1]) for label in data.LABELS[1:]
    )  # one source: no other has both alike
    return {
        "covid films": len(covid),
        "AUC covid, external normals": area(probability[:, 0], films, covid, external),
        "the same by 1 - P(normal)": area(1 - probability[:, 2], films, covid, external),
        "covid called covid %": share(called[covid] == 0, patient[covid]),
        "AUC pneumonia, own normals": area(probability[:, 1], films, pneumonia, normal),
        "AUC covid, own pneumonia": area(covid_not_pneumonia(probability), films, covid, pneumonia),
        "external normals called normal %": share(called[external] == 2, patient[external]),
    }


def known(films, probability):
    """{column: cell} of a network on the test split, whose sources it knows, and on the external normals."""
    judged = np.array([i for i, film in enumerate(films) if film.split == "external" or film.source != "rsna_lungonly"])
    of = lambda label, source: rows(films, label, [source], "test")
    return {
        **dict(zip(HEADLINE, headline(probability[judged], [films[i] for i in judged]))),
        "AUC covid, cohen pneumonia": area(
            covid_not_pneumonia(probability), films, of("covid", "cohen"), of("pneumonia", "cohen")
        ),
        "AUC pneumonia, nih normals": area(probability[:, 1], films, of("pneumonia", "nih"), of("normal", "nih")),
    }
