"""Trains both graphs on the engine's own preprocessing -> build/model/*.pt; figures printed are of the validation split."""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

import augment
import data
from engine import Engine
from graph import Graph, resnet, unet

BUILD = Path(__file__).resolve().parent.parent / "build" / "model"
LUNGS_SIDE, FRAME_SIDE, DIAGNOSIS_SIDE = 128, 160, 112
MARGIN, BLUR = 0.05, 2
FRAME_ONLY = 600 # lungs_only films that teach the U-Net what blackened surroundings look like


def start(seed):
    torch.manual_seed(seed)
    torch.set_num_threads(2)
    torch.set_flush_denormal(True)
    BUILD.mkdir(parents=True, exist_ok=True)


def fit(network, batches, loss, rate, layout=torch.contiguous_format):
    """AdamW under one cosine cycle with warm-up; batches yields (input, *target of the loss)."""
    network = network.to(memory_format=layout)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    steps, began, total = len(batches), time.time(), 0.0
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.15)
    network.train()
    for step, (x, *target) in enumerate(batches, 1):
        value = loss(network(x.contiguous(memory_format=layout)), *target)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        schedule.step()
        total += value.item()
        if step % 100 == 0 or step == steps:
            print(f"  step {step}/{steps} loss {total / (step - (step - 1) // 100 * 100):.4f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
    return network.eval()


class Batches:
    """`steps` batches of make()."""

    def __init__(self, steps, make):
        self.steps, self.make = steps, make

    def __len__(self):
        return self.steps

    def __iter__(self):
        return (self.make() for _ in range(self.steps))


def frames(pairs, side):
    """[(film, mask path or None)] -> films [n, 1, side, side] in -1..1 and masks in 0..1; no path: all that is not black."""
    engine, out = Engine(), []
    for film, path in pairs:
        decoded = engine.decode(film.path)
        mask = Image.open(path).convert("L") if path else Image.open(film.path).convert("L").point(lambda v: 255 * (v > 16))
        mask = np.asarray(mask.resize((side, side), Image.BOX), np.float32) / 255
        out.append(np.stack([engine.film_input(decoded, side), mask]))
        engine.free(decoded)
    out = torch.from_numpy(np.stack(out))
    return out[:, :1], out[:, 1:]


def mask_loss(out, mask):
    """Binary cross-entropy and soft Dice of logits against [n, 1, h, w]."""
    logits = out["mask"]
    p, where = torch.sigmoid(logits), mask.sum((1, 2, 3)) > 0
    dice = 1 - (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, mask) + dice[where].mean()


def dice(network, films, masks):
    """Mean Dice of the thresholded mask."""
    with torch.no_grad():
        p = (network(films)["mask"] > 0).float()
    m = (masks > 0.5).float()
    return float((2 * (p * m).sum((1, 2, 3)) / (p.sum((1, 2, 3)) + m.sum((1, 2, 3)))).mean())


def train_lungs(everything, out, steps=600, batch=16, seed=1):
    """The lung U-Net, from drawn masks of the cohen films and blackened films; other things get an empty mask."""
    start(seed)
    drawn = data.masked(everything)
    only = [(film, None) for film in everything if film.source == "rsna_lungonly" and film.split == "train"][:FRAME_ONLY]
    train = [frames([pair for pair in drawn if pair[0].split == "train"], FRAME_SIDE), frames(only, FRAME_SIDE)]
    train[1] = train[1][0], augment.grow(augment.grow(train[1][1], 2), -2)
    shares = (batch * 3 // 4, batch - batch * 3 // 4)

    def make():
        picks = [torch.randint(len(group[0]), (n,)) for group, n in zip(train, shares)]
        film = torch.cat([group[0][pick] for group, pick in zip(train, picks)])
        mask = torch.cat([group[1][pick] for group, pick in zip(train, picks)])
        film, mask = augment.warp(torch.cat([film, mask], 1), LUNGS_SIDE, mirror=0.3).split(1, 1)
        film = augment.labels(augment.greys(film))
        film = augment.rescale(augment.blacken(augment.blur(film), mask, 0.25))
        for i in torch.nonzero(torch.rand(batch) < 0.2).flatten().tolist():
            film[i], mask[i] = augment.no_chest(film[i]), 0
        return augment.rescale(film), mask

    network = fit(Graph(unet(LUNGS_SIDE)), Batches(steps, make), mask_loss, 4e-3)
    films, masks = frames([pair for pair in drawn if pair[0].split == "val"], LUNGS_SIDE)
    black = augment.rescale(augment.blacken(films, masks, 1.0))
    print(f"lungs: Dice on val {dice(network, films, masks):.3f}, surroundings blackened {dice(network, black, masks):.3f}, "
          f"n={len(films)}")
    torch.save(network.state_dict(), out)
    return network
