"""Changes an ONNX file as a damaged exporter or an attacker would, node by node and field by field."""
import onnx
from onnx import AttributeProto, TensorProto, helper

import onnx_reader

NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    4,
    5,
    7,
    63,
    64,
    65,
    255,
    4096,
    4097,
    100003,
    2**31 - 1,
    2**31,
    2**32,
    2**40,
    2**63 - 1,
    -(2**63),
]
FLOATS = [0.0, -0.0, 1.0, -1.0, 6.0, 1e-38, 3.4e38, -3.4e38, float("inf"), float("nan"), 0.5]
SETTINGS = [
    "axis",
    "axes",
    "kernel_shape",
    "strides",
    "pads",
    "dilations",
    "group",
    "auto_pad",
    "ceil_mode",
    "epsilon",
    "alpha",
    "beta",
    "transA",
    "transB",
    "mode",
    "perm",
    "to",
    "value",
    "keepdims",
    "min",
    "max",
    "scales",
    "coordinate_transformation_mode",
    "starts",
    "ends",
]
NAMES = ["", "x", "\n", "a\nb: all is well", "\x1b[2J", "\u202e", "é" * 5000, "../../etc/passwd", "\x00"]
KINDS = [*onnx_reader.OPS, *onnx_reader.ARITHMETIC, "Constant", "If", "Loop", "Scan", "LeakyRelu"]


def names_of(graph):
    return (
        [tensor.name for tensor in graph.initializer]
        + [name for node in graph.node for name in [*node.input, *node.output]]
        + [""]
    )


def drop_node(rng, graph, _):
    del graph.node[rng.randrange(len(graph.node))]


def double_node(rng, graph, _):
    graph.node.insert(rng.randrange(len(graph.node)), graph.node[rng.randrange(len(graph.node))])


def move_node(rng, graph, _):
    graph.node.insert(rng.randrange(len(graph.node)), graph.node.pop(rng.randrange(len(graph.node))))


def other_kind(rng, graph, _):
    rng.choice(graph.node).op_type = rng.choice(KINDS)


def rewire(rng, graph, _):
    node = rng.choice(graph.node)
    names = rng.choice([node.input, node.output])
    change = rng.randrange(4)
    if change == 0 or not names:
        names.append(rng.choice(names_of(graph)))
    elif change == 1:
        del names[rng.randrange(len(names))]
    else:
        names[rng.randrange(len(names))] = rng.choice(names_of(graph))


def odd_value(rng):
    kind = rng.randrange(7)
    count = rng.choice([0, 1, 2, 4, 8, 1000])
    return [
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(FLOATS),
        lambda: [rng.choice(NUMBERS) for _ in range(max(count, 1))],
        lambda: [rng.choice(FLOATS) for _ in range(max(count, 1))],
        lambda: rng.choice(["SAME_UPPER", "nearest", "linear", "cubic", "\xff", "a\nb", "asymmetric"]),
        lambda: helper.make_tensor("t", TensorProto.FLOAT, [1], [rng.choice(FLOATS)]),
        lambda: helper.make_graph([], "g", [], []),
    ][kind]()


def change_setting(rng, graph, _):
    node = rng.choice(graph.node)
    if node.attribute and rng.random() < 0.7:
        a = rng.choice(node.attribute)
        change = rng.randrange(6)
        if change == 0:
            node.attribute.remove(a)
        elif change == 1:
            node.attribute.add().CopyFrom(a)
        elif change == 2:
            a.type = rng.randrange(14)
        elif change == 3:
            a.name = rng.choice(SETTINGS)
        elif a.ints:
            a.ints[rng.randrange(len(a.ints))] = rng.choice(NUMBERS)
        elif a.type == AttributeProto.INT:
            a.i = rng.choice(NUMBERS)
        else:
            a.CopyFrom(helper.make_attribute(a.name, odd_value(rng)))
    else:
        node.attribute.add().CopyFrom(helper.make_attribute(rng.choice(SETTINGS), odd_value(rng)))


def some_tensor(rng, graph):
    tensors = [
        *graph.initializer,
        *(a.t for node in graph.node for a in node.attribute if a.type == AttributeProto.TENSOR),
    ]
    return rng.choice(tensors) if tensors else graph.initializer.add()


def change_tensor(rng, graph, _):
    tensor, change = some_tensor(rng, graph), rng.randrange(9)
    if change == 0 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif change == 1:
        tensor.dims.extend([rng.choice(NUMBERS) for _ in range(rng.choice([1, 2, 40]))])
    elif change == 2 and tensor.dims:
        del tensor.dims[rng.randrange(len(tensor.dims))]
    elif change == 3:
        tensor.data_type = rng.choice([*range(24), 99, -1])
    elif change == 4:
        tensor.raw_data = tensor.raw_data[: rng.choice([0, 1, 3, len(tensor.raw_data) // 2])]
    elif change == 5:
        tensor.raw_data = rng.choice([b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f", b"\xff"]) * (
            len(tensor.raw_data) // 4 or 1
        )
    elif change == 6:
        tensor.float_data.extend([rng.choice(FLOATS)] * rng.choice([1, 7]))
        tensor.ClearField("raw_data")
    elif change == 7:
        tensor.string_data.extend([b"\xff\xfe"])
        tensor.data_type = TensorProto.STRING
    else:
        tensor.segment.begin = 1


def elsewhere(rng, graph, files):
    """Declares that weights are stored in another file."""
    tensor = some_tensor(rng, graph)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {
        "location": rng.choice(files),
        "offset": rng.choice(["0", "4096", "-1", "x"]),
        "length": rng.choice(["16", "4096", str(2**40), ""]),
    }.items():
        if value:
            tensor.external_data.add(key=key, value=value)


def input_type(rng, graph, _):
    one, change = graph.input[0], rng.randrange(6)
    dims = one.type.tensor_type.shape.dim
    if change == 0 and dims:
        rng.choice(dims).dim_value = rng.choice(NUMBERS)
    elif change == 1:
        dims.add().dim_value = rng.choice(NUMBERS)
    elif change == 2:
        one.type.ClearField("tensor_type")
    elif change == 3:
        graph.input.add().CopyFrom(one)
    elif change == 4 and dims:
        for dim in dims:
            dim.dim_param = "n"
    else:
        one.name = rng.choice(NAMES)


def rename(rng, graph, _):
    part = rng.choice([rng.choice(graph.node), *graph.output, *graph.input, *graph.initializer[:1]])
    part.name = rng.choice(NAMES)
    if rng.random() < 0.5:
        rng.choice(graph.node).op_type = rng.choice(NAMES)


def chain(rng, graph, _):
    """Puts a chain of nodes before one; each reads the one before it once or twice, or doubles its size."""
    at = rng.randrange(len(graph.node))
    node = graph.node[at]
    if not node.input:
        return
    kind, reads = rng.choice(
        [
            ("Relu", 1),
            ("Add", 2),
            ("Mul", 2),
            ("Concat", 2),
            ("Identity", 1),
            ("Sigmoid", 1),
            ("Transpose", 1),
            ("Clip", 1),
        ]
    )
    settings = {"axis": 1} if kind == "Concat" else {"perm": [0, 1, 2, 3]} if kind == "Transpose" else {}
    length, name = rng.choice([3, 30, 60, 3000]), node.input[0]
    made = [
        helper.make_node(kind, [name if i == 0 else f"chain{i - 1}"] * reads, [f"chain{i}"], **settings)
        for i in range(length)
    ]
    if rng.random() < 0.3:
        made.append(helper.make_node("Pad", [f"chain{length - 1}"], ["padded"], pads=[0, 0, 1, 1, 0, 0, 1, 1]))
        made.append(helper.make_node("MaxPool", ["padded"], ["pooled"], kernel_shape=[2, 2]))
    before = list(graph.node)
    node.input[0] = made[-1].output[0]
    del graph.node[:]
    graph.node.extend([*before[:at], *made, *before[at:]])


def growth(rng, graph, _):
    """Adds constants that grow without end."""
    name = f"grown{len(graph.node)}"
    sizes = [rng.choice([1, 3, 4096, 100003, 2**31, 2**40, -1]) for _ in range(rng.choice([1, 2, 4]))]
    graph.initializer.append(helper.make_tensor(name + "s", TensorProto.INT64, [len(sizes)], sizes))
    made = [helper.make_node("ConstantOfShape", [name + "s"], [name + "0"])]
    for i in range(rng.choice([0, 3, 40])):
        made.append(helper.make_node("Concat", [f"{name}{i}"] * 2, [f"{name}{i + 1}"], axis=0))
    if rng.random() < 0.5:
        kind = rng.choice(
            ["Gather", "Unsqueeze", "Add", "Slice", "Reshape", "Transpose", "Cast", "Squeeze", "Sqrt", "Div", "Shape"]
        )
        made.append(
            helper.make_node(
                kind,
                [made[-1].output[0], name + "s"],
                [name + "end"],
                **({"to": rng.choice([1, 7, 8, 99])} if kind == "Cast" else {}),
            )
        )
    for node in reversed(made):
        graph.node.insert(0, node)
    if rng.random() < 0.5:
        node = rng.choice(graph.node)
        if node.input:
            node.input[rng.randrange(len(node.input))] = made[-1].output[0]


def nest(rng, graph, _):
    inner = helper.make_graph([], "g", [], [])
    for _ in range(rng.choice([3, 30, 200])):
        inner = helper.make_graph([helper.make_node("If", [], [], then_branch=inner)], "g", [], [])
    graph.node[rng.randrange(len(graph.node))].attribute.add().CopyFrom(helper.make_attribute("body", inner))


CHANGES = [
    drop_node,
    double_node,
    move_node,
    other_kind,
    rewire,
    rewire,
    change_setting,
    change_setting,
    change_setting,
    change_tensor,
    change_tensor,
    elsewhere,
    input_type,
    rename,
    chain,
    growth,
    nest,
]


def hostile_onnx(rng, data, _, files):
    model = onnx.load_model_from_string(data)
    for _ in range(rng.choice([1, 1, 2, 3, 6])):
        try:
            rng.choice(CHANGES)(rng, model.graph, files)
        except (IndexError, ValueError, TypeError):
            continue  # an earlier change has left nothing to change, or the format cannot express this one
    if rng.random() < 0.1:
        model.opset_import[0].version = rng.choice(NUMBERS)
    if rng.random() < 0.03:
        model.ClearField("opset_import")
    return model.SerializeToString()
