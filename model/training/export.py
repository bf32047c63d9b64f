"""Writes model/pleura.gguf from the checkpoints in build/model.

Batch norms are folded already. This script calibrates on the validation split, adds the gates, packs the weights, and
lets libpleura compute the bits of the self-test.
"""
import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from training import calibrate
from training import data
from training import lungs
from training import train
from training.engine import ROOT, Model
from training.fit import BUILD, start
from convert.gguf import dense_kernel, from_packed, pack, pack_bias, round4, to_q8, write_gguf
from training.graph import Graph, ensemble, resnet, unet

log = logging.getLogger(__name__)
NOTICE = (
    "For research and teaching; not a medical device. A chest X-ray does not rule out COVID-19: RT-PCR is the "
    "reference. Do not base a decision about a patient on this result."
)
SUMMARY = (
    "Sees only the lungs of frontal films. Trained on public sets in which nearly every source has one class; "
    "see model/card.md for what it does on hospitals that it has never seen."
)
VERSION = "0.2.0"
# The probabilities are fitted on whole frames whose label somebody saw in the film. bimcv labels a test result, and
# many of its films show nothing: with them in the fit, every normal film would be "perhaps COVID-19".
NOT_FITTED = ("rsna_lungonly", "bimcv_radiodb")
MIN_CHROMA_REFUSED = 0.06  # grey films saved in colour are far below this, photographs above


def stored_channels(graph):
    """{layer: channels as stored}: rounded up to 4, except for the image."""
    return {
        name: graph.shapes[name][0] if op == "input" else round4(graph.shapes[name][0])
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


def with_gate(graph, pool, gate):
    """The graph's lines with a `gate` on its pooled features."""
    weight, _ = gate
    pool_line = [] if pool in graph.shapes else [f"{pool} = mean enc4b"]
    return graph.lines + pool_line + [f"gate = dense {pool} c={len(weight)}"]


def fitted_probabilities(films, logits):
    """({metadata key: value}, bias of the logits) from the logits of validation films.

    The probabilities assume the class mix of the films that they are fitted on; pleura.prior records it.
    """
    fitted = np.array([film.source not in NOT_FITTED for film in films])
    label = torch.tensor([data.LABELS.index(film.label) for film in films])[fitted]
    temperature, bias = calibrate.scaling(logits[fitted], label)
    probability = torch.softmax((logits[fitted] + torch.from_numpy(bias)) / temperature, 1).numpy()
    answered = (probability.max(1) >= calibrate.MIN_PROBABILITY).mean()
    accuracy = (probability.argmax(1) == label.numpy()).mean()
    log.info("val: temperature %.3f, bias %s, answered %.3f, accuracy %.3f", temperature, bias, answered, accuracy)
    settings = {
        "pleura.temperature": temperature,
        "pleura.threshold.certain": calibrate.MIN_PROBABILITY,
        "pleura.prior": np.bincount(label, minlength=len(data.LABELS)).astype(np.float32) / len(label),
    }
    return settings, bias


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


def calibrated(films, network):
    """({metadata key: value}, {graph: gate}, bias of the logits).

    The gates' whitening comes from training films, everything else from validation films.
    """
    crop, mask, shape, lung_features = train.prepared(films)
    split = np.array([film.split for film in films])
    val, learnt = np.flatnonzero(split == "val"), np.flatnonzero(split == "train")[::3]
    val_films = [films[i] for i in val]
    val_weight = train.sampling_weights(val_films).numpy()
    learnt_weight = train.sampling_weights([films[i] for i in learnt]).numpy()
    logits, val_pool = train.predict(network, train.network_input(crop[val], mask[val]))
    _, learnt_pool = train.predict(network, train.network_input(crop[learnt], mask[learnt]))
    settings, bias = fitted_probabilities(val_films, logits)
    settings |= fitted_limits(shape[val], val_weight)
    gates, features = {}, {
        "lungs": (lung_features[learnt], lung_features[val]),
        "diagnosis": (learnt_pool.numpy(), val_pool.numpy()),
    }
    for name, (of_learnt, of_val) in features.items():
        gates[name], quantiles = calibrate.gate(of_learnt, learnt_weight, of_val, val_weight)
        settings[f"pleura.gate.{name}.quantiles"] = quantiles
    return settings, gates, bias


def metadata(graphs, settings):
    """The metadata of the file except for the bits of the self-test."""
    return {
        "general.architecture": "pleura",
        "general.name": "pleura",
        "general.version": VERSION,
        "general.license": "CC-BY-NC-SA-4.0",
        "pleura.labels": list(data.LABELS),
        "pleura.lungs.graph": graphs["lungs"].lines,
        "pleura.diagnosis.graph": graphs["diagnosis"].lines,
        "pleura.lungs.margin": train.SETTINGS.margin,
        "pleura.diagnosis.blur": train.SETTINGS.blur,
        **settings,
        "pleura.card.notice": NOTICE,
        "pleura.card.summary": SUMMARY,
        "pleura.card.data": data.manifest_hash(),
        "pleura.card.splits": data.splits_hash(),
        "pleura.card.training": f"make model; seeds {', '.join(map(str, train.MEMBERS))}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=ROOT / "model" / "pleura.gguf", type=Path)
    out = parser.parse_args().out
    start(1)
    members = [torch.load(BUILD / f"seed-{seed}.pt") for seed in train.MEMBERS]
    lines, parameters = ensemble(resnet(train.DIAGNOSIS_SIDE), members)
    films = data.labelled()
    settings, gates, bias = calibrated(films, Graph(lines, norm=False).load_folded(parameters))
    weight, member_bias = parameters["logits"]
    parameters["logits"] = weight, member_bias + bias
    lung_lines = with_gate(Graph(unet(lungs.LUNGS_SIDE)), "gate.pool", gates["lungs"])
    graphs = {
        "lungs": Graph(lung_lines, norm=False),
        "diagnosis": Graph(with_gate(Graph(lines), "pool", gates["diagnosis"]), norm=False),
    }
    folded = {"lungs": torch.load(BUILD / "lungs.pt"), "diagnosis": parameters}
    arrays, exported = {}, {}
    for name, graph in graphs.items():
        of_graph, rounded = tensors(name, graph, {**folded[name], "gate": gates[name]}, to_q8)
        arrays.update(of_graph)
        exported[name] = graph.lines, rounded
    values = metadata(graphs, settings)
    write_gguf(out, values, arrays)
    values["pleura.selftest.bits"] = Model(out.read_bytes(), reference=True).diagnose_phantom().bits
    write_gguf(out, values, arrays)
    torch.save(exported, BUILD / "exported.pt")
    print(f"{out}: {out.stat().st_size} bytes, phantom {values['pleura.selftest.bits']}")


if __name__ == "__main__":
    main()
