"""Computes a network by its own framework, so that `pleura convert` can compare.

python3 model/convert/reference.py NETWORK FACTS prints {"framework", "outputs"} as JSON, one row of outputs per test film.
It prints nothing if neither onnxruntime nor Keras is installed. FACTS is what convert --facts wrote.
"""
import importlib.util
import json
import os
import sys
from pathlib import Path

del sys.path[0]  # the converter's own modules, whose names a framework might use
FACTS = json.loads(Path(sys.argv[2]).read_text())
if importlib.util.find_spec("onnxruntime" if FACTS["format"] == "onnx" else "keras") is None:
    sys.exit()  # before anything slow is imported

import numpy as np  # noqa: E402


def films(h, w):
    """Two grey films made of integers only; src/cli/verify.mjs draws the same."""
    y, x = np.mgrid[:h, :w]
    return 2 * np.abs((5 * x + 3 * y) % 254 - 127), 40 + (x * x + 2 * y * y + 3 * x * y) // 37 % 176


def inputs(facts):
    h, w, c = facts["size"]
    for grey in films(h, w):
        x = (grey[..., None] * np.array(facts["scale"]) + np.array(facts["offset"])).astype(np.float32)
        x = np.broadcast_to(x, (h, w, c))
        yield (x.transpose(2, 0, 1) if facts["form"] == "chw" else x)[None]


def by_onnxruntime(path, batches):
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    # Each operator as ONNX defines it: the optimiser joins those of quantised networks to ones whose sums overflow on some
    # processors.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (one,) = session.get_inputs()
    kind = {"tensor(float16)": np.float16, "tensor(uint8)": np.uint8, "tensor(double)": np.float64}.get(
        one.type, np.float32
    )
    rows = [session.run(None, {one.name: np.ascontiguousarray(x.astype(kind))})[0] for x in batches]
    return f"onnxruntime {onnxruntime.__version__}", rows


def in_float32(config):
    """A model's configuration with float32 in place of half precision."""
    if isinstance(config, (list, tuple)):
        return type(config)(in_float32(one) for one in config)
    if not isinstance(config, dict):
        return config
    out = {key: in_float32(value) for key, value in config.items()}
    policy = out.get("dtype")
    name = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    half = isinstance(name, str) and name.endswith("float16")  # bfloat16 and the mixed policies too
    return {**out, "dtype": "float32"} if half else out


def by_keras(path, batches):
    import keras

    model = keras.models.load_model(path, compile=False)
    if FACTS["half"]:
        weights = model.get_weights()
        model = type(model).from_config(in_float32(model.get_config()))
        model.set_weights(weights)
    return f"Keras {keras.__version__}", [np.asarray(model.predict(x, verbose=0)) for x in batches]


def main():
    run = by_onnxruntime if FACTS["format"] == "onnx" else by_keras
    framework, rows = run(Path(sys.argv[1]), list(inputs(FACTS)))
    print(json.dumps({"framework": framework, "outputs": [np.float64(row).reshape(-1).tolist() for row in rows]}))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
