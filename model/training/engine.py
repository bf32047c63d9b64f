"""libpleura through ctypes: films to the networks' inputs, so that training sees exactly what the engine sees."""
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


class Result(ctypes.Structure):
    """pleura_result of src/pleura.h."""

    _fields_ = [
        ("verdict", ctypes.c_int),
        ("label_count", ctypes.c_int),
        ("logits", ctypes.POINTER(ctypes.c_float)),
        ("probability", ctypes.POINTER(ctypes.c_float)),
        ("gate", ctypes.c_int),
        ("gate_score", ctypes.c_float),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("map_side", ctypes.c_int),
        ("evidence", ctypes.c_int),
        ("lungs", ctypes.POINTER(ctypes.c_float)),
        ("heatmap", ctypes.POINTER(ctypes.c_float)),
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
        ("told", ctypes.c_int),
    ]


class Layer(ctypes.Structure):
    """pleura_layer of src/pleura.h."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_size_t),
        ("h", ctypes.c_int),
        ("w", ctypes.c_int),
        ("c", ctypes.c_int),
        ("lanes", ctypes.c_int),
        ("bytes", ctypes.c_int),
        ("products", ctypes.c_uint64),
        ("out", ctypes.POINTER(ctypes.c_float)),
    ]


class Engine:
    """The calls of libpleura that prepare films, and the phantom's diagnosis; one object a thread."""

    def __init__(self):
        self.c = ctypes.CDLL(str(LIBRARY))
        self.c.pleura_status_text.restype = ctypes.c_char_p
        self.c.film_input.argtypes = [FLOATS, ctypes.c_int, ctypes.POINTER(Film)]
        self.c.film_input.restype = None
        self.c.film_decode.argtypes = [ctypes.POINTER(Film), ctypes.c_char_p, ctypes.c_size_t]
        self.c.lungs_find.argtypes = [ctypes.POINTER(Lungs), FLOATS, ctypes.c_int, INTS]
        self.c.lungs_find.restype = None
        self.c.lungs_input.argtypes = [
            FLOATS,
            FLOATS,
            ctypes.c_int,
            ctypes.c_float,
            ctypes.c_int,
            ctypes.POINTER(Film),
            ctypes.POINTER(Lungs),
        ]
        self.c.lungs_input.restype = None

    def check(self, status, name):
        if status:
            raise ValueError(f"{name}: {self.c.pleura_status_text(status).decode()}")

    def decode(self, path):
        """A Film that film_free must end; ValueError names the file that cannot be read."""
        film, raw = Film(), Path(path).read_bytes()
        self.check(self.c.film_decode(ctypes.byref(film), raw, len(raw)), path)
        return film

    def phantom(self):
        """The synthetic Film, which free() must end."""
        film = Film()
        self.check(self.c.phantom_draw(ctypes.byref(film)), "phantom")
        return film

    def greys(self, path):
        """[h, w] uint16: the upright film of a file; as samples it gives the same bits as the file."""
        film = self.decode(path)
        out = np.ctypeslib.as_array(film.pixels, (film.height, film.width)).copy()
        self.free(film)
        return out

    def free(self, film):
        self.c.film_free(ctypes.byref(film))

    def film_input(self, film, side):
        """[side, side] float32 in -1..1: the whole frame."""
        out = np.empty((side, side), np.float32)
        self.c.film_input(out, side, ctypes.byref(film))
        return out

    def lungs(self, film, logits, side, margin, blur):
        """Mask logits [s, s] -> (crop [side, side] in -3..3, mask [side, side] in 0..1, (area, balance, doubt))."""
        s = len(logits)
        grid, scratch = np.empty((s, s), np.float32), np.empty(2 * s * s, np.int32)
        found = Lungs(grid.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), s)
        self.c.lungs_find(ctypes.byref(found), np.ascontiguousarray(logits, np.float32), 1, scratch)
        crop, mask = np.empty((side, side), np.float32), np.empty((side, side), np.float32)
        self.c.lungs_input(crop, mask, side, margin, blur, ctypes.byref(film), ctypes.byref(found))
        return crop, mask, (found.area, found.balance, found.doubt)

    def phantom_bits(self, weights):
        """The 16 hexadecimal digits of the phantom's diagnosis by these weights (bytes) and the reference kernels."""
        engine, result = ctypes.c_void_p(), Result()
        raw = (ctypes.c_char * len(weights)).from_buffer_copy(weights)
        self.check(self.c.pleura_open(ctypes.byref(engine), raw, ctypes.c_size_t(len(weights)), 1), "weights")
        try:
            self.check(self.c.pleura_diagnose_phantom(engine, ctypes.byref(result)), "phantom")
            return f"{result.bits:016x}"
        finally:
            self.c.pleura_close(engine)


class Diagnosis(NamedTuple):
    """What is copied of a pleura_result."""

    verdict: int  # number of a label, -1 uncertain, -2 refused
    probability: np.ndarray  # [labels]
    gate: str  # why it is refused, else ""
    lungs: np.ndarray  # [side, side], over the whole film
    heatmap: np.ndarray  # the same


class Model(Engine):
    """An engine with weights (bytes), as page and command run them; one object a thread."""

    def __init__(self, weights):
        super().__init__()
        self.engine = ctypes.c_void_p()
        self.weights = (ctypes.c_char * len(weights)).from_buffer_copy(weights)  # the engine points into them
        self.c.pleura_gate_code.restype = ctypes.c_char_p
        self.check(
            self.c.pleura_open(ctypes.byref(self.engine), self.weights, ctypes.c_size_t(len(weights)), 0), "weights"
        )

    def __del__(self):
        self.c.pleura_close(self.engine)

    def diagnose(self, film):
        """Of a file's bytes, or of greys [h, w] uint16."""
        result = Result()
        if isinstance(film, bytes):
            status = self.c.pleura_diagnose(self.engine, ctypes.byref(result), film, ctypes.c_size_t(len(film)))
        else:
            film = np.ascontiguousarray(film, np.uint16)
            height, width = film.shape
            samples = Samples(film.ctypes.data_as(ctypes.POINTER(ctypes.c_uint16)), width, height, 1)
            status = self.c.pleura_diagnose_samples(self.engine, ctypes.byref(result), ctypes.byref(samples))
        self.check(status, "film")
        square = (result.map_side, result.map_side)
        probability, lungs, heatmap = (
            np.ctypeslib.as_array(values, shape).copy()
            for values, shape in (
                (result.probability, (result.label_count,)),
                (result.lungs, square),
                (result.heatmap, square),
            )
        )
        return Diagnosis(result.verdict, probability, self.c.pleura_gate_code(result.gate).decode(), lungs, heatmap)

    def lines(self):
        """The layer lines of the diagnosis graph."""
        at, size, out = ctypes.c_void_p(), ctypes.c_size_t(), []
        while self.c.pleura_text(
            self.engine, ctypes.byref(at), ctypes.byref(size), b"pleura.diagnosis.graph", ctypes.c_size_t(len(out))
        ):
            out.append(ctypes.string_at(at, size.value).decode())
        return out

    def layers(self, file, names):
        """[h, w, c] of each of these layers of the diagnosis graph, on the film of a file's bytes."""
        diagnosis, layer, found, number = 1, Layer(), {}, 0
        self.check(self.c.pleura_prepare(self.engine, diagnosis, file, ctypes.c_size_t(len(file))), "film")
        while len(found) < len(names) and self.c.pleura_describe_layer(
            self.engine, ctypes.byref(layer), diagnosis, number
        ):
            self.c.pleura_run_layer(self.engine, diagnosis, number)
            name = ctypes.string_at(layer.name, layer.name_size).decode()
            if name in names:  # copied at once: later layers use the same memory
                found[name] = np.ctypeslib.as_array(layer.out, (layer.h, layer.w, layer.lanes))[..., : layer.c].copy()
            number += 1
        return [found[name] for name in names]


def each(ask, films, weights=None):
    """[ask(model, film)] in the films' order, on all cores: libpleura runs outside Python's lock."""
    weights, own = weights or WEIGHTS.read_bytes(), threading.local()

    def start():
        own.model = Model(weights)

    with ThreadPoolExecutor(os.cpu_count(), initializer=start) as pool:
        return list(pool.map(lambda film: ask(own.model, film), films))
