"""Prints model/convert/operators.md: what the converter reads, from the tables that it reads by.

python3 model/convert/document.py > model/convert/operators.md
"""
import re

from keras_layers import ACTIVATIONS, IDLE, LAYERS
from keras_operations import OPERATIONS, TENSORFLOW
from onnx_constants import ARITHMETIC
from onnx_ops import MICROSOFT, OPS

HEAD = """# What `pleura convert` reads

Written by `python3 model/convert/document.py` from the tables of the converter. Any other operator, layer, attribute or
setting is refused with a sentence that names it. "On constants" are the operators that may also make weights and sizes.
"""


def names(words):
    return ", ".join(f"`{word}`" for word in sorted(words))


def lines(text):
    """Wraps at 120 columns, between words."""
    return re.sub(r"(.{1,119})(?: |$)", lambda m: m[1] + "\n", text).rstrip("\n")


def main():
    print(HEAD)
    print("## ONNX, opset 7 to 23\n")
    print("| operator | attributes |\n|---|---|")
    for name, op in sorted(OPS.items()):
        print(f"| `{name}` | {names(op.attributes)} |")
    print("\n" + lines(f"Of onnxruntime's quantised operators (com.microsoft): {names(MICROSOFT)}."))
    print("\n" + lines(f"On constants: {names(ARITHMETIC)}, `Constant`, and `If` with a condition that is constant."))
    print("\n## Keras 2 and 3\n")
    print("| layer | settings |\n|---|---|")
    for name, entry in sorted(LAYERS.items()):
        print(f"| `{name}` | {names(entry.settings)} |")
    print("\n" + lines(f"Models inside models: `Sequential`, `Functional`. Idle layers: {names(IDLE)}."))
    print("\n" + lines(f"Activations: {names([*ACTIVATIONS, 'hard_sigmoid'])}."))
    print("\n" + lines(f"Operations of Keras 3: {names(OPERATIONS)}."))
    print("\n" + lines(f"Functions of TensorFlow in Keras 2: {names(TENSORFLOW)}."))


if __name__ == "__main__":
    main()
