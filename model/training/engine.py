"""libpleura through ctypes: training prepares its films exactly as the engine does.

The classes below mirror structs of the C headers. The library exports the sizes of those structs, and importing this
module compares them, so that a changed header fails here instead of filling arrays with garbage.
"""
import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY, WEIGHTS = ROOT / "build" / "libpleura.so", ROOT / "model" / "pleura.gguf"
FLOATS = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
INTS = np.ctypeslib.ndpointer(np.int32, flags="C_CONTIGUOUS")
DIAGNOSIS = 1  # the number of the diagnosis graph; the lung graph is 0


class Film(ctypes.Structure):
    """film of src/image/film.h."""

    _fields_ = [
        ("pixels", ctypes.POINTER(ctypes.c_uint16)),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("chroma", ctypes.c_float),
    ]


class Lungs(ctypes.Structure):
    """lungs of src/engine/lungs.h."""

    _fields_ = [
        ("mask", ctypes.POINTER(ctypes.c_float)),
        ("side", ctypes.c_int),
        ("area", ctypes.c_float),
        ("balance", ctypes.c_float),
        ("doubt", ctypes.c_float),
        ("x0", ctypes.c_float),
        ("y0", ctypes.c_float),
        ("x1", ctypes.c_float),
        ("y1", ctypes.c_float),
    ]


class CropSettings(ctypes.Structure):
    """crop_settings of src/engine/lungs.h."""

    _fields_ = [
        ("side", ctypes.c_int),
        ("margin", ctypes.c_float),
        ("blur", ctypes.c_int),
        ("grow", ctypes.c_int),
        ("contrast", ctypes.c_float),
    ]


class Result(ctypes.Structure):
    """pleura_result of src/pleura.h."""

    _fields_ = [
        ("verdict", ctypes.c_int),
        ("doubt", ctypes.c_int),
        ("label_count", ctypes.c_int),
        ("logits", ctypes.POINTER(ctypes.c_float)),
        ("probability", ctypes.POINTER(ctypes.c_float)),
        ("gate", ctypes.c_int),
        ("gate_score", ctypes.c_float),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("map_side", ctypes.c_int),
        ("top_label", ctypes.c_int),
        ("quarter_turns", ctypes.c_int),
        ("lungs", ctypes.POINTER(ctypes.c_float)),
        ("heatmap", ctypes.POINTER(ctypes.c_float)),
        ("map_kind", ctypes.c_int),
        ("extent", ctypes.c_float * 2),
        ("bits", ctypes.c_uint64),
    ]


class Samples(ctypes.Structure):
    """pleura_samples of src/pleura.h."""

    _fields_ = [
        ("values", ctypes.POINTER(ctypes.c_uint16)),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("table", ctypes.POINTER(ctypes.c_uint16)),
        ("tag_reason", ctypes.c_int),
    ]


class Layer(ctypes.Structure):
    """pleura_layer of src/engine/inspect.h."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_size_t),
        ("h", ctypes.c_int),
        ("w", ctypes.c_int),
        ("c", ctypes.c_int),
        ("channel_stride", ctypes.c_int),
        ("is_int8", ctypes.c_int),
        ("macs", ctypes.c_uint64),
        ("out", ctypes.POINTER(ctypes.c_float)),
    ]


def load_library():
    """libpleura, with the argument types of the calls that take arrays."""
    if not LIBRARY.exists():
        raise SystemExit(f"{LIBRARY} does not exist. Run `make lib` first.")
    c = ctypes.CDLL(str(LIBRARY))
    mirrors = (Film, Lungs, CropSettings, Result, Samples, Layer)
    for mirror, size in zip(mirrors, (ctypes.c_int * len(mirrors)).in_dll(c, "pleura_struct_sizes")):
        if ctypes.sizeof(mirror) != size:
            raise SystemExit(
                f"{mirror.__doc__.rstrip('.')} has {size} bytes in {LIBRARY}, but {ctypes.sizeof(mirror)} in {__file__}. Run `make "
                "lib`; if that does not help, the header has changed: change the class of the same name, too."
            )
    c.pleura_status_text.restype = c.pleura_gate_code.restype = ctypes.c_char_p
    c.film_input.argtypes = [FLOATS, ctypes.c_int, ctypes.POINTER(Film)]
    c.film_decode.argtypes = [ctypes.POINTER(Film), ctypes.c_char_p, ctypes.c_size_t]
    c.lungs_find.argtypes = [ctypes.POINTER(Lungs), FLOATS, ctypes.c_int, INTS]
    c.lungs_input.argtypes = [FLOATS, FLOATS, *map(ctypes.POINTER, (CropSettings, Film, Lungs)), FLOATS]
    c.lungs_box.argtypes = [FLOATS, ctypes.c_float, ctypes.POINTER(Lungs)]
    c.lungs_box.restype = c.film_input.restype = c.lungs_find.restype = c.lungs_input.restype = None
    return c


C = load_library()


def check(status, what):
    if status:
        raise ValueError(f"{what}: {C.pleura_status_text(status).decode()}")


class Engine:
    """The calls of libpleura that prepare films, and the diagnosis of the phantom; use one object per thread."""

    def decode(self, path):
        """A Film, to be released by free(); ValueError names a file that cannot be read."""
        film, raw = Film(), Path(path).read_bytes()
        check(C.film_decode(ctypes.byref(film), raw, len(raw)), path)
        return film

    def phantom(self):
        """The synthetic Film, to be released by free()."""
        film = Film()
        check(C.phantom_draw(ctypes.byref(film)), "phantom")
        return film

    def pixels(self, path):
        """[h, w] uint16: the upright film in a file. Diagnosed as samples, it gives the same bits as the file."""
        film = self.decode(path)
        out = np.ctypeslib.as_array(film.pixels, (film.height, film.width)).copy()
        self.free(film)
        return out

    def free(self, film):
        C.film_free(ctypes.byref(film))

    def film_input(self, film, side):
        """[side, side] float32 in -1..1: the whole frame."""
        out = np.empty((side, side), np.float32)
        C.film_input(out, side, ctypes.byref(film))
        return out

    def lungs(self, logits):
        """The Lungs in mask logits [s, s]."""
        s = len(logits)
        grid, scratch = np.empty((s, s), np.float32), np.empty(2 * s * s, np.int32)
        found = Lungs(grid.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), s)
        C.lungs_find(ctypes.byref(found), np.ascontiguousarray(logits, np.float32), 1, scratch)
        found.grid = grid  # keeps the memory of found.mask
        return found

    def box(self, found, margin):
        """[4] x0 y0 x1 y1 of the crop around the lungs, in fractions of the film."""
        out = np.empty(4, np.float32)
        C.lungs_box(out, margin, ctypes.byref(found))
        return out

    def crop(self, film, found, side, settings):
        """(crop [side, side], mask [side, side] in 0..1) of a Film and its Lungs; `settings` as in inputs.Settings."""
        crop, mask = np.empty((side, side), np.float32), np.empty((side, side), np.float32)
        shape = CropSettings(side, settings.margin, settings.blur, settings.grow, settings.contrast)
        scratch = np.empty(max(found.side**2, 5 * (side // 8) ** 2), np.float32)
        C.lungs_input(crop, mask, ctypes.byref(shape), ctypes.byref(film), ctypes.byref(found), scratch)
        return crop, mask


class Diagnosis(NamedTuple):
    """The copied parts of a pleura_result."""

    verdict: int  # number of a label, -1 uncertain, -2 refused
    probability: np.ndarray  # [labels]
    logits: np.ndarray  # [labels]
    gate: str  # the reason for refusing, else ""
    lungs: np.ndarray  # [side, side], over the whole film
    heatmap: np.ndarray  # the same
    bits: str  # 16 hexadecimal digits
    extent: tuple  # shares of the left and the right lung under opacity, -1 without an opacity map
    quarter_turns: int  # clockwise, to upright


class Model(Engine):
    """An engine with weights (bytes), as page and command run them; use one object per thread."""

    def __init__(self, weights, reference=False):
        self.engine = ctypes.c_void_p()
        self.weights = (ctypes.c_char * len(weights)).from_buffer_copy(weights)  # the engine points into them
        size = ctypes.c_size_t(len(weights))
        check(C.pleura_open(ctypes.byref(self.engine), self.weights, size, int(reference)), "weights")

    def __del__(self):
        C.pleura_close(self.engine)

    def diagnose(self, film):
        """The Diagnosis of a file's bytes, or of pixels [h, w] uint16."""
        result = Result()
        if isinstance(film, bytes):
            status = C.pleura_diagnose(self.engine, ctypes.byref(result), film, ctypes.c_size_t(len(film)))
        else:
            film = np.ascontiguousarray(film, np.uint16)
            height, width = film.shape
            samples = Samples(film.ctypes.data_as(ctypes.POINTER(ctypes.c_uint16)), width, height, 1)
            status = C.pleura_diagnose_samples(self.engine, ctypes.byref(result), ctypes.byref(samples))
        check(status, "film")
        return self.copied(result)

    def diagnose_phantom(self):
        result = Result()
        check(C.pleura_diagnose_phantom(self.engine, ctypes.byref(result)), "phantom")
        return self.copied(result)

    @staticmethod
    def copied(result):
        """The engine overwrites the arrays of a pleura_result in its next call."""

        def copy(values, *shape):
            return np.ctypeslib.as_array(values, shape).copy()

        labels, square = (result.label_count,), (result.map_side, result.map_side)
        return Diagnosis(
            result.verdict,
            copy(result.probability, *labels),
            copy(result.logits, *labels),
            C.pleura_gate_code(result.gate).decode(),
            copy(result.lungs, *square),
            copy(result.heatmap, *square),
            f"{result.bits:016x}",
            tuple(result.extent),
            result.quarter_turns,
        )

    def number(self, key):
        """The number under a key of the weights."""
        out = ctypes.c_double()
        C.pleura_number(self.engine, ctypes.byref(out), key.encode(), ctypes.c_size_t(0))
        return out.value

    def lines(self):
        """The layer lines of the diagnosis graph."""
        text, size, out = ctypes.c_void_p(), ctypes.c_size_t(), []
        place = ctypes.byref(text), ctypes.byref(size)
        while C.pleura_text(self.engine, *place, b"pleura.diagnosis.graph", ctypes.c_size_t(len(out))):
            out.append(ctypes.string_at(text, size.value).decode())
        return out

    def layers(self, file, names):
        """[h, w, c] of each of these layers of the diagnosis graph, on the film of a file's bytes."""
        layer, found, number = Layer(), {}, 0
        check(C.pleura_prepare(self.engine, DIAGNOSIS, file, ctypes.c_size_t(len(file))), "film")
        while len(found) < len(names) and C.pleura_describe_layer(self.engine, ctypes.byref(layer), DIAGNOSIS, number):
            C.pleura_run_layer(self.engine, DIAGNOSIS, number)
            name = ctypes.string_at(layer.name, layer.name_size).decode()
            if name in names:  # copied now, because later layers use the same memory
                shape = (layer.h, layer.w, layer.channel_stride)
                found[name] = np.ctypeslib.as_array(layer.out, shape)[..., : layer.c].copy()
            number += 1
        return [found[name] for name in names]


def for_each(measure, films, weights=None):
    """[measure(model, film)] in the order of the films, on all cores: libpleura runs outside Python's lock."""
    weights, thread = weights or WEIGHTS.read_bytes(), threading.local()

    def start():
        thread.model = Model(weights)

    with ThreadPoolExecutor(os.cpu_count(), initializer=start) as pool:
        return list(pool.map(lambda film: measure(thread.model, film), films))
