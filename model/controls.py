"""Trivial baselines on the test split: what the lungs' outline alone, or a thumbnail, tells a linear model."""
import numpy as np
import torch
from torch.nn import functional as F

import data
import train
from graph import Graph, unet

CELLS = 14


def fit_linear(x, y, weight):
    """Weighted multinomial logistic regression, x [n, k] -> a function to logits [m, 3]."""
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    layer = torch.nn.Linear(x.shape[1], 3)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100)
    x = (x - mean) / deviation

    def loss():
        optimizer.zero_grad()
        value = (F.cross_entropy(layer(x), y, reduction="none") * weight).sum() / weight.sum() + 1e-2 * layer.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda other: layer((other - mean) / deviation).detach()


def main():
    train.start(1)
    lungs = Graph(unet(train.LUNGS_SIDE))
    lungs.load_state_dict(torch.load(train.BUILD / "lungs.pt"))
    films = train.labelled()
    crop, mask, *_ = train.seen(films, lungs.eval())
    split = np.array([film.split for film in films])
    label = torch.tensor([data.LABELS.index(film.label) for film in films])
    whole = np.array([film.source != "rsna_lungonly" for film in films])
    outline = F.adaptive_avg_pool2d(torch.from_numpy(mask).float()[:, None] / 255, CELLS).flatten(1)
    thumbnail = F.adaptive_avg_pool2d(train.as_input(crop, mask), CELLS).flatten(1)
    rows = np.flatnonzero(split == "train")
    weight = train.weights([films[i] for i in rows])
    for name, x in (("outline of the lungs", outline), ("thumbnail of the lungs", thumbnail)):
        model = fit_linear(x[rows], label[rows], weight)
        test, external = (split == "test") & whole, split == "external"
        right = model(x[test]).argmax(1) == label[test]
        recall = [float(right[label[test] == i].float().mean()) for i in range(3)]
        normal = float((model(x[external]).argmax(1) == 2).float().mean())
        print(f"{name}, {CELLS} x {CELLS}, linear: " + ", ".join(f"{n} {100 * r:.1f} %" for n, r in zip(data.LABELS, recall))
              + f"; balanced {100 * np.mean(recall):.1f} % (n={int(test.sum())}); external normals called normal "
              f"{100 * normal:.1f} % (n={int(external.sum())})")


if __name__ == "__main__":
    main()
