"""What the networks of ceiling.py reach, as tables for report.py: build/ceiling/answers.npz -> build/model/ceiling.json."""
import argparse
import json
from typing import Callable, NamedTuple

import numpy as np
import torch

from training import calibrate
from training import data
from training import export
from report import metrics
from training import train
from report.ceiling import CANDIDATES, FOLDER, SEEDS, STEPS, judged, name_of
from training.graph import Graph

COMMAND = "cd model && /usr/bin/python3 -m report.ceiling; /usr/bin/python3 -m report.ceiling_report"


class Question(NamedTuple):
    column: str
    fold: str
    score: Callable  # of probabilities [n, 3]
    positive: np.ndarray  # rows of data.labelled()
    negative: np.ndarray

    def auc(self, probability):
        score = self.score(probability)
        return metrics.auc(score[self.positive], score[self.negative])


def questions(films):
    """What is asked of networks that know neither side."""
    own, external = lambda label, source: metrics.rows(films, label, [source]), metrics.rows(
        films, "normal", split="external"
    )
    out = [
        Question(title, fold, lambda p: p[:, 0], metrics.rows(films, "covid", data.FOLDS[fold]), external)
        for title, fold in (
            ("hannover", "hannover"),
            ("cxnet", "cxnet"),
            ("cohen", "cohen"),
            ("bimcv and webmix", "bimcv"),
        )
    ]
    return out + [
        Question(
            "cohen: covid, pneumonia",
            "cohen",
            metrics.covid_not_pneumonia,
            own("covid", "cohen"),
            own("pneumonia", "cohen"),
        ),
        Question("nih: pneumonia, normal", "nih", lambda p: p[:, 1], own("pneumonia", "nih"), own("normal", "nih")),
    ]


class Team(NamedTuple):
    """Networks whose logits are averaged: candidates of each of these seeds."""

    title: str
    names: tuple
    seeds: tuple = SEEDS


TEAMS = {
    "shipped": Team(f"{CANDIDATES['shipped'].title}, two", ("shipped",)),
    "resnet18": Team(f"{CANDIDATES['resnet18'].title}, two", ("resnet18",)),
    "mobilenet": Team(f"{CANDIDATES['mobilenet'].title}, two", ("mobilenet",)),
    "large": Team("the four large ones", ("resnet18", "mobilenet")),
    "taught": Team(f"{CANDIDATES['taught'].title}, one", ("taught",), CANDIDATES["taught"].seeds),
}


class Answers:
    """The logits of a training, by the rows of data.labelled(); films that a network has learnt from are not a number."""

    def __init__(self, place, films):
        with np.load(place) as stored:
            self.stored = {name: stored[name] for name in stored.files}
        if str(self.stored["manifest"]) != data.manifest_hash():
            raise SystemExit(f"{place} is of other films than {data.home()}")
        self.films = films

    def logits(self, names, fold, seeds):
        out = np.full((len(self.films), len(data.LABELS)), np.nan, np.float32)
        out[judged(self.films, fold)[0]] = np.mean(
            [self.stored[name_of(name, fold, seed)] for name in names for seed in seeds], 0
        )
        return out

    def probability(self, names, fold, seeds):
        return torch.from_numpy(self.logits(names, fold, seeds)).softmax(1).numpy()


def size_of(team):
    graphs = [Graph(CANDIDATES[name].lines, norm=False) for name in team.names]
    return len(team.seeds) * sum(p.numel() for graph in graphs for p in graph.parameters()) / 1e6


def unseen(answers):
    """Tables of the left-out sources: each team, what it is above the shipped architecture of as many seeds, each seed alone."""
    films, asked, patient = answers.films, questions(answers.films), metrics.patients(answers.films)
    strangers, folds = metrics.rows(films, "normal", split="external"), [question.fold for question in asked[:4]]

    def kept(names, seeds):
        """[external normals]: how many of the first four questions' networks call it normal."""
        return np.mean([answers.logits(names, fold, seeds)[strangers].argmax(1) == 2 for fold in folds], 0)

    def more(question, team):
        """AUC of the team minus that of the shipped architecture."""
        rows = np.concatenate([question.positive, question.negative])
        yes = np.arange(len(rows)) < len(question.positive)
        ours, theirs = (
            question.score(answers.probability(names, question.fold, team.seeds))[rows]
            for names in (team.names, ("shipped",))
        )
        return metrics.clustered(
            lambda r: metrics.auc(ours[r][yes[r]], ours[r][~yes[r]])
            - metrics.auc(theirs[r][yes[r]], theirs[r][~yes[r]]),
            patient[rows],
            False,
            metrics.change,
        )

    together, above, alone = [], [], []
    for key, team in TEAMS.items():
        normal = kept(team.names, team.seeds)
        share = metrics.clustered(lambda r: normal[r].mean(), patient[strangers])
        cells = [
            metrics.area(q.score(answers.probability(team.names, q.fold, team.seeds)), films, q.positive, q.negative)
            for q in asked
        ]
        together.append([team.title, f"{size_of(team):.1f}", *cells, share])
        if key != "shipped":
            gain = normal - kept(("shipped",), team.seeds)
            above.append(
                [
                    team.title,
                    *(more(q, team) for q in asked),
                    metrics.clustered(lambda r: gain[r].mean(), patient[strangers], True, metrics.change),
                ]
            )
    for name, candidate in CANDIDATES.items():
        for seed in candidate.seeds:
            cells = [f"{q.auc(answers.probability([name], q.fold, [seed])):.3f}" for q in asked]
            alone.append([candidate.title, seed, *cells, f"{100 * kept([name], [seed]).mean():.1f}"])
    columns = [*(q.column for q in asked), "external normals called normal %"]
    return [
        {
            "title": "Neither side seen. AUC of the covid films of a source left out against the external normals; then within cohen and within nih, left "
            "out, too; then how many external normals the networks of the first four columns call normal, on average.",
            "columns": ["networks, their logits averaged", "million parameters", *columns],
            "rows": together,
        },
        {
            "title": "The same minus that of the shipped architecture, of as many seeds, trained beside them; intervals of the difference on the same films.",
            "columns": ["networks", *columns],
            "rows": above,
        },
        {"title": "Each network alone.", "columns": ["network", "seed", *columns], "rows": alone},
    ]


def seen(answers):
    """The table of the test split, whose hospitals all networks know; calibrated as export.py calibrates."""
    films, label, patient = (
        answers.films,
        torch.from_numpy(metrics.truth(answers.films)),
        metrics.patients(answers.films),
    )
    fitted = np.array([film.split == "val" and film.source not in export.UNJUDGED for film in films])
    test = np.array([i for i, film in enumerate(films) if film.split == "test" and film.source != "rsna_lungonly"])
    strangers, truth, rows = metrics.rows(films, "normal", split="external"), label.numpy()[test], []
    ill, well = (metrics.rows(films, name, ["nih"], "test") for name in ("pneumonia", "normal"))
    for team in [team for team in TEAMS.values() if all("" in CANDIDATES[name].folds for name in team.names)]:
        logits = torch.from_numpy(answers.logits(team.names, "", team.seeds))
        t, bias = calibrate.scaling(logits[fitted], label[fitted])
        p = ((logits + torch.from_numpy(bias)) / t).softmax(1).numpy()
        called = p.argmax(1)[test]
        rows.append(
            [
                team.title,
                metrics.area(p[:, 0], films, test[truth == 0], test[truth != 0]),
                metrics.clustered(lambda r: metrics.balanced(truth[r], called[r]), patient[test]),
                *(
                    metrics.clustered(lambda r: np.mean(called[r][truth[r] == c] == c), patient[test])
                    for c in range(len(data.LABELS))
                ),
                metrics.area(p[:, 1], films, ill, well),
                metrics.share(p[strangers].argmax(1) == 2, patient[strangers]),
            ]
        )
    return {
        "title": f"Hospitals seen, patients not: {metrics.sets([films[i] for i in [*test, *strangers]])}, calibrated on the validation split.",
        "columns": [
            "networks",
            "COVID AUC",
            "balanced accuracy %",
            *(f"sensitivity for {name} %" for name in data.LABELS),
            "nih: pneumonia, normal, AUC",
            "external normals called normal %",
        ],
        "rows": rows,
    }


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    answers = Answers(FOLDER / "answers.npz", data.labelled())
    note = (
        f"{STEPS['']:,} steps of {sum(train.BATCH.values())} for a network of all sources, {STEPS['nih']:,} where one is left out; "
        f"{float(answers.stored['minutes']):.1f} minutes on one {answers.stored['device']}."
    )
    tables = [{**table, "command": COMMAND} for table in (*unseen(answers), {**seen(answers), "note": note})]
    (train.BUILD / "ceiling.json").write_text(json.dumps(tables, indent=1))
    print(train.BUILD / "ceiling.json")


if __name__ == "__main__":
    main()
