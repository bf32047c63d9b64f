"""GGUF v3 files and the packed weights in them.

GGUF holds metadata (key and value) and tensors. pack() is the only place in Python that knows in which order the
kernels expect the weights (src/nn/f32.h); training and converter both use it.
"""
import struct
from pathlib import Path

import numpy as np

GGUF_U32, GGUF_I32, GGUF_F32, GGUF_STRING, GGUF_ARRAY = 4, 5, 6, 8, 9
TENSOR_F32, TENSOR_F16, TENSOR_Q8_0, TENSOR_I8 = 0, 1, 8, 24
Q8_0 = np.dtype([("scale", "<f2"), ("values", "i1", 32)])
ALIGNMENT = 32


def round4(n):
    return (n + 3) // 4 * 4


def pack(weight, cin, kind=np.float16):
    """[cout, c, kh, kw] -> [cout4/4, kh, kw, cin * 4] in float type `kind`, as src/nn/f32.h expects; padding is zero.

    The last axis holds four output channels for each input channel; it is one axis because ggml reads at most four.
    """
    cout, c, kh, kw = weight.shape
    full = np.zeros((round4(cout), cin, kh, kw), kind)
    full[:cout, :c] = weight
    return np.ascontiguousarray(full.reshape(-1, 4, cin, kh, kw).transpose(0, 3, 4, 2, 1)).reshape(-1, kh, kw, cin * 4)


def dense_kernel(weight, stored):
    """[cout, h, w, c] -> [cout, h * w * stored, 1, 1]: a dense layer for pack(), pixels padded to `stored`."""
    cout, h, w, c = weight.shape
    full = np.zeros((cout, h, w, stored), weight.dtype)
    full[..., :c] = weight
    return full.reshape(cout, -1, 1, 1)


def pack_bias(bias, padding=0):
    """[cout] -> [cout4] float32."""
    return np.pad(bias.astype(np.float32), (0, -len(bias) % 4), constant_values=padding)


def pack_int8(weight, cin, depthwise):
    """int8 [cout, c, kh, kw] -> [cout4/4, quads, 16], depthwise [c4/4, taps, 4], as src/nn/int8.h expects."""
    cout, c, kh, kw = weight.shape
    full = np.zeros((round4(cout), kh, kw, cin), np.int8)
    full[:cout, ..., :c] = weight.transpose(0, 2, 3, 1)
    rows, group = full.reshape(len(full), -1), 1 if depthwise else 4
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % group)))
    blocks = rows.reshape(len(rows) // 4, 4, -1, group).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(blocks).reshape(*blocks.shape[:2], -1)


def to_q8(packed):
    """Output of pack() -> [cout4/4, blocks] of Q8_0, or float16 if a row is not a multiple of 32 values."""
    rows = packed.reshape(len(packed), -1)
    if rows.shape[1] % 32:
        return packed.astype(np.float16)
    blocks = rows.reshape(len(rows), -1, 32)
    out = np.zeros(blocks.shape[:2], Q8_0)
    out["scale"] = np.abs(blocks).max(2) / 127
    scale = out["scale"].astype(np.float32)[..., None]
    out["values"] = np.clip(np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)), -127, 127)
    return out


def from_packed(array, shape):
    """Output of pack() or to_q8() -> [cout4, cin, kh, kw] float32, as the engine sees it; `shape` is that of pack()."""
    if array.dtype == Q8_0:
        array = array["values"] * array["scale"].astype(np.float32)[..., None]
    blocks, kh, kw, inner = shape
    cin = inner // 4
    full = array.astype(np.float32).reshape(blocks, kh, kw, cin, 4)
    return full.transpose(0, 4, 3, 1, 2).reshape(4 * blocks, cin, kh, kw)


def string(text):
    raw = text.encode(errors="replace")  # a file name need not be valid UTF-8
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
    """Writes a GGUF v3 file. GGUF lists the fastest axis first, so the axes are reversed."""
    metadata = {**metadata, "general.alignment": np.uint32(ALIGNMENT)}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(arrays), len(metadata))
    head += b"".join(string(key) + value(v) for key, v in metadata.items())
    offset, blobs = 0, []
    for name, array in arrays.items():
        kinds = {np.dtype(np.float16): TENSOR_F16, np.dtype(np.int8): TENSOR_I8, Q8_0: TENSOR_Q8_0}
        kind = kinds.get(array.dtype, TENSOR_F32)
        dims = list(array.shape[::-1])
        dims[0] *= 32 if kind == TENSOR_Q8_0 else 1
        head += string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        head += struct.pack("<IQ", kind, offset)
        blob = array.tobytes()
        blobs.append(blob + bytes(-len(blob) % ALIGNMENT))
        offset += len(blobs[-1])
    Path(path).write_bytes(head + bytes(-len(head) % ALIGNMENT) + b"".join(blobs))


class Cursor:
    """Reads a GGUF file that write_gguf() made; only its methods move `at`."""

    def __init__(self, raw, at):
        self.raw, self.at = raw, at

    def number(self, form):
        size = struct.calcsize(form)
        self.at += size
        return struct.unpack_from("<" + form, self.raw, self.at - size)[0]

    def text(self):
        size = self.number("Q")
        self.at += size
        return self.raw[self.at - size : self.at].decode()

    def skip_value(self, kind):
        if kind == GGUF_ARRAY:
            kind, size = self.number("I"), self.number("Q")
            for _ in range(size):
                self.skip_value(kind)
        elif kind == GGUF_STRING:
            self.text()
        else:
            self.number("I")


def tensor_places(raw):
    """{tensor name: (offset, numpy type, count)} of a file that write_gguf() made; Q8_0 counts blocks, not values."""
    cursor = Cursor(raw, 8)  # after the magic and the version
    tensors, keys, found = cursor.number("Q"), cursor.number("Q"), {}
    for _ in range(keys):
        cursor.text()
        cursor.skip_value(cursor.number("I"))
    for _ in range(tensors):
        name, count = cursor.text(), 1
        for _ in range(cursor.number("I")):
            count *= cursor.number("Q")
        kinds = {TENSOR_F16: np.float16, TENSOR_F32: np.float32, TENSOR_Q8_0: Q8_0, TENSOR_I8: np.int8}
        dtype = kinds[cursor.number("I")]
        found[name] = cursor.number("Q"), dtype, count // 32 if dtype is Q8_0 else count
    start = -(-cursor.at // ALIGNMENT) * ALIGNMENT
    return {name: (start + offset, dtype, count) for name, (offset, dtype, count) in found.items()}
