"""Adds to tests/fixtures/convert what only the frameworks themselves write: a Keras file with transposed convolutions, and
networks that onnxruntime has quantised.

Run by hand after make_onnx.py, with keras, onnx, onnxruntime and torch from PyPI. The logits are the frameworks' own.
"""
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from onnx import TensorProto, helper, numpy_helper, save  # noqa: E402
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static  # noqa: E402

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "convert"
LABELS = ["--labels", "covid,pneumonia,normal", "--scale", "1/255"]
SIDE = 32


def films():
    """The films of make_onnx.py as [3, SIDE, SIDE] in 0..1: the engine averages two by two pixels."""
    y, x = np.mgrid[:64, :64] / 64
    rings = 127 + 60 * np.sin(20 * np.hypot(x - 0.4, y - 0.5)) + 60 * (x - y)
    noise = np.random.default_rng(5).integers(0, 256, (64, 64))
    grey = np.stack([noise, rings, (rings + noise) / 2]).astype(np.uint8).astype(np.float32)
    return grey.reshape(3, SIDE, 2, SIDE, 2).mean((2, 4)) / 255


def enlarging():
    """An autoencoder's way back up: both paddings, windows larger and smaller than their stride, and a softplus."""
    keras.utils.set_random_seed(3)
    up = keras.layers.Conv2DTranspose
    x = image = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Conv2D(6, 3, strides=4, activation="relu")(x)
    x = up(5, 3, strides=2, padding="same", activation="softplus")(x)
    x = up(6, 4, strides=3, padding="valid", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = up(3, 2, strides=3, padding="same")(keras.layers.MaxPooling2D(4)(x))
    x = keras.layers.AveragePooling2D(5)(keras.layers.Activation("mish")(x))
    x = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x))
    model = keras.Model(image, x)
    model.set_weights(
        [
            np.random.default_rng(n).normal(0.1, 0.4, w.shape) ** 2
            if w.ndim == 1
            else np.random.default_rng(n).normal(0, 0.3, w.shape)
            for n, w in enumerate(model.get_weights())
        ]
    )
    model.save(FIXTURES / "enlarging.keras")
    return np.log(model.predict(films()[..., None], verbose=0))


class Films(CalibrationDataReader):
    def __init__(self):
        self.left = list(films()[:, None, None])

    def get_next(self):
        return {"x": self.left.pop()} if self.left else None


def float_network(path):
    """A residual block, depthwise windows, a gate of a squeeze, pools and a join."""
    random, nodes, arrays = np.random.default_rng(2), [], {}

    def add(kind, *inputs, **attributes):
        nodes.append(helper.make_node(kind, list(inputs), [f"t{len(nodes)}"], f"n{len(nodes)}", **attributes))
        return nodes[-1].output[0]

    def array(shape, spread):
        arrays[f"w{len(arrays)}"] = random.normal(0, spread, shape).astype(np.float32)
        return f"w{len(arrays) - 1}"

    def conv(x, cin, cout, k=3, group=1, stride=1):
        weight = array((cout, cin // group, k, k), (2 / (cin // group * k * k)) ** 0.5)
        return add("Conv", x, weight, array((cout,), 0.2), pads=[k // 2] * 4, strides=[stride] * 2, group=group)

    x = add("MaxPool", add("Relu", conv("x", 1, 8, stride=2)), kernel_shape=[2, 2], strides=[2, 2])
    y = add("Relu", conv(add("LeakyRelu", conv(x, 8, 8, group=8), alpha=0.1), 8, 8, 1))
    gate = add("Sigmoid", conv(add("GlobalAveragePool", y), 8, 8, 1))
    x = add("Concat", add("Add", x, add("Mul", y, gate)), y, axis=1)
    x = add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    add("Gemm", add("Flatten", x), array((256, 3), 0.2), array((3,), 0.2))
    nodes[-1].name, nodes[-1].output[0] = "logits", "y"
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    tensors = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    graph = helper.make_graph(nodes, "g", [info("x", [1, 1, SIDE, SIDE])], [info("y", [1, 3])], tensors)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def quantised(name, style, by_channel):
    """Weights have 7 bits, so that sums of two products fit 16 bits on every processor. The last layer stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        float_network(path)
        options = {
            "quant_format": style,
            "per_channel": by_channel,
            "reduce_range": True,
            "nodes_to_exclude": ["logits"],
        }
        quantize_static(path, FIXTURES / name, Films(), **options, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(FIXTURES / name, options)
    return np.concatenate([session.run(None, {"x": film})[0] for film in films()[:, None, None]])


def main():
    path = FIXTURES / "expected.json"
    expected = json.loads(path.read_text())
    made = {
        "enlarging.keras": enlarging(),
        "qdq.onnx": quantised("qdq.onnx", QuantFormat.QDQ, True),
        "qoperator.onnx": quantised("qoperator.onnx", QuantFormat.QOperator, False),
    }
    for name, logits in made.items():
        expected["networks"][name] = {"arguments": LABELS, "logits": logits.astype(float).tolist()}
        print(name, (FIXTURES / name).stat().st_size, "bytes", file=sys.stderr)
    path.write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
