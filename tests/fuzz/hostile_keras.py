"""Changes a Keras file as a damaged writer or an attacker would: in its configuration, its HDF5 objects or its zip."""
import io
import json
import zipfile

import h5py
import numpy as np

import keras_reader

VALUES = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    4,
    64,
    65,
    4097,
    100003,
    2**31,
    2**63,
    10**400,
    0.5,
    -0.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "same",
    "valid",
    "softmax",
    "relu",
    "a\nb: all is well",
    "\x1b[2J",
    "\u202e",
    "é" * 3000,
    [],
    {},
    [1],
    [3, 3],
    [2, 1],
    [None, 32, 32, 3],
    {"class_name": "x", "config": {}},
]
KINDS = [*keras_reader.LAYERS, *keras_reader.MODELS, "InputLayer", "Dropout", "Lambda", "LSTM", "a\nb"]


def places(value, found=None):
    """All (container, key) pairs of a JSON tree."""
    found = [] if found is None else found
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found.append((value, key))
        places(value[key], found)
    return found


def deep(rng):
    """Values nested deeper than parsers like."""
    text = rng.choice(["[", '{"a":'])
    depth = rng.choice([30, 500, 20000])
    return text * depth + "1" + ("]" if text == "[" else "}") * depth


def hostile_config(rng, text):
    model = json.loads(text)
    for _ in range(rng.choice([1, 1, 2, 4])):
        all_places = places(model)
        if not all_places:
            break  # an earlier change has removed everything
        container, key = rng.choice(all_places)
        change = rng.randrange(8)
        if change < 3:
            container[key] = rng.choice(VALUES)
        elif change == 3 and isinstance(container, dict):
            del container[key]
        elif change == 4:
            container[key] = json.loads(json.dumps(rng.choice(all_places)[0]))
        elif change == 5:
            kinds = [(c, k) for c, k in all_places if k == "class_name"]
            if kinds:
                container, key = rng.choice(kinds)
                container[key] = rng.choice(KINDS)
        elif change == 6 and isinstance(container, list):
            container.insert(key, json.loads(json.dumps(container[key])))
        elif isinstance(container[key], str):
            # Makes layers that read themselves, or each other in a circle.
            container[key] = rng.choice([c[k] for c, k in all_places if isinstance(c[k], str)])
    text = json.dumps(model)
    if rng.random() < 0.1:
        text = rng.choice(
            [
                text[: rng.randrange(len(text))],
                text.replace(":", "::", 1),
                "null",
                "[]",
                '"x"',
                "{}",
                deep(rng),
                "\ufeff" + text,
                text.replace("null", deep(rng), 1),
            ]
        )
    return text


def datasets(file):
    """The datasets that fit into memory; odd_dataset() makes some that do not."""
    found = []
    file.visititems(
        lambda name, one: found.append(name) if isinstance(one, h5py.Dataset) and (one.size or 0) < 10**7 else None
    )
    return found


def odd_dataset(rng, group, name, old, files):
    """Puts something else in place of an array."""
    shape = old.shape or (1,)
    kind = rng.randrange(13)
    if kind == 0:
        group.create_dataset(name, data=old.reshape(-1))
    elif kind == 1:
        group.create_dataset(name, data=old, dtype=rng.choice(["f2", "f8", "i1", "u8", ">f4", "c8", "S3", "?"]))
    elif kind == 2:
        group.create_dataset(
            name, shape=(rng.choice([1, 100003, 2**31]),) * rng.choice([1, 2, 4, 30]), dtype=old.dtype, chunks=True
        )
    elif kind == 3:
        group.create_dataset(name, data=h5py.Empty(rng.choice(["f4", "i8"])))
    elif kind == 4:
        group.create_dataset(name, data=np.full(shape, rng.choice([np.nan, np.inf, 3e38, -1, 0]), "f4"))
    elif kind == 5:
        group.create_dataset(name, data=np.zeros(shape, [("a", "f4"), ("b", "S4")]))
    elif kind == 6:
        group.create_dataset(name, shape=shape, dtype=h5py.string_dtype())
    elif kind == 7:
        group.create_dataset(name, shape=shape, dtype=h5py.ref_dtype)
    elif kind == 8:
        group.create_dataset(name, shape=shape, dtype="f4", external=[(rng.choice(files), 0, h5py.h5f.UNLIMITED)])
    elif kind == 9:
        layout = h5py.VirtualLayout(shape, "f4")
        layout[...] = h5py.VirtualSource(rng.choice([*files, "."]), "model_weights/conv2d/conv2d/kernel:0", shape=shape)
        group.create_virtual_dataset(name, layout)
    elif kind == 10:
        group.create_dataset(name, data=np.zeros(tuple(rng.choice([0, n]) for n in shape), "f4"))
    elif kind == 11:
        group.create_dataset(name, data=old, compression="gzip", fletcher32=True, chunks=True)
    else:
        group.create_group(name)


def change_objects(rng, file, files):
    names = datasets(file)
    if not names:
        return
    path = rng.choice(names)
    folder, name = path.rsplit("/", 1)
    group, change = file[folder], rng.randrange(10)
    if change == 0:
        old = np.array(group[name])
        del group[name]
        odd_dataset(rng, group, name, old, files)
    elif change == 1:
        del group[name]
        group[name] = h5py.ExternalLink(rng.choice(files), rng.choice(["/", "model_weights/conv2d/conv2d/kernel:0"]))
    elif change == 2:
        # Replaces a group on the path instead.
        parts = folder.split("/")
        cut = "/".join(parts[: rng.randrange(1, len(parts) + 1)])
        del file[cut]
        file[cut] = rng.choice(
            [h5py.ExternalLink(rng.choice(files), "/"), h5py.SoftLink(f"/{cut}"), h5py.SoftLink("/"), file["/"]]
        )
    elif change == 3:
        del group[name]
        group[name] = h5py.SoftLink(rng.choice(["/" + path, "/nowhere", f"/{folder}", "."]))
    elif change == 4:
        group[f"{name}x"] = file["/"]
    elif change == 5:
        del group[name]
    elif change == 6:
        old = np.array(group[name])
        del group[name]
        odd_dataset(rng, group, name, old, files)
        if rng.random() < 0.5:
            change_objects(rng, file, files)
    else:
        place = file[rng.choice([folder, folder.split("/")[0], "/"])]
        keys = list(place.attrs) or ["weight_names"]
        key = rng.choice(keys)
        place.attrs[key] = rng.choice(
            [
                1,
                1.5,
                "x",
                "",
                b"\xff",
                [b"a/b:0"],
                [1, 2],
                np.zeros((3, 3)),
                h5py.Empty("f4"),
                [b"../../x", b"/"],
                "é" * 1000,
                np.zeros(0, "S1"),
                file["/"].ref,
                np.zeros(2, [("a", "f4")]),
                [b"conv2d/kernel:0"] * 3000,
            ]
        )


def hostile_h5(rng, data, files):
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        if "model_config" in file.attrs and rng.random() < 0.5:
            file.attrs["model_config"] = hostile_config(rng, file.attrs["model_config"])
        else:
            for _ in range(rng.choice([1, 1, 2, 4])):
                try:
                    change_objects(rng, file, files)
                except (KeyError, ValueError, TypeError, OSError, RuntimeError, NotImplementedError):
                    continue  # an earlier change is in the way, or the format cannot express this one
    return stream.getvalue()


def hostile_zip(rng, data, files):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change = rng.randrange(10)
    if change < 4:
        members["config.json"] = hostile_config(rng, members["config.json"].decode()).encode("utf8", "surrogatepass")
    elif change < 8:
        members["model.weights.h5"] = hostile_h5(rng, members["model.weights.h5"], files)
    elif change == 8:
        members["metadata.json"] = rng.choice(
            [
                b"",
                b"{}",
                b"[]",
                b'{"keras_version": 3}',
                b'{"keras_version": "x"}',
                b'{"keras_version": null}',
                b"\xff",
                deep(rng).encode(),
            ]
        )
    else:
        members[rng.choice(list(members))] = rng.choice([b"", b"\0" * (3 << 20)])
    if rng.random() < 0.05:
        del members[rng.choice(list(members))]
    stream = io.BytesIO()
    with zipfile.ZipFile(
        stream, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    ) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def hostile_keras(rng, data, name, files):
    try:
        return hostile_zip(rng, data, files) if name.endswith(".keras") else hostile_h5(rng, data, files)
    except (RecursionError, UnicodeError, TypeError, ValueError, OverflowError):
        return data  # a value that cannot be written
