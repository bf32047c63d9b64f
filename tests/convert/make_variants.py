"""Writes the fixtures functional.h5 and functional.keras as other versions of Keras would, and with faults in them.

/usr/bin/python3 tests/convert/make_variants.py FOLDER writes them, and a list for convert_all.py, FOLDER/list.json.
"""
import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import h5py

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "convert"
FOLDER = Path(sys.argv[1])
LIST = []


def listed(name, path, same=None, refused=None):
    arguments = ["--labels", "covid,pneumonia,normal", "--f32", "--name", "net"]
    LIST.append({"name": name, "path": str(path), "arguments": arguments, "same": same, "refused": refused})


def h5(name, edit=lambda model, layers, file: None, refused=None, same="functional", source="functional.h5"):
    """A copy of the .h5 file, edited; layers: those of the configuration by name."""
    path = FOLDER / f"{name}.h5"
    shutil.copy(FIXTURES / source, path)
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        edit(model, {layer["config"]["name"]: layer for layer in model["config"]["layers"]}, file)
        file.attrs["model_config"] = json.dumps(model)
    listed(name, path, None if refused else same, refused)


def zipped(name, edit=lambda model, layers: None, rename=lambda kind, n: None, refused=None, same="functional"):
    """A copy of the .keras file; rename(kind, number) is the new name of a group of weights."""
    path = FOLDER / f"{name}.keras"
    with zipfile.ZipFile(FIXTURES / "functional.keras") as old, zipfile.ZipFile(path, "w") as new:
        model = json.loads(old.read("config.json"))
        edit(model, {layer["config"]["name"]: layer for layer in model["config"]["layers"]})
        raw = io.BytesIO(old.read("model.weights.h5"))
        with h5py.File(raw, "r+") as file:
            moved = {}
            for group in list(file["layers"]):
                kind, _, number = group.rpartition("_")
                kind, number = (kind, int(number)) if number.isdigit() else (group, 0)
                if rename(kind, number):
                    moved[group] = rename(kind, number)
            for group, target in moved.items():
                file.move(f"layers/{group}", target)
        new.writestr("metadata.json", old.read("metadata.json"))
        new.writestr("config.json", json.dumps(model))
        new.writestr("model.weights.h5", raw.getvalue())
    listed(name, path, None if refused else same, refused)


def call(layer, **keywords):
    for node in layer["inbound_nodes"]:
        for source in node:
            source[3].update(keywords)


def counted_from_one(model, layers, file):
    """Keras 2 counts a model's own making as its call 0, so what follows reads its call 1."""
    for layer in model["config"]["layers"]:
        for node in layer["inbound_nodes"]:
            for source in node:
                source[1] += source[0] == "within"


def slashes(model, layers, file):
    layers["within"]["config"]["layers"][1]["config"]["name"] = "block/inner"
    group = file["model_weights/within"]
    for role in ("kernel", "bias"):
        group.move(f"inner/{role}:0", f"block/inner/{role}:0")
        group[f"other/inner/{role}:0"] = group[f"block/inner/{role}:0"][...] * 0
    group.attrs["weight_names"] = [f"{o}/inner/{r}:0".encode() for o in ("other", "block") for r in ("kernel", "bias")]


def parts(model, layers, file):
    attributes = file["model_weights/left"].attrs
    names = attributes["weight_names"]
    del attributes["weight_names"]
    attributes["weight_names0"], attributes["weight_names1"] = names[:1], names[1:]


def lora(model, layers, file):
    group = file["model_weights/answer"]
    group["answer/lora_kernel_a:0"] = [1.0]
    names = [n if isinstance(n, bytes) else n.encode() for n in group.attrs["weight_names"]]
    group.attrs["weight_names"] = [*names, b"answer/lora_kernel_a:0"]


def activation(name):
    return lambda model, layers, file: layers["answer"]["config"].update(activation=name)


def operations(model, layers):
    """Rescaling as the two operations of Keras 3 that `x * (1 / 127.5) - 1` makes."""
    made = model["config"]["layers"]
    at = made.index(layers["rescaling"])
    tensor = lambda name: {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
    node = lambda source, number: [{"args": [tensor(source), number], "kwargs": {}}]
    op = {"module": "keras.src.ops.numpy", "registered_name": None}
    made[at : at + 1] = [
        {
            **op,
            "class_name": "Multiply",
            "config": {"name": "m"},
            "name": "m",
            "inbound_nodes": node("image", 1 / 127.5),
        },
        {**op, "class_name": "Subtract", "config": {"name": "rescaling"}, "inbound_nodes": node("m", 1.0)},
    ]


def joined_by(kind, **config):
    """The two inputs of the layer `gated` joined in another way."""

    def edit(model, layers):
        gated = layers["gated"]
        gated.update(class_name=kind, registered_name=kind)
        gated["config"] = {"name": "gated", "trainable": True, **config}

    return edit


def only_gamma(model, layers, file):
    """A batch norm that multiplies by gamma and does nothing else."""
    layers["hidden_bn"]["config"]["epsilon"] = 0
    group = file["model_weights/hidden_bn/hidden_bn"]
    for role, value in (("beta", 0), ("moving_mean", 0), ("moving_variance", 1)):
        group[f"{role}:0"][:] = value


def layer_scale(model, layers, file):
    config = {"name": "hidden_bn", "trainable": True, "init_values": 1e-6, "projection_dim": 9}
    layers["hidden_bn"].update(class_name="LayerScale", config=config)
    file["model_weights/hidden_bn"].attrs["weight_names"] = [b"hidden_bn/gamma:0"]


def casts(to, back):
    """The image in another type and back."""

    def edit(model, layers):
        made = model["config"]["layers"]
        at = made.index(layers["rescaling"])
        tensor = lambda name: {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
        for name, source, dtype in (("to", "image", to), ("back", "to", back)):
            one = {"module": "keras.src.ops.core", "class_name": "Cast", "registered_name": "Cast", "name": name}
            config, nodes = {"name": name, "dtype": dtype}, [{"args": [tensor(source)], "kwargs": {}}]
            made.insert(at, {**one, "config": config, "inbound_nodes": nodes})
            at += 1
        layers["rescaling"]["inbound_nodes"] = [{"args": [tensor("back")], "kwargs": {}}]

    return edit


def renamed(name, kind):
    return lambda model, layers: layers[name].update(class_name=kind, registered_name=kind)


def two_outputs(model, layers):
    model["config"]["output_layers"] = [["answer", 0, 0], ["hidden", 0, 0]]


def own_class(model, layers):
    layers["stem_relu"].update(module="lab", registered_name="Lab>ReLU")


def quantised(model, layers):
    layers["answer"]["config"]["dtype"] = {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}


def extra_input(model, layers):
    layers["half"]["inbound_nodes"][0]["args"].append(3.0)


def main():
    h5("functional")
    zipped("zip")
    h5("an inner model counted from one", counted_from_one)
    h5("names with slashes", slashes)
    h5("weight names in parts", parts)
    zipped(
        "numbered by twos", rename=lambda kind, n: f"_layer_checkpoint_dependencies/{kind}_{2 * n}".removesuffix("_0")
    )
    zipped("operations", operations)
    h5("idle arguments", lambda model, layers, file: call(layers["drop"], training=False))
    h5("LoRA", lora, "Dense 'answer'.*lora_kernel_a")
    h5("training", lambda model, layers, file: call(layers["hidden_bn"], training=True), "hidden_bn.*training=True")
    h5("setting", lambda model, layers, file: layers["half"]["config"].update(sharpen=2), "Conv2D 'half'.*sharpen")
    h5("argument", lambda model, layers, file: call(layers["half"], mask=[1, 2]), "Conv2D 'half'.*mask")
    h5("tanh", activation("tanh"), r"ends in Dense 'answer' \(tanh\)")
    h5("hard_sigmoid", activation("hard_sigmoid"), r"ends in Dense 'answer' \(hard_sigmoid\)")
    h5("three sigmoids", activation("sigmoid"), "3 sigmoids")
    zipped("sum", joined_by("Add"), same="sum")
    zipped("residual", joined_by("CustomScaleLayer", scale=1), same="sum")
    zipped("scaled residual", joined_by("CustomScaleLayer", scale=0.5), same="scaled residual")
    h5("gamma", only_gamma, same="gamma")
    h5("layer scale", layer_scale, same="gamma")
    zipped("casts", casts("float16", "float32"))
    zipped("casts to integers", casts("int32", "float32"), refused="Cast 'to': it makes int32")
    zipped("recurrent", renamed("pool", "ConvLSTM2D"), refused="ConvLSTM2D 'pool'.*It is recurrent")
    zipped("attention", renamed("gated", "Attention"), refused="Attention 'gated'.*as attention does")
    zipped("two outputs", two_outputs, refused=r"2 outputs \(answer, hidden\).*get_layer")
    zipped("own class", own_class, refused="ReLU 'stem_relu'.*Lab>ReLU")
    zipped("int8", quantised, refused="Dense 'answer'.*int8")
    zipped("number beside a layer", extra_input, refused="Conv2D 'half'.*called with")
    (FOLDER / "list.json").write_text(json.dumps(LIST))


if __name__ == "__main__":
    main()
