"""Converts a Keras .h5 or .keras file, or an ONNX file, to a GGUF file that the engine runs.

    python3 model/convert IN OUT.gguf --labels covid,normal

One reader per format (keras_reader.py, onnx_reader.py) translates the foreign network into the layers of layers.py;
lower.py reduces those to the engine's operations; gguf.py writes the file. Each failure is one sentence that names the
layer. The files come from strangers, so memory and processor time are limited.
"""
import argparse
import contextlib
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path

PACKAGES = "is missing. On Debian: apt-get install python3-numpy python3-onnx python3-h5py"

try:
    import numpy as np
except ModuleNotFoundError:  # a sentence helps more than a traceback
    sys.exit(f"The Python package numpy {PACKAGES}")

from gguf import Q8_0, write_gguf
from layers import ConvertError
from limits import MAX_CHANNELS, MAX_DIM, MAX_LABELS, MAX_SCALE
from lower import graph

MEMORY = Path("/proc/self/statm")  # the memory of this process; only Linux has this file
VERDICTS = {"uncertain", "refused", "error"}  # src/verdicts.mjs: what Pleura reports in place of a label
NOTICE = (
    "For research and teaching, not a medical device. Somebody else made this network; whoever converted it is "
    "responsible for it."
)
EPILOG = """The engine stretches a film to the size of the network's input. Each channel is the grey value (0..255)
times scale plus offset; with --mean and --std, as torchvision defines them, it is (grey value * scale - mean) / std.
Without these options the scale is 1/255, or 1 if the network scales its own input.

If a network ends in a single value, that value is the logit of the second label; if it ends in a map, the mean of the
map is used. The engine computes softmax or sigmoid itself. The whole network must be in one file: no other file is
opened."""


def numbers(text):
    """'0.5,1/255' -> [0.5, 0.00392...]"""
    try:
        return [float(Fraction(word.strip())) for word in text.split(",")]
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a list of numbers. Write them like 0.485,0.456,0.406 or 1/255"
        ) from error


def input_size(text):
    words = text.split("x")
    if len(words) != 3 or not all(word.isdigit() and 0 < int(word) <= MAX_DIM for word in words):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not HEIGHTxWIDTHxCHANNELS. Write it like 224x224x3, each from 1 to {MAX_DIM}"
        )
    return tuple(map(int, words))


def arguments():
    parser = argparse.ArgumentParser(
        prog="pleura convert",
        description="Convert a Keras or ONNX classifier to weights for Pleura.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="IN", type=Path, help="model.h5, model.keras or model.onnx")
    parser.add_argument("out", metavar="OUT.gguf", type=Path)
    parser.add_argument("--labels", required=True, metavar="A,B,...", help="the network's classes, in its own order")
    parser.add_argument(
        "--input", type=input_size, metavar="HxWxC", help="size of the input if the file leaves it open"
    )
    parser.add_argument("--scale", type=numbers, metavar="N[,N,N]", help="factor of the grey values 0..255")
    parser.add_argument("--offset", type=numbers, metavar="N[,N,N]", help="added after scaling")
    parser.add_argument("--mean", type=numbers, metavar="R,G,B", help="subtracted after scaling")
    parser.add_argument("--std", type=numbers, metavar="R,G,B", help="divides after the mean is subtracted")
    parser.add_argument(
        "--bgr", action="store_true", help="the network expects blue first: reverse the numbers of the options above"
    )
    parser.add_argument("--name", help="name of the model (default: that of the file)")
    parser.add_argument("--license", default="unknown", help="SPDX identifier of the weights' licence")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--f32", action="store_true", help="keep float32 weights: twice the size")
    kinds.add_argument(
        "--q8", action="store_true", help="8-bit weights (Q8_0): half the size; the arithmetic stays float32"
    )
    options = parser.parse_args()
    if options.offset and (options.mean or options.std):
        parser.error("--offset cannot be used with --mean or --std")
    return options


def per_channel(values, channels, option, bgr):
    if len(values) not in (1, channels):
        raise ConvertError(
            f"{option} has {len(values)} numbers, but the network's input has {channels} channels. Give one number, or "
            "one per channel"
        )
    values = np.broadcast_to(np.array(values), channels)
    return values[::-1] if bgr else values


def preprocessing(options, channels, first_layer):
    """(scale, offset) per channel. first_layer is the (scale, offset) that the network itself begins with, or None."""

    def given(name, default):
        return per_channel(getattr(options, name) or default, channels, f"--{name}", options.bgr)

    raw = first_layer is not None and not (options.mean or options.std)
    if not (options.scale or options.mean or options.std):
        print(
            f"pleura convert: no --scale given, so the network receives grey values of 0..{255 if raw else 1}",
            file=sys.stderr,
        )
    std = given("std", [1])
    if not std.all():
        raise ConvertError("--std contains a zero, and the engine would divide by it")
    scale = given("scale", [1 if raw else 1 / 255]) / std
    offset = given("offset", [0]) - given("mean", [0]) / std
    factor, term = first_layer or (1, 0)
    scale, offset = scale * factor, offset * factor + term
    if not (np.abs([scale, offset]) <= MAX_SCALE).all():
        raise ConvertError(
            f"the grey values would be multiplied by {', '.join(f'{v:g}' for v in scale)} and shifted by "
            f"{', '.join(f'{v:g}' for v in offset)}; the engine accepts at most {MAX_SCALE:g}. Check --scale, --mean "
            "and --std"
        )
    return scale.astype(np.float32), offset.astype(np.float32)


def lowered_graph(out, image, labels, kind):
    """graph() of the layers before the final softmax or sigmoid; checks that there is one output per label."""
    last = out.layer
    if out.factors is not None:
        raise ConvertError("the network ends in a flattened feature map instead of one value per label")
    if last.op == "softmax":
        last = last.inputs[0]
    elif last.op == "act" and last.act == "sigmoid":
        last = last.inputs[0]
        if last.shape[0] > 1:
            raise ConvertError(
                f"the network ends in {last.shape[0]} sigmoids, so several labels can be true at once; Pleura needs "
                "exactly one label per film"
            )
    elif out.flat and last.shape[1:] != (1, 1):
        raise ConvertError("the network ends in a flattened feature map instead of one value per label")
    count = max(2, last.shape[0])
    if count != len(labels):
        raise ConvertError(
            f"the network distinguishes {count} labels, but --labels names {len(labels)} ({', '.join(labels)})"
        )
    return graph(last, image, kind)


def read(path, size):
    """(network, View of its output) from a file of any supported format."""
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise ConvertError("the file is empty")
    if head == b"\x89HDF\r\n\x1a\n" or head.startswith(b"PK"):
        import keras_reader as reader  # each reader needs a package of its own
    else:
        import onnx_reader as reader
    try:
        return reader.read(path, size)
    except (ConvertError, MemoryError):
        raise
    except Exception as error:
        # A file that breaks its own format fails anywhere in the libraries, each with its own exceptions.
        raise ConvertError(
            f"this is not an ONNX or Keras file, or it is truncated or damaged ({error or type(error).__name__})"
        ) from error


def label_list(text):
    labels = [label.strip() for label in text.split(",")]
    if len(set(labels)) != len(labels) or not all(labels):
        raise ConvertError(f"--labels {text} contains an empty or a repeated label")
    taken = sorted(VERDICTS.intersection(labels))
    if taken:
        raise ConvertError(
            f"--labels {text}: no label may be called {' or '.join(taken)}, because Pleura reports that for films "
            "without an answer"
        )
    return labels


def convert(options):
    labels = label_list(options.labels)
    with limited_time(options.source.stat().st_size):
        net, out = read(options.source, options.input)
    channels, h, w = net.image.shape
    if channels > MAX_CHANNELS or len(labels) > MAX_LABELS:
        raise ConvertError(
            f"the network has {channels} input channels and {len(labels)} labels; the engine accepts at most "
            f"{MAX_CHANNELS} and {MAX_LABELS}"
        )
    kind = Q8_0 if options.q8 else np.float32 if options.f32 else np.float16
    lines, tensors, first_layer = lowered_graph(out, net.image, labels, kind)
    scale, offset = preprocessing(options, channels, first_layer)
    metadata = {
        "general.architecture": "pleura",
        "general.name": options.name or options.source.stem,
        "general.version": "0.1.0",
        "general.license": options.license,
        "pleura.labels": labels,
        "pleura.diagnosis.graph": lines,
        "pleura.input.scale": scale,
        "pleura.input.offset": offset,
        "pleura.card.notice": NOTICE,
        "pleura.card.summary": f"Converted from {options.source.name}; not evaluated on any films.",
    }
    write_gguf(options.out, metadata, tensors)
    summary = f"{options.out}: {len(lines)} layers, input {h}x{w}x{channels}, labels {', '.join(labels)}"
    print(one_line(summary), file=sys.stderr)


def limit_memory(size):
    """Allows what the packages occupy already, 1 GiB, and sixteen times the file: a copy of the weights for every step.

    A hostile file can describe constants that grow without end, or arrays far larger than itself.
    """
    if MEMORY.exists():
        import resource

        limit = int(MEMORY.read_text().split()[0]) * resource.getpagesize() + (1 << 30) + 16 * size
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


@contextlib.contextmanager
def limited_time(size):
    """Allows 15 seconds of processor time and one more per 8 MB.

    HDF5 1.10 loops forever on some damaged files, outside Python's reach; the system then ends the process (SIGXCPU).
    """
    if not MEMORY.exists():
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(time.process_time()) + 15 + (size >> 23)
    limit = min(value for value in (wanted, soft, hard) if value != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def one_line(text):
    """Names in a file may be very long, or contain control characters that would rewrite the terminal."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= 500 else f"{text[:300]} … {text[-150:]}"


def main():
    options = arguments()
    np.seterr(all="ignore")  # the check of the packed weights finds every value that is not finite
    try:
        limit_memory(options.source.stat().st_size)
        convert(options)
    except ConvertError as error:
        sys.exit(one_line(f"{options.source}: {error}"))
    except MemoryError:
        sys.exit(
            one_line(f"{options.source}: the network it describes needs more memory than a file of its size should")
        )
    except ModuleNotFoundError as error:
        sys.exit(f"The Python package {error.name} {PACKAGES}")
    except OSError as error:
        sys.exit(one_line(f"{error.filename or options.source}: {error.strerror or error}"))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the process without a traceback
    main()
