"""few_films.py DATA OUT: writes a data folder that holds a few films of each source, label and split of another one."""
import csv
import sys
from collections import Counter
from pathlib import Path

FEW = 4
data, out = map(Path, sys.argv[1:])


def copied(table, kept):
    """Writes the rows of a table for which kept(row) is true, and returns them."""
    with open(data / table, newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if kept(row)]
    (out / table).parent.mkdir(parents=True, exist_ok=True)
    with open(out / table, "w", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames)
        writer.writeheader()
        writer.writerows(rows)
    return rows


seen = Counter()
outlined = {path.stem for path in (data / "masks" / "v7labs").glob("*.png")}


def is_one_of_few(row):
    kind = row["source"], row["label"], row.get("reading"), row["split"], Path(row["file"]).stem in outlined
    seen[kind] += 1
    return seen[kind] <= FEW


chosen = set()
for folder in ("", "lungs_only", "more"):
    for row in copied(Path(folder) / "manifest.csv", is_one_of_few):
        film = Path(folder) / row["file"]
        chosen.add(row["file"])
        (out / film).parent.mkdir(parents=True, exist_ok=True)
        (out / film).symlink_to((data / film).resolve())
for table in ("readings.csv", "boxes.csv"):
    copied(table, lambda row: row["file"].removeprefix("more/") in chosen)
for folder in ("masks", "pretrained"):
    (out / folder).symlink_to((data / folder).resolve())
print(len(chosen))
