"""The evaluation beyond `pleura evaluate`: cd model && python3 -m report [SECTION]; without one, all sections and model/report.md.

A section writes build/model/report/SECTION.json, a list of tables: title, columns, rows, command, perhaps a note and the
hash of the weights. model/training/train.py and model/report/ceiling_report.py write such tables, too; `compose` makes model/report.md of all there are.
"""
import argparse
import hashlib
import itertools
import json
import time

from report import baselines
from report import controls
from report import stress
from training import train
from training.engine import ROOT, WEIGHTS

SECTIONS = {
    "controls": ("Controls: films without lungs", controls.section),
    "source": ("Which source a film comes from", controls.sources),
    "baselines": ("Baselines", baselines.section),
    "perturb": ("Perturbations", stress.perturb),
    "heatmap": ("Heatmaps", stress.heatmap),
    "refusal": ("Refusal", stress.refusal),
    "mistakes": ("The worst mistakes", stress.mistakes),
}
TRAINED = {
    "leave-out": ("Sources left out", "leave-out-*.json", "-m training.train"),
    "seeds": ("Seeds", "seed-*.json", "-m training.train"),
    "ceiling": ("The ceiling: large networks", "ceiling.json", "-m report.ceiling"),
}
FOLDER, OUT = train.BUILD / "report", ROOT / "model" / "report.md"
HEAD = """# What `pleura evaluate` does not show

Written by `make model-report`. Every table stands under the command that measures it; `cd model && /usr/bin/python3 -m report compose` then
renews this page. Weights `{weights}`. In brackets: 95 % intervals, of AUC, balanced accuracy and means from a bootstrap over patients,
of shares Wilson's with as many cases as patients. A film whose patient is unknown counts as a patient of its own. What the sources
are, and what all of this means, is in [card.md](card.md). For research and teaching, not a medical device.
"""


def weights_name():
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]


def cells(row):
    return "| " + " | ".join(map(str, row)) + " |"


def markdown(table):
    """Lines of one table."""
    right = [
        "---:" if any(str(cell).lstrip("+-")[:1].isdigit() for cell in column) else "---"
        for column in list(zip(*table["rows"]))[1:]
    ]
    of = table.get("weights", weights_name())
    other = [] if of == weights_name() else [f"**Of other weights than those shipped: `{of}`.**", ""]
    return [
        "",
        *other,
        table["title"],
        "",
        cells(table["columns"]),
        "|" + "|".join(["---", *right]) + "|",
        *map(cells, table["rows"]),
        *(["", table["note"]] if table.get("note") else []),
    ]


def shell(commands):
    return ["", *(f"    {command}" for command in dict.fromkeys(commands))]


def loaded(path):
    tables = json.loads(path.read_text())
    return tables if isinstance(tables, list) else [tables]


def compose():
    """model/report.md from what has been run; runs that differ in their rows alone share a table."""
    lines = HEAD.format(weights=weights_name()).splitlines()
    sections = {name: (title, [FOLDER / f"{name}.json"], f"-m report {name}") for name, (title, _) in SECTIONS.items()}
    sections |= {
        name: (title, sorted(train.BUILD.glob(pattern)), program) for name, (title, pattern, program) in TRAINED.items()
    }
    for title, paths, program in sections.values():
        lines += ["", f"## {title}"]
        tables = [table for path in paths if path.exists() for table in loaded(path)]
        if not tables:
            lines += ["", f"Not run: `cd model && /usr/bin/python3 {program}` makes it."]
        above = []
        for _, group in itertools.groupby(tables, lambda table: (table["title"], table["columns"])):
            group = list(group)
            commands = shell(table["command"] for table in group)
            lines += [] if commands == above else commands
            lines += markdown({**group[0], "rows": [row for table in group for row in table["rows"]]})
            above = commands
    OUT.write_text("\n".join(lines) + "\n")
    print(OUT)


def run(name, options):
    began = time.time()
    given = "".join(f" --{key} {value}" for key, value in vars(options).items() if value and key != "section")
    tables = [
        {**table, "command": f"cd model && /usr/bin/python3 -m report {name}{given}", "weights": weights_name()}
        for table in SECTIONS[name][1](options)
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(tables, indent=1))
    print(*(line for table in tables for line in markdown(table)), "", sep="\n")
    print(f"{name}: {time.time() - began:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("section", nargs="?", choices=[*SECTIONS, "compose"])
    parser.add_argument("--films", type=int, help="how many a section draws that does not take all")
    parser.add_argument("--steps", type=int, help="of each network that a section trains")
    options = parser.parse_args()
    for name in SECTIONS if not options.section else [options.section]:
        if name != "compose":
            run(name, options)
    if options.section in (None, "compose"):
        compose()


if __name__ == "__main__":
    main()
