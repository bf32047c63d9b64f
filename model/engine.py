"""libpleura through ctypes: films to the networks' inputs, so that training sees exactly what the engine sees."""
import ctypes
from pathlib import Path

import numpy as np

LIBRARY = Path(__file__).resolve().parent.parent / "build" / "libpleura.so"
FLOATS = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
INTS = np.ctypeslib.ndpointer(np.int32, flags="C_CONTIGUOUS")


class Film(ctypes.Structure):
    """film of src/image.h."""
    _fields_ = [("pixels", ctypes.POINTER(ctypes.c_uint16)), ("width", ctypes.c_int), ("height", ctypes.c_int),
                ("chroma", ctypes.c_float)]


class Lungs(ctypes.Structure):
    """lungs of src/lungs.h."""
    _fields_ = [("mask", ctypes.POINTER(ctypes.c_float)), ("side", ctypes.c_int), ("area", ctypes.c_float),
                ("balance", ctypes.c_float), ("x0", ctypes.c_float), ("y0", ctypes.c_float),
                ("x1", ctypes.c_float), ("y1", ctypes.c_float)]


class Result(ctypes.Structure):
    """pleura_result of src/pleura.h."""
    _fields_ = [("verdict", ctypes.c_int), ("label_count", ctypes.c_int), ("logits", ctypes.POINTER(ctypes.c_float)),
                ("probability", ctypes.POINTER(ctypes.c_float)), ("gate", ctypes.c_int), ("gate_score", ctypes.c_float),
                ("width", ctypes.c_int), ("height", ctypes.c_int), ("map_side", ctypes.c_int),
                ("lungs", ctypes.POINTER(ctypes.c_float)), ("heatmap", ctypes.POINTER(ctypes.c_float)),
                ("bits", ctypes.c_uint64)]


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
        self.c.lungs_input.argtypes = [FLOATS, FLOATS, ctypes.c_int, ctypes.c_float, ctypes.c_int,
                                       ctypes.POINTER(Film), ctypes.POINTER(Lungs)]
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

    def free(self, film):
        self.c.film_free(ctypes.byref(film))

    def film_input(self, film, side):
        """[side, side] float32 in -1..1: the whole frame."""
        out = np.empty((side, side), np.float32)
        self.c.film_input(out, side, ctypes.byref(film))
        return out

    def lungs(self, film, logits, side, margin, blur):
        """Mask logits [s, s] -> (crop [side, side] in -3..3, mask [side, side] in 0..1, area, balance)."""
        s = len(logits)
        grid, scratch = np.empty((s, s), np.float32), np.empty(2 * s * s, np.int32)
        found = Lungs(grid.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), s)
        self.c.lungs_find(ctypes.byref(found), np.ascontiguousarray(logits, np.float32), 1, scratch)
        crop, mask = np.empty((side, side), np.float32), np.empty((side, side), np.float32)
        self.c.lungs_input(crop, mask, side, margin, blur, ctypes.byref(film), ctypes.byref(found))
        return crop, mask, found.area, found.balance

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
