"""GGUF v3 files: metadata and tensors to bytes, and the layout of weights that src/nn/f32.h wants."""
import struct
from pathlib import Path

import numpy as np

GGUF_U32, GGUF_I32, GGUF_F32, GGUF_STRING, GGUF_ARRAY = 4, 5, 6, 8, 9
TENSOR_F32, TENSOR_F16, TENSOR_Q8_0 = 0, 1, 8
Q8_0 = np.dtype([("scale", "<f2"), ("values", "i1", 32)])
ALIGNMENT = 32


def round4(n):
    return (n + 3) // 4 * 4


def pack(weight, cin, kind=np.float16):
    """[cout, c, kh, kw] -> [cout4/4, kh, kw, cin, 4] of that kind of float, as src/nn/f32.h wants it; new channels zero."""
    cout, c, kh, kw = weight.shape
    full = np.zeros((round4(cout), cin, kh, kw), kind)
    full[:cout, :c] = weight
    return np.ascontiguousarray(full.reshape(-1, 4, cin, kh, kw).transpose(0, 3, 4, 2, 1))


def to_q8(packed):
    """What pack() gives -> [cout4/4, blocks] of Q8_0, float16 where a row is no whole number of blocks."""
    rows = packed.reshape(len(packed), -1)
    if rows.shape[1] % 32:
        return packed.astype(np.float16)
    blocks = rows.reshape(len(rows), -1, 32)
    out = np.zeros(blocks.shape[:2], Q8_0)
    out["scale"] = np.abs(blocks).max(2) / 127
    scale = out["scale"].astype(np.float32)[..., None]
    out["values"] = np.clip(np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)), -127, 127)
    return out


def from_packed(array, packed):
    """What pack() or to_q8() gave of an array of pack()'s shape `packed` -> [cout4, cin, kh, kw] float32, as the engine sees it."""
    if array.dtype == Q8_0:
        array = array["values"] * array["scale"].astype(np.float32)[..., None]
    blocks, kh, kw, cin, _ = packed
    return array.astype(np.float32).reshape(packed).transpose(0, 4, 3, 1, 2).reshape(4 * blocks, cin, kh, kw)


def string(text):
    raw = text.encode(errors="replace")  # a file's name need not be text
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
        kind = {np.dtype(np.float16): TENSOR_F16, Q8_0: TENSOR_Q8_0}.get(array.dtype, TENSOR_F32)
        dims = list(array.shape[::-1])
        dims[0] *= 32 if kind == TENSOR_Q8_0 else 1
        head += string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        head += struct.pack("<IQ", kind, at)
        blob = array.tobytes()
        blobs.append(blob + bytes(-len(blob) % ALIGNMENT))
        at += len(blobs[-1])
    Path(path).write_bytes(head + bytes(-len(head) % ALIGNMENT) + b"".join(blobs))


def tensor_places(raw):
    """{tensor name: (first byte, numpy type, count)} of a file that write_gguf() made, count in values, or blocks of Q8_0."""
    at = 8

    def number(form):
        nonlocal at
        at += struct.calcsize(form)
        return struct.unpack_from("<" + form, raw, at - struct.calcsize(form))[0]

    def text():
        nonlocal at
        size = number("Q")
        at += size
        return raw[at - size : at].decode()

    def pass_value(kind):
        if kind == GGUF_ARRAY:
            kind, size = number("I"), number("Q")
            for _ in range(size):
                pass_value(kind)
        elif kind == GGUF_STRING:
            text()
        else:
            number("I")

    tensors, keys, found = number("Q"), number("Q"), {}
    for _ in range(keys):
        text()
        pass_value(number("I"))
    for _ in range(tensors):
        name, count = text(), 1
        for _ in range(number("I")):
            count *= number("Q")
        dtype = {TENSOR_F16: np.float16, TENSOR_F32: np.float32, TENSOR_Q8_0: Q8_0}[number("I")]
        found[name] = number("Q"), dtype, count // 32 if dtype is Q8_0 else count
    start = -(-at // ALIGNMENT) * ALIGNMENT
    return {name: (start + offset, dtype, count) for name, (offset, dtype, count) in found.items()}
