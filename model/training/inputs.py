"""What the diagnosis network sees of each film, prepared by the engine itself; stored below build/ for the next run."""
import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import minimum_filter

from training import data
from training.engine import Engine
from training.fit import BUILD

GREY = 42  # int8 steps per standard deviation: crops range from -3 to 3
CHUNK = 64  # films in memory at once
BOX_SIDE = 80  # of the filled boxes of opacity
BLACK_EDGE = 0.045  # of the side: what is taken off the lungs of lungs_only, whose edge turns black
log = logging.getLogger(__name__)


class Settings(NamedTuple):
    """How the engine cuts out the lungs: crop_settings of src/engine/lungs.h without its side."""

    margin: float
    blur: int
    grow: int
    contrast: float


class Inputs(NamedTuple):
    """One row per film."""

    crop: np.ndarray  # int8 [n, side, side], in standard deviations of the lungs times GREY
    mask: np.ndarray  # uint8 [n, side, side], probability of lung times 255
    boxes: np.ndarray  # uint8 [n, BOX_SIDE, BOX_SIDE], 255 inside the boxes of opacity, over the crop
    shape: np.ndarray  # float [n, 3]: area, balance and doubt of the lungs
    features: np.ndarray  # float [n, c]: pooled features of the lung network

    def rows(self, picks):
        return Inputs(*(column[picks] for column in self))


def fingerprint(network, settings, side, films):
    """Hash of the lung network's weights, the settings, the films and the manifests: the name of the stored inputs."""
    described = (*settings, side, [film.path for film in films])
    digest = hashlib.sha256(repr((described, data.manifest_hash())).encode())
    for tensor in network.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def prepare_chunk(films, boxes, network, settings, side):
    """Columns of Inputs for a few films, in threads: libpleura runs outside Python's lock."""
    engine, flat = Engine(), settings._replace(contrast=0)
    lungs_side = network.shapes["image"][1]
    with ThreadPoolExecutor(2) as pool:
        decoded = list(pool.map(lambda film: engine.decode(film.path), films))
        frames = np.stack(list(pool.map(lambda film: engine.film_input(film, lungs_side), decoded)))
        with torch.no_grad():
            out = network(torch.from_numpy(frames)[:, None].contiguous(memory_format=torch.channels_last))
        found = list(pool.map(engine.lungs, out["mask"][:, 0].numpy()))
        views = list(pool.map(lambda pair: engine.crop(*pair, side, flat), zip(decoded, found)))
        for film in decoded:
            engine.free(film)
    crop, mask = (np.array(column, np.float32) for column in zip(*views))
    for i, film in enumerate(films):
        if film.source == "rsna_lungonly":
            mask[i] = minimum_filter(mask[i], 2 * round(BLACK_EDGE * side) + 1)
    crops = [engine.box(lungs, settings.margin) for lungs in found]
    opacities = [data.opacities(boxes.get(film.path, [])) for film in films]
    return (
        np.rint(crop * GREY).astype(np.int8),
        np.rint(mask * 255).astype(np.uint8),
        np.uint8(255) * np.stack([data.inside(each, BOX_SIDE, crop) for each, crop in zip(opacities, crops)]),
        np.array([(lungs.area, lungs.balance, lungs.doubt) for lungs in found], np.float32),
        out["gate.pool"][:, :, 0, 0].numpy(),
    )


def prepare(films, network, settings, side):
    """The Inputs of these films, without local contrast normalisation: it follows the augmentation."""
    place = BUILD / f"inputs-{fingerprint(network, settings, side, films)}.npz"
    if not place.exists():
        boxes, chunks = data.boxes(), []
        for start in range(0, len(films), CHUNK):
            chunks.append(prepare_chunk(films[start : start + CHUNK], boxes, network, settings, side))
            if start % (20 * CHUNK) == 0:
                log.info("  inputs %d/%d", start, len(films))
        np.savez(place, *(np.concatenate(column) for column in zip(*chunks)))
    with np.load(place) as stored:
        return Inputs(*(stored[name] for name in stored.files))
