"""Converts a Keras .h5 or .keras file, or an ONNX file, to a GGUF file that the engine runs.

    python3 model/convert IN OUT.gguf --labels covid,normal

One reader per format (keras_reader.py, onnx_reader.py) translates the foreign network into the layers of layers.py;
lower.py reduces those to the engine's operations; gguf.py writes the file. Each failure is one sentence that names the
layer. The files come from strangers, so memory and processor time are limited.
"""
import argparse
import contextlib
import errno
import json
import os
import re
import signal
import sys
import time
import zipfile
from fractions import Fraction
from pathlib import Path

PACKAGES = "is missing. On Debian: apt-get install python3-numpy python3-onnx python3-h5py"

try:
    import numpy as np
except ModuleNotFoundError:  # a sentence helps more than a traceback
    sys.exit(f"The Python package numpy {PACKAGES}")

from gguf import Q8_0, write_gguf
from layers import ConvertError
from limits import MAX_CHANNELS, MAX_DIM, MAX_LABELS, MAX_SCALE, MIN_PRIOR
from lower import graph

MEMORY = Path("/proc/self/statm")  # the memory of this process; only Linux has this file
VERDICTS = {"uncertain", "refused", "error"}  # src/verdicts.mjs: what Pleura reports in place of a label
NOTICE = (
    "For research and teaching, not a medical device. Somebody else made this network; whoever converted it is "
    "responsible for it."
)
EPILOG = """The engine stretches a film to the size of the network's input. Each channel is
the grey value (0..255) times scale plus offset; with --mean and --std, as
torchvision defines them, it is (grey value * scale - mean) / std. Without these
options the scale is 1/255, or 1 if the network scales its own input.

If a network ends in a single value, that value is the logit of the second
label; if it ends in a map, the mean of the map is used. The engine computes
softmax or sigmoid itself. The weights of an ONNX file may lie in a data file
beside it, as PyTorch writes them; no other file is opened. Operators and
settings that are not read are refused by name."""


def number(text):
    """'1/127.5' -> 0.00784..."""
    over, _, under = text.partition("/")
    return float(Fraction(over.strip()) / Fraction(under.strip() or 1))


def numbers(text):
    """'0.5,1/255' -> [0.5, 0.00392...]"""
    try:
        return [number(word) for word in text.split(",")]
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a list of numbers. Write them like 0.485,0.456,0.406 or 1/255"
        ) from error


def shares(text):
    """'covid=0.2,normal=0.8' -> {'covid': 0.2, 'normal': 0.8}"""
    pairs = [word.rpartition("=") for word in text.split(",")]
    try:
        return {label.strip(): number(share) for label, _, share in pairs}
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not LABEL=SHARE,.... Write it like covid=0.2,normal=0.8"
        ) from error


def input_size(text):
    words = text.split("x")
    if len(words) != 3 or not all(word.isdigit() and 0 < int(word) <= MAX_DIM for word in words):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not HEIGHTxWIDTHxCHANNELS. Write it like 224x224x3, each from 1 to {MAX_DIM}"
        )
    return tuple(map(int, words))


def negative_values(argv):
    """Joins an option with a value that begins with a minus sign, which argparse would take for another option."""
    out = []
    for word in argv:
        if out and out[-1] in ("--offset", "--scale", "--mean", "--std") and re.match(r"-[\d.]", word):
            out[-1] += f"={word}"
        else:
            out.append(word)
    return out


def arguments():
    parser = argparse.ArgumentParser(
        prog="pleura convert",
        description="Convert a Keras or ONNX classifier to weights for Pleura.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="IN", type=Path, help="model.h5, model.keras or model.onnx")
    parser.add_argument("out", metavar="OUT.gguf", type=Path)
    parser.add_argument(
        "--labels", "--classes", required=True, metavar="A,B,...", help="the network's classes, in its own order"
    )
    parser.add_argument(
        "--input",
        "--size",
        type=input_size,
        metavar="HxWxC",
        help="size of the input if the file leaves it open, such as 224x224x3",
    )
    parser.add_argument("--scale", type=numbers, metavar="N[,N,N]", help="factor of the grey values 0..255")
    parser.add_argument("--offset", type=numbers, metavar="N[,N,N]", help="added after scaling")
    parser.add_argument("--mean", type=numbers, metavar="R,G,B", help="subtracted after scaling")
    parser.add_argument("--std", type=numbers, metavar="R,G,B", help="divides after the mean is subtracted")
    parser.add_argument(
        "--bgr", action="store_true", help="the network expects blue first: reverse the numbers of the options above"
    )
    parser.add_argument(
        "--prior",
        type=shares,
        metavar="A=N,B=N",
        help="class mix that the probabilities assume: that of the training films, or with --calibrate the one wanted",
    )
    parser.add_argument(
        "--calibrate",
        metavar="FILMS",
        help="fit temperature, intercepts and, from 100 films on, the gate to labelled films that the network has not "
        "been trained on: a folder with one sub-folder per label, or a CSV with the columns file and label",
    )
    parser.add_argument("--root", metavar="DIR", help="folder of the files in the CSV of --calibrate")
    parser.add_argument("--map", metavar="WORD=LABEL,...", help="what other words of --calibrate mean")
    parser.add_argument("--name", help="name of the model (default: that of the file)")
    parser.add_argument("--license", default="unknown", help="SPDX identifier of the weights' licence")
    parser.add_argument(
        "--no-verify",
        action="store_true",
        help="do not compare the answers with those of onnxruntime or Keras, where python3 has them",
    )
    parser.add_argument("--facts", type=Path, help=argparse.SUPPRESS)  # written for src/cli/verify.mjs
    parser.add_argument("--force", action="store_true", help="replace OUT.gguf even if it is not a GGUF file")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--f32", action="store_true", help="keep float32 weights: twice the size")
    kinds.add_argument(
        "--q8", action="store_true", help="8-bit weights (Q8_0): half the size; the arithmetic stays float32"
    )
    options = parser.parse_args(negative_values(sys.argv[1:]))
    if options.offset and (options.mean or options.std):
        parser.error("--offset cannot be used with --mean or --std")
    if (options.root or options.map) and not options.calibrate:
        parser.error("--root and --map belong to --calibrate")
    if options.calibrate and not options.facts:
        parser.error("--calibrate needs the engine: run it as `pleura convert`")
    return options


def per_channel(values, channels, option, bgr):
    if len(values) not in (1, channels):
        raise ConvertError(
            f"{option} has {len(values)} numbers, but the network's input has {channels} channels. Give one number, or "
            "one per channel"
        )
    values = np.broadcast_to(np.array(values), channels)
    return values[::-1] if bgr else values


def preprocessing(options, channels, first_layer, integers):
    """((scale, offset) per channel, those of the network's own input).

    first_layer is the (scale, offset) that the network itself begins with, or None; integers: whether its input holds them.
    """

    def given(name, default):
        return per_channel(getattr(options, name) or default, channels, f"--{name}", options.bgr)

    raw = integers or (first_layer is not None and not (options.mean or options.std))
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
    if integers and not all((values == np.rint(values)).all() for values in (scale, offset)):
        raise ConvertError(
            "its input holds integers, but --scale, --offset, --mean or --std make fractions. Leave them out: the network "
            "then receives the grey values 0..255"
        )
    own, (factor, term) = (scale, offset), first_layer or (1, 0)
    scale, offset = scale * factor, offset * factor + term
    if not (np.abs([scale, offset]) <= MAX_SCALE).all():
        raise ConvertError(
            f"the grey values would be multiplied by {', '.join(f'{v:g}' for v in scale)} and shifted by "
            f"{', '.join(f'{v:g}' for v in offset)}; the engine accepts at most {MAX_SCALE:g}. Check --scale, --mean "
            "and --std"
        )
    return (scale.astype(np.float32), offset.astype(np.float32)), own


KINDS = {np.float16: "float16", np.float32: "float32", Q8_0: "8-bit (Q8_0)"}
UNBOUNDED = ("relu", "silu", "hardswish")  # activations whose mean over a map may be a logit, as in SqueezeNet
PASSES = ("affine", "gather", "concat", "add", "avgpool", "mean", "resize")


def activation_at_end(layer, in_mean=False, seen=None):
    """The activation whose values come out of the network, perhaps joined or scaled; None if it ends in logits."""
    seen = set() if seen is None else seen
    waiting = [(layer, in_mean)]
    while waiting:
        layer, in_mean = waiting.pop()
        if (id(layer), in_mean) in seen:
            continue
        seen.add((id(layer), in_mean))
        rounds = layer.act == "uint8"
        if layer.op == "softmax" or (layer.op == "act" and not rounds and not (in_mean and layer.act in UNBOUNDED)):
            return layer
        if rounds or layer.op in PASSES or (layer.op == "maxpool" and not in_mean):
            in_mean = in_mean or layer.op in ("mean", "avgpool")
            waiting.extend((one, in_mean) for one in layer.inputs)
    return None


def rounded_at_end(layer):
    """Whether the network's last step rounds to integers."""
    layer = layer.inputs[0] if layer.op == "affine" else layer
    return layer.act == "uint8"


def logits(net, out):
    """The layer whose values are the logits: what comes before the final softmax or sigmoid."""
    out = net.select(out)
    if out.factors is not None or any(len({atom.dim == "c" for atom in axis}) > 1 for axis in out.axes):
        raise ConvertError("the network ends in a flattened feature map instead of one value per label")
    last = out.layer
    if (last.op == "softmax" or last.act == "sigmoid") and last.shape[1:] != (1, 1):
        raise ConvertError(
            f"the network ends in a map of probabilities, by {last.source}; Pleura needs one value per label. Put the "
            "mean over height and width before it"
        )
    if last.op == "softmax":
        return last.inputs[0]
    if last.op == "act" and last.act == "sigmoid":
        if last.shape[0] > 1:
            raise ConvertError(
                f"the network ends in {last.shape[0]} sigmoids, so several labels can be true at once; Pleura needs "
                "exactly one label per film"
            )
        return last.inputs[0]
    bent = activation_at_end(last)
    if bent is not None and rounded_at_end(last) and (bent.op == "softmax" or bent.act == "sigmoid"):
        raise ConvertError(
            f"the network rounds its probabilities, from {bent.source}, to 8 bits by QuantizeLinear and DequantizeLinear, "
            "so that they no longer add up to 1. Leave that step out: quantize_static(..., nodes_to_exclude=[its name])"
        )
    if bent is not None:
        joined = "" if bent is last else f", whose values {last.source} passes on" if last.source != bent.source else ""
        raise ConvertError(
            f"the network ends in {bent.source}{joined}. Such values are not logits; Pleura needs a network that ends "
            "in a softmax, in one sigmoid, or in the logits"
        )
    return last


def lowered_graph(last, image, labels, kind):
    """graph() of the layers up to the logits; checks that there is one output per label."""
    count = max(2, last.shape[0])
    if count != len(labels):
        raise ConvertError(
            f"the network distinguishes {count} labels, but --labels names {len(labels)} ({', '.join(labels)})"
        )
    return graph(last, image, kind)


def read(path, size):
    """(network, View of its output) from a file of any supported format."""
    if path.is_dir():
        if (path / "saved_model.pb").exists():
            raise ConvertError(f"this is a SavedModel of TensorFlow. {tensorflow(f'--saved-model {path}')}")
        raise ConvertError("this is a folder. Save the model in Keras: model.save('model.keras')")
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise ConvertError("the file is empty")
    if head.startswith(b"\x89HDF\r\n\x1a\n") or (head.startswith(b"PK") and keras_zip(path)):
        import keras_reader as reader  # each reader needs a package of its own
    else:
        kind = foreign(head, path.name)
        if kind:
            raise ConvertError(kind)
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


TORCH = "Export it in Python: torch.onnx.export(model.eval(), x, 'm.onnx'), where x is one input"


def tensorflow(source):
    """What to do with a network that TensorFlow wrote without Keras."""
    return (
        "Save the model in Keras: model.save('model.keras'), or export it to ONNX: python3 -m tf2onnx.convert "
        f"{source} --output m.onnx"
    )


def keras_zip(path):
    """Whether a zip holds a Keras model, or too little of one to tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(("config.json", "model.weights.h5")) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return True  # the reader says what is wrong with it


def foreign(head, name):
    """What to say about a file of another known kind, by its first bytes; None if it may be ONNX."""
    if head.startswith(b"PK"):
        return f"this is a zip file without a Keras model, perhaps a checkpoint of PyTorch. {TORCH}"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return f"this is a pickle, perhaps a checkpoint of PyTorch or a model of scikit-learn. {TORCH}"
    if head[4:8] == b"TFL3":
        return f"this is a TensorFlow Lite (TFLite) network. {tensorflow('--tflite FILE')}"
    if head[4:8] == b"ORTM":
        return "this is a network in the format of ONNX Runtime (.ort). Convert the .onnx file that it was made from"
    if head.startswith(b"GGUF"):
        return "this is a GGUF file, which needs no conversion"
    if head[8:9] == b"{" and b'"dtype"' in head:
        return f"this is a safetensors file, which holds weights without a network. {TORCH}"
    if head[:1] == b"{" and any(word in head for word in (b"modelTopology", b"layers-model", b"graph-model")):
        return "this is a network of TensorFlow.js. Convert the Keras model that it was made from"
    if name == "saved_model.pb":
        return f"this is a part of a SavedModel of TensorFlow. {tensorflow('--saved-model FOLDER')}"
    text = head.decode("utf-8", "replace")
    if "\ufffd" not in text[:-3] and all(c.isprintable() or c in "\r\n\t" for c in text):
        return "this is a text, not an ONNX or Keras file"
    return None


def check_output(options):
    """Refuses to replace anything but weights: whoever forgets the name of the output has typed another file there."""
    out = options.out
    if out.exists() and out.samefile(options.source):
        raise ConvertError("the output would replace the network itself. Name another file")
    if not os.access(out.parent, os.W_OK):
        code = errno.EACCES if out.parent.exists() else errno.ENOENT
        raise OSError(code, os.strerror(code), str(out))
    if options.force or not out.exists():
        return
    if not out.is_file():
        raise ConvertError(f"{out} is not a file. Name another output")
    with out.open("rb") as file:
        head = file.read(4)
    if head and head != b"GGUF":
        raise ConvertError(f"{out} is not a GGUF file, so it was not replaced. Name another output, or add --force")


def write_whole(path, metadata, tensors):
    """Writes beside the output and renames, so that nobody ever sees half a file."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write_gguf(part, metadata, tensors)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


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


def prior_of(options, labels):
    """{metadata key: value} of --prior."""
    if options.prior is None:
        return {}
    if set(options.prior) != set(labels):
        raise ConvertError(f"--prior needs one share for each of {', '.join(labels)}")
    mix = np.array([options.prior[label] for label in labels])
    if not (mix >= MIN_PRIOR).all() or abs(mix.sum() - 1) > 1e-3:
        raise ConvertError(f"--prior needs shares from {MIN_PRIOR:g} to 1 that sum to 1")
    return {"pleura.prior": (mix / mix.sum()).astype(np.float32)}


def write_facts(options, net, out, own):
    """What reference.py needs to ask the framework the same, and what is left to the engine."""
    channels, h, w = net.image.shape
    last, source = net.select(out).layer, options.source
    if net.half and net.kind == "onnx" and not options.no_verify:
        from onnx_float32 import write_float32

        source = options.facts.with_name("float32.onnx")
        write_float32(options.source, source)
    facts = {
        "source": str(source),
        "out": str(options.out),
        "weights": str(options.facts.with_name("weights.gguf")),
        "format": net.kind,
        "form": net.form,
        "half": net.half,
        "size": [h, w, channels],
        "scale": own[0].tolist(),
        "offset": own[1].tolist(),
        "head": "softmax" if last.op == "softmax" else last.act if last.act == "sigmoid" else "logits",
        "verify": not options.no_verify,
        "calibrate": options.calibrate and {"labels": options.calibrate, "root": options.root, "map": options.map},
    }
    options.facts.write_text(json.dumps(facts))


def convert(options):
    labels = label_list(options.labels)
    prior_of(options, labels)  # before the network is read
    check_output(options)
    with limited_time(size_of(options.source)):
        net, out = read(options.source, options.input)
    channels, h, w = net.image.shape
    if channels > MAX_CHANNELS or len(labels) > MAX_LABELS:
        raise ConvertError(
            f"the network has {channels} input channels and {len(labels)} labels; the engine accepts at most "
            f"{MAX_CHANNELS} and {MAX_LABELS}"
        )
    kind = Q8_0 if options.q8 else np.float32 if options.f32 else np.float16
    lines, tensors, first_layer = lowered_graph(logits(net, out), net.image, labels, kind)
    (scale, offset), own = preprocessing(options, channels, first_layer, net.takes_integers)
    metadata = {
        "general.architecture": "pleura",
        "general.name": options.name or options.source.stem,
        "general.version": "0.1.0",
        "general.license": options.license,
        "pleura.labels": labels,
        "pleura.diagnosis.graph": lines,
        "pleura.input.scale": scale,
        "pleura.input.offset": offset,
        **prior_of(options, labels),
        "pleura.card.notice": NOTICE,
        "pleura.card.summary": f"Converted from {options.source.name}; not evaluated on any films.",
    }
    if options.facts:  # the command checks the weights, and then puts them in their place
        write_gguf(options.facts.with_name("weights.gguf"), metadata, tensors)
        write_facts(options, net, out, own)
    else:
        write_whole(options.out, metadata, tensors)
    summary = f"{options.out}: {len(lines)} layers, input {h}x{w}x{channels}, labels {', '.join(labels)}"
    print(one_line(summary), file=sys.stderr)
    if net.half:
        print(
            f"{options.out}: the file asks for arithmetic in {net.half}; Pleura computes in float32 with the same weights, "
            "which is more exact, so its probabilities can differ from those of the original",
            file=sys.stderr,
        )
    if net.rounded:
        print(
            f"{options.out}: the network is quantised: its weights become {KINDS[kind]} numbers, and the engine rounds "
            f"{net.rounded} activations to integers as the file says"
            + ("" if options.f32 else "; --f32 is closest to it"),
            file=sys.stderr,
        )


def size_of(path):
    """Bytes of the network on the disk, with the data file that PyTorch writes beside it. Holes do not count: a file may
    claim gigabytes that it does not have."""
    files = [path, path.with_name(f"{path.name}.data")]
    return sum(min(stat.st_size, 512 * stat.st_blocks) for stat in (file.stat() for file in files if file.is_file()))


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
        limit_memory(size_of(options.source))
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
