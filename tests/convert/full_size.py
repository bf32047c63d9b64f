"""Converts torchvision's networks in full size, with random weights, and compares with PyTorch on noise and real films.

No test runs this. By hand: PYTHONPATH=model /usr/bin/python3 tests/convert/full_size.py [NAME...]. It needs `make lib`,
python3-torchvision and the films. The error is the largest difference of a logit, relative to the range of logits over
the films.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import models

from make_onnx import MEAN, NORMAL, STD, png, settle
from training import data
from training.engine import Model

NAMES = [
    "vgg11",
    "vgg16_bn",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "densenet121",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "squeezenet1_1",
    "mnasnet0_5",
    "regnet_y_400mf",
]
CONVERT, SIDE, REAL = Path(__file__).resolve().parents[2] / "model" / "convert", 224, 4


def films(folder):
    """[(path, grey [SIDE, SIDE])]: noise, and real films at the size of the networks' input."""
    noise = np.random.default_rng(5).integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)
    paths = sorted((data.home() / "images").glob("*/*"))
    real = [
        np.asarray(Image.open(path).convert("L").resize((SIDE, SIDE), Image.BOX))
        for path in paths[:: len(paths) // REAL][:REAL]
    ]
    written = [(folder / f"{n}.png", grey) for n, grey in enumerate([*noise, *real])]
    for path, grey in written:
        png(path, grey)
    return written


def engine_logits(weights, paths):
    model = Model(weights)
    return np.array([model.diagnose(path.read_bytes()).logits for path in paths])


def main():
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = films(folder)
        x = torch.from_numpy(np.stack([grey for _, grey in inputs])[:, None].astype(np.float32) / 255).repeat(
            1, 3, 1, 1
        )
        x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        for architecture in sys.argv[1:] or NAMES:
            network = getattr(models, architecture)(num_classes=3)
            for module in network.modules():
                if type(module).__name__ == "StochasticDepth":
                    module.p = 0
            settle(network, x)
            with torch.no_grad():
                expected = torch.cat([network(one[None]) for one in x]).double().numpy()
            torch.onnx.export(network, x[:1], str(folder / "net.onnx"))
            errors = []
            for more in (["--f32"], []):
                subprocess.run(
                    [sys.executable, CONVERT, folder / "net.onnx", folder / "net.gguf", *NORMAL, *more],
                    check=True,
                    stderr=subprocess.DEVNULL,
                )
                got = engine_logits((folder / "net.gguf").read_bytes(), [path for path, _ in inputs])
                errors.append(np.abs(got - expected).max() / np.ptp(expected, axis=0).max())
            print(f"{architecture}: float32 {errors[0]:.1e}, float16 {errors[1]:.1e}", flush=True)


if __name__ == "__main__":
    main()
