"""Writes model/pleura.gguf from the checkpoints in build/model.

Batch norms are folded already. This script calibrates on the validation split, adds the gates, packs the weights, and
lets libpleura compute the bits of the self-test.
"""
import argparse
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from training import calibrate
from training import data
from training import quantise
from training import train
from training.engine import ROOT, Model
from training.fit import BUILD, start
from convert.gguf import dense_kernel, from_packed, pack, pack_bias, pack_int8, round4, to_q8, write_gguf

log = logging.getLogger(__name__)
NOTICE = (
    "For research and teaching; not a medical device. A chest X-ray does not rule out COVID-19: RT-PCR is the "
    "reference. Do not base a decision about a patient on this result."
)
SUMMARY = (
    "Sees only the lungs of frontal films. Learned from public sets that radiologists read in part, and from their "
    "boxes around opacities; model/card.md says what it does at hospitals that it has never seen."
)
VERSION = "0.3.1"
OVERLAP_SLACK = 0.005
MIN_CHROMA_REFUSED = 0.06  # grey films saved in colour are far below this, photographs above


def stored_channels(graph):
    """{layer: channels as stored}: rounded up to 4, except for the image and its bytes."""
    return {
        name: graph.shapes[name][0] if op in ("input", "quantise") else round4(graph.shapes[name][0])
        for name, op, _, _ in graph.layers
    }


def half(packed):
    return packed.astype(np.float16)


def tensors(prefix, graph, parameters, shrink=half):
    """({tensor name: array} of one graph, its parameters as the engine sees them).

    Weights are packed and shrunk, biases are float32. The weights of a gate stay float16: its quantiles leave little
    room.
    """
    channels, arrays, rounded = stored_channels(graph), {}, {}
    for name, op, inputs, _ in graph.layers:
        if name not in parameters:
            continue
        weight, bias = parameters[name]
        cout, cin = len(weight), 1 if op == "depthwise" else channels[inputs[0]]
        kernel = weight
        if op == "dense":
            c, h, w = graph.shapes[inputs[0]]
            kernel, cin = dense_kernel(weight.reshape(cout, h, w, c), cin), h * w * cin
        packed = pack(kernel, cin, np.float32)
        array = (half if name == "gate" else shrink)(packed)
        arrays[f"{prefix}.{name}.weight"], arrays[f"{prefix}.{name}.bias"] = array, pack_bias(bias)
        back = from_packed(array, packed.shape)[:cout]
        if op == "dense":
            back = back.reshape(cout, h, w, -1)[..., :c].reshape(weight.shape)
        rounded[name] = back[:, : weight.shape[1]], bias
    return arrays, rounded


def int8_tensors(prefix, network):
    """{tensor name: array} of the int8 layers of an Int8Graph."""
    channels, arrays = stored_channels(network), {}
    for name, op, inputs, _ in network.layers:
        layer = network.ops[network.key(name)] if op in ("conv", "depthwise") else None
        if isinstance(layer, quantise.Int8Layer):
            weight, scale, bias = layer.numbers()
            cin = 1 if op == "depthwise" else channels[inputs[0]]
            arrays[f"{prefix}.{name}.weight"] = pack_int8(weight, cin, op == "depthwise")
            arrays[f"{prefix}.{name}.scale"] = pack_bias(scale, 1)
            arrays[f"{prefix}.{name}.bias"] = pack_bias(bias)
    return arrays


def with_gate(network, pool, gate):
    """The Int8Graph with a `gate` on its pooled features."""
    out = quantise.Int8Graph(network.lines + [f"gate = dense {pool} c={len(gate[0])}"])
    out.load_state_dict(network.state_dict(), strict=False)
    return out.eval()


def fitted_probabilities(films, logits):
    """({metadata key: value}, bias of the logits) from the logits of validation films.

    The temperature and the intercepts are fitted at the class mix of these films, then moved to calibrate.PRIOR.
    """
    # Whole frames, as people bring them, that somebody read: with films that are labelled after a test alone, every
    # normal film would be "perhaps COVID-19".
    fitted = np.array([film.source != "rsna_lungonly" and data.read_by_someone(film) for film in films])
    label = torch.tensor([data.LABELS.index(film.label) for film in films])[fitted]
    temperature, bias = calibrate.scaling(logits[fitted], label)
    prior = np.array([calibrate.PRIOR[name] for name in data.LABELS], np.float32)
    found = np.bincount(label, minlength=len(prior)) / len(label)
    bias += temperature * np.log(prior / found).astype(np.float32)
    probability = torch.softmax((logits[fitted] + torch.from_numpy(bias)) / temperature, 1).numpy()
    answered = (probability.max(1) >= calibrate.MIN_PROBABILITY).mean()
    right = probability.argmax(1) == label.numpy()
    of_class = [right[label == i].mean() for i in range(len(prior))]
    log.info("val: temperature %.3f, bias %s, answered %.3f, called right %s", temperature, bias, answered, of_class)
    settings = {
        "pleura.temperature": temperature,
        "pleura.threshold.certain": calibrate.MIN_PROBABILITY,
        "pleura.prior": prior,
    }
    return settings, bias


def fitted_opacity(films, rows, opacity):
    """The threshold of the opacity map: the largest whose mean intersection over union with the boxes is within
    OVERLAP_SLACK of the best, over the cells of the lungs of validation films with boxes. A box holds more than its
    opacity, so the smallest threshold that fits boxes makes the extent too large."""
    found = torch.sigmoid(opacity).numpy()
    side = found.shape[1]
    cells = lambda planes: planes.reshape(len(planes), side, planes.shape[1] // side, side, -1).mean((2, 4)) / 255
    lungs, boxes = cells(rows.mask) > 0.25, cells(rows.boxes) >= 0.5
    chosen = np.array([film.source == "siim" for film in films]) & (boxes & lungs).any((1, 2))
    lungs, boxes, found = lungs[chosen], boxes[chosen] & lungs[chosen], found[chosen]
    overlap = lambda hit: ((hit & boxes).sum((1, 2)) / (hit | boxes).sum((1, 2))).mean()
    scores = {threshold: overlap(lungs & (found >= threshold)) for threshold in np.arange(5, 80, 5) / 100}
    best = max(t for t in scores if scores[t] >= max(scores.values()) - OVERLAP_SLACK)
    log.info("val: opacity from %.2f on, intersection over union %.3f, n=%d", best, scores[best], chosen.sum())
    return {"pleura.opacity.threshold": float(best)}


def fitted_limits(shape, weight):
    """{metadata key: value}: the gate's limits of the lungs' area, balance and doubt, from validation films [n, 3]."""
    tail = [calibrate.GATE_TAIL / 2, 1 - calibrate.GATE_TAIL / 2]
    area, balance, doubt = (calibrate.weighted_quantiles(column, weight, tail) for column in shape.T)
    log.info("val: lungs %.3f..%.3f of the frame, balance %.3f, doubt %.3f", *area, balance[0], doubt[1])
    return {
        "pleura.gate.min_score": calibrate.GATE_TAIL,
        "pleura.gate.area": area.astype(np.float32),
        "pleura.gate.balance": float(balance[0]),
        "pleura.gate.doubt": float(doubt[1]),
        "pleura.gate.chroma": MIN_CHROMA_REFUSED,
    }


def weight_by_source(films):
    """[n] weights of films such that all sources weigh the same."""
    counts = Counter(film.source for film in films)
    return np.array([1 / counts[film.source] for film in films])


def calibrated(films, finder, network):
    """({metadata key: value}, {graph: gate}, bias of the logits).

    The gates' whitening comes from training films, everything else from validation films, whose lungs `finder` finds.
    """
    lessons = [film for film in films if train.learnable(film)]
    val = [film for film in films if film.split == "val"]
    val_rows = train.prepared(val, finder=finder)
    learnt, learnt_rows = lessons[::3], train.prepared(lessons, train.TRAINING_SIDE).rows(slice(None, None, 3))
    of_val, of_learnt = train.predict(network, val_rows), train.predict(network, learnt_rows)
    val_weight, learnt_weight = weight_by_source(val), weight_by_source(learnt)
    settings, bias = fitted_probabilities(val, of_val.logits)
    settings |= fitted_limits(val_rows.shape, val_weight)
    settings |= fitted_opacity(val, val_rows, of_val.opacity)
    gates, features = {}, {
        "lungs": (learnt_rows.features, val_rows.features),
        "diagnosis": (of_learnt.pool.numpy(), of_val.pool.numpy()),
    }
    for name, (learnt_features, val_features) in features.items():
        gates[name], quantiles = calibrate.gate(learnt_features, learnt_weight, val_features, val_weight)
        settings[f"pleura.gate.{name}.quantiles"] = quantiles
    return settings, gates, bias


def metadata(graphs, settings, name):
    """The metadata of the file except for the bits of the self-test."""
    return {
        "general.architecture": "pleura",
        "general.name": "pleura",
        "general.version": VERSION,
        "general.license": "CC-BY-NC-SA-4.0",
        "pleura.labels": list(data.LABELS),
        "pleura.labels.other": data.LABELS.index("other"),
        "pleura.lungs.graph": graphs["lungs"].lines,
        "pleura.diagnosis.graph": graphs["diagnosis"].lines,
        "pleura.lungs.margin": train.SETTINGS.margin,
        "pleura.diagnosis.blur": train.SETTINGS.blur,
        "pleura.diagnosis.grow": train.SETTINGS.grow,
        "pleura.diagnosis.contrast": train.SETTINGS.contrast,
        **settings,
        "pleura.card.notice": NOTICE,
        "pleura.card.summary": SUMMARY,
        "pleura.card.data": data.manifest_hash(),
        "pleura.card.splits": data.splits_hash(),
        "pleura.card.training": f"make model; {name}, the best of seeds {', '.join(map(str, train.SEEDS))}, as int8",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=ROOT / "model" / "pleura.gguf", type=Path)
    parser.add_argument("--network", help="a checkpoint in build/model (default: the best seed)")
    options = parser.parse_args()
    start(1)
    films = data.films()
    name = options.network or train.best_seed(films)
    networks = {"lungs": quantise.load_lungs(), "diagnosis": quantise.load_diagnosis(name)}
    settings, gates, bias = calibrated(films, *networks.values())
    networks["diagnosis"].ops["logits"].bias.data += torch.from_numpy(bias)
    pools = {"lungs": "gate.pool", "diagnosis": "pool"}
    graphs, arrays = {}, {}
    for graph, network in networks.items():
        graphs[graph] = with_gate(network, pools[graph], gates[graph])
        floats = {**network.fold(), "gate": gates[graph]}
        of_graph, rounded = tensors(graph, graphs[graph], floats, to_q8)
        graphs[graph].load_folded(rounded)
        arrays |= of_graph | int8_tensors(graph, graphs[graph])
        settings |= graphs[graph].quantisation(f"pleura.{graph}")
    values = metadata(graphs, settings, name)
    write_gguf(options.out, values, arrays)
    values["pleura.selftest.bits"] = Model(options.out.read_bytes(), reference=True).diagnose_phantom().bits
    write_gguf(options.out, values, arrays)
    torch.save({name: (graph.lines, graph.state_dict()) for name, graph in graphs.items()}, BUILD / "exported.pt")
    print(f"{options.out}: {options.out.stat().st_size} bytes, phantom {values['pleura.selftest.bits']}")


if __name__ == "__main__":
    main()
