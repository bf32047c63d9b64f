"""The evaluation beyond `pleura evaluate`: cd model && python3 -m report [SECTION]. Without a section it runs all of
them.

A section writes build/model/report/SECTION.json, a list of tables: title, columns, rows, commands, the hash of the
weights, and perhaps a note. `compose` writes model/report.md from all of these files. What stands there from "Large
networks" on is written by hand, and compose keeps it.
"""
import argparse
import hashlib
import itertools
import json
import time

from report import baselines
from report import boxes
from report import controls
from report import networks
from report import readings
from report import stress
from training.engine import ROOT, WEIGHTS
from training.fit import BUILD, start

SECTIONS = {
    "readings": ("Radiologists' readings, and disease that was not in training", readings.section),
    "boxes": ("The opacity map against radiologists' boxes", boxes.section),
    "controls": ("Controls: films without lungs", controls.section),
    "source": ("Recognising the source of a film", controls.sources),
    "baselines": ("Baselines", baselines.section),
    "perturb": ("Perturbations", stress.perturb),
    "heatmap": ("Heatmaps", stress.heatmap),
    "refusal": ("Refusal", stress.refusal),
    "mistakes": ("The worst mistakes", stress.mistakes),
    "leave-out": ("Left-out sources", networks.left_out),
    "seeds": ("Seeds", networks.seeds),
}
FOLDER, OUT = BUILD / "report", ROOT / "model" / "report.md"
PYTHON = "cd model && /usr/bin/python3"
BY_HAND = "\n## Large networks\n"
HEAD = """# What `pleura evaluate` does not show

`make model-report` writes this page, except for its last section. The commands above a table repeat its measurement;
`{python} -m report compose` then updates the page. Weights: `{weights}`. Brackets contain 95 %
intervals: for AUC, balanced accuracy and means from a bootstrap over patients, for shares Wilson's interval with as
many cases as patients. A film whose patient is unknown counts as a patient of its own. [card.md](card.md) describes the
sources and says what all of this means. For research and teaching, not a medical device.
"""


def weights_name():
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]


def line(row):
    return "| " + " | ".join(map(str, row)) + " |"


def markdown(table):
    """Lines of one table; columns of numbers are aligned to the right."""
    right = [
        "---:" if any(str(cell).lstrip("+-")[:1].isdigit() for cell in column) else "---"
        for column in list(zip(*table["rows"]))[1:]
    ]
    old = table["weights"] not in (None, weights_name())
    return [
        "",
        *([f"**Measured with other weights than those of this repository: `{table['weights']}`.**", ""] if old else []),
        table["title"],
        "",
        line(table["columns"]),
        "|" + "|".join(["---", *right]) + "|",
        *map(line, table["rows"]),
        *(["", table["note"]] if table.get("note") else []),
    ]


def earlier_sections():
    """The lines of each section of the page, by its title; none where the page is about other weights."""
    text, _, _ = OUT.read_text().partition(BY_HAND)
    if f"Weights: `{weights_name()}`" not in text:
        return {}
    return {title: lines for title, *lines in (part.rstrip().split("\n") for part in text.split("\n## ")[1:])}


def section_lines(name, title, earlier):
    """Lines of one section: the commands above the tables that they make. A section that was not run here keeps what
    the page says."""
    path, lines = FOLDER / f"{name}.json", ["", f"## {title}"]
    tables = json.loads(path.read_text()) if path.exists() else []
    if not tables and title in earlier:
        return lines + earlier[title]
    if not tables:
        lines += ["", f"Not measured yet: run `{PYTHON} -m report {name}`."]
    for commands, group in itertools.groupby(tables, lambda table: table["commands"]):
        lines += ["", *(f"    {PYTHON} {command}" for command in commands)]
        for table in group:
            lines += markdown(table)
    return lines


def compose():
    """Writes model/report.md from the sections that have been run, and keeps the part that is written by hand."""
    head = HEAD.format(python=PYTHON, weights=weights_name()).splitlines()
    earlier = earlier_sections()
    lines = [text for name, (title, _) in SECTIONS.items() for text in section_lines(name, title, earlier)]
    _, heading, by_hand = OUT.read_text().partition(BY_HAND)
    OUT.write_text("\n".join([*head, *lines]) + "\n" + heading + by_hand)
    print(OUT)


def run(name, options):
    began = time.time()
    start(1)
    given = "".join(f" --{key} {value}" for key, value in vars(options).items() if value and key != "section")
    command = f"-m report {name}{given}"
    tables = [
        {"weights": weights_name(), **table, "commands": [*table.get("commands", []), command]}
        for table in SECTIONS[name][1](options)
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(tables, indent=1))
    print(*(text for table in tables for text in markdown(table)), "", sep="\n")
    print(f"{name}: {time.time() - began:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("section", nargs="?", choices=[*SECTIONS, "compose"])
    parser.add_argument("--films", type=int, help="how many films to draw, in sections that do not use all")
    parser.add_argument("--steps", type=int, help="optimizer steps of each network that the section trains")
    options = parser.parse_args()
    for name in [options.section] if options.section else SECTIONS:
        if name != "compose":
            run(name, options)
    if options.section in (None, "compose"):
        compose()


if __name__ == "__main__":
    main()
