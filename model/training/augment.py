"""Random changes to batches of films in training.

They vary what differs between hospitals but not between diagnoses (geometry, grey levels, sharpness, surroundings), and
make pictures that are not chest films out of chest films.
"""
import math

import torch
from torch.nn import functional as F


def uniform(n, low, high):
    return torch.empty(n).uniform_(low, high)


def chance(n, p):
    """[n, 1, 1, 1] zeros and ones."""
    return (torch.rand(n) < p).float()[:, None, None, None]


def affine(n, zoom=(0.8, 1.25), stretch=0.12, degrees=8, shift=0.08, mirror=0.0):
    """[n, 2, 3]: one random affine map per film."""
    angle = uniform(n, -degrees, degrees) * math.pi / 180
    size = torch.exp(uniform(n, math.log(zoom[0]), math.log(zoom[1])))
    ratio = torch.exp(uniform(n, -stretch, stretch))
    flip = 1 - 2 * (torch.rand(n) < mirror).float()
    theta = [
        torch.cos(angle) * size * ratio * flip,
        -torch.sin(angle) * size,
        uniform(n, -shift, shift) * 2,
        torch.sin(angle) * size,
        torch.cos(angle) * size / ratio,
        uniform(n, -shift, shift) * 2,
    ]
    return torch.stack(theta, 1).view(n, 2, 3)


def sample(planes, theta, side):
    """[n, c, h, w] -> [n, c, side, side] under the affine maps; 0 outside."""
    grid = F.affine_grid(theta, (len(planes), planes.shape[1], side, side), align_corners=False)
    return F.grid_sample(planes, grid, align_corners=False)


def warp(planes, side, **shape):
    """One random affine() per film: [n, c, h, w] -> [n, c, side, side]. Outside, channel 0 is -1 and the others 0."""
    shifted = torch.cat([planes[:, :1] + 1, planes[:, 1:]], 1)
    out = sample(shifted, affine(len(planes), **shape), side)
    return torch.cat([out[:, :1] - 1, out[:, 1:]], 1)


def greys(film, gamma=0.35):
    """Random gamma, illumination gradient and noise on [n, 1, h, w] in -1..1."""
    n, _, h, w = film.shape
    unit = (film.clamp(-1, 1) + 1) / 2
    unit = unit ** torch.exp(torch.randn(n, 1, 1, 1) * gamma)
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    slope = torch.randn(2, n, 1, 1, 1) * 0.12
    unit = unit * (1 + slope[0] * yy + slope[1] * xx)
    noise = torch.randn_like(unit) * uniform(n, 0, 0.04)[:, None, None, None]
    return 2 * (unit + noise) - 1


def blur(film, p=0.3):
    """Applies a 3x3 binomial filter to a share p of the batch."""
    kernel = torch.tensor([1.0, 2, 1]) / 4
    soft = F.conv2d(F.pad(film, (1, 1, 1, 1), mode="replicate"), (kernel[:, None] * kernel)[None, None])
    pick = chance(len(film), p)
    return film + pick * (soft - film)


def grow(mask, pixels):
    """Dilates [n, 1, h, w] by `pixels` (erodes when negative)."""
    k = 2 * abs(pixels) + 1
    return F.max_pool2d(mask, k, 1, k // 2) if pixels >= 0 else -F.max_pool2d(-mask, k, 1, k // 2)


def blacken(film, mask, p):
    """Blackens everything but the (dilated) lungs in a share p of the batch, as in lungs_only."""
    keep = grow(mask, int(torch.randint(0, 5, ()))) > 0.5
    pick = chance(len(film), p)
    return torch.where((pick > 0) & ~keep, torch.full_like(film, -1.0), film)


def rescale(film):
    """Maps the robust range of each film to -1..1, clipped, as film_input of src/image/film.h does."""
    flat = film.flatten(1)
    low, high = torch.quantile(flat, torch.tensor([0.01, 0.99]), dim=1)[:, :, None, None, None]
    return (2 * (film - low) / (high - low).clamp(min=1e-3) - 1).clamp(-1, 1)


def labels(film, p=0.3):
    """Adds bright or dark rectangles, like letters, dates and collimator edges."""
    n, _, h, w = film.shape
    film = film.clone()
    for i in torch.nonzero(torch.rand(n) < p).flatten().tolist():
        for _ in range(int(torch.randint(1, 4, ()))):
            y, x = int(torch.randint(0, h - 8, ())), int(torch.randint(0, w - 8, ()))
            dy, dx = (int(v) for v in torch.randint(3, 18, (2,)))
            film[i, :, y : y + dy, x : x + dx] = float(uniform(1, -1, 1))
    return film


def smooth_noise(h, w):
    """[h, w] noise in -1..1 of random coarseness."""
    cells = int(2 ** torch.randint(1, 7, ()))
    field = F.interpolate(torch.randn(1, 1, cells, cells), (h, w), mode="bicubic", align_corners=False)[0, 0]
    return field / field.abs().max()


def no_chest(film):
    """[1, h, w] -> a picture with similar grey levels that is not a chest film: shuffled tiles, a detail, noise, blobs,
    ellipses, or a page of text."""
    _, h, w = film.shape
    kind = int(torch.randint(0, 6, ()))
    if kind == 0:
        tiles = film.unfold(1, h // 4, h // 4).unfold(2, w // 4, w // 4).reshape(16, h // 4, w // 4)[torch.randperm(16)]
        return tiles.view(4, 4, h // 4, w // 4).permute(0, 2, 1, 3).reshape(1, h, w)
    if kind == 1:
        size = int(torch.randint(h // 6, h // 3, ()))
        y, x = int(torch.randint(0, h - size, ())), int(torch.randint(0, w - size, ()))
        return F.interpolate(film[None, :, y : y + size, x : x + size], (h, w), mode="bilinear", align_corners=False)[0]
    if kind == 2:
        return smooth_noise(h, w)[None]
    if kind == 3:
        return (smooth_noise(h, w) * smooth_noise(h, w)).sign()[None] * (0.5 + smooth_noise(h, w)[None] / 2)
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    if kind == 4:
        shape = torch.full((h, w), -1.0)
        for _ in range(int(torch.randint(1, 8, ()))):
            cx, cy, rx, ry = torch.rand(4) * torch.tensor([2, 2, 0.7, 0.7]) + torch.tensor([-1, -1, 0.05, 0.05])
            shape[((xx - cx) / rx) ** 2 + ((yy - cy) / ry) ** 2 < 1] = float(uniform(1, -1, 1))
        return shape[None] + 0.2 * smooth_noise(h, w)
    rows, letters = torch.rand(h // 4, 1) < 0.6, torch.rand(h // 4, w // 2) < 0.5
    page = (rows & letters).float().repeat_interleave(4, 0).repeat_interleave(2, 1)
    return (1 - 2 * page)[None] * (1 if torch.rand(()) < 0.5 else -1)


def sharpness(film, max_amount=0.8):
    """Blurs or sharpens each film by a random amount, so that a scanner's sharpness carries no information."""
    soft = blur(film, 1)
    return film + uniform(len(film), -1, max_amount)[:, None, None, None] * (film - soft)


def coarse(film, p=0.5, largest=2.5):
    """Shrinks and enlarges a share p of the batch, so that the size at which a film was stored carries no information."""
    parts, side = [], film.shape[-1]
    for part in film.chunk(8):
        if torch.rand(()) < p:
            small = int(side / float(uniform(1, 1, largest)))
            part = F.interpolate(part, (small, small), mode="bilinear", align_corners=False)
            part = F.interpolate(part, (side, side), mode="bilinear", align_corners=False)
        parts.append(part)
    return torch.cat(parts)


def holes(mask, p):
    """Removes a rectangle of the mask in a share p of the batch."""
    n, _, h, w = mask.shape
    rows, columns = torch.arange(h)[:, None], torch.arange(w)
    y, x = (torch.randint(0, side * 3 // 4, (n, 1, 1, 1)) for side in (h, w))
    dy, dx = torch.randint(h // 10, h // 3, (2, n, 1, 1, 1))
    inside = (rows >= y) & (rows < y + dy) & (columns >= x) & (columns < x + dx)
    return mask * (1 - chance(n, p) * inside)


def dense_away(crop, mask, p):
    """Removes the densest regions from the mask in a share p of the batch; crop is in standard deviations.

    The automatic masks of lungs_only leave out heart and consolidation in the same way, so the outline of the lungs
    would reveal the source and the finding.
    """
    smooth = F.avg_pool2d(crop * mask, 9, 1, 4) / F.avg_pool2d(mask, 9, 1, 4).clamp(min=0.05)
    limit = uniform(len(mask), 0.5, 1.8)[:, None, None, None]
    return mask * (1 - chance(len(mask), p) * (smooth > limit).float())


def curve(crop, p, pieces=8):
    """Maps the grey levels of [n, 1, h, w] in -1..1 through a random rising polyline, in a share p of the batch.

    Exposure and lookup tables differ between hospitals; this makes them carry no information.
    """
    n = len(crop)
    heights = torch.cat([torch.zeros(n, 1), (torch.rand(n, pieces) + 0.15).cumsum(1)], 1)
    heights = 2 * heights / heights[:, -1:] - 1
    position = ((crop.clamp(-1, 1) + 1) / 2 * pieces).clamp(max=pieces - 1e-4)
    piece = position.long()
    low, high = (heights.gather(1, (piece + step).flatten(1)).view_as(crop) for step in (0, 1))
    return crop + chance(n, p) * (low + (position - piece) * (high - low) - crop)


def field(crop, max_amount, cells=3):
    """Adds a random smooth field, like soft tissue, scatter and the heel effect.

    The crop is in units of 3 standard deviations; the field reaches about `max_amount` standard deviations.
    """
    n, _, h, w = crop.shape
    smooth = F.interpolate(torch.randn(n, 1, cells, cells), (h, w), mode="bicubic", align_corners=False)
    return crop + smooth * uniform(n, 0, max_amount)[:, None, None, None] / 3
