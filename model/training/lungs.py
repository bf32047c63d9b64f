"""Trains the lung U-Net: whole films to a mask of the lungs.

It learns from drawn masks of the cohen films, from films whose surroundings are black already, and from pictures that
are not chest films, whose mask is empty.
"""
import logging

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from training import augment
from training import data
from training.engine import Engine
from training.fit import Batches, fit, start
from training.graph import Graph, unet

LUNGS_SIDE = 128  # of the network's input
FRAME_SIDE = 160  # of the films before augmentation
STEPS, BATCH = 600, 16
BLACK_FILMS = 600  # films of lungs_only that show the network black surroundings
log = logging.getLogger(__name__)


def frames(pairs, side):
    """[(film, mask path or None)] -> films [n, 1, side, side] in -1..1 and masks in 0..1.

    Without a path, the mask is everything that is not black.
    """
    engine, out = Engine(), []
    for film, path in pairs:
        decoded = engine.decode(film.path)
        image = Image.open(path or film.path).convert("L")
        mask = image if path else image.point(lambda v: 255 * (v > 16))
        mask = np.asarray(mask.resize((side, side), Image.BOX), np.float32) / 255
        out.append(np.stack([engine.film_input(decoded, side), mask]))
        engine.free(decoded)
    out = torch.from_numpy(np.stack(out))
    return out[:, :1], out[:, 1:]


def mask_loss(out, mask):
    """Binary cross-entropy plus soft Dice of the logits against [n, 1, h, w]; empty masks have no Dice."""
    logits = out["mask"]
    p, not_empty = torch.sigmoid(logits), mask.sum((1, 2, 3)) > 0
    dice = 1 - (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, mask) + dice[not_empty].mean()


def mean_dice(network, films, masks):
    """Mean Dice of the thresholded mask."""
    with torch.no_grad():
        p = (network(films)["mask"] > 0).float()
    m = (masks > 0.5).float()
    return float((2 * (p * m).sum((1, 2, 3)) / (p.sum((1, 2, 3)) + m.sum((1, 2, 3)))).mean())


def training_films(films, drawn):
    """[(films, masks)] of the drawn masks and of the black surroundings, whose small holes are closed."""
    black = [(film, None) for film in films if film.source == "rsna_lungonly" and film.split == "train"][:BLACK_FILMS]
    frame, mask = frames(black, FRAME_SIDE)
    closed = augment.grow(augment.grow(mask, 2), -2)
    return [frames([pair for pair in drawn if pair[0].split == "train"], FRAME_SIDE), (frame, closed)]


def train_lungs(films, out, steps):
    """Trains on the films' training split and writes the folded parameters to `out`."""
    start(1)
    drawn = data.masked(films)
    groups = training_films(films, drawn)
    shares = (BATCH * 3 // 4, BATCH - BATCH * 3 // 4)

    def make():
        picks = [torch.randint(len(group[0]), (n,)) for group, n in zip(groups, shares)]
        film = torch.cat([group[0][pick] for group, pick in zip(groups, picks)])
        mask = torch.cat([group[1][pick] for group, pick in zip(groups, picks)])
        film, mask = augment.warp(torch.cat([film, mask], 1), LUNGS_SIDE, mirror=0.3).split(1, 1)
        film = augment.labels(augment.greys(film))
        film = augment.rescale(augment.blacken(augment.blur(film), mask, 0.25))
        for i in torch.nonzero(torch.rand(BATCH) < 0.2).flatten().tolist():
            film[i], mask[i] = augment.no_chest(film[i]), 0
        return augment.rescale(film), mask

    network = fit(Graph(unet(LUNGS_SIDE)), Batches(steps, make), mask_loss, 4e-3)
    frame, mask = frames([pair for pair in drawn if pair[0].split == "val"], LUNGS_SIDE)
    black = augment.rescale(augment.blacken(frame, mask, 1.0))
    whole, blackened = mean_dice(network, frame, mask), mean_dice(network, black, mask)
    log.info("lungs: Dice on val %.3f, surroundings blackened %.3f, n=%d", whole, blackened, len(frame))
    torch.save(network.fold(), out)
