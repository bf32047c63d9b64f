"""Trains the lung finder: a U-Net that turns a whole film into a mask of the lungs, and a second output for its pose.

The mask learns from drawn lungs, from boxes around them, from films whose surroundings are black already, and from
pictures that are not upright chest films, whose mask is empty. The pose tells apart films that lie on a side, stand on
their head or have inverted greys, so that people read what to do about it.
"""
import logging
from concurrent.futures import ThreadPoolExecutor

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
STEPS = 1400
RATE = 4e-3
BATCH = {"drawn": 9, "black": 2, "boxed": 5}  # films per step
BLACK_FILMS = 600  # films of lungs_only that show the network black surroundings
BOXED_FILMS = 2000
TURNED, INVERTED, NO_CHEST = 0.25, 0.12, 0.12  # shares of a batch
NO_POSE = 4  # of a picture that is not a chest film
log = logging.getLogger(__name__)


def frames(pairs, side):
    """[(film, mask path, Box or None)] -> films [n, 1, side, side] in -1..1 and masks in 0..1.

    The mask of a Box is the filled box; without either, it is everything that is not black.
    """

    def frame(pair):
        film, source = pair
        engine = Engine()
        decoded = engine.decode(film.path)
        if isinstance(source, data.Box):
            mask = data.inside([source], side).astype(np.float32)
        else:
            image = Image.open(source or film.path).convert("L")
            mask = image if source else image.point(lambda v: 255 * (v > 16))
            mask = np.asarray(mask.resize((side, side), Image.BOX), np.float32) / 255
        out = np.stack([engine.film_input(decoded, side), mask])
        engine.free(decoded)
        return out

    with ThreadPoolExecutor(2) as pool:
        out = torch.from_numpy(np.stack(list(pool.map(frame, pairs))))
    return out[:, :1], out[:, 1:]


def around(boxes):
    """The box around all boxes of the lungs, or None; a single `lung` of two is not enough."""
    both = [box for box in boxes if box.kind == "lungs"] or [box for box in boxes if box.kind == "lung"]
    if not both or (both[0].kind == "lung" and len(both) != 2):
        return None
    x0, y0, x1, y1 = zip(*(box[1:] for box in both))
    return data.Box("lungs", min(x0), min(y0), max(x1), max(y1))


def boxed(films):
    """[(film, Box around its lungs)]"""
    boxes = data.boxes()
    pairs = [(film, around(boxes.get(film.path, []))) for film in films]
    return [(film, box) for film, box in pairs if box]


def drawn_loss(logits, mask):
    """Binary cross-entropy plus soft Dice of [n, 1, h, w]; empty masks have no Dice."""
    p, not_empty = torch.sigmoid(logits), mask.sum((1, 2, 3)) > 0
    dice = 1 - (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, mask) + (dice * not_empty).sum() / not_empty.sum().clamp(min=1)


def boxed_loss(logits, box):
    """Soft Dice between the projections of the mask and of the filled box on both axes (BoxInst, Tian et al., 2021),
    plus the cross-entropy outside the box, where nothing is lung."""
    p, losses = torch.sigmoid(logits), (F.softplus(logits) * (1 - box)).mean((1, 2, 3))
    for axis in (2, 3):
        of_mask, of_box = p.amax(axis), box.amax(axis)
        both = (of_mask**2).sum((1, 2)) + (of_box**2).sum((1, 2))
        losses = losses + 1 - (2 * (of_mask * of_box).sum((1, 2)) + 1) / (both + 1)
    return losses.sum() / max(len(losses), 1)


def pose_loss(pose, turns, inverted):
    """Cross-entropy of the turns, and of the greys over chest films."""
    greys = F.binary_cross_entropy_with_logits(pose[:, NO_POSE + 1], inverted, reduction="none")
    return F.cross_entropy(pose[:, : NO_POSE + 1], turns) + (greys * (turns != NO_POSE)).mean()


def loss(out, target):
    mask, is_box, turns, inverted = target
    logits, pose = out["mask"].float(), out["pose"][:, :, 0, 0].float()
    return (
        drawn_loss(logits[~is_box], mask[~is_box])
        + 0.5 * boxed_loss(logits[is_box], mask[is_box])
        + 0.2 * pose_loss(pose, turns, inverted)
    )


def posed(film, mask, is_box):
    """Turns and inverts some films of a batch, replaces others by pictures that are not chest films; their masks become
    empty. (film, mask, is_box, quarter turns to the left of upright, whether inverted)"""
    n = len(film)
    turns, inverted, is_box = torch.zeros(n, dtype=torch.long), (torch.rand(n) < INVERTED).float(), is_box.clone()
    for i in torch.nonzero(torch.rand(n) < TURNED).flatten().tolist():
        turns[i] = int(torch.randint(1, 4, ()))
        film[i] = torch.rot90(film[i], int(turns[i]), (1, 2))
    film = film * (1 - 2 * inverted)[:, None, None, None]
    for i in torch.nonzero(torch.rand(n) < NO_CHEST).flatten().tolist():
        film[i], turns[i] = augment.no_chest(film[i]), NO_POSE
    refused = (turns != 0) | (inverted > 0)
    mask[refused] = 0
    is_box[refused] = False
    return film, mask, is_box, turns, inverted


def training_films(films):
    """{name of a group: (films, masks)}: drawn lungs, films with black surroundings, whose small holes are closed, and
    boxes around lungs."""
    learnt = [film for film in films if film.split == "train"]
    drawn = [pair for pair in data.masked(films) if pair[0].split == "train"]
    black = [(film, None) for film in learnt if film.source == "rsna_lungonly"][:BLACK_FILMS]
    pairs = boxed(learnt)
    few = np.random.permutation(len(pairs))[:BOXED_FILMS]
    groups = {"drawn": drawn, "black": black, "boxed": [pairs[i] for i in few]}
    groups = {name: frames(group, FRAME_SIDE) for name, group in groups.items()}
    frame, mask = groups["black"]
    groups["black"] = frame, augment.grow(augment.grow(mask, 2), -2)
    return groups


def lessons(films):
    """A function that makes a batch from the films' training split: (film, target of loss())."""
    groups = training_films(films)
    log.info("lungs: %s", ", ".join(f"{len(group[0])} {name}" for name, group in groups.items()))
    boxes = torch.arange(sum(BATCH.values())) >= sum(BATCH.values()) - BATCH["boxed"]

    def make():
        parts = []
        for name, n in BATCH.items():
            film, mask = groups[name]
            pick = torch.randint(len(film), (n,))
            # The box around turned lungs is not the turned box.
            degrees = 0 if name == "boxed" else 16
            parts.append(augment.warp(torch.cat([film[pick], mask[pick]], 1), LUNGS_SIDE, degrees=degrees, mirror=0.3))
        film, mask = torch.cat(parts).split(1, 1)
        film = augment.labels(augment.greys(film))
        film = augment.blur(film)
        keep = torch.where(boxes[:, None, None, None], torch.ones_like(mask), mask)
        film = augment.rescale(augment.blacken(film, keep, 0.25))
        film, mask, is_box, turns, inverted = posed(film, mask, boxes)
        return augment.rescale(film), (mask, is_box, turns, inverted)

    return make


def train_lungs(films, out, steps):
    """Trains on the films' training split and writes the folded parameters to `out`."""
    start(1)
    network = Graph(unet(LUNGS_SIDE))
    fit(network, Batches(steps, lessons(films)), loss, {RATE: network.parameters()}, torch.channels_last)
    torch.save(network.fold(), out)
