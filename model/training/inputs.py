"""What the diagnosis network sees of each film, prepared by the engine itself; stored below build/ for the next run."""
import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch

from training import data
from training.engine import Engine
from training.fit import BUILD

GREY = 42  # int8 steps per standard deviation: crops range from -3 to 3
CHUNK = 64  # films in memory at once
log = logging.getLogger(__name__)


class Settings(NamedTuple):
    lungs_side: int  # input of the lung network
    side: int  # input of the diagnosis network
    margin: float  # around the lungs' box, as a share of it
    blur: int  # passes of the binomial filter 1 2 1


def fingerprint(network, settings, films):
    """Hash of the lung network's weights, the settings, the films and the manifests: the name of the stored inputs."""
    described = (*settings, [film.path for film in films])
    digest = hashlib.sha256(repr((described, data.manifest_hash())).encode())
    for tensor in network.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def prepare_chunk(films, network, settings):
    """Rows of prepare() for a few films, in threads: libpleura runs outside Python's lock."""
    engine = Engine()
    with ThreadPoolExecutor(2) as pool:
        decoded = list(pool.map(lambda film: engine.decode(film.path), films))
        frames = np.stack(list(pool.map(lambda film: engine.film_input(film, settings.lungs_side), decoded)))
        with torch.no_grad():
            out = network(torch.from_numpy(frames)[:, None])
        logits, features = out["mask"][:, 0].numpy(), out["enc4b"].mean((2, 3)).numpy()
        views = list(pool.map(lambda pair: engine.lungs(*pair, settings), zip(decoded, logits)))
        for film in decoded:
            engine.free(film)
    crop, mask, shape = (np.array(column, np.float32) for column in zip(*views))
    return np.rint(crop * GREY).astype(np.int8), np.rint(mask * 255).astype(np.uint8), shape, features


def prepare(films, network, settings):
    """One row per film of each: crop int8 [n, side, side], mask uint8 [n, side, side], shape of the lungs [n, 3] (area,
    balance, doubt), features of the lung network [n, 96]."""
    place = BUILD / f"inputs-{fingerprint(network, settings, films)}.npz"
    if not place.exists():
        chunks = []
        for start in range(0, len(films), CHUNK):
            chunks.append(prepare_chunk(films[start : start + CHUNK], network, settings))
            if start % (50 * CHUNK) == 0:
                log.info("  inputs %d/%d", start, len(films))
        np.savez(place, *(np.concatenate(column) for column in zip(*chunks)))
    with np.load(place) as stored:
        return tuple(stored[name] for name in stored.files)
