"""Fuzzes the converter with ONNX and Keras files derived from the fixtures.

/usr/bin/python3 tests/fuzz/converter.py SECONDS SEED runs for that long, FROM:TO SEED runs these rounds. Every file
must end in weights that the engine loads or in one sentence, and no other file may be opened. A round depends only on
its number and the seed; files with a finding are kept in build/fuzz_convert. Each round has its own process, because
the HDF5 library crashes on some files.
"""
import ctypes
import json
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "model"), str(ROOT / "model" / "convert")]

from convert import __main__ as convert  # noqa: E402
import keras_reader  # noqa: E402, F401: loaded here once instead of in each process
import onnx_reader  # noqa: E402, F401
from hostile_keras import hostile_keras  # noqa: E402
from hostile_onnx import hostile_onnx  # noqa: E402

FIXTURES, KEPT = ROOT / "tests/fixtures/convert", ROOT / "build/fuzz_convert"
MAX_SECONDS = 20  # of processor time per round; a hang never ends
MAX_MEMORY = 3 << 30  # bytes per round, packages included: more than the converter allows itself
IN_OPEN = 0x20
ENGINE = ctypes.CDLL(str(ROOT / "build/libpleura.so"))
ENGINE.pleura_status_text.restype = ctypes.c_char_p


class Canaries:
    """Files beside the hostile one, above it, and elsewhere, which nothing should open; inotify reports if one is."""

    def __init__(self, folder):
        self.libc = ctypes.CDLL(None)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK)
        self.paths = [folder / "in/beside.bin", folder / "above.bin", folder / "elsewhere/deep.h5"]
        for path in self.paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Valid content, so that the converter would go on with it.
            path.write_bytes(
                (FIXTURES / "sequential.h5").read_bytes() if path.suffix == ".h5" else struct.pack("<f", 0.5) * 40000
            )
            assert self.libc.inotify_add_watch(self.fd, str(path).encode(), IN_OPEN) > 0
        self.names = [
            "beside.bin",
            "../above.bin",
            "x/../../above.bin",
            str(folder / "elsewhere/deep.h5"),
            "/" + "../" * 20 + str(self.paths[1])[1:],
        ]

    def opened(self):
        try:
            return len(os.read(self.fd, 1 << 16)) > 0
        except BlockingIOError:
            return False


def flipped(rng, data):
    """Overwrites, removes or doubles bytes, or cuts off the end."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        at = rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 3000))
        kind = rng.randrange(8)
        if kind < 5:
            data[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256), data[at] ^ 1 << rng.randrange(8)])
        elif kind == 5:
            data[at : at + 8] = struct.pack("<q", rng.choice([0, -1, 1, 1 << 31, 1 << 62, len(data)]))
        elif kind == 6:
            data[at:at] = data[at : at + rng.randrange(1, 64)]
        else:
            del data[at : at + rng.choice([1, 8, 64, len(data)])]
        if not data:
            break
    return bytes(data)


def make(number, seed, canaries):
    """The file of one round: (name, bytes, options)."""
    rng = random.Random(f"{seed} {number}")
    networks = json.loads((FIXTURES / "expected.json").read_text())["networks"]
    name = rng.choice(
        [name for name in networks if name.endswith(".onnx")]
        if rng.random() < 0.5
        else ["sequential.h5", "functional.h5", "functional.keras"]
    )
    data, options = (FIXTURES / name).read_bytes(), list(networks[name]["arguments"])
    if rng.random() < 0.8:
        data = (hostile_onnx if name.endswith(".onnx") else hostile_keras)(rng, data, name, canaries.names)
    if rng.random() < 0.25 and data:
        data = flipped(rng, data)
    options += rng.choice([[], [], ["--f32"], ["--q8"], ["--input", "32x32x3"]])
    return name, data, options


def child(path, out, options, errors):
    """Converts as the command would and ends the process."""
    os.dup2(errors, 2)
    os.dup2(errors, 1)
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    sys.argv = ["convert", str(path), str(out), *options]
    sys.stderr = sys.stdout = open(errors, "w", closefd=False, errors="backslashreplace")  # as in a new process
    status = 0
    try:
        convert.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
        if status == 1 and end.code != 1:
            print(end.code, file=sys.stderr)
    except BaseException:  # the user would see a traceback
        traceback.print_exc()
        status = 70
    if status == 0:
        weights, engine = out.read_bytes(), ctypes.c_void_p()
        refused = ENGINE.pleura_open(ctypes.byref(engine), weights, ctypes.c_size_t(len(weights)), 1)
        if refused:
            status = 71
            print(f"the engine refuses it: {ENGINE.pleura_status_text(refused).decode()}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(status)


def run(folder, name, data, options):
    """(the finding or None, how it ended, what it printed)"""
    path, out, printed = folder / "in" / name, folder / "in/out.gguf", folder / "printed"
    path.write_bytes(data)
    out.unlink(missing_ok=True)
    with open(printed, "wb") as errors:
        pid = os.fork()
        if pid == 0:
            child(path, out, options, errors.fileno())
        _, status, used = os.wait4(pid, 0)
    path.unlink()
    text = printed.read_text(errors="backslashreplace").strip()
    lines = [line for line in text.split("\n") if not line.startswith("pleura convert: no --scale")]
    if os.WIFSIGNALED(status):
        end = signal.Signals(os.WTERMSIG(status)).name
        # The command has a sentence for a library that crashes and for a process that reaches its limit.
        return ("hang" if end == "SIGKILL" or used.ru_utime + used.ru_stime > MAX_SECONDS - 1 else None), end, text
    code = os.WEXITSTATUS(status)
    if used.ru_maxrss * 1024 > MAX_MEMORY:
        return f"used {used.ru_maxrss >> 10} MB", code, text
    if code == 0:
        return (None if out.exists() and out.stat().st_size else "no weights"), "weights", text
    if code != 1:
        return "traceback" if code == 70 else f"exit status {code}", code, text
    if len(lines) != 1 or not lines[0].startswith(f"{path}: ") or len(lines[0]) > 1000 or not lines[0].isprintable():
        return "not one clear sentence", "sentence", text
    if out.exists():
        return "weights beside an error", "sentence", text
    return None, "sentence", text


def main():
    when, seed = sys.argv[1], int(sys.argv[2])
    first, last = map(int, when.split(":")) if ":" in when else (0, sys.maxsize)
    end = time.monotonic() + (int(when) if ":" not in when else 1e9)
    folder = KEPT / str(os.getpid())
    canaries, ends, findings, number = Canaries(folder), {}, 0, first
    while number < last and time.monotonic() < end:
        name, data, options = make(number, seed, canaries)
        canaries.opened()  # forget what the generator opened through a link of its own
        wrong, how, text = run(folder, name, data, options)
        if canaries.opened():
            wrong = "opened another file"
        ends[how] = ends.get(how, 0) + 1
        if wrong:
            findings += 1
            kept = KEPT / f"{seed}-{number}-{name}"
            kept.write_bytes(data)
            print(f"round {number}: {wrong}: {kept} {' '.join(options)}\n{text[-1500:]}\n", flush=True)
        number += 1
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    counts = ", ".join(f"{count} {how}" for how, count in sorted(ends.items(), key=str))
    print(f"{number - first} files: {counts}; {findings} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
