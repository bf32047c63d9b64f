"""Keras .h5 and .keras, and ONNX -> GGUF: python3 model/convert IN OUT.gguf --labels covid,normal; --help tells the rest."""
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
except ModuleNotFoundError:  # the sentence serves a person more than the traceback
    sys.exit(f"The Python package numpy {PACKAGES}")

from gguf import Q8_0, write_gguf
from layers import ConvertError
from lower import graph

HELD = Path("/proc/self/statm")  # where only Linux tells how much memory this process has
MOST_CHANNELS, MOST_LABELS, MOST_SCALE = 4, 64, 1e6  # those of src/engine/pleura.c
VERDICTS = {"uncertain", "refused", "error"}  # what is said in place of a label
NOTICE = "For research and teaching, not a medical device. The network comes from elsewhere: who converted it answers for it."
EPILOG = """A film is stretched to the network's input; each channel is grey (0..255) * scale + offset. With --mean and --std, as
torchvision has them, (grey * scale - mean) / std. Without any of them the scale is 1/255, or 1 where the network scales
its input itself. A network that ends in one value answers for the second label; one that ends in a map answers with the
mean of the map. Softmax and sigmoid at the end are the engine's own part. The whole network must be in the one file: no
other is opened."""


def numbers(text):
    """'0.5,1/255' -> [0.5, 0.00392...]"""
    try:
        return [float(Fraction(word.strip())) for word in text.split(",")]
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no list of numbers such as 0.485,0.456,0.406 or 1/255"
        ) from error


def input_size(text):
    words = text.split("x")
    if len(words) != 3 or not all(word.isdigit() and 0 < int(word) <= 4096 for word in words):
        raise argparse.ArgumentTypeError(f"'{text}' is not HEIGHTxWIDTHxCHANNELS, such as 224x224x3")
    return tuple(map(int, words))


def arguments():
    parser = argparse.ArgumentParser(
        prog="pleura convert",
        description="A Keras or ONNX classifier -> weights for Pleura.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="IN", type=Path, help="model.h5, model.keras or model.onnx")
    parser.add_argument("out", metavar="OUT.gguf", type=Path)
    parser.add_argument("--labels", required=True, metavar="A,B,...", help="what the network answers, in its own order")
    parser.add_argument(
        "--input", type=input_size, metavar="HxWxC", help="size of the input where the file leaves it open"
    )
    parser.add_argument("--scale", type=numbers, metavar="N[,N,N]", help="factor of the greys 0..255")
    parser.add_argument("--offset", type=numbers, metavar="N[,N,N]", help="added after the scale")
    parser.add_argument("--mean", type=numbers, metavar="R,G,B", help="subtracted after the scale")
    parser.add_argument("--std", type=numbers, metavar="R,G,B", help="divides after the mean")
    parser.add_argument(
        "--bgr", action="store_true", help="the network takes blue first: turns the numbers above around"
    )
    parser.add_argument("--name", help="of the model (default: the file's)")
    parser.add_argument("--license", default="unknown", help="of the weights, as SPDX names it")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--f32", action="store_true", help="keep float32 weights: twice the size")
    kinds.add_argument(
        "--q8", action="store_true", help="8-bit weights (Q8_0): half the size; the arithmetic stays float32"
    )
    options = parser.parse_args()
    if options.offset and (options.mean or options.std):
        parser.error("--offset does not go with --mean and --std")
    return options


def per_channel(values, channels, what, bgr):
    if len(values) not in (1, channels):
        raise ConvertError(f"{what} has {len(values)} numbers, the network's input {channels} channels")
    values = np.broadcast_to(np.array(values), channels)
    return values[::-1] if bgr else values


def preprocessing(options, channels, own):
    """(scale, offset) a channel; own is what the network does to its input first, or None."""

    def given(name, otherwise):
        return per_channel(getattr(options, name) or otherwise, channels, f"--{name}", options.bgr)

    plain = own is not None and not (options.mean or options.std)
    if not (options.scale or options.mean or options.std):
        print(
            f"pleura convert: no --scale is given: the network gets greys of 0..{255 if plain else 1}", file=sys.stderr
        )
    std = given("std", [1])
    if not std.all():
        raise ConvertError("--std has a zero")
    scale = given("scale", [1 if plain else 1 / 255]) / std
    offset = given("offset", [0]) - given("mean", [0]) / std
    factor, term = (1, 0) if own is None else own
    scale, offset = scale * factor, offset * factor + term
    if not (np.abs([scale, offset]) <= MOST_SCALE).all():
        raise ConvertError(
            f"its greys would be scaled by {', '.join(f'{v:g}' for v in scale)} and moved by {', '.join(f'{v:g}' for v in offset)}; "
            f"the engine takes up to {MOST_SCALE:g}"
        )
    return scale.astype(np.float32), offset.astype(np.float32)


def answer(out, image, labels, kind):
    """graph() of the layers before softmax or sigmoid at the end; the labels must fit them."""
    last = out.layer
    if out.factors is not None:
        raise ConvertError("the network ends in a flattened picture")
    if last.op == "softmax":
        last = last.inputs[0]
    elif last.op == "act" and last.act == "sigmoid":
        last = last.inputs[0]
        if last.shape[0] > 1:
            raise ConvertError(
                f"the network ends in {last.shape[0]} sigmoids, which give as many answers at once; Pleura gives one label a film"
            )
    elif out.flat and last.shape[1:] != (1, 1):
        raise ConvertError("the network ends in a flattened picture")
    count = max(2, last.shape[0])
    if count != len(labels):
        raise ConvertError(
            f"the network tells {count} labels apart, --labels names {len(labels)} ({', '.join(labels)})"
        )
    return graph(last, image, kind)


def read(path, size):
    """(network, View of its answer) of a file of any kind that is known here."""
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise ConvertError("it is empty")
    if head == b"\x89HDF\r\n\x1a\n" or head.startswith(b"PK"):
        import keras_reader as reader  # each needs a package of its own
    else:
        import onnx_reader as reader
    try:
        return reader.read(path, size)
    except (ConvertError, MemoryError):
        raise
    except Exception as error:
        # What breaks its own format fails anywhere in the libraries that read it, each with errors of its own.
        raise ConvertError(
            f"it is no ONNX or Keras file, or it is cut off or damaged ({error or type(error).__name__})"
        ) from error


def convert(options):
    labels = [label.strip() for label in options.labels.split(",")]
    if len(set(labels)) != len(labels) or not all(labels):
        raise ConvertError(f"--labels {options.labels} has an empty or a repeated label")
    if VERDICTS.intersection(labels):
        raise ConvertError(
            f"--labels {options.labels}: no label may be called {' or '.join(sorted(VERDICTS.intersection(labels)))}, which is what Pleura says of a film without an answer"
        )
    with limited_time(options.source.stat().st_size):
        net, out = read(options.source, options.input)
    channels, h, w = net.image.shape
    if channels > MOST_CHANNELS or len(labels) > MOST_LABELS:
        raise ConvertError(
            f"it has {channels} channels and {len(labels)} labels, the engine takes {MOST_CHANNELS} and {MOST_LABELS}"
        )
    lines, tensors, own = answer(
        out, net.image, labels, Q8_0 if options.q8 else np.float32 if options.f32 else np.float16
    )
    scale, offset = preprocessing(options, channels, own)
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
        "pleura.card.summary": f"Converted from {options.source.name}; nothing was measured on films.",
    }
    write_gguf(options.out, metadata, tensors)
    print(
        one_line(f"{options.out}: {len(lines)} layers, input {h}x{w}x{channels}, {', '.join(labels)}"), file=sys.stderr
    )


def limit_memory(size):
    """Constants that grow without end, and arrays without content, must not fill the machine: a copy of the weights for
    every step of the way is enough, and what the packages hold already."""
    if HELD.exists():
        import resource

        most = int(HELD.read_text().split()[0]) * resource.getpagesize() + (1 << 30) + 16 * size
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


@contextlib.contextmanager
def limited_time(size):
    """HDF5 1.10 reads some damaged files without end, where it hears nothing of Python: the system ends it (SIGXCPU) after 15
    seconds of its processor and one for every 8 MB."""
    if not HELD.exists():
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = min(
        limit for limit in (int(time.process_time()) + 15 + (size >> 23), soft, hard) if limit != resource.RLIM_INFINITY
    )
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def one_line(text):
    """What a file calls itself may be long, or made to rewrite the terminal."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= 500 else f"{text[:300]} … {text[-150:]}"


def main():
    options = arguments()
    np.seterr(all="ignore")  # what is not finite is found where the weights are packed
    try:
        limit_memory(options.source.stat().st_size)
        convert(options)
    except ConvertError as error:
        sys.exit(one_line(f"{options.source}: {error}"))
    except MemoryError:
        sys.exit(one_line(f"{options.source}: what it describes takes more memory than a network of its size can need"))
    except ModuleNotFoundError as error:
        sys.exit(f"The Python package {error.name} {PACKAGES}")
    except OSError as error:
        sys.exit(one_line(f"{error.filename or options.source}: {error.strerror or error}"))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    main()
