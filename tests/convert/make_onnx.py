"""Writes tests/fixtures/convert: small networks of every family as ONNX and Keras files, films, and their logits."""
import json
import zlib
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.densenet import DenseNet
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.mobilenetv2 import InvertedResidual
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import Conv2dNormActivation

import make_keras
from make_keras import FIXTURES

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NORMAL = ["--labels", "covid,pneumonia,normal", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]
GREY = ["--labels", "covid,pneumonia,normal", "--scale", "1/255"]


def png(path, grey):
    """Writes a grey PNG, which every decoder reads without loss."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    head = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


def films():
    """{file name: [64, 64]}: noise, rings on a slope, and both mixed."""
    y, x = np.mgrid[:64, :64] / 64
    rings = 127 + 60 * np.sin(20 * np.hypot(x - 0.4, y - 0.5)) + 60 * (x - y)
    noise = np.random.default_rng(5).integers(0, 256, (64, 64))
    drawn = {"noise.png": noise, "rings.png": rings, "mixed.png": (rings + noise) / 2}
    return {name: film.astype(np.uint8) for name, film in drawn.items()}


def greys(side, channels):
    """The films [n, c, side, side] in 0..255. A side of 32 averages two by two pixels, as the engine does."""
    x = torch.from_numpy(np.stack(list(films().values()))[:, None].astype(np.float32))
    return F.avg_pool2d(x, 64 // side).repeat(1, channels, 1, 1)


def conv_bn(cin, cout, k=3, stride=1):
    return Conv2dNormActivation(cin, cout, k, stride)


def shrink(cin, cout, stride):
    return nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))


def head(c):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 3)]


class Unet(nn.Module):
    """Two levels, resized by nearest and then linearly. Ends in a map of three labels, or in a dense layer."""

    def __init__(self, dense):
        super().__init__()
        self.down = nn.ModuleList([conv_bn(1, 5), conv_bn(5, 8), conv_bn(8, 10)])
        self.up = nn.ModuleList([conv_bn(10 + 8, 8), conv_bn(8 + 5, 6)])
        self.map, self.dense = nn.Conv2d(6, 1 if dense else 3, 1), nn.Linear(32 * 32, 3) if dense else None

    def forward(self, x):
        a = self.down[0](x)
        b = self.down[1](F.max_pool2d(a, 2))
        c = self.down[2](F.max_pool2d(b, 2))
        d = self.up[0](torch.cat([F.interpolate(c, scale_factor=2, mode="nearest"), b], 1))
        e = self.map(self.up[1](torch.cat([F.interpolate(d, scale_factor=2, mode="bilinear"), a], 1)))
        return e if self.dense is None else self.dense(torch.flatten(e, 1))


class Odd(nn.Module):
    """What the other networks lack: oblong windows, groups, dilation, uneven padding, composed activations."""

    def __init__(self):
        super().__init__()
        self.first, self.wide = nn.Conv2d(3, 6, (1, 5), 2, (0, 2)), nn.Conv2d(6, 6, (3, 1), padding=(1, 0), dilation=1)
        self.grouped, self.twice = nn.Conv2d(6, 10, 3, padding=2, dilation=2, groups=2), nn.Conv2d(10, 20, 3, groups=10)
        self.norm, self.last, self.dense = nn.BatchNorm2d(10), nn.Conv2d(30, 7, 3, 2), nn.Linear(7 * 9, 3)

    def forward(self, x):
        x = self.wide(F.hardswish(self.first(8 * x - 4)))
        x = x * F.relu6(x + 3) / 6
        x = self.norm(self.grouped(F.avg_pool2d(x, 3, 2, 1)))
        y = F.pad(torch.tanh(self.twice(x)), (1, 1, 1, 1))
        x = torch.cat([torch.clamp(x, -1, 2), y * 0.5 - 0.1], 1)
        x = self.last(F.pad(F.max_pool2d(x, 3, 2, ceil_mode=True), (2, 1, 1, 2)))
        return self.dense(torch.flatten(x * torch.sigmoid(x.mean((2, 3), keepdim=True)), 1))


class ChannelsLast(nn.Module):
    """Like the output of TensorFlow's converters: transposed at both ends, the mean without its axes."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense, self.last = nn.Conv2d(1, 6, 3, 4), nn.Linear(6 * 8 * 8, 9), nn.Linear(9 + 6, 3)

    def forward(self, x):
        x = F.relu(self.conv(x.permute(0, 3, 1, 2)))
        y = torch.relu(self.dense(x.permute(0, 2, 3, 1).reshape(1, -1)))
        return torch.softmax(self.last(torch.cat([y, x.mean((2, 3))], 1)), 1)


def networks():
    """{name: (network, side, channels, arguments)}"""
    block = lambda *a: InvertedResidualConfig(*a, dilation=1, width_mult=1)
    v3 = [block(8, 3, 8, 6, True, "RE", 2), block(6, 5, 16, 8, True, "HS", 2), block(8, 5, 16, 8, True, "HS", 1)]
    b0 = [MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(2, 5, 2, 8, 10, 2)]
    return {
        "vgg": (
            nn.Sequential(
                nn.Conv2d(3, 6, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(6, 12, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(12, 12, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.AdaptiveAvgPool2d((4, 4)),
                nn.Flatten(),
                nn.Linear(192, 10),
                nn.ReLU(),
                nn.Dropout(),
                nn.Linear(10, 3),
            ),
            32,
            3,
            NORMAL,
        ),
        "resnet18": (
            nn.Sequential(
                conv_bn(3, 8, 7, 2),
                nn.MaxPool2d(3, 2, 1),
                BasicBlock(8, 8),
                BasicBlock(8, 14, 2, shrink(8, 14, 2)),
                *head(14),
            ),
            64,
            3,
            NORMAL,
        ),
        "resnet50": (
            nn.Sequential(
                conv_bn(1, 8, 7, 2),
                nn.MaxPool2d(3, 2, 1),
                Bottleneck(8, 4, 1, shrink(8, 16, 1)),
                Bottleneck(16, 6, 2, shrink(16, 24, 2)),
                *head(24),
            ),
            64,
            1,
            GREY,
        ),
        "densenet": (DenseNet(5, (2, 2), 6, bn_size=2, num_classes=3), 64, 3, NORMAL),
        "mobilenet_v2": (
            nn.Sequential(
                conv_bn(3, 8, 3, 2),
                InvertedResidual(8, 8, 1, 1),
                InvertedResidual(8, 10, 2, 4),
                InvertedResidual(10, 10, 1, 4),
                *head(10),
            ),
            64,
            3,
            NORMAL,
        ),
        "mobilenet_v3": (MobileNetV3(v3, 20, num_classes=3), 64, 3, NORMAL),
        "efficientnet": (EfficientNet(b0, 0.2, num_classes=3, last_channel=16), 64, 3, NORMAL),
        "unet": (Unet(True), 32, 1, GREY),
        "unet_map": (Unet(False), 32, 1, GREY),
        "odd": (Odd(), 32, 3, GREY),
        "channels_last": (ChannelsLast(), 32, 1, GREY),
    }


def settle(network, x):
    """Gives batch norms the statistics of these films and disables dropout, as in a trained network."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            module.reset_running_stats()
        if isinstance(module, nn.Dropout):
            module.p = 0
    if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        with torch.no_grad():
            network.train()(x)
    return network.eval()


def onnx_file(name, network, side, channels):
    """Writes the network and returns its logits in double precision for the films."""
    x = greys(side, channels) / 255
    if channels == 3 and name != "odd":
        x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    if isinstance(network, ChannelsLast):
        x = x.permute(0, 2, 3, 1)
    settle(network, x)
    # PRESERVE does not fold batch norms into convolutions; other exporters do not either.
    torch.onnx.export(
        network, x[:1], str(FIXTURES / f"{name}.onnx"), training=torch.onnx.TrainingMode.PRESERVE, opset_version=14
    )
    with torch.no_grad():
        out = torch.cat([network.double()(one[None].double()) for one in x])
    if isinstance(network, ChannelsLast):
        out = out.log()
    return out.mean((2, 3)) if out.ndim == 4 else out


def main():
    torch.manual_seed(4)
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name, film in films().items():
        png(FIXTURES / name, film)
    expected = {}
    for name, (network, side, channels, arguments) in networks().items():
        logits = onnx_file(name, network, side, channels)
        expected[f"{name}.onnx"] = {"arguments": arguments, "logits": logits.tolist()}
    expected.update(make_keras.files(greys))
    (FIXTURES / "expected.json").write_text(json.dumps({"films": list(films()), "networks": expected}, indent=1) + "\n")


if __name__ == "__main__":
    main()
