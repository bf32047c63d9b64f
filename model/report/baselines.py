"""What other classifiers reach on the same splits, on whole frames: sizes, brightness, thumbnails, two known networks."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from training import data
from report import metrics
from training import train
from training.engine import each

DARKCOVIDNET = (
    "Ozturk et al., 2020, with the 1 x 1 convolutions padded by 1 as in its authors' code, which gives the paper's "
    "1,164,434 parameters for two classes"
)


def linear(x, y, weight, classes=len(data.LABELS)):
    """Weighted multinomial logistic regression on x [n, k] -> a function to probabilities [m, classes]."""
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    layer = nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100)
    x = (x - mean) / deviation

    def loss():
        optimizer.zero_grad()
        value = (
            F.cross_entropy(layer(x), y, reduction="none") * weight
        ).sum() / weight.sum() + 1e-2 * layer.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda other: layer((other - mean) / deviation).softmax(1).detach().numpy()


def neighbours(x, y, weight, width=0.02):
    """The classes of the films nearest to a point (Parzen, 1962), for a few numbers a film; as linear()."""
    mean, deviation = x.mean(0), x.std(0) + 1e-3

    def ask(other):
        near = weight.log() - (torch.cdist((other - mean) / deviation, (x - mean) / deviation) / width).square() / 2
        return torch.stack([near[:, y == c].logsumexp(1) for c in range(len(data.LABELS))], 1).softmax(1).numpy()

    return ask


def frames(films, side):
    """[n, side, side] uint8: each whole film stretched to a square, its robust range on 0..255."""

    def ask(model, film):
        decoded = model.decode(film.path)
        out = model.film_input(decoded, side)
        model.free(decoded)
        return np.rint((out + 1) * 127.5).astype(np.uint8)

    return np.stack(each(ask, films))


def as_input(frames):
    return torch.from_numpy(frames).float()[:, None] / 127.5 - 1


def logits(out):
    """Of a Graph or of another network."""
    return out["logits"][:, :, 0, 0] if isinstance(out, dict) else out


def trained(network, films, frames, steps, batch, rate):
    """`network`, trained on frames of films drawn as for Pleura's own, half of them mirrored."""
    weight, label = train.weights(films), torch.from_numpy(metrics.truth(films))

    def make():
        picks = torch.multinomial(weight, batch, replacement=True)
        x = as_input(frames[picks.numpy()])
        return torch.where(torch.rand(batch, 1, 1, 1) < 0.5, x.flip(3), x), label[picks]

    return train.fit(
        network,
        train.Batches(steps, make),
        lambda out, target: F.cross_entropy(logits(out), target),
        rate,
        torch.channels_last,
    )


def answers(network, frames):
    """Probabilities [n, 3] of a trained network."""
    with torch.no_grad():
        return (
            torch.cat([logits(network(as_input(frames[i : i + 64]))) for i in range(0, len(frames), 64)])
            .softmax(1)
            .numpy()
        )


def keras_tutorial():
    """The two-convolution network of the Keras tutorials, for 100 x 100 greys."""
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
        nn.Linear(64, 3),
    )


class Colour(nn.Module):
    """Grey as three equal channels."""

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
    """[n, 2] logarithms of the originals' sides."""
    known = {str(data.home() / row["file"]): row for row in data.rows(data.home() / "manifest.csv")}
    sides = [[float(known[film.path][key]) for key in ("orig_width", "orig_height")] for film in films]
    return torch.tensor(sides).log()


def brightness(films):
    """[n, 1] mean greys, 0..1."""
    return torch.tensor(each(lambda model, film: model.greys(film.path).mean() / 65535, films), dtype=torch.float32)[
        :, None
    ]


def section(options):
    """The table of `report.py baselines`. The defaults' steps are what two slow cores do in 20 minutes."""
    train.start(1)
    learn, judge = metrics.whole_frames("train"), metrics.whole_frames("test", "external")
    weight, label = train.weights(learn), torch.from_numpy(metrics.truth(learn))
    shipped = each(lambda model, film: model.diagnose(model.greys(film.path)).probability, judge)
    table = [["Pleura, lungs alone", "", "", *metrics.headline(np.stack(shipped), judge)]]
    for name, fit, see in (
        ("the original's width and height alone", neighbours, sizes),
        ("mean brightness alone", neighbours, brightness),
        ("logistic regression on 32 x 32", linear, lambda films: as_input(frames(films, 32)).flatten(1)),
    ):
        table.append(
            [name, "", f"{len(learn):,}", *metrics.headline(fit(see(learn), label, weight)(see(judge)), judge)]
        )
    for name, network, side, steps, rate in (
        ("two convolutions (Keras tutorial), 100 x 100", keras_tutorial(), 100, 800, 1e-3),
        ("DarkCovidNet, 256 x 256", darkcovidnet(), 256, 300, 3e-3),
    ):
        steps, batch = options.steps or steps, 32
        network = trained(network, learn, frames(learn, side), steps, batch, rate)
        table.append(
            [
                name,
                f"{sum(p.numel() for p in network.parameters()):,}",
                f"{steps * batch:,}",
                *metrics.headline(answers(network, frames(judge, side)), judge),
            ]
        )
    return [
        {
            "title": f"Other classifiers on whole frames: {metrics.sets(judge)}. All were trained on the training split's whole frames, "
            "drawn as for Pleura.",
            "columns": ["classifier", "parameters", "films seen in training", *metrics.HEADLINE],
            "rows": table,
            "note": f"DarkCovidNet: {DARKCOVIDNET}. More films seen would make both networks better on the test "
            "split, which shares its hospitals with training.",
        }
    ]
