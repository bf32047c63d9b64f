"""Tables of the networks that `python3 -m training.train` trained, from the logits in build/model/*.npz.

A network that was trained without some sources is measured on films whose hospitals are new to it on both sides.
Networks of different seeds show how much of a result is chance.
"""
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import softmax

from report import metrics
from report import readings
from report.readings import covid_against_pneumonia
from training import calibrate
from training import data
from training.fit import BUILD


class Network(NamedTuple):
    """How a network was trained, and its answers on films that it has not seen."""

    left_out: list  # names of folds
    steps: int
    seed: int
    films: list
    logits: np.ndarray  # [films, labels]

    @classmethod
    def load(cls, path, known):
        with np.load(path) as stored:
            if str(stored["manifest"]) != data.manifest_hash():
                raise SystemExit(f"{path} was made from other films than {data.home()}. Train the network again.")
            films = [known[str(data.home() / file)] for file in stored["files"]]
            return cls(list(stored["left_out"]), int(stored["steps"]), int(stored["seed"]), films, stored["logits"])

    @property
    def probability(self):
        return softmax(self.logits, 1)

    @property
    def folds(self):
        return "+".join(self.left_out)

    @property
    def command(self):
        left_out = f" --leave-out {self.folds}" if self.left_out else ""
        return f"-m training.train --seed {self.seed} --steps {self.steps}{left_out}"

    def for_adults(self):
        """The same network on the films of adults alone, calibrated on those of the validation split that somebody
        read."""
        chosen = [i for i, film in enumerate(self.films) if not film.child]
        films, logits = [self.films[i] for i in chosen], torch.from_numpy(self.logits[chosen])
        read = [i for i, film in enumerate(films) if film.split == "val" and data.read_by_someone(film)]
        label = torch.from_numpy(metrics.true_classes(films)[read])
        temperature, bias = calibrate.scaling(logits[read], label)
        return self._replace(films=films, logits=((logits + bias) / temperature).numpy())


def networks(pattern):
    known = {film.path: film for film in data.films()}
    return [Network.load(path, known) for path in sorted(BUILD.glob(pattern))]


def unseen(network):
    """[(fold and source, {column: cell})]: one row for each source that was left out and holds more than one class."""
    films, probability = network.films, network.probability
    ill, predicted = 1 - probability[:, 2], probability.argmax(1)
    external, patient = metrics.rows(films, "normal", split="external"), metrics.patients(films)
    called_normal = metrics.proportion(predicted[external] == 2, patient[external])
    out = []
    for source in (source for fold in network.left_out for source in data.FOLDS[fold]):
        covid, pneumonia, normal = (metrics.rows(films, label, [source]) for label in data.LABELS[:3])
        if min(len(covid) + len(pneumonia), len(normal)) == 0:
            continue

        def auc(score, positive, negative):
            return metrics.auc_cell(score, films, positive, negative)

        cells = {
            "covid, pneumonia, normal films": f"{len(covid)}, {len(pneumonia)}, {len(normal)}",
            "AUC covid, own normals": auc(ill, covid, normal),
            "AUC covid, external normals": auc(ill, covid, external),
            "AUC pneumonia, own normals": auc(ill, pneumonia, normal),
            "AUC covid, own pneumonia, P(covid) of both": auc(covid_against_pneumonia(probability), covid, pneumonia),
            "own normals called normal %": metrics.proportion(predicted[normal] == 2, patient[normal]),
            "external normals called normal %": called_normal,
        }
        out.append((f"{network.folds}: {source}", cells))
    return out


def seen(network):
    """{column: cell}: the test split, whose sources the network knows, and the external normals."""
    shown = set(metrics.whole_frames("test", "external"))
    whole = [i for i, film in enumerate(network.films) if film in shown]
    films, probability = [network.films[i] for i in whole], network.probability[whole]

    def of(label, source):
        return metrics.rows(films, label, [source], "test")

    covid_score = covid_against_pneumonia(probability)
    return {
        **dict(zip(metrics.HEADLINE, metrics.headline(probability, films))),
        "AUC covid, cohen pneumonia": metrics.auc_cell(
            covid_score, films, of("covid", "cohen"), of("pneumonia", "cohen")
        ),
        "AUC pneumonia, nih normals": metrics.auc_cell(
            probability[:, 1], films, of("pneumonia", "nih"), of("normal", "nih")
        ),
        **compared(network),
    }


def compared(network):
    """{column: cell}: the readings of siim's test split, and tuberculosis against the external normals."""
    films, probability = network.films, network.probability
    ill, (siim, shown, external, tuberculosis) = 1 - probability[:, 2], readings.Groups.of(films)
    return {
        "siim typical/negative": metrics.auc_cell(ill, films, siim["typical"], siim["negative"]),
        "any/negative": metrics.auc_cell(ill, films, shown, siim["negative"]),
        "typical/atypical": metrics.auc_cell(
            covid_against_pneumonia(probability), films, siim["typical"], siim["atypical"]
        ),
        "tuberculosis/external normals": metrics.auc_cell(ill, films, tuberculosis, external),
        "tuberculosis called normal %": readings.called(2, tuberculosis, probability.argmax(1), films),
    }


def table(title, name, commands, rows):
    """One row per network, [(name, {column: cell})]. Its numbers do not depend on model/pleura.gguf, so no weights."""
    return {
        "title": title,
        "commands": commands,
        "weights": None,
        "columns": [name, *rows[0][1]],
        "rows": [[first, *cells.values()] for first, cells in rows],
    }


def left_out(options):
    """The tables of `python3 -m report leave-out`, if such networks were trained."""
    members = networks("leave-out-*.npz")
    if not members:
        return []
    commands = [network.command for network in members]
    if len({(network.seed, network.steps) for network in members}) == 1 and len(members) == len(data.FOLDS):
        commands = [members[0].command.replace(members[0].folds, "all")]
    title = (
        "Networks that were trained without some sources, on films of these sources and on the external normals, by 1 - "
        "P(normal) unless said otherwise, at the class mix of the training batches."
    )
    rows = [row for network in members for row in unseen(network)]
    return [table(title, "left out: source", commands, rows), *children(members)]


def children(members):
    """The table of what the films of children do to adults, and what an ensemble would gain, if such networks were
    trained."""
    without = [network.for_adults() for network in members if network.left_out == ["kermany"]]
    whole = [network.for_adults() for network in networks("seed-*.npz")]
    if not without or not whole:
        return []
    title = (
        "What films of children in training do to adults, and what an ensemble would gain: the test split and external "
        "films without those of children. Each network is calibrated on the adults of the validation split; the ensemble "
        "is the mean of the calibrated logits of the seeds."
    )
    rows = [(f"with children, seed {network.seed}", network) for network in whole]
    rows += [("with children, ensemble", whole[0]._replace(logits=np.mean([each.logits for each in whole], 0)))]
    rows += [(f"without children, seed {network.seed}", network) for network in without]
    commands = [network.command for network in whole + without]
    return [table(title, "trained", commands, [(name, seen(network)) for name, network in rows])]


def seeds(options):
    """The table of `python3 -m report seeds`, if such networks were trained."""
    members = networks("seed-*.npz")
    if not members:
        return []
    title = (
        "The networks of all seeds, of which one was released, on the test split and on external films, at the class mix "
        "of the training batches."
    )
    rows = [(network.seed, seen(network)) for network in members]
    return [table(title, "seed", [network.command for network in members], rows)]
