"""What the second network sees of each film, by the engine's own preprocessing; kept below build/ for the next run."""
import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from training import data
from training.engine import Engine

GREY = 42  # int8 steps a standard deviation: crops run from -3 to 3


def fingerprint(network, *settings):
    """Names a cache: the lung network's weights, the settings and the manifests."""
    digest = hashlib.sha256(repr((settings, data.manifest_hash())).encode())
    for tensor in network.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def chunk_inputs(films, network, frame_side, side, margin, blur):
    """Rows of prepare() for a few films, in threads: libpleura runs outside Python's lock."""
    engine = Engine()
    with ThreadPoolExecutor(2) as pool:
        decoded = list(pool.map(lambda film: engine.decode(film.path), films))
        frames = np.stack(list(pool.map(lambda film: engine.film_input(film, frame_side), decoded)))
        with torch.no_grad():
            out = network(torch.from_numpy(frames)[:, None])
        logits, pool_features = out["mask"][:, 0].numpy(), out["enc4b"].mean((2, 3)).numpy()
        seen = list(pool.map(lambda pair: engine.lungs(*pair, side, margin, blur), zip(decoded, logits)))
        for film in decoded:
            engine.free(film)
    crop, mask, shape = (np.array(column, np.float32) for column in zip(*seen))
    return np.rint(crop * GREY).astype(np.int8), np.rint(mask * 255).astype(np.uint8), shape, pool_features


def prepare(folder, films, network, frame_side, side, margin, blur):
    """-> (crop int8 [n, side, side], mask uint8 [n, side, side], shape [n, 3]: area, balance and doubt of the lungs,
    lung features [n, 96])."""
    place = folder / f"inputs-{fingerprint(network, frame_side, side, margin, blur, [film.path for film in films])}.npz"
    if not place.exists():
        chunks = []
        for start in range(0, len(films), 64):
            chunks.append(chunk_inputs(films[start : start + 64], network, frame_side, side, margin, blur))
            if start % 3200 == 0:
                print(f"  inputs {start}/{len(films)}", flush=True)
        np.savez(place, *(np.concatenate(column) for column in zip(*chunks)))
    with np.load(place) as stored:
        return tuple(stored[name] for name in stored.files)
