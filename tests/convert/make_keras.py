"""The Keras half of make_onnx.py: writes files in both formats of Keras and computes their networks with PyTorch."""
import io
import json
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np
import torch
from torch.nn import functional as F

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "convert"
ROLES = {
    "Conv2D": ["kernel", "bias"],
    "DepthwiseConv2D": ["depthwise_kernel", "bias"],
    "Dense": ["kernel", "bias"],
    "SeparableConv2D": ["depthwise_kernel", "pointwise_kernel", "bias"],
    "BatchNormalization": ["gamma", "beta", "moving_mean", "moving_variance"],
}


class Arrays:
    """Random weights, drawn on first use: {layer: {role: array}}."""

    def __init__(self, seed):
        self.random, self.drawn = np.random.default_rng(seed), {}

    def __call__(self, layer, role, *shape):
        spread = {"bias": 0.1, "beta": 0.3, "moving_mean": 0.3}.get(role, 1.5 / np.sqrt(max(np.prod(shape[:-1]), 1)))
        array = self.random.normal(0, spread, shape)
        array = self.random.uniform(0.5, 1.5, shape) if role in ("gamma", "moving_variance") else array
        kept = self.drawn.setdefault(layer, {}).setdefault(role, array.astype(np.float32))
        return torch.from_numpy(kept).double()


def same(x, k, stride):
    """Pads [n, c, h, w] by TensorFlow's SAME."""
    sides = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + k - size, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides)


def conv(w, name, x, cout, k, stride=1, padding="valid", bias=True):
    x = same(x, k, stride) if padding == "same" else x
    kernel = w(name, "kernel", k, k, x.shape[1], cout).permute(3, 2, 0, 1)
    return F.conv2d(x, kernel, w(name, "bias", cout) if bias else None, stride)


def depthwise(w, name, x, k, stride=1, multiplier=1, bias=True):
    c = x.shape[1]
    kernel = w(name, "depthwise_kernel", k, k, c, multiplier).permute(2, 3, 0, 1).reshape(c * multiplier, 1, k, k)
    return F.conv2d(same(x, k, stride), kernel, w(name, "bias", c * multiplier) if bias else None, stride, groups=c)


def norm(w, name, x):
    g, b, m, v = (w(name, role, x.shape[1]) for role in ROLES["BatchNormalization"])
    return F.batch_norm(x, m, v, g, b, eps=1e-3)


def dense(w, name, x, cout):
    return x @ w(name, "kernel", x.shape[1], cout) + w(name, "bias", cout)


def layer(kind, name, inputs=(), **config):
    """One layer of the configuration. Keras 2 nests its inputs three lists deep."""
    return {
        "class_name": kind,
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": [[[i, 0, 0, {}] for i in inputs]] if inputs else [],
    }


def sequential(w, x):
    """The most common kind: convolutions, a batch norm, dropout, a flattened feature map, one sigmoid."""
    config = {
        "name": "sequential",
        "layers": [
            layer(
                "Conv2D",
                "conv2d",
                filters=6,
                kernel_size=[3, 3],
                strides=[1, 1],
                padding="valid",
                activation="relu",
                batch_input_shape=[None, 32, 32, 3],
            ),
            layer("MaxPooling2D", "max_pooling2d", pool_size=[2, 2], strides=[2, 2], padding="valid"),
            layer(
                "Conv2D", "conv2d_1", filters=10, kernel_size=[3, 3], strides=[1, 1], padding="valid", activation="relu"
            ),
            layer("MaxPooling2D", "max_pooling2d_1", pool_size=[2, 2], strides=None, padding="valid"),
            layer("BatchNormalization", "batch_normalization", axis=[3], epsilon=0.001),
            layer("Dropout", "dropout", rate=0.25),
            layer("Flatten", "flatten"),
            layer("BatchNormalization", "batch_normalization_1", axis=[1], epsilon=0.001),
            layer("Dense", "dense", units=6, activation="relu"),
            layer("Dropout", "dropout_1", rate=0.5),
            layer("Dense", "dense_1", units=1, activation="sigmoid"),
        ],
    }
    x = F.max_pool2d(F.relu(conv(w, "conv2d", x, 6, 3)), 2)
    x = F.max_pool2d(F.relu(conv(w, "conv2d_1", x, 10, 3)), 2)
    x = norm(w, "batch_normalization", x).permute(0, 2, 3, 1).flatten(1)
    z = dense(w, "dense_1", F.relu(dense(w, "dense", norm(w, "batch_normalization_1", x), 6)), 1)
    return {"class_name": "Sequential", "config": config}, torch.cat([0 * z, z], 1)


def functional(w, x):
    """SAME padding, depthwise and separable convolutions, branches with odd channel counts, an inner model."""
    within = {
        "class_name": "Sequential",
        "name": "within",
        "inbound_nodes": [[["up", 0, 0, {}]]],
        "config": {
            "name": "within",
            "layers": [
                layer("InputLayer", "within_input", batch_input_shape=[None, 16, 16, 7]),
                layer(
                    "Conv2D",
                    "inner",
                    filters=7,
                    kernel_size=[1, 1],
                    strides=[1, 1],
                    padding="same",
                    activation="hard_sigmoid",
                ),
            ],
        },
    }
    config = {
        "name": "model",
        "input_layers": [["image", 0, 0]],
        "output_layers": [["answer", 0, 0]],
        "layers": [
            layer("InputLayer", "image", batch_input_shape=[None, 64, 64, 3]),
            layer("Rescaling", "rescaling", ["image"], scale=1 / 127.5, offset=-1),
            layer(
                "Conv2D",
                "stem",
                ["rescaling"],
                filters=8,
                kernel_size=[3, 3],
                strides=[2, 2],
                padding="same",
                use_bias=False,
                activation="linear",
            ),
            layer("BatchNormalization", "stem_bn", ["stem"], axis=[3], epsilon=0.001),
            layer("ReLU", "stem_relu", ["stem_bn"], max_value=6.0, negative_slope=0.0, threshold=0.0),
            layer(
                "DepthwiseConv2D",
                "deep",
                ["stem_relu"],
                kernel_size=[3, 3],
                strides=[2, 2],
                padding="same",
                depth_multiplier=1,
                activation="linear",
            ),
            layer("BatchNormalization", "deep_bn", ["deep"], axis=[3], epsilon=0.001),
            layer("Activation", "deep_swish", ["deep_bn"], activation="swish"),
            layer(
                "Conv2D",
                "left",
                ["deep_swish"],
                filters=6,
                kernel_size=[1, 1],
                strides=[1, 1],
                padding="same",
                activation="tanh",
            ),
            layer(
                "SeparableConv2D",
                "right",
                ["deep_swish"],
                filters=5,
                kernel_size=[3, 3],
                strides=[1, 1],
                padding="same",
                activation="relu",
            ),
            layer("Concatenate", "both", ["left", "right"], axis=-1),
            layer("ZeroPadding2D", "border", ["both"], padding=[[0, 1], [1, 0]]),
            layer(
                "Conv2D",
                "half",
                ["border"],
                filters=7,
                kernel_size=[3, 3],
                strides=[2, 2],
                padding="valid",
                activation="linear",
            ),
            layer("UpSampling2D", "up", ["half"], size=[2, 2], interpolation="bilinear"),
            within,
            layer("Multiply", "gated", ["up", "within"]),
            layer("GlobalAveragePooling2D", "pool", ["gated"]),
            layer("Dense", "hidden", ["pool"], units=9, activation="relu"),
            layer("BatchNormalization", "hidden_bn", ["hidden"], axis=[1], epsilon=0.001),
            layer("Dropout", "drop", ["hidden_bn"], rate=0.5),
            layer("Dense", "answer", ["drop"], units=3, activation="softmax"),
        ],
    }
    x = F.relu6(norm(w, "stem_bn", conv(w, "stem", x / 127.5 - 1, 8, 3, 2, "same", bias=False)))
    x = F.silu(norm(w, "deep_bn", depthwise(w, "deep", x, 3, 2)))
    left = torch.tanh(conv(w, "left", x, 6, 1))
    right = depthwise(w, "right", x, 3, bias=False)
    right = F.relu(
        F.conv2d(right, w("right", "pointwise_kernel", 1, 1, 8, 5).permute(3, 2, 0, 1), w("right", "bias", 5))
    )
    x = conv(w, "half", F.pad(torch.cat([left, right], 1), (1, 0, 0, 1)), 7, 3, 2)
    x = F.interpolate(x, scale_factor=2, mode="bilinear")
    x = x * torch.clamp(0.2 * conv(w, "inner", x, 7, 1) + 0.5, 0, 1)
    x = norm(w, "hidden_bn", F.relu(dense(w, "hidden", x.mean((2, 3)), 9)))
    return {"class_name": "Functional", "config": config}, dense(w, "answer", x, 3)


def write_h5(path, model, w):
    """Keras 2: a group per layer that lists its arrays; that of an inner model lists the arrays of all its layers."""
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update({"model_config": json.dumps(model), "keras_version": "2.11.0", "backend": "tensorflow"})
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [one["config"]["name"] for one in model["config"]["layers"]]
        for one in model["config"]["layers"]:
            group, name = root.create_group(one["config"]["name"]), one["config"]["name"]
            owners = [deep["config"]["name"] for deep in one["config"].get("layers", [])] or [name]
            arrays = {f"{owner}/{role}:0": array for owner in owners for role, array in w.drawn.get(owner, {}).items()}
            group.attrs["weight_names"] = [text.encode() for text in arrays]
            for text, array in arrays.items():
                group[text] = array


def numbered(group, layers, w):
    """Keras 3: layers by kind and number, arrays by number."""
    count = {}
    for one in layers:
        kind = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", one["class_name"])).lower()
        n = count[kind] = count.get(kind, -1) + 1
        own = group.create_group(f"layers/{kind}_{n}" if n else f"layers/{kind}")
        arrays = [
            w.drawn[one["name"]][role]
            for role in ROLES.get(one["class_name"], [])
            if role in w.drawn.get(one["name"], {})
        ]
        for i, array in enumerate(arrays):
            own[f"vars/{i}"] = array
        numbered(own, one["config"].get("layers", []), w)


def write_keras(path, model, w):
    """Keras 3 where it differs: a zip, a single input or output without a list, tensors marked among arguments."""
    model = json.loads(json.dumps(model))
    for key in ("input_layers", "output_layers"):
        model["config"][key] = model["config"][key][0]
    for one in model["config"]["layers"]:
        tensors = [
            {
                "class_name": "__keras_tensor__",
                "config": {"shape": [None], "dtype": "float32", "keras_history": source[:3]},
            }
            for node in one["inbound_nodes"]
            for source in node
        ]
        one["inbound_nodes"] = [{"args": tensors if len(tensors) == 1 else [tensors], "kwargs": {}}] if tensors else []
        if one["class_name"] == "InputLayer":
            one["config"]["batch_shape"] = one["config"].pop("batch_input_shape")
    weights = io.BytesIO()
    with h5py.File(weights, "w", libver="latest") as file:
        numbered(file, model["config"]["layers"], w)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", weights.getvalue())


def files(greys):
    """Writes all files; returns {file: arguments and logits}. greys(side, channels) returns the films."""
    expected = {}
    for name, make, side, scale, arguments in (
        ("sequential.h5", sequential, 32, 1 / 255, ["--labels", "normal,covid", "--scale", "1/255"]),
        ("functional.h5", functional, 64, 1, ["--labels", "covid,pneumonia,normal"]),
    ):
        w = Arrays(side)
        model, logits = make(w, greys(side, 3).double() * scale)
        write_h5(FIXTURES / name, model, w)
        expected[name] = {"arguments": arguments, "logits": logits.tolist()}
        if make is functional:
            write_keras(FIXTURES / "functional.keras", model, w)
            expected["functional.keras"] = expected[name]
    return expected
