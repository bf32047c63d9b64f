"""Checkpoint -> model/pleura.gguf: folds batch norm, packs, writes GGUF v3; the self-test's bits come from libpleura."""
import struct
from pathlib import Path

import numpy as np

from graph import parse

ROOT = Path(__file__).resolve().parent.parent
GGUF_U32, GGUF_I32, GGUF_F32, GGUF_STRING, GGUF_ARRAY = 4, 5, 6, 8, 9
TENSOR_F32, TENSOR_F16 = 0, 1
ALIGNMENT = 32


def round4(n):
    return (n + 3) // 4 * 4


def physical(graph):
    """{layer: channels as stored}: all but the image rounded up to 4. Concat needs full blocks, so no hole moves a channel."""
    stored = {}
    for name, op, inputs, _ in graph.layers:
        channels = graph.shapes[name][0]
        if op == "concat" and any(graph.shapes[i][0] % 4 for i in inputs):
            raise ValueError(f"{name}: concat of layers whose channels are no multiple of 4")
        stored[name] = channels if op == "input" else round4(channels)
    return stored


def pack(weight, cin):
    """[cout, c, kh, kw] -> float16 [cout4/4, kh, kw, cin, 4], new channels zero."""
    cout, c, kh, kw = weight.shape
    full = np.zeros((round4(cout), cin, kh, kw), np.float16)
    full[:cout, :c] = weight
    return np.ascontiguousarray(full.reshape(-1, 4, cin, kh, kw).transpose(0, 3, 4, 2, 1))


def tensors(prefix, graph, parameters):
    """{tensor name: array} of one graph: F16 weights, F32 biases, packed as src/kernels.h wants them."""
    stored, out = physical(graph), {}
    for name, op, inputs, _ in graph.layers:
        if name not in parameters:
            continue
        weight, bias = parameters[name]
        cin = stored[inputs[0]]
        if op == "dense":
            c, h, w = graph.shapes[inputs[0]]
            full = np.zeros((len(weight), h, w, cin), np.float32)
            full[..., :c] = weight.reshape(len(weight), h, w, c)
            weight, cin = full.reshape(len(weight), -1, 1, 1), h * w * cin
        out[f"{prefix}.{name}.weight"] = pack(weight, cin)
        out[f"{prefix}.{name}.bias"] = np.pad(bias.astype(np.float32), (0, -len(bias) % 4))
    return out


def halved(parameters):
    """The parameters as the engine sees them: weights through float16."""
    return {name: (weight.astype(np.float16).astype(np.float32), bias) for name, (weight, bias) in parameters.items()}


def string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(v):
    """One metadata value with its type number: str, int, float, float32 array or list of str."""
    if isinstance(v, str):
        return struct.pack("<I", GGUF_STRING) + string(v)
    if isinstance(v, int):
        return struct.pack("<Ii", GGUF_I32, v)
    if isinstance(v, float):
        return struct.pack("<If", GGUF_F32, v)
    if isinstance(v, np.uint32):
        return struct.pack("<II", GGUF_U32, v)
    if isinstance(v, np.ndarray):
        return struct.pack("<IIQ", GGUF_ARRAY, GGUF_F32, len(v)) + v.astype("<f4").tobytes()
    return struct.pack("<IIQ", GGUF_ARRAY, GGUF_STRING, len(v)) + b"".join(map(string, v))


def write_gguf(path, metadata, arrays):
    """A GGUF v3 file; array axes are reversed, as GGUF counts from the fastest."""
    metadata = {**metadata, "general.alignment": np.uint32(ALIGNMENT)}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(arrays), len(metadata))
    head += b"".join(string(key) + value(v) for key, v in metadata.items())
    at, blobs = 0, []
    for name, array in arrays.items():
        kind = TENSOR_F16 if array.dtype == np.float16 else TENSOR_F32
        head += string(name) + struct.pack("<I", array.ndim) + struct.pack(f"<{array.ndim}Q", *array.shape[::-1])
        head += struct.pack("<IQ", kind, at)
        blob = array.tobytes()
        blobs.append(blob + bytes(-len(blob) % ALIGNMENT))
        at += len(blobs[-1])
    Path(path).write_bytes(head + bytes(-len(head) % ALIGNMENT) + b"".join(blobs))
