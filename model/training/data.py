"""The films of all public sources, with labels, patients and splits.

`python3 -m training.data` prints the sources, a table of counts, and checks that no patient or film is in two splits.
"""
import csv
import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

ROOT = Path(__file__).resolve().parent.parent.parent
LABELS = ("covid", "pneumonia", "normal")

# Folds of the evaluation on unseen hospitals. Sources that share patients or hospitals are left out together.
FOLDS = {
    "cohen": ("cohen",),
    "hannover": ("hannover",),
    "cxnet": ("cxnet",),
    "bimcv": ("bimcv_radiodb", "webmix_radiodb"),
    "nih": ("nih", "rsna_radiodb", "rsna_lungonly"),
    "kermany": ("kermany",),
}

SOURCES = """\
Public sources. Pleura contains none of their images. Arrange them in one folder with manifest.csv (columns file, label,
patient_id, source, view, age, split, sha256, dhash ...), images/<source>/, masks/<origin>/ (same stem as the image) and
lungs_only/ with a manifest of its own, and set PLEURA_DATA to that folder.
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
  masks            v7labs (github.com/v7labs/covid-19-xray-dataset), lungVAE (github.com/raghavian/lungVAE)"""


class Film(NamedTuple):
    path: str
    label: str
    source: str
    patient: str
    split: str
    view: str
    sha256: str
    dhash: str

    @property
    def child(self):
        return self.source == "kermany"


def home():
    """The data folder: PLEURA_DATA, or ../shared/data beside the repository."""
    return Path(os.environ.get("PLEURA_DATA") or ROOT.parent / "shared" / "data")


def read_csv(path):
    """The rows of a CSV file as dictionaries."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def films():
    """Every film of both manifests, in order."""
    kept, out = ("label", "source", "patient_id", "split", "view", "sha256"), []
    for folder in (home(), home() / "lungs_only"):
        out += [
            Film(str(folder / r["file"]), *(r[key] for key in kept), r.get("dhash", ""))
            for r in read_csv(folder / "manifest.csv")
        ]
    return out


def labelled():
    """The films of the three classes, in the order of the manifests."""
    return [film for film in films() if film.label in LABELS]


def manifest_hash():
    """SHA-256 over both manifests: identifies the data that a model was trained on."""
    digest = hashlib.sha256()
    for folder in (home(), home() / "lungs_only"):
        digest.update((folder / "manifest.csv").read_bytes())
    return digest.hexdigest()


def splits_hash():
    """SHA-256 over the hash and split of each film: identifies the splits that a model was trained on."""
    lines = sorted(f"{film.sha256} {film.split}\n" for film in films())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


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


def main():
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
