"""Other classifiers on whole frames of the same splits: image size, brightness, thumbnails, two published networks."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from report import metrics
from training import data
from training import train
from training.engine import for_each
from training.fit import Batches, fit

DARKCOVIDNET = (
    "Ozturk et al., 2020, with the 1 x 1 convolutions padded by 1 as in its authors' code, which gives the paper's "
    "1,164,434 parameters for two classes"
)


def linear(x, y, weight, classes=len(data.LABELS)):
    """Weighted multinomial logistic regression on x [n, k]; returns a function to probabilities [m, classes]."""
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    layer = nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100)
    x = (x - mean) / deviation

    def loss():
        optimizer.zero_grad()
        mean_loss = (F.cross_entropy(layer(x), y, reduction="none") * weight).sum() / weight.sum()
        value = mean_loss + 1e-2 * layer.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda other: layer((other - mean) / deviation).softmax(1).detach().numpy()


def neighbours(x, y, weight, width=0.02):
    """The classes of the nearest films (Parzen, 1962), for a few numbers per film; same interface as linear()."""
    mean, deviation = x.mean(0), x.std(0) + 1e-3

    def predict(other):
        distance = torch.cdist((other - mean) / deviation, (x - mean) / deviation) / width
        log_density = weight.log() - distance.square() / 2
        classes = [log_density[:, y == c].logsumexp(1) for c in range(len(data.LABELS))]
        return torch.stack(classes, 1).softmax(1).numpy()

    return predict


def frames(films, side):
    """[n, side, side] uint8: each whole film stretched to a square, its robust range mapped to 0..255."""

    def frame(model, film):
        decoded = model.decode(film.path)
        out = model.film_input(decoded, side)
        model.free(decoded)
        return np.rint((out + 1) * 127.5).astype(np.uint8)

    return np.stack(for_each(frame, films))


def network_input(frames):
    return torch.from_numpy(frames).float()[:, None] / 127.5 - 1


def logits(out):
    """Logits [n, classes] of a Graph or of another network."""
    return out["logits"][:, :, 0, 0] if isinstance(out, dict) else out


def trained(network, films, frames, steps, batch, rate):
    """Trains `network` on frames, half of them mirrored; films are drawn as for Pleura's own networks."""
    weight, label = train.sampling_weights(films), torch.from_numpy(metrics.true_classes(films))

    def make():
        picks = torch.multinomial(weight, batch, replacement=True)
        x = network_input(frames[picks.numpy()])
        return torch.where(torch.rand(batch, 1, 1, 1) < 0.5, x.flip(3), x), label[picks]

    def loss(out, target):
        return F.cross_entropy(logits(out), target)

    return fit(network, Batches(steps, make), loss, {rate: network.parameters()}, torch.channels_last)


def probabilities(network, frames):
    """[n, labels], from a trained network."""
    with torch.no_grad():
        parts = [logits(network(network_input(frames[i : i + 64]))) for i in range(0, len(frames), 64)]
    return torch.cat(parts).softmax(1).numpy()


def resnet(side=96, widths=(16, 32, 64, 128), classes=len(data.LABELS)):
    """Lines of a ResNet-10: strided stem, one residual block per width, `features`, `pool`, `logits`."""
    lines = [f"image = input h={side} w={side} c=1", f"stem = conv image k=5 stride=2 pad=2 c={widths[0]} act=relu"]
    last = "stem"
    for number, width in enumerate(widths, 1):
        stride, out = (1, f"block{number}") if number == 1 else (2, f"block{number}")
        lines += [
            f"{out}a = conv {last} k=3 stride={stride} pad=1 c={width} act=relu",
            f"{out}b = conv {out}a k=3 stride=1 pad=1 c={width}",
        ]
        if stride == 2:
            lines.append(f"{out}s = conv {last} k=1 stride=2 pad=0 c={width}")
            last = f"{out}s"
        out = "features" if number == len(widths) else out
        lines.append(f"{out} = add block{number}b {last} act=relu")
        last = out
    return lines + ["pool = mean features", f"logits = dense pool c={classes}"]


def keras_tutorial():
    """The network with two convolutions of the Keras tutorials, for 100 x 100 grey pixels."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 23 * 23, 64),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64, len(data.LABELS)),
    )


class Colour(nn.Module):
    """Repeats the grey channel three times."""

    def forward(self, x):
        return x.expand(-1, 3, -1, -1)


def darkcovidnet():
    """17 convolutions for 256 x 256; see DARKCOVIDNET."""
    classes = len(data.LABELS)

    def block(cin, cout, k=3):
        return [nn.Conv2d(cin, cout, k, padding=1, bias=False), nn.BatchNorm2d(cout), nn.LeakyReLU(0.1)]

    def triple(cin, cout):
        return [*block(cin, cout), *block(cout, cin, 1), *block(cin, cout), nn.MaxPool2d(2)]

    return nn.Sequential(
        Colour(),
        *block(3, 8),
        nn.MaxPool2d(2),
        *block(8, 16),
        nn.MaxPool2d(2),
        *triple(16, 32),
        *triple(32, 64),
        *triple(64, 128),
        *triple(128, 256)[:-1],
        *block(256, 128, 1),
        *block(128, 256),
        *block(256, classes),
        nn.Flatten(),
        nn.Linear(169 * classes, classes),
    )


def sizes(films):
    """[n, 2] logarithms of the original images' width and height."""
    known = {
        str(table.parent / row["file"]): [float(row[key] or 0) for key in ("orig_width", "orig_height")]
        for table in data.tables()[: len(data.FOLDERS)]
        for _, row in data.rows(table)
    }
    sides = [known[film.path] for film in films]
    return torch.tensor(sides).log()


def brightness(films):
    """[n, 1] mean grey level, 0..1."""
    means = for_each(lambda model, film: model.pixels(film.path).mean() / 65535, films)
    return torch.tensor(means, dtype=torch.float32)[:, None]


def section(options):
    """The table of `python3 -m report baselines`."""
    learnt, unseen = metrics.whole_frames("train"), metrics.whole_frames("test", "external")
    weight, label = train.sampling_weights(learnt), torch.from_numpy(metrics.true_classes(learnt))
    released = for_each(lambda model, film: model.diagnose(model.pixels(film.path)).probability, unseen)
    rows = [["Pleura, lungs only", "", "", *metrics.headline(np.stack(released), unseen)]]
    for name, classifier, features in (
        ("width and height of the original image only", neighbours, sizes),
        ("mean brightness only", neighbours, brightness),
        ("logistic regression on 32 x 32", linear, lambda films: network_input(frames(films, 32)).flatten(1)),
    ):
        predict = classifier(features(learnt), label, weight)
        rows.append([name, "", f"{len(learnt):,}", *metrics.headline(predict(features(unseen)), unseen)])
    # The default numbers of steps take two slow cores about 20 minutes.
    for name, network, side, default_steps, rate in (
        ("two convolutions (Keras tutorial), 100 x 100", keras_tutorial(), 100, 800, 1e-3),
        ("DarkCovidNet, 256 x 256", darkcovidnet(), 256, 300, 3e-3),
    ):
        steps, batch = options.steps or default_steps, 32
        network = trained(network, learnt, frames(learnt, side), steps, batch, rate)
        parameters = sum(p.numel() for p in network.parameters())
        cells = metrics.headline(probabilities(network, frames(unseen, side)), unseen)
        rows.append([name, f"{parameters:,}", f"{steps * batch:,}", *cells])
    return [
        {
            "title": f"Other classifiers on whole frames: {metrics.describe(unseen)}. All were trained on the training "
            "split's whole frames, drawn as for Pleura.",
            "columns": ["classifier", "parameters", "films seen in training", *metrics.HEADLINE],
            "rows": rows,
            "note": f"DarkCovidNet: {DARKCOVIDNET}. Longer training would make both networks better on the test split, "
            "which shares its hospitals with the training split.",
        }
    ]
