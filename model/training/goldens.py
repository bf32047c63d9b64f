"""Writes tests/fixtures from PyTorch, never from the engine under test.

tiny.gguf is a random model with every operation, and tiny.bin its inputs and the whole output of every layer.
findings.gguf is one with an opacity map, a label for other findings and an output for the pose of the film. phantom.bin holds samples of every layer of model/pleura.gguf on the phantom. A .bin file is a sequence of records. Each
is a line

    <graph> <layer> <h> <w> <c> <n>

and n float32 values, little-endian: number i is value i * (h * w * c / n), by integer division, of the output in HWC
order without padding.
"""
import argparse
from pathlib import Path

import numpy as np
import torch

from training import train
from training.engine import ROOT, Engine
from training.export import tensors
from training.fit import BUILD
from convert.gguf import write_gguf
from training.graph import Graph
from training.lungs import LUNGS_SIDE
from training.quantise import Int8Graph

SAMPLES = 64  # per layer in phantom.bin

TINY = {
    "lungs": [
        "image = input h=16 w=16 c=1",
        "first = conv image k=3 stride=1 pad=1 c=8 act=relu",
        "down = maxpool first k=2 stride=2",
        "wide = conv down k=5 stride=1 pad=2 c=12 act=relu",
        "up = resize wide scale=2",
        "twice = resize wide scale=2",
        "cat = concat up first twice",
        "mask = conv cat k=1 stride=1 pad=0 c=1",
        "gate.pool = mean wide",
        "gate = dense gate.pool c=6",
    ],
    "diagnosis": [
        "image = input h=19 w=19 c=1",
        "stem = conv image k=5 stride=2 pad=2 c=8 act=relu",
        "slide = maxpool stem k=3 stride=1",
        "bare = conv slide k=3 stride=1 pad=0 c=6",
        "block.a = conv bare k=3 stride=2 pad=1 c=10 act=relu",
        "block.b = conv block.a k=3 stride=1 pad=1 c=10",
        "block.s = conv bare k=1 stride=2 pad=0 c=10 act=relu",
        "features = add block.b block.s act=relu",
        "sum = add features block.a",
        "pool = mean features",
        "logits = dense pool c=3",
        "flat = dense sum c=5 act=relu",
        "gate = dense pool c=4",
        "uneven = conv stem k=3 stride=2 pad=0 after=1 c=7 act=hardswish",
        "peak = maxpool stem k=3 stride=2 pad=1",
        "smooth = avgpool peak k=2 stride=2",
        "deep = depthwise bare k=3 stride=2 pad=0 after=1 act=silu",
        "squeeze = mean deep",
        "excite = conv squeeze k=1 stride=1 pad=0 c=6 act=hardsigmoid",
        "gated = mul deep excite",
        "product = mul gated deep",
        "wider = resize gated scale=3 mode=linear",
        "odd = concat gated block.a deep",
        "mixed = conv odd k=1 stride=1 pad=0 c=5 act=tanh",
        "bent = act odd act=sigmoid",
        "capped = add gated product act=relu6",
    ],
}


FINDINGS = {
    "lungs": [*TINY["lungs"][:-1], "gate = dense gate.pool c=6", "pose = dense gate.pool c=6"],
    "diagnosis": [
        "image = input h=16 w=16 c=1",
        "features = conv image k=3 stride=4 pad=1 c=8 act=relu",
        "opacity = conv features k=1 c=1",
        "pool = mean features",
        "logits = dense pool c=4",
        "gate = dense pool c=4",
    ],
}


def records(prefix, graph, image, samples=None):
    """The records of every layer for an image [1, c, h, w], computed in double precision, as bytes."""
    out = b""
    with torch.no_grad():
        layers = graph.double()(image.double())
    for name, tensor in layers.items():
        c, h, w = tensor.shape[1:]
        flat = tensor[0].permute(1, 2, 0).flatten().numpy().astype("<f4")
        n = min(samples or flat.size, flat.size)
        out += f"{prefix} {name} {h} {w} {c} {n}\n".encode() + flat[np.arange(n) * (flat.size // n)].tobytes()
    return out


def network(lines, parameters):
    return Graph(lines, norm=False).load_folded(parameters)


def random_model(name, graphs, settings):
    """(metadata, tensors, records of all layers) of a model with random weights."""
    torch.manual_seed(3)
    arrays, layers = {}, b""
    for prefix, lines in graphs.items():
        graph = Graph(lines, norm=False)
        parameters = graph.fold()
        of_graph, parameters = tensors(prefix, graph, parameters)
        arrays.update(of_graph)
        c, h, w = graph.shapes["image"]
        layers += records(prefix, network(lines, parameters), torch.randn(1, c, h, w))
    metadata = {
        "general.architecture": "pleura",
        "general.name": name,
        "general.version": "0.0.1",
        "general.license": "CC0-1.0",
        "pleura.temperature": 1.5,
        "pleura.lungs.graph": graphs["lungs"],
        "pleura.diagnosis.graph": graphs["diagnosis"],
        "pleura.lungs.margin": 0.1,
        "pleura.diagnosis.blur": 1,
        "pleura.gate.min_score": 0.01,
        "pleura.gate.area": np.array([0.0, 1.0], np.float32),
        "pleura.gate.balance": 0.0,
        "pleura.gate.chroma": 0.1,
        "pleura.gate.lungs.quantiles": np.linspace(0, 50, 101, dtype=np.float32),
        "pleura.gate.diagnosis.quantiles": np.linspace(0, 50, 101, dtype=np.float32),
        "pleura.card.notice": "A random model for tests.",
        "pleura.card.summary": "Knows nothing.",
        "pleura.card.data": "none",
        **settings,
    }
    return metadata, arrays, layers


def tiny(folder):
    """Writes tiny.gguf and tiny.bin."""
    settings = {
        "pleura.labels": ["covid", "pneumonia", "normal"],
        "pleura.threshold.certain": 0.34,
        "pleura.prior": np.array([0.4, 0.25, 0.35], np.float32),
    }
    metadata, arrays, layers = random_model("tiny", TINY, settings)
    write_gguf(folder / "tiny.gguf", metadata, arrays)
    (folder / "tiny.bin").write_bytes(layers)


def findings(folder):
    """Writes findings.gguf."""
    settings = {
        "pleura.labels": ["covid", "pneumonia", "normal", "other"],
        "pleura.labels.other": 3,
        "pleura.threshold.certain": 0.25,
        "pleura.prior": np.array([0.3, 0.2, 0.4, 0.1], np.float32),
        "pleura.diagnosis.grow": 1,
        "pleura.diagnosis.contrast": 0.25,
        "pleura.opacity.threshold": 0.5,
    }
    metadata, arrays, _ = random_model("findings", FINDINGS, settings)
    write_gguf(folder / "findings.gguf", metadata, arrays)


def phantom(folder):
    """Writes phantom.bin: the networks of model/pleura.gguf on the synthetic film, prepared by the engine."""
    engine, exported = Engine(), torch.load(BUILD / "exported.pt", weights_only=False)
    lungs, diagnosis = (Int8Graph(lines).eval() for lines, _ in exported.values())
    for graph, (_, state) in zip((lungs, diagnosis), exported.values()):
        graph.load_state_dict(state)
        graph.double().round_biases()
    film = engine.phantom()
    frame = torch.from_numpy(engine.film_input(film, LUNGS_SIDE))[None, None]
    layers = records("lungs", lungs, frame, SAMPLES)
    with torch.no_grad():
        logits = lungs(frame.double())["mask"][0, 0].float().numpy()
    flat = train.SETTINGS._replace(contrast=0)  # PyTorch normalises the contrast here
    planes = engine.crop(film, engine.lungs(logits), train.DIAGNOSIS_SIDE, flat)
    engine.free(film)
    crop, mask = (torch.from_numpy(plane)[None, None] for plane in planes)
    image = train.normalise_locally(crop, mask) * mask
    layers += records("diagnosis", diagnosis, image, SAMPLES)
    (folder / "phantom.bin").write_bytes(layers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", default=ROOT / "tests" / "fixtures", type=Path, help="folder (default: tests/fixtures)"
    )
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    tiny(folder)
    findings(folder)
    phantom(folder)


if __name__ == "__main__":
    main()
