"""Checkpoint -> model/pleura.gguf: folds batch norm, packs; the self-test's bits come from libpleura."""
import argparse
from pathlib import Path

import numpy as np
import torch

import calibrate
import data
import train
from engine import Engine
from gguf import pack, round4, write_gguf
from graph import Graph, resnet, unet

ROOT, BUILD = Path(__file__).resolve().parent.parent, train.BUILD


def physical(graph):
    """{layer: channels as stored}: all but the image rounded up to 4."""
    return {name: graph.shapes[name][0] if op == "input" else round4(graph.shapes[name][0])
            for name, op, _, _ in graph.layers}


def tensors(prefix, graph, parameters):
    """{tensor name: array} of one graph: F16 weights, F32 biases, packed as src/kernels.h wants them."""
    stored, out = physical(graph), {}
    for name, op, inputs, _ in graph.layers:
        if name not in parameters:
            continue
        weight, bias = parameters[name]
        cin = 1 if op == "depthwise" else stored[inputs[0]]
        if op == "dense":
            c, h, w = graph.shapes[inputs[0]]
            full = np.zeros((len(weight), h, w, cin), np.float32)
            full[..., :c] = weight.reshape(len(weight), h, w, c)
            weight, cin = full.reshape(len(weight), -1, 1, 1), h * w * cin
        out[f"{prefix}.{name}.weight"] = pack(weight, cin)
        out[f"{prefix}.{name}.bias"] = np.pad(bias.astype(np.float32), (0, -len(bias) % 4))
    return out


def halved(parameters):
    """The parameters as the engine sees them: weights through float16."""
    return {name: (weight.astype(np.float16).astype(np.float32), bias) for name, (weight, bias) in parameters.items()}


NOTICE = ("For research and teaching; not a medical device. A chest X-ray does not rule out COVID-19: RT-PCR is the "
          "reference. Do not base a decision about a patient on this result.")
SUMMARY = ("Sees only the lungs of frontal films. Trained on public sets in which nearly every source has one class; "
           "see model/card.md for what it does on hospitals that it has never seen.")
VERSION = "0.1.0"
MIN_CHROMA_REFUSED = 0.06 # a grey film saved in colour stays far below; photographs lie above


def gated(graph, pool, gate):
    """The graph's lines with a `gate` on its pooled features."""
    weight, _ = gate
    return graph.lines + ([] if pool in graph.shapes else ["gate.pool = mean enc4b"]) + [f"gate = dense {pool} c={len(weight)}"]


def load(name, lines):
    """The folded, half-precision parameters of a checkpoint."""
    network = Graph(lines)
    network.load_state_dict(torch.load(BUILD / name))
    return network.eval(), halved(network.eval().fold())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=ROOT / "model" / "pleura.gguf", type=Path)
    out = parser.parse_args().out
    lungs, lungs_parameters = load("lungs.pt", unet(train.LUNGS_SIDE))
    network, parameters = load("diagnosis.pt", resnet(train.DIAGNOSIS_SIDE))
    films, seen = train.labelled(), train.seen
    crop, mask, area, balance, lung_features = seen(films, lungs)
    settings, gates = calibrated(films, network, crop, mask, area, balance, lung_features)
    graphs = {"lungs": Graph(gated(lungs, "gate.pool", gates["lungs"]), norm=False),
              "diagnosis": Graph(gated(network, "pool", gates["diagnosis"]), norm=False)}
    lungs_parameters["gate"], parameters["gate"] = gates["lungs"], gates["diagnosis"]
    metadata = {
        "general.architecture": "pleura", "general.name": "pleura", "general.version": VERSION,
        "general.license": "CC-BY-NC-SA-4.0", "pleura.labels": list(data.LABELS),
        "pleura.lungs.graph": graphs["lungs"].lines, "pleura.diagnosis.graph": graphs["diagnosis"].lines,
        "pleura.lungs.margin": train.MARGIN, "pleura.diagnosis.blur": train.BLUR, **settings,
        "pleura.card.notice": NOTICE, "pleura.card.summary": SUMMARY, "pleura.card.data": data.manifest_hash(),
    }
    arrays = {**tensors("lungs", graphs["lungs"], lungs_parameters), **tensors("diagnosis", graphs["diagnosis"], parameters)}
    write_gguf(out, metadata, arrays)
    metadata["pleura.selftest.bits"] = Engine().phantom_bits(out.read_bytes())
    write_gguf(out, metadata, arrays)
    torch.save({"lungs": (graphs["lungs"].lines, lungs_parameters), "diagnosis": (graphs["diagnosis"].lines, parameters)},
               BUILD / "shipped.pt")
    print(f"{out}: {out.stat().st_size} bytes, phantom {metadata['pleura.selftest.bits']}")


def calibrated(films, network, crop, mask, area, balance, lung_features):
    """({metadata key: value}, {graph: gate}) from the validation films; whitening from the training films."""
    split = np.array([film.split for film in films])
    is_val, is_train = np.flatnonzero(split == "val"), np.flatnonzero(split == "train")[::3]
    weight = {name: train.weights([films[i] for i in rows]).numpy() for name, rows in (("val", is_val), ("train", is_train))}
    logits, pool = train.evaluate(network, train.as_input(crop[is_val], mask[is_val]))
    _, train_pool = train.evaluate(network, train.as_input(crop[is_train], mask[is_train]))
    label = torch.tensor([data.LABELS.index(films[i].label) for i in is_val])
    t = calibrate.temperature(logits, label, torch.from_numpy(weight["val"]))
    probability = torch.softmax(logits / t, 1).numpy()
    gates, quantiles = {}, {}
    for name, of_train, of_val in (("lungs", lung_features[is_train], lung_features[is_val]),
                                   ("diagnosis", train_pool.numpy(), pool.numpy())):
        gates[name], quantiles[name] = calibrate.gate(of_train, weight["train"], of_val, weight["val"])
    tail = [calibrate.GATE_TAIL / 2, 1 - calibrate.GATE_TAIL / 2]
    limits = calibrate.weighted_quantiles(area[is_val], weight["val"], tail)
    lean = calibrate.weighted_quantiles(balance[is_val], weight["val"], tail[:1])
    certain = calibrate.certain(probability, weight["val"])
    right = (weight["val"] * (probability.argmax(1) == label.numpy())).sum() / weight["val"].sum()
    print(f"val: temperature {t:.3f}, certain {certain:.3f}, lungs {limits[0]:.3f}..{limits[1]:.3f} of the frame, "
          f"balance {lean[0]:.3f}, balanced accuracy {right:.3f}")
    return {
        "pleura.temperature": t, "pleura.threshold.certain": certain, "pleura.gate.min_score": calibrate.GATE_TAIL,
        "pleura.gate.area": limits.astype(np.float32), "pleura.gate.balance": float(lean[0]),
        "pleura.gate.chroma": MIN_CHROMA_REFUSED, "pleura.gate.lungs.quantiles": quantiles["lungs"],
        "pleura.gate.diagnosis.quantiles": quantiles["diagnosis"],
    }, gates


if __name__ == "__main__":
    main()
