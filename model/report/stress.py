"""How the shipped weights behave: changed films, heatmaps, refusals, and the worst mistakes."""
import io
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import rotate
from scipy.stats import rankdata

from training import data
from report import metrics
from training.engine import WEIGHTS, Model, each
from convert.gguf import Q8_0, tensor_places
from training.graph import parse

WHITE = 65535
NAMES = {-2: "refused", -1: "uncertain", **dict(enumerate(data.LABELS))}


def sample(films, n):
    """At most n of the films, drawn at random but always the same."""
    return [films[i] for i in np.random.default_rng(1).permutation(len(films))[:n]]


def bytes_of(film):
    return Path(film.path).read_bytes()


def diagnose(model, film):
    return model.diagnose(bytes_of(film))


def corners(film, size=0.12):
    """Markers and letters mostly stand there."""
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


def turned(film, degrees):
    return rotate(film, degrees, reshape=False, order=1)


CHANGES = {
    "nothing": lambda film: film,
    "corners covered, 12 % of each side": corners,
    "5 % cropped at each side": cropped,
    "JPEG again, quality 60": jpeg,
    "15 % brighter, clipped": lambda film: brighter(film, 1.15),
    "15 % darker": lambda film: brighter(film, 0.85),
    "gamma 0.8": lambda film: gamma(film, 0.8),
    "gamma 1.25": lambda film: gamma(film, 1.25),
    "turned by 5 degrees, left": lambda film: turned(film, 5),
    "turned by 5 degrees, right": lambda film: turned(film, -5),
    "mirrored": lambda film: film[:, ::-1],
}


def perturb(options):
    """The table of `report.py perturb`."""
    films = sample(metrics.whole_frames("test"), options.films or 300)
    patient = metrics.patients(films)

    def ask(model, film):
        before, greys = diagnose(model, film), model.greys(film.path)
        after = [model.diagnose(change(greys)) for change in CHANGES.values()]
        return [
            (
                now.verdict != before.verdict,
                now.probability.argmax() != before.probability.argmax(),
                now.verdict == -2 and before.verdict != -2,
            )
            for now in after
        ]

    changed = np.array(each(ask, films))
    return [
        {
            "title": f"Answers that change with the film: {len(films)} films of the test split, drawn at random.",
            "columns": ["change", "another verdict %", "another largest probability %", "newly refused %"],
            "rows": [
                [name, *(metrics.share(column, patient) for column in changed[:, i].T)]
                for i, name in enumerate(CHANGES)
            ],
            "note": "A verdict is a label, uncertain or refused. Unchanged films go the way of the changed ones, from greys instead of a file.",
        }
    ]


def within(weight, mask):
    """Share of the weight that lies in the mask."""
    return float((weight * mask).sum() / weight.sum())


def localisation():
    """Rows: heatmaps inside hand-drawn lungs, beside the engine's lungs themselves."""
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

        def ask(model, film):
            found = diagnose(model, film)
            side = len(found.lungs)
            mask = Image.open(drawn[Path(film.path).stem]).convert("L").resize((side, side), Image.BOX)
            mask = np.asarray(mask) / 255
            return (
                [within(found.heatmap, found.lungs > 0), within(found.heatmap, mask), within(found.lungs, mask)]
                if found.heatmap.any()
                else None
            )

        found = each(ask, films)
        shares, patient = np.array([row for row in found if row]), metrics.patients(
            [film for film, row in zip(films, found) if row]
        )
        rows.append(
            [name, len(shares), *(metrics.clustered(lambda rows: column[rows].mean(), patient) for column in shares.T)]
        )
    return {
        "title": "Share of the heatmap's mass inside the lungs, mean over the films.",
        "columns": [
            "films",
            "n",
            "inside the engine's lungs %",
            "inside drawn lungs %",
            "of the engine's lungs themselves inside drawn lungs %",
        ],
        "rows": rows,
        "note": "Inside the engine's lungs by construction: the heatmap is multiplied by them. So the drawn masks tell of the outline, "
        "not of whether the evidence is disease; no drawn findings are at hand.",
    }


SIXTHS = [f"{height} {side}" for height in ("upper", "middle", "lower") for side in ("left", "right")]


def sixths(weight, lungs):
    """[6] shares of the weight in thirds and halves of the lungs' box."""
    rows, columns = np.flatnonzero((lungs > 0.5).any(1)), np.flatnonzero((lungs > 0.5).any(0))
    box = weight[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (
        np.array([half.sum() for third in np.array_split(box, 3) for half in np.array_split(third, 2, 1)]) / box.sum()
    )


def places():
    """Rows: where in the lungs the evidence lies, of films rightly called."""
    rows = []
    for label in ("covid", "normal"):
        films = [film for film in metrics.whole_frames("test") if film.label == label]

        def ask(model, film):
            found = diagnose(model, film)
            if found.verdict != data.LABELS.index(label) or not found.heatmap.any():
                return None
            return sixths(found.heatmap, found.lungs), sixths(found.lungs, found.lungs)

        found = each(ask, films)
        patient = metrics.patients([film for film, row in zip(films, found) if row])
        both = np.array([row for row in found if row])
        for what, shares in (("heatmap", both[:, 0]), ("lungs", both[:, 1])):
            rows.append(
                [
                    f"{label}: {what}",
                    len(shares),
                    *(metrics.clustered(lambda rows: column[rows].mean(), patient) for column in shares.T),
                ]
            )
    return {
        "title": "Share of the heatmap's mass in each sixth of the lungs' box, in percent, mean over the films of the test split that are "
        "rightly called; beside it, that of the lungs.",
        "columns": ["films", "n", *SIXTHS],
        "rows": rows,
        "note": "Left and right of the picture. A heatmap shows evidence for the label that was called.",
    }


def depths(lines):
    """[[layer]] with weights, from the last on: all of one list are equally far from the logits."""
    far = {"logits": 0}
    for name, _, inputs, _ in reversed([parse(line) for line in lines]):
        for i in inputs:
            if name in far:
                far[i] = max(far.get(i, 0), far[name] + 1)
    weighted = [name for name, op, *_ in map(parse, lines) if op in ("conv", "depthwise", "dense") and name in far]
    return [[name for name in weighted if far[name] == depth] for depth in sorted({far[name] for name in weighted})]


def shuffled(weights, layers, random):
    """The weights, those of these layers in random places; zeros stay, for they are padding."""
    out, known = bytearray(weights), tensor_places(weights)
    for start, dtype, count in (known[f"diagnosis.{layer}.{part}"] for layer in layers for part in ("weight", "bias")):
        values = np.frombuffer(out, dtype, count, start)
        values = values["values"] if dtype is Q8_0 else values  # each block's scale stays
        filled = np.nonzero(values)
        values[filled] = random.permutation(values[filled])
    return bytes(out)


def likeness(a, b, lungs):
    """Rank correlation of two heatmaps inside the lungs; NaN where one is flat."""
    inside = lungs > 0.9  # where the mask, which both are multiplied by, is even
    if inside.sum() < 2 or min(np.ptp(a[inside]), np.ptp(b[inside])) == 0:
        return np.nan
    return np.corrcoef(rankdata(a[inside]), rankdata(b[inside]))[0, 1]


def randomised(n):
    """Rows: heatmaps of ever more random weights beside the shipped ones' (Adebayo et al., 2018)."""
    films, weights, random = sample(metrics.whole_frames("test"), n), WEIGHTS.read_bytes(), np.random.default_rng(1)
    shipped, done, rows = each(diagnose, films), 0, []
    for layers in depths(Model(weights).lines()):
        weights, done = shuffled(weights, layers, random), done + len(layers)
        found = each(lambda model, film: diagnose(model, film).heatmap, films, weights)
        like = np.array([likeness(a.heatmap, b, a.lungs) for a, b in zip(shipped, found)])
        known = ~np.isnan(like)
        rows.append(
            [
                ", ".join(layers),
                done,
                int(known.sum()),
                metrics.clustered(lambda rows: like[known][rows].mean(), metrics.patients(films)[known], False)
                if known.any()
                else "-",
            ]
        )
    return {
        "title": f"Rank correlation with the shipped weights' heatmap, inside the lungs, as layers become random from the last on: {len(films)} "
        "films of the test split. It has to fall.",
        "columns": ["random, too", "random layers", "films", "rank correlation"],
        "rows": rows,
        "note": "A layer's weights change places with each other. Films whose heatmap is flat are left out.",
    }


def heatmap(options):
    """The tables of `report.py heatmap`."""
    return [localisation(), places(), randomised(options.films or 100)]


def strange(film, number):
    """{what: film made strange on purpose}."""
    h, w = film.shape
    quarter = film[number % 2 * (h // 2) :, number // 2 % 2 * (w // 2) :][: h // 2, : w // 2]
    return {
        "upside down": film[::-1, ::-1],
        "lying on a side": np.rot90(film, 1 + 2 * (number % 2)),
        "inverted greys": WHITE - film,
        "a quarter of the film": quarter,
        "noise": np.random.default_rng(number).integers(WHITE, size=film.shape),
        "blank": np.full_like(film, WHITE // 2),
    }


def reasons(gates):
    return ", ".join(f"{gate} {n}" for gate, n in Counter(filter(None, gates)).most_common()) or "-"


def refusals(name, found):
    """A row from gates, verdicts and patients [(gate, verdict, patient)]."""
    gates, verdicts, patient = zip(*found)
    others = Counter(NAMES[verdict] for gate, verdict in zip(gates, verdicts) if not gate)
    return [
        name,
        len(found),
        metrics.share(np.array(gates) != "", patient),
        reasons(gates),
        ", ".join(f"{n} {k}" for n, k in others.most_common()) or "-",
    ]


def refusal(options):
    """The tables of `report.py refusal`."""

    def ask(model, path):
        try:
            found = model.diagnose(Path(path).read_bytes())
        except ValueError:  # no picture that the engine reads: nothing is answered either
            return "unreadable", -2
        return found.gate, found.verdict

    columns = ["n", "refused %", "why", "not refused"]
    other = data.rows(data.home() / "ood" / "manifest.csv")
    found = each(ask, [data.home() / "ood" / row["file"] for row in other])
    found = [(*f, row["file"]) for f, row in zip(found, other)]
    kinds = {
        kind: [f for f, row in zip(found, other) if row["kind"] == kind]
        for kind in sorted({row["kind"] for row in other})
    }
    films = metrics.whole_frames("test", "external")
    found_good = each(ask, [film.path for film in films])
    found_good = [(*f, film.patient) for f, film in zip(found_good, films)]
    good = {
        source: [f for f, film in zip(found_good, films) if film.source == source]
        for source in sorted({film.source for film in films})
    }
    chosen = sample(metrics.whole_frames("test"), options.films or 100)

    def ask_strange(model, numbered):
        number, film = numbered
        diagnoses = {what: model.diagnose(altered) for what, altered in strange(model.greys(film.path), number).items()}
        return {what: (diagnosis.gate, diagnosis.verdict, film.patient) for what, diagnosis in diagnoses.items()}

    made = each(ask_strange, list(enumerate(chosen)))
    return [
        {
            "title": "Pictures that are no frontal chest films (test only: nothing was set by them).",
            "columns": ["kind", *columns],
            "rows": [refusals("all", found)] + [refusals(*item) for item in kinds.items()],
        },
        {
            "title": f"Films made strange on purpose, from {len(chosen)} films of the test split.",
            "columns": ["film", *columns],
            "rows": [refusals(what, [f[what] for f in made]) for what in made[0]],
        },
        {
            "title": "Good films, whole frames: test split and external.",
            "columns": ["source", *columns],
            "rows": [refusals("all", found_good)] + [refusals(*item) for item in good.items()],
        },
    ]


def mistakes(options):
    """The table of `report.py mistakes`: only what the manifest says of a film, no picture."""
    films = metrics.whole_frames("test")
    found = each(lambda model, film: diagnose(model, film)[:2], films)
    wrong = [(film, *f) for film, f in zip(films, found) if f[0] >= 0 and data.LABELS[f[0]] != film.label]
    worst = sorted(wrong, key=lambda row: -row[2].max())[: options.films or 10]
    return [
        {
            "title": f"The {len(worst)} most confident of {len(wrong)} wrong verdicts on {len(films):,} films of the test split.",
            "columns": ["file", "source", "truth", "called", *data.LABELS],
            "rows": [
                [
                    str(Path(film.path).relative_to(data.home())),
                    film.source,
                    film.label,
                    NAMES[verdict],
                    *(f"{p:.3f}" for p in probability),
                ]
                for film, verdict, probability in worst
            ],
        }
    ]
