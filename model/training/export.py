"""Checkpoint -> model/pleura.gguf: folds batch norm, packs; the self-test's bits come from libpleura."""
import argparse
from pathlib import Path

import numpy as np
import torch

from training import calibrate
from training import data
from training import train
from training.engine import Engine
from convert.gguf import from_packed, pack, round4, to_q8, write_gguf
from training.graph import Graph, ensemble, resnet, unet

ROOT, BUILD = Path(__file__).resolve().parent.parent.parent, train.BUILD


def physical(graph):
    """{layer: channels as stored}: all but the image rounded up to 4."""
    return {
        name: graph.shapes[name][0] if op == "input" else round4(graph.shapes[name][0])
        for name, op, _, _ in graph.layers
    }


def half(packed):
    return packed.astype(np.float16)


def tensors(prefix, graph, parameters, shrink=half):
    """{tensor name: array} of one graph: weights shrunk, biases F32, packed as src/nn/f32.h wants them; and the
    parameters as the engine then sees them. A gate stays F16: its quantiles leave little room."""
    channels, arrays, seen = physical(graph), {}, {}
    for name, op, inputs, _ in graph.layers:
        if name not in parameters:
            continue
        weight, bias = parameters[name]
        cout, cin = len(weight), 1 if op == "depthwise" else channels[inputs[0]]
        full = weight
        if op == "dense":
            c, h, w = graph.shapes[inputs[0]]
            full = np.zeros((cout, h, w, cin), np.float32)
            full[..., :c] = weight.reshape(cout, h, w, c)
            full, cin = full.reshape(cout, -1, 1, 1), h * w * cin
        packed = pack(full, cin, np.float32)
        array = (half if name == "gate" else shrink)(packed)
        arrays[f"{prefix}.{name}.weight"] = array
        arrays[f"{prefix}.{name}.bias"] = np.pad(bias.astype(np.float32), (0, -len(bias) % 4))
        back = from_packed(array, packed.shape)[:cout]
        seen[name] = (
            back.reshape(cout, h, w, -1)[..., :c].reshape(weight.shape) if op == "dense" else back[:, : weight.shape[1]]
        ), bias
    return arrays, seen


NOTICE = (
    "For research and teaching; not a medical device. A chest X-ray does not rule out COVID-19: RT-PCR is the "
    "reference. Do not base a decision about a patient on this result."
)
SUMMARY = (
    "Sees only the lungs of frontal films. Trained on public sets in which nearly every source has one class; "
    "see model/card.md for what it does on hospitals that it has never seen."
)
VERSION = "0.2.0"
# The probabilities are fitted on whole frames whose label somebody saw in the film. A label of bimcv is a test's result, and
# many of its films show nothing: fitted on them, too, every normal film would be "perhaps COVID-19".
UNJUDGED = ("rsna_lungonly", "bimcv_radiodb")
MIN_CHROMA_REFUSED = 0.06  # a grey film saved in colour stays far below; photographs lie above


def gated(graph, pool, gate):
    """The graph's lines with a `gate` on its pooled features."""
    weight, _ = gate
    return (
        graph.lines
        + ([] if pool in graph.shapes else ["gate.pool = mean enc4b"])
        + [f"gate = dense {pool} c={len(weight)}"]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=ROOT / "model" / "pleura.gguf", type=Path)
    out = parser.parse_args().out
    lungs_parameters = torch.load(BUILD / "lungs.pt")
    lines, parameters = ensemble(
        resnet(train.DIAGNOSIS_SIDE), [torch.load(BUILD / f"seed-{seed}.pt") for seed in train.MEMBERS]
    )
    films = data.labelled()
    settings, gates, bias = calibrated(films, Graph(lines, norm=False).load_folded(parameters), *train.seen(films))
    weight, own = parameters["logits"]
    parameters["logits"] = weight, own + bias
    graphs = {
        "lungs": Graph(gated(Graph(unet(train.LUNGS_SIDE)), "gate.pool", gates["lungs"]), norm=False),
        "diagnosis": Graph(gated(Graph(lines), "pool", gates["diagnosis"]), norm=False),
    }
    lungs_parameters["gate"], parameters["gate"] = gates["lungs"], gates["diagnosis"]
    metadata = {
        "general.architecture": "pleura",
        "general.name": "pleura",
        "general.version": VERSION,
        "general.license": "CC-BY-NC-SA-4.0",
        "pleura.labels": list(data.LABELS),
        "pleura.lungs.graph": graphs["lungs"].lines,
        "pleura.diagnosis.graph": graphs["diagnosis"].lines,
        "pleura.lungs.margin": train.MARGIN,
        "pleura.diagnosis.blur": train.BLUR,
        **settings,
        "pleura.card.notice": NOTICE,
        "pleura.card.summary": SUMMARY,
        "pleura.card.data": data.manifest_hash(),
        "pleura.card.splits": data.splits_hash(),
        "pleura.card.training": f"make model; seeds {', '.join(map(str, train.MEMBERS))}",
    }
    of_lungs, lungs_parameters = tensors("lungs", graphs["lungs"], lungs_parameters, to_q8)
    of_diagnosis, parameters = tensors("diagnosis", graphs["diagnosis"], parameters, to_q8)
    arrays = {**of_lungs, **of_diagnosis}
    write_gguf(out, metadata, arrays)
    metadata["pleura.selftest.bits"] = Engine().phantom_bits(out.read_bytes())
    write_gguf(out, metadata, arrays)
    torch.save(
        {"lungs": (graphs["lungs"].lines, lungs_parameters), "diagnosis": (graphs["diagnosis"].lines, parameters)},
        BUILD / "shipped.pt",
    )
    print(f"{out}: {out.stat().st_size} bytes, phantom {metadata['pleura.selftest.bits']}")


def calibrated(films, network, crop, mask, shape, lung_features):
    """({metadata key: value}, {graph: gate}, bias of the logits) from the validation films; whitening from the training
    films. The probabilities stand for the mixture of classes among the films that they are fitted on, which pleura.prior tells.
    """
    split = np.array([film.split for film in films])
    is_val, is_train = np.flatnonzero(split == "val"), np.flatnonzero(split == "train")[::3]
    weight = {
        name: train.weights([films[i] for i in rows]).numpy() for name, rows in (("val", is_val), ("train", is_train))
    }
    logits, pool = train.evaluate(network, train.as_input(crop[is_val], mask[is_val]))
    _, train_pool = train.evaluate(network, train.as_input(crop[is_train], mask[is_train]))
    judged = np.array([films[i].source not in UNJUDGED for i in is_val])
    label = torch.tensor([data.LABELS.index(films[i].label) for i in is_val])[judged]
    t, bias = calibrate.scaling(logits[judged], label)
    probability = torch.softmax((logits[judged] + torch.from_numpy(bias)) / t, 1).numpy()
    gates, quantiles = {}, {}
    for name, of_train, of_val in (
        ("lungs", lung_features[is_train], lung_features[is_val]),
        ("diagnosis", train_pool.numpy(), pool.numpy()),
    ):
        gates[name], quantiles[name] = calibrate.gate(of_train, weight["train"], of_val, weight["val"])
    tail = [calibrate.GATE_TAIL / 2, 1 - calibrate.GATE_TAIL / 2]
    area, balance, doubt = (calibrate.weighted_quantiles(column[is_val], weight["val"], tail) for column in shape.T)
    print(
        f"val: temperature {t:.3f}, bias {bias}, answered {(probability.max(1) >= calibrate.CERTAIN).mean():.3f}, lungs {area[0]:.3f}..{area[1]:.3f} of the frame, "
        f"balance {balance[0]:.3f}, doubt {doubt[1]:.3f}, accuracy {(probability.argmax(1) == label.numpy()).mean():.3f}"
    )
    return (
        {
            "pleura.temperature": t,
            "pleura.threshold.certain": calibrate.CERTAIN,
            "pleura.gate.min_score": calibrate.GATE_TAIL,
            "pleura.prior": np.bincount(label, minlength=len(data.LABELS)).astype(np.float32) / len(label),
            "pleura.gate.area": area.astype(np.float32),
            "pleura.gate.balance": float(balance[0]),
            "pleura.gate.doubt": float(doubt[1]),
            "pleura.gate.chroma": MIN_CHROMA_REFUSED,
            "pleura.gate.lungs.quantiles": quantiles["lungs"],
            "pleura.gate.diagnosis.quantiles": quantiles["diagnosis"],
        },
        gates,
        bias,
    )


if __name__ == "__main__":
    main()
