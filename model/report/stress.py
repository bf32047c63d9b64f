"""How the released model behaves: changed films, heatmaps, refusals, and the worst mistakes."""
import io
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import rotate
from scipy.stats import spearmanr

from convert.gguf import Q8_0, tensor_places
from report import metrics
from training import data
from training.engine import WEIGHTS, Model, for_each
from training.graph import parse

WHITE, REFUSED = 65535, -2
VERDICTS = {REFUSED: "refused", -1: "uncertain", **dict(enumerate(data.LABELS))}


def sample(films, n):
    """At most n of the films, drawn at random with a fixed seed."""
    return [films[i] for i in np.random.default_rng(1).permutation(len(films))[:n]]


def diagnose(model, film):
    return model.diagnose(Path(film.path).read_bytes())


def corners_covered(film, size=0.12):
    """Covers the corners, where most markers and letters are."""
    h, w = (round(size * side) for side in film.shape)
    out = film.copy()
    for rows in (slice(h), slice(-h, None)):
        out[rows, :w] = out[rows, -w:] = 0
    return out


def cropped(film, size=0.05):
    h, w = (round(size * side) for side in film.shape)
    return film[h:-h, w:-w]


def jpeg(film, quality=60):
    file = io.BytesIO()
    Image.fromarray((film // 257).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def brighter(film, factor):
    return np.minimum(film * factor, WHITE)


def gamma(film, power):
    return WHITE * (film / WHITE) ** power


def rotated(film, degrees):
    return rotate(film, degrees, reshape=False, order=1)


CHANGES = {
    "nothing": lambda film: film,
    "corners covered, 12 % of each side": corners_covered,
    "5 % cropped at each side": cropped,
    "recompressed as JPEG, quality 60": jpeg,
    "15 % brighter, clipped": lambda film: brighter(film, 1.15),
    "15 % darker": lambda film: brighter(film, 0.85),
    "gamma 0.8": lambda film: gamma(film, 0.8),
    "gamma 1.25": lambda film: gamma(film, 1.25),
    "rotated by 5 degrees, left": lambda film: rotated(film, 5),
    "rotated by 5 degrees, right": lambda film: rotated(film, -5),
    "mirrored": lambda film: film[:, ::-1],
}


def perturb(options):
    """The table of `python3 -m report perturb`."""
    films = sample(metrics.whole_frames("test"), options.films or 300)
    patient = metrics.patients(films)

    def changes(model, film):
        before, pixels = diagnose(model, film), model.pixels(film.path)
        return [
            (
                after.verdict != before.verdict,
                after.probability.argmax() != before.probability.argmax(),
                after.verdict == REFUSED and before.verdict != REFUSED,
            )
            for after in (model.diagnose(change(pixels)) for change in CHANGES.values())
        ]

    changed = np.array(for_each(changes, films))
    return [
        {
            "title": f"Answers that change when the film does: {len(films)} films of the test split, drawn at random.",
            "columns": ["change", "other verdict %", "other most probable class %", "newly refused %"],
            "rows": [
                [name, *(metrics.proportion(column, patient) for column in changed[:, i].T)]
                for i, name in enumerate(CHANGES)
            ],
            "note": "A verdict is a label, uncertain or refused. In the first row the film is unchanged, but passed as "
            "pixels like the others instead of as a file.",
        }
    ]


def share_inside(weight, mask):
    """Share of the weight that lies inside the mask."""
    return float((weight * mask).sum() / weight.sum())


def with_patients(values, films):
    """(array of the values that are not None, patients of their films)"""
    kept = [i for i, value in enumerate(values) if value is not None]
    return np.array([values[i] for i in kept]), metrics.patients([films[i] for i in kept])


def mean_cells(values, patient):
    """Cells of the means of [n, columns], with intervals."""
    return [metrics.bootstrapped(lambda rows: column[rows].mean(), patient) for column in values.T]


def localisation():
    """The table of heatmaps inside hand-drawn lungs, compared with the engine's lungs themselves."""
    everything, rows = metrics.whole_frames("val", "test", "external"), []
    for name, origin, splits in (
        ("cohen, validation and test, masks of v7labs", "v7labs", ("val", "test")),
        ("openist, external", "openist", ("external",)),
    ):
        drawn = {path.stem: path for path in (data.home() / "masks" / origin).glob("*.png")}
        films = [
            film
            for film in everything
            if film.split in splits and film.source in ("cohen", "openist") and Path(film.path).stem in drawn
        ]

        def shares(model, film):
            found = diagnose(model, film)
            mask = Image.open(drawn[Path(film.path).stem]).convert("L").resize(found.lungs.shape[::-1], Image.BOX)
            mask = np.asarray(mask) / 255
            pairs = (found.heatmap, found.lungs > 0), (found.heatmap, mask), (found.lungs, mask)
            return [share_inside(*pair) for pair in pairs] if found.heatmap.any() else None

        measured, patient = with_patients(for_each(shares, films), films)
        rows.append([name, len(measured), *mean_cells(measured, patient)])
    return {
        "title": "Share of the heatmap's mass inside the lungs, mean over the films.",
        "columns": [
            "films",
            "n",
            "inside the engine's lungs %",
            "inside drawn lungs %",
            "the engine's lungs inside drawn lungs %",
        ],
        "rows": rows,
        "note": "The heatmap is multiplied by the engine's lungs, so it lies inside them by construction. The drawn "
        "masks therefore measure the outline, not whether the evidence is disease: see the boxes and outlines above.",
    }


SIXTHS = [f"{height} {side}" for height in ("upper", "middle", "lower") for side in ("left", "right")]


def sixths(weight, lungs):
    """[6] shares of the weight in the six parts of the lungs' box: thirds from above, halves from the left."""
    rows, columns = np.flatnonzero((lungs > 0.5).any(1)), np.flatnonzero((lungs > 0.5).any(0))
    box = weight[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    parts = [half.sum() for third in np.array_split(box, 3) for half in np.array_split(third, 2, 1)]
    return np.array(parts) / box.sum()


def distribution():
    """The table of where in the lungs the heatmap lies, for films that were classified correctly."""
    rows = []
    for label in ("covid", "normal"):
        films = [film for film in metrics.whole_frames("test") if film.label == label]

        def shares(model, film):
            found = diagnose(model, film)
            if found.verdict != data.LABELS.index(label) or not found.heatmap.any():
                return None
            return sixths(found.heatmap, found.lungs), sixths(found.lungs, found.lungs)

        measured, patient = with_patients(for_each(shares, films), films)
        for i, what in enumerate(("heatmap", "lungs")):
            rows.append([f"{label}: {what}", len(measured), *mean_cells(measured[:, i], patient)])
    return {
        "title": "Share of the heatmap's mass in each sixth of the lungs' box in percent, and the same for the lungs: "
        "mean over the films of the test split that were classified correctly.",
        "columns": ["films", "n", *SIXTHS],
        "rows": rows,
        "note": "Left and right are those of the image. A heatmap shows evidence for the predicted label.",
    }


def by_depth(lines):
    """Layers with weights in groups, last layers first: those of one group are equally far from the logits."""
    distance, layers = {"logits": 0}, [parse(line) for line in lines]
    for name, _, inputs, _ in reversed(layers):
        for i in inputs:
            if name in distance:
                distance[i] = max(distance.get(i, 0), distance[name] + 1)
    weighted = [name for name, op, *_ in layers if op in ("conv", "depthwise", "dense") and name in distance]
    depths = sorted({distance[name] for name in weighted})
    return [[name for name in weighted if distance[name] == depth] for depth in depths]


def shuffled(weights, layers, random):
    """The file with the weights of these layers in random order; zeros stay in place because they are padding.

    Of int8 layers the biases stay, too: beside the scale of another channel they could overflow."""
    out, places = bytearray(weights), tensor_places(weights)
    names = [f"diagnosis.{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    chosen = [name for name in names if name.endswith("weight") or name.replace("bias", "scale") not in places]
    for start, dtype, count in (places[name] for name in chosen):
        values = np.frombuffer(out, dtype, count, start)
        values = values["values"] if dtype is Q8_0 else values  # the scale of each block stays
        filled = np.nonzero(values)
        values[filled] = random.permutation(values[filled])
    return bytes(out)


def rank_correlation(a, b, lungs):
    """Rank correlation of two heatmaps inside the lungs; NaN if one is flat."""
    inside = lungs > 0.9  # here the mask by which both are multiplied is nearly constant
    if inside.sum() < 2 or min(np.ptp(a[inside]), np.ptp(b[inside])) == 0:
        return np.nan
    return spearmanr(a[inside], b[inside]).correlation


def randomised(n):
    """The table of heatmaps of ever more random weights, compared with the released model's (Adebayo et al., 2018)."""
    films, weights, random = sample(metrics.whole_frames("test"), n), WEIGHTS.read_bytes(), np.random.default_rng(1)
    patient, original, done, rows = metrics.patients(films), for_each(diagnose, films), 0, []
    for layers in by_depth(Model(weights).lines()):
        weights, done = shuffled(weights, layers, random), done + len(layers)
        heatmaps = for_each(lambda model, film: diagnose(model, film).heatmap, films, weights)
        correlation = np.array([rank_correlation(a.heatmap, b, a.lungs) for a, b in zip(original, heatmaps)])
        defined = ~np.isnan(correlation)
        values = correlation[defined]
        cell = metrics.bootstrapped(lambda rows: values[rows].mean(), patient[defined], False) if len(values) else "-"
        rows.append([", ".join(layers), done, len(values), cell])
    return {
        "title": "Rank correlation with the released model's heatmap, inside the lungs, as layers are randomised one "
        f"after the other from the last on: {len(films)} films of the test split. It should fall.",
        "columns": ["randomised in this row, too", "randomised layers", "films", "rank correlation"],
        "rows": rows,
        "note": "Randomised means that the layer's weights change places. Films whose heatmap is flat are left out.",
    }


def heatmap(options):
    """The tables of `python3 -m report heatmap`."""
    return [localisation(), distribution(), randomised(options.films or 100)]


def made_invalid(film, number):
    """{what: the film altered so that the engine should refuse it}"""
    h, w = film.shape
    quarter = film[number % 2 * (h // 2) :, number // 2 % 2 * (w // 2) :][: h // 2, : w // 2]
    return {
        "upside down": film[::-1, ::-1],
        "rotated by 90 degrees": np.rot90(film, 1 + 2 * (number % 2)),
        "inverted grey levels": WHITE - film,
        "one quarter of the film": quarter,
        "noise": np.random.default_rng(number).integers(WHITE, size=film.shape),
        "blank": np.full_like(film, WHITE // 2),
    }


class Outcome(NamedTuple):
    gate: str  # the reason for refusing, else ""
    verdict: int
    patient: str


def listed(counts):
    return ", ".join(f"{name} {n}" for name, n in counts.most_common()) or "-"


def refusal_row(name, outcomes):
    refused = np.array([outcome.gate != "" for outcome in outcomes])
    return [
        name,
        len(outcomes),
        metrics.proportion(refused, [outcome.patient for outcome in outcomes]),
        listed(Counter(outcome.gate for outcome in outcomes if outcome.gate)),
        listed(Counter(VERDICTS[outcome.verdict] for outcome in outcomes if not outcome.gate)),
    ]


def refusal_table(title, kind, grouped):
    """A row for all outcomes and one per group; grouped is [(group, Outcome)]."""
    rows = [refusal_row("all", [outcome for _, outcome in grouped])]
    for group in sorted({group for group, _ in grouped}):
        rows.append(refusal_row(group, [outcome for own, outcome in grouped if own == group]))
    return {"title": title, "columns": [kind, "n", "refused %", "reasons", "not refused"], "rows": rows}


def outcome_of_file(model, file):
    """(gate, verdict) of a path."""
    try:
        found = model.diagnose(Path(file).read_bytes())
    except ValueError:  # the engine cannot read the picture, so it gives no answer either
        return "unreadable", REFUSED
    return found.gate, found.verdict


def refusal(options):
    """The tables of `python3 -m report refusal`."""
    pictures = [row for _, row in data.rows(data.home() / "ood" / "manifest.csv")]
    outcomes = for_each(outcome_of_file, [data.home() / "ood" / row["file"] for row in pictures])
    other = [(row["kind"], Outcome(*found, row["file"])) for row, found in zip(pictures, outcomes)]
    films = metrics.whole_frames("test", "external")
    outcomes = for_each(outcome_of_file, [film.path for film in films])
    valid = [(film.source, Outcome(*found, film.patient)) for film, found in zip(films, outcomes)]
    chosen = sample(metrics.whole_frames("test"), options.films or 100)

    def outcomes_of_invalid(model, numbered):
        number, film = numbered
        altered = {what: model.diagnose(one) for what, one in made_invalid(model.pixels(film.path), number).items()}
        return {what: Outcome(found.gate, found.verdict, film.patient) for what, found in altered.items()}

    invalid = for_each(outcomes_of_invalid, list(enumerate(chosen)))
    return [
        refusal_table("Pictures that are not frontal chest films. They were used for this test only.", "kind", other),
        {
            "title": f"Films altered so that they should be refused, from {len(chosen)} films of the test split.",
            "columns": ["alteration", "n", "refused %", "reasons", "not refused"],
            "rows": [refusal_row(what, [found[what] for found in invalid]) for what in invalid[0]],
        },
        refusal_table("Valid films: whole frames of the test split and external ones.", "source", valid),
    ]


def mistakes(options):
    """The table of `python3 -m report mistakes`; it shows no images, only what the manifest says about the films."""
    films = metrics.whole_frames("test")
    found = for_each(diagnose, films)
    wrong = [
        (film, diagnosis)
        for film, diagnosis in zip(films, found)
        if diagnosis.verdict >= 0 and data.LABELS[diagnosis.verdict] != film.label
    ]
    worst = sorted(wrong, key=lambda pair: -pair[1].probability.max())[: options.films or 10]

    def row(film, diagnosis):
        file = Path(film.path).relative_to(data.home())
        probability = (f"{p:.3f}" for p in diagnosis.probability)
        return [str(file), film.source, film.label, VERDICTS[diagnosis.verdict], *probability]

    return [
        {
            "title": f"The {len(worst)} most confident of {len(wrong)} wrong verdicts on {len(films):,} films of the "
            "test split.",
            "columns": ["file", "source", "truth", "verdict", *data.LABELS],
            "rows": [row(*pair) for pair in worst],
        }
    ]
