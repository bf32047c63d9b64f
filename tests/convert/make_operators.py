"""Writes tests/fixtures/convert/operators.json.gz: a network for each setting of each ONNX operator, and what onnxruntime
computes.

Run by hand with onnxruntime and onnx from PyPI. Each network is the operator between a small picture and a dense layer,
so that every value of its output counts. `want` holds the logits for the pictures of operators.test.mjs; it is null where
Pleura must refuse the file, with `names` in the sentence.
"""
import base64
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "convert" / "operators.json.gz"
random = np.random.default_rng(1)


def picture(shape, k):
    n = np.arange(np.prod(shape))
    return (((n * 7919 + k * 104729) % 1009) / 252.25 - 2).astype(np.float32).reshape(1, *shape)


def array(*shape, low=-0.5, high=0.5):
    return random.uniform(low, high, shape).astype(np.float32)


CASES = {}


def case(name, *nodes, shape=(4, 6, 6), opset=17, names=None, **constants):
    """nodes: (operator, inputs, {attributes}); the first reads "x", the last writes "y". names: Pleura must refuse."""
    made, initializers = [], [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()]
    for number, (kind, inputs, attributes) in enumerate(nodes):
        attributes = dict(attributes)
        outputs = attributes.pop("outputs", None) or ["y" if number == len(nodes) - 1 else f"t{number}"]
        made.append(helper.make_node(kind, inputs.split(","), outputs, f"n{number}", **attributes))
    opsets = [helper.make_opsetid("", opset)]
    for one in made:
        if one.op_type.startswith("Q") and one.op_type not in ("QuantizeLinear", "QLinearConv", "QLinearMatMul"):
            one.domain = "com.microsoft"
            opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]

    def model(more, output, extra):
        graph = helper.make_graph(
            made + more,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            initializers + extra,
        )
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def run(built, k):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(built.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": picture(shape, k)})[0]

    out = run(model([], "y", []), 0)
    weight = random.integers(-9, 10, (out.size, 3)).astype(np.int8)  # small in the file
    tail = [
        helper.make_node("Reshape", ["y", "row"], ["r"]),
        helper.make_node("Cast", ["head"], ["headf"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["r", "headf"], ["logits"]),
    ]
    extra = [numpy_helper.from_array(np.array([1, -1]), "row"), numpy_helper.from_array(weight, "head")]
    built = model(tail, "logits", extra)
    want = None if names else [run(built, k).reshape(-1).tolist() for k in (0, 1)]
    assert name not in CASES and (names or np.isfinite(want).all()), name
    if not names:
        assert np.abs(np.array(want)).max() > 1e-3, name
    CASES[name] = {
        "shape": shape,
        "model": base64.b64encode(built.SerializeToString()).decode(),
        **({"names": names} if names else {"want": [[float(f"{v:.7g}") for v in row] for row in want]}),
    }


def convolutions():
    for k, stride, pads, dilation, group in [
        ((3, 3), 1, [1, 1, 1, 1], 1, 1),
        ((3, 2), 1, [0, 0, 0, 0], 1, 1),
        ((1, 5), 2, [0, 2, 0, 2], 1, 2),
        ((2, 3), 2, [1, 0, 0, 1], 1, 1),
        ((3, 3), 1, [2, 2, 2, 2], 2, 1),
        ((3, 3), 1, [0, 1, 2, 0], 1, 4),
        ((5, 1), 1, [4, 0, 4, 0], 1, 1),
        ((2, 2), 1, [0, 0, 0, 0], 3, 1),
    ]:
        weight = array(8, 4 // group, *k)
        attributes = {"strides": [stride] * 2, "pads": pads, "dilations": [dilation] * 2, "group": group}
        case(f"Conv {k} {stride} {pads} {dilation} {group}", ("Conv", "x,w,b", attributes), w=weight, b=array(8))
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        case(
            f"Conv {mode}", ("Conv", "x,w", {"auto_pad": mode, "strides": [2, 2]}), w=array(5, 4, 3, 3), shape=(4, 7, 6)
        )
    case("Conv strides that differ", ("Conv", "x,w", {"strides": [1, 2]}), w=array(5, 4, 3, 3), names="strides 1 and 2")
    case("Conv to one row, strides that differ", ("Conv", "x,w", {"strides": [1, 2]}), w=array(5, 4, 6, 3))


def enlarging():
    for k, stride, pads, more, dilation, group in [
        ((2, 2), 2, [0, 0, 0, 0], 0, 1, 1),
        ((4, 4), 2, [1, 1, 1, 1], 0, 1, 1),
        ((3, 3), 2, [1, 1, 1, 1], 1, 1, 1),
        ((3, 2), 1, [0, 1, 1, 0], 0, 1, 1),
        ((5, 3), 3, [0, 2, 1, 0], 2, 1, 2),
        ((4, 4), 2, [1, 1, 1, 1], 0, 1, 4),
        ((2, 3), 2, [0, 0, 0, 0], 0, 2, 1),
        ((1, 1), 2, [0, 0, 0, 0], 1, 1, 1),
    ]:
        attributes = {"strides": [stride] * 2, "pads": pads, "output_padding": [more] * 2, "group": group}
        attributes["dilations"] = [dilation] * 2
        name = f"ConvTranspose {k} {stride} {pads} {more} {dilation} {group}"
        weight = array(4, 8 // group, *k)
        case(name, ("ConvTranspose", "x,w,b", attributes), w=weight, b=array(8), shape=(4, 4, 5))
    weight = array(4, 5, 3, 3)
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        attributes = {"auto_pad": mode, "strides": [2, 2]}
        case(f"ConvTranspose {mode}", ("ConvTranspose", "x,w", attributes), w=weight, shape=(4, 4, 5))
    attributes = {"strides": [2, 2], "output_shape": [9, 10]}
    case("ConvTranspose to a size", ("ConvTranspose", "x,w", attributes), w=array(4, 5, 4, 4), shape=(4, 4, 5))
    case("ConvTranspose strides that differ", ("ConvTranspose", "x,w", {"strides": [1, 2]}), w=weight, names="strides")
    for mode in ("DCR", "CRD"):
        for size in (2, 3):
            shuffle = ("DepthToSpace", "t0", {"blocksize": size, "mode": mode})
            case(
                f"DepthToSpace {mode} {size}",
                ("Conv", "x,w", {}),
                shuffle,
                w=array(2 * size**2, 4, 1, 1),
                shape=(4, 3, 4),
            )


def pools():
    for k, stride, pads, ceil in [
        ((2, 2), 2, [0, 0, 0, 0], 0),
        ((3, 3), 2, [1, 1, 1, 1], 0),
        ((3, 3), 2, [0, 0, 0, 0], 1),
        ((3, 3), 2, [1, 0, 0, 1], 0),
    ]:
        base = {"kernel_shape": k, "strides": [stride] * 2, "pads": pads, "ceil_mode": ceil}
        case(f"MaxPool {k} {stride} {pads} {ceil}", ("MaxPool", "x", dict(base)), shape=(4, 7, 8))
        for counted in (0, 1):
            if ceil and counted and any(pads):
                continue
            attributes = {**base, "count_include_pad": counted}
            case(
                f"AveragePool {k} {stride} {pads} {ceil} {counted}",
                ("AveragePool", "x", attributes),
                opset=19,
                shape=(4, 7, 8),
            )
    case("AveragePool oblong", ("AveragePool", "x", {"kernel_shape": [2, 3]}))
    case(
        "AveragePool SAME", ("AveragePool", "x", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"})
    )
    case("MaxPool oblong", ("MaxPool", "x", {"kernel_shape": [2, 3]}), names="MaxPool")
    case("MaxPool dilated", ("MaxPool", "x", {"kernel_shape": [2, 2], "dilations": [2, 2]}), names="MaxPool")
    case("GlobalAveragePool", ("GlobalAveragePool", "x", {}), shape=(4, 5, 7))
    case("GlobalMaxPool", ("GlobalMaxPool", "x", {}), shape=(4, 5, 7))
    case("GlobalMaxPool high", ("GlobalMaxPool", "x", {}), shape=(4, 7, 5))
    fill = np.float32(-np.inf)
    case(
        "MaxPool of padding",
        ("Pad", "x,p,v", {}),
        ("MaxPool", "t0", {"kernel_shape": [3, 3], "strides": [2, 2]}),
        p=np.array([0, 0, 0, 1, 0, 0, 1, 0]),
        v=fill,
    )
    case(
        "MaxPool of zeros",
        ("Relu", "x", {}),
        ("Pad", "t0,p", {}),
        ("MaxPool", "t1", {"kernel_shape": [2, 2]}),
        p=np.array([0, 0, 2, 2, 0, 0, 2, 2]),
    )
    case(
        "AveragePool after Pad",
        ("Pad", "x,p", {}),
        ("AveragePool", "t0", {"kernel_shape": [3, 3]}),
        p=np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    )


def reductions():
    for kind in ("ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
        for axes in ([2, 3], [1], [1, 2, 3]):
            case(f"{kind} {axes}", (kind, "x,a", {}), a=np.array(axes), opset=18, shape=(4, 3, 6))
    case("ReduceL2 of none", ("ReduceL2", "x", {"noop_with_empty_axes": 1}), opset=18, names="ReduceL2")
    for kind in ("ReduceMean", "ReduceSum", "ReduceMax"):
        for axes in ([2, 3], [1], [-1, -2], [1, 2, 3], [2], [3], [0]):
            for keep in (0, 1):
                if kind == "ReduceMax" and axes in ([2], [3]):
                    continue
                if keep and axes not in ([2, 3], [1]):
                    continue
                case(
                    f"{kind} {axes} {keep}",
                    (kind, "x,a", {"keepdims": keep}),
                    a=np.array(axes),
                    opset=18,
                    shape=(4, 3, 6),
                )
    case("ReduceMean of all", ("ReduceMean", "x", {"keepdims": 1}), opset=18)
    case("ReduceMean of none", ("ReduceMean", "x", {"noop_with_empty_axes": 1}), opset=18)
    case("ReduceMean by attribute", ("ReduceMean", "x", {"axes": [2, 3]}), opset=13)
    case("ReduceMax of rows", ("ReduceMax", "x,a", {}), a=np.array([2]), opset=18, names="ReduceMax")
    case(
        "mean of a row",
        ("Reshape", "x,s", {}),
        ("ReduceMean", "t0,a", {"keepdims": 0}),
        s=np.array([1, 4, -1]),
        a=np.array([-1]),
        opset=18,
    )


def arithmetic():
    for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        for name, value in [
            ("number", array(low=0.5, high=2)),
            ("channels", array(4, 1, 1, low=0.5, high=2)),
            ("row", array(1, 4, 1, 1, low=0.5, high=2)),
            ("pixels", array(1, 1, 6, 6, low=0.5, high=2)),
        ]:
            pixels = {"names": kind} if name == "pixels" and kind in ("Max", "Min") else {}
            case(f"{kind} of a constant {name}", (kind, "x,v", {}), v=value, **pixels)
            if kind not in ("Max", "Min", "Div") or name == "number":
                first = "e" if kind == "Div" else "x"
                case(
                    f"{kind} of a constant {name} first",
                    ("Exp", "x", {"outputs": ["e"]}),
                    (kind, f"v,{first}", {}),
                    v=value,
                    **pixels,
                )
        pool = ("GlobalAveragePool", "x", {"outputs": ["g"]})
        one = ("Conv", "x,w", {"outputs": ["m"]})
        exp = lambda name: ("Exp", name, {"outputs": ["e"]})
        case(f"{kind} with a pixel", pool, exp("g"), (kind, "x,e", {}))
        case(f"{kind} with a map", one, exp("m"), (kind, "x,e", {}), w=array(1, 4, 1, 1))
        case(f"{kind} of two", exp("x"), (kind, "x,e", {}))
        case(
            f"{kind} of turned pictures",
            ("Transpose", "x", {"perm": [0, 2, 3, 1]}),
            ("Exp", "t0", {}),
            (kind, "x,t1", {}),
            shape=(3, 3, 3),
            names=kind,
        )
    case("Sum", ("Relu", "x", {}), ("Sum", "x,t0,v", {}), v=array(1))
    case("Mean", ("Relu", "x", {}), ("Mean", "x,t0,x", {}))
    case("pixel first", ("GlobalAveragePool", "x", {"outputs": ["g"]}), ("Sub", "g,x", {}))
    case(
        "pixel times map",
        ("GlobalAveragePool", "x", {"outputs": ["g"]}),
        ("Conv", "x,w", {"outputs": ["m"]}),
        ("Mul", "g,m", {}),
        w=array(1, 4, 1, 1),
    )
    for exponent in (-1.0, -0.5, 0.5, 2.0, 3.0, 2.5, -1.7, 1 / 3):
        case(f"Pow {exponent}", ("Exp", "x", {}), ("Pow", "t0,v", {}), v=np.float32(exponent))
    case("Pow of each", ("Exp", "x", {}), ("Pow", "t0,v", {}), v=np.float32([1, 2, 3, 1, 2, 3]), names="Pow")
    case("Mul by itself turned", ("Transpose", "x", {"perm": [0, 1, 3, 2]}), ("Mul", "x,t0", {}), names="Mul")


def activations():
    plain = "Relu Sigmoid Tanh HardSwish Exp Erf Abs Neg Softsign LeakyRelu Elu Selu Celu HardSigmoid".split()
    for kind in plain:
        case(kind, (kind, "x", {}))
    for kind, attributes in [
        ("LeakyRelu", {"alpha": 0.3}),
        ("LeakyRelu", {"alpha": 1.5}),
        ("Elu", {"alpha": 0.7}),
        ("Selu", {"alpha": 1.2, "gamma": 0.9}),
        ("Celu", {"alpha": 0.6}),
        ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
    ]:
        case(f"{kind} {attributes}", (kind, "x", dict(attributes)))
    case("PRelu", ("PRelu", "x,s", {}), s=array(4, 1, 1))
    case("Mish", ("Mish", "x", {}), opset=18)
    case("Gelu", ("Gelu", "x", {}), opset=20)
    case("Gelu tanh", ("Gelu", "x", {"approximate": "tanh"}), opset=20)
    case("Sqrt", ("Abs", "x", {}), ("Sqrt", "t0", {}))
    case("Reciprocal", ("Exp", "x", {}), ("Reciprocal", "t0", {}))
    low, high = np.float32(-0.5), np.float32(0.8)
    case("Clip", ("Clip", "x,l,h", {}), l=low, h=high)
    case("Clip low", ("Clip", "x,l", {}), l=low)
    case("Clip high", ("Clip", "x,,h", {}), h=high)
    case("Clip by attributes", ("Clip", "x", {"min": -0.5, "max": 0.8}), opset=6)
    case(
        "relu6 of x + 3",
        ("Add", "x,a", {}),
        ("Clip", "t0,l,h", {}),
        ("Div", "t1,h", {}),
        ("Mul", "x,t2", {}),
        a=np.float32(3),
        l=np.float32(0),
        h=np.float32(6),
    )
    case("Softplus", ("Softplus", "x", {}))
    case("Mish by Softplus", ("Softplus", "x", {}), ("Tanh", "t0", {}), ("Mul", "x,t1", {}))
    case("Log", ("Exp", "x", {}), ("Add", "t0,v", {}), ("Log", "t1", {}), v=np.float32(0.1))
    case("Log of large and small", ("Mul", "x,v", {}), ("Exp", "t0", {}), ("Log", "t1", {}), v=np.float32(20))


def norms():
    spread = dict(s=array(4, low=0.5, high=1.5), b=array(4), m=array(4), v=array(4, low=0.5, high=1.5))
    case("BatchNormalization", ("BatchNormalization", "x,s,b,m,v", {"epsilon": 0.01}), **spread)
    case(
        "BatchNormalization in training",
        ("BatchNormalization", "x,s,b,m,v", {"training_mode": 1, "outputs": ["y", "o1", "o2"]}),
        names="training",
        **spread,
    )
    case(
        "BatchNormalization of a row",
        ("Flatten", "x", {}),
        ("BatchNormalization", "t0,s,b,m,v", {}),
        shape=(4, 2, 2),
        **{n: array(16, low=0.5, high=1.5) for n in "sbmv"},
    )
    two = dict(s=array(4, low=0.5, high=1.5), b=array(4))
    case("InstanceNormalization", ("InstanceNormalization", "x,s,b", {"epsilon": 0.1}), **two)
    case("GroupNormalization", ("GroupNormalization", "x,s,b", {"num_groups": 2, "epsilon": 0.1}), opset=21, **two)
    case(
        "LayerNormalization",
        ("Transpose", "x", {"perm": [0, 2, 3, 1]}),
        ("LayerNormalization", "t0,s,b", {"axis": -1, "epsilon": 0.1}),
        **two,
    )
    case(
        "LayerNormalization without bias",
        ("Transpose", "x", {"perm": [0, 2, 3, 1]}),
        ("LayerNormalization", "t0,s", {}),
        s=two["s"],
    )
    for size, beta in ((3, 0.75), (5, 0.5), (1, 1.0)):
        case(
            f"LRN {size} {beta}", ("LRN", "x", {"size": size, "alpha": 0.5, "beta": beta, "bias": 2.0}), shape=(4, 5, 5)
        )


def shapes():
    case("Reshape 0 and -1", ("Reshape", "x,s", {}), s=np.array([0, -1, 6]))
    case(
        "channel shuffle",
        ("Reshape", "x,s", {}),
        ("Transpose", "t0", {"perm": [0, 2, 1, 3, 4]}),
        ("Reshape", "t1,u", {}),
        ("Conv", "t2,w", {}),
        s=np.array([1, 2, 2, 5, 5]),
        u=np.array([1, 4, 5, 5]),
        w=array(5, 4, 3, 3),
        shape=(4, 5, 5),
    )
    case(
        "shuffle before depthwise",
        ("Reshape", "x,s", {}),
        ("Transpose", "t0", {"perm": [0, 2, 1, 3, 4]}),
        ("Reshape", "t1,u", {}),
        ("Conv", "t2,w", {"group": 4}),
        s=np.array([1, 2, 2, 5, 5]),
        u=np.array([1, 4, 5, 5]),
        w=array(4, 1, 3, 3),
        shape=(4, 5, 5),
    )
    case(
        "Reshape that tears",
        ("Reshape", "x,s", {}),
        ("Relu", "t0", {}),
        ("Conv", "t1,w", {}),
        s=np.array([1, 6, 4, 6]),
        w=array(3, 6, 1, 1),
        names="Reshape|Conv",
    )
    case("Flatten 0", ("Flatten", "x", {"axis": 0}))
    case("Flatten -3", ("Flatten", "x", {"axis": -3}))
    case("Squeeze", ("GlobalAveragePool", "x", {}), ("Squeeze", "t0,a", {}), a=np.array([-1]))
    case("Squeeze all", ("GlobalAveragePool", "x", {}), ("Squeeze", "t0", {}))
    case("Unsqueeze", ("Unsqueeze", "x,a", {}), a=np.array([0, -1]))
    case("Transpose", ("Transpose", "x", {"perm": [0, 3, 2, 1]}))
    case("Transpose reversed", ("Transpose", "x", {}))
    for name, starts, ends, axes, steps in [
        ("channels", [1], [3], [1], [1]),
        ("backwards", [3], [-9], [1], [-1]),
        ("crop", [1, 2], [5, 9999], [2, 3], [1, 1]),
        ("every second", [0, 0], [9, 9], [2, 3], [2, 2]),
        ("every second, shifted", [1, 1], [9, 9], [2, 3], [2, 2]),
        ("negative", [-3], [-1], [-2], [1]),
    ]:
        case(
            f"Slice {name}",
            ("Slice", "x,s,e,a,t", {}),
            s=np.array(starts),
            e=np.array(ends),
            a=np.array(axes),
            t=np.array(steps),
        )
    case(
        "Slice rows only by 2",
        ("Slice", "x,s,e,a,t", {}),
        s=np.array([0]),
        e=np.array([9]),
        a=np.array([2]),
        t=np.array([2]),
        names="Slice",
    )
    case(
        "Split",
        ("Split", "x,s", {"axis": 1, "outputs": ["p", "q"]}),
        ("Relu", "p", {}),
        ("Concat", "t1,q", {"axis": 1}),
        s=np.array([1, 3]),
    )
    case(
        "Split in two",
        ("Split", "x", {"axis": -3, "num_outputs": 2, "outputs": ["p", "q"]}),
        ("Sub", "p,q", {}),
        opset=18,
    )
    case("Gather", ("Gather", "x,i", {"axis": 1}), i=np.array([3, 0, 0]))
    case("Gather one", ("Gather", "x,i", {"axis": 1}), i=np.array(-1))
    case("Gather a row", ("Gather", "x,i", {"axis": 2}), i=np.array(2))
    case("Concat", ("Relu", "x", {}), ("Concat", "t0,x,t0", {"axis": -3}))
    case("Concat with a constant", ("Concat", "x,v", {"axis": 1}), v=np.full((1, 1, 6, 6), 0.5, np.float32))
    case("Concat of rows", ("Concat", "x,x", {"axis": 2}), names="Concat")
    for value in (0.0, 0.5, -2.0):
        case(
            f"Pad {value}",
            ("Pad", "x,p,v", {}),
            ("Relu", "t0", {}),
            p=np.array([0, 0, 1, 2, 0, 0, 0, 3]),
            v=np.float32(value),
        )
    case("Pad axes", ("Pad", "x,p,,a", {}), p=np.array([1, 0, 1, 2]), a=np.array([2, 3]), opset=18)
    case("Pad negative", ("Pad", "x,p", {}), p=np.array([0, 0, -1, 1, 0, 0, 0, -2]))
    case("Pad reflect", ("Pad", "x,p", {"mode": "reflect"}), p=np.array([0, 0, 1, 1, 0, 0, 1, 1]), names="reflect")
    case("Pad channels", ("Pad", "x,p", {}), p=np.array([0, 1, 0, 0, 0, 0, 0, 0]), names="Pad")
    case(
        "Expand", ("GlobalAveragePool", "x", {}), ("Expand", "t0,s", {}), ("Mul", "x,t1", {}), s=np.array([1, 4, 6, 6])
    )
    case("Tile of one", ("Tile", "x,t", {}), t=np.array([1, 1, 1, 1]))
    case("Softmax in the middle", ("Softmax", "x", {"axis": 1}), names="softmax")


def quantised():
    """Between the two steps lies each operator that quantisers leave there."""
    scale = np.float32(0.0173)
    for kind, zero in ((np.uint8, 117), (np.int8, -5), (np.int8, 0), (np.uint8, 0)):
        pair = ("QuantizeLinear", "x,s,z", {}), ("DequantizeLinear", "t0,s,z", {})
        case(f"QuantizeLinear {kind.__name__} {zero}", *pair, s=scale, z=np.array(zero, kind))
        relu = ("Relu", "x", {}), ("QuantizeLinear", "t0,s,z", {}), ("DequantizeLinear", "t1,s,z", {})
        case(f"QuantizeLinear {kind.__name__} {zero} of a ReLU", *relu, s=scale, z=np.array(zero, kind))
    case(
        "QuantizeLinear without a zero point", ("QuantizeLinear", "x,s", {}), ("DequantizeLinear", "t0,s", {}), s=scale
    )
    case(
        "QuantizeLinear to 7 bits",
        ("QuantizeLinear", "x,s,z", {}),
        ("Clip", "t0,l,h", {}),
        ("DequantizeLinear", "t1,s,z", {}),
        s=np.float32(0.04),
        z=np.uint8(64),
        l=np.uint8(0),
        h=np.uint8(127),
    )
    narrow = ("QuantizeLinear", "x,s,z", {}), ("Clip", "t0,,h", {}), ("DequantizeLinear", "t1,s,z", {})
    case("QuantizeLinear below a bound", *narrow, s=np.float32(0.02), z=np.uint8(9), h=np.uint8(60))
    case(
        "MaxPool of integers",
        ("QuantizeLinear", "x,s,z", {}),
        ("MaxPool", "t0", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("DequantizeLinear", "t1,s,z", {}),
        s=scale,
        z=np.uint8(117),
    )
    wide = ("QuantizeLinear", "x,s,z", {}), ("DequantizeLinear", "t0,s,z", {})
    case("QuantizeLinear to 16 bits", *wide, s=scale, z=np.uint16(3000), opset=21, names="8 bits.*Quantise with")
    case("QuantizeLinear by channel", *wide, s=array(4, low=0.01, high=0.02), z=np.zeros(4, np.uint8), names="scale")
    begin = ("QuantizeLinear", "x,s,z", {"outputs": ["q"]})
    end = ("DequantizeLinear", "i,u,v", {})
    some = dict(s=scale, z=np.uint8(117), u=np.float32(0.031), v=np.uint8(100))
    # onnxruntime adds pairs of products in 16 bits on processors without VNNI, where larger weights overflow.
    small = lambda *shape: random.integers(-63, 64, shape).astype(np.int8)
    q = lambda kind, inputs, **attributes: (kind, inputs, {**attributes, "outputs": ["i"]})
    by_channel = array(8, low=0.001, high=0.002)
    case(
        "QLinearConv",
        begin,
        q("QLinearConv", "q,s,z,w,ws,wz,u,v,b", pads=[1, 0, 0, 1], strides=[2, 2], group=2),
        end,
        w=small(8, 2, 3, 3),
        ws=by_channel,
        wz=np.zeros(8, np.int8),
        b=random.integers(-900, 900, 8).astype(np.int32),
        **some,
    )
    case(
        "QLinearMatMul",
        begin,
        ("Flatten", "q", {"outputs": ["f"]}),
        q("QLinearMatMul", "f,s,z,w,ws,wz,u,v"),
        end,
        w=small(144, 6),
        ws=np.float32(0.0004),
        wz=np.int8(3),
        **some,
    )
    case(
        "QGemm",
        begin,
        ("Flatten", "q", {"outputs": ["f"]}),
        q("QGemm", "f,s,z,w,ws,wz,b,u,v", transB=1),
        end,
        w=small(8, 144),
        ws=by_channel / 4,
        wz=np.zeros(8, np.int8),
        b=random.integers(-900, 900, 8).astype(np.int32),
        **some,
    )
    for kind in ("QLinearAdd", "QLinearMul"):
        case(kind, begin, q(kind, "q,s,z,q,s,z,u,v"), end, **some)
        case(
            f"{kind} of a constant",
            begin,
            q(kind, "q,s,z,c,u,v,u,v"),
            end,
            c=np.array([[[[9]], [[90]], [[140]], [[200]]]], np.uint8),
            **some,
        )
    for kind in ("QLinearSigmoid", "QLinearLeakyRelu"):
        case(kind, begin, q(kind, "q,s,z,u,v", **({"alpha": 0.2} if "Leaky" in kind else {})), end, **some)
    case("QLinearGlobalAveragePool", begin, q("QLinearGlobalAveragePool", "q,s,z,u,v"), end, **some)
    case(
        "QLinearAveragePool",
        begin,
        q("QLinearAveragePool", "q,s,z,u,v", kernel_shape=[2, 2], strides=[2, 2]),
        end,
        **some,
    )
    case("QLinearConcat", begin, q("QLinearConcat", "u,v,q,s,z,q,s,z", axis=1), end, **some)
    case(
        "DynamicQuantizeLinear",
        ("DynamicQuantizeLinear", "x", {"outputs": ["q", "d", "p"]}),
        ("DequantizeLinear", "q,d,p", {}),
        names="for each picture",
    )


def standardised():
    """Weights of a convolution that the graph normalises."""
    ones = dict(
        s=np.ones(1, np.float32), b=np.zeros(1, np.float32), m=np.zeros(1, np.float32), v=np.ones(1, np.float32)
    )
    for mode in (0, 1):
        outputs = ["n", "o1", "o2"] if mode else ["n"]
        attributes = {"training_mode": mode, "epsilon": 0.01, "outputs": outputs}
        norm = ("BatchNormalization", "r1,s,b,m,v", attributes)
        row = ("Reshape", "w,flat", {"outputs": ["r1"]})
        back = ("Reshape", "n,full", {"outputs": ["u"]})
        sizes = dict(flat=np.array([1, 1, -1]), full=np.array([5, 4, 3, 3]))
        case(
            f"Conv of normalised weights {mode}",
            row,
            norm,
            back,
            ("Conv", "x,u", {}),
            w=array(5, 4, 3, 3),
            **ones,
            **sizes,
        )


def resizes():
    scales = lambda *v: np.array(v, np.float32)
    for grid in ("asymmetric", "half_pixel", "pytorch_half_pixel"):
        for rounding in ("floor", "round_prefer_floor", "round_prefer_ceil", "ceil"):
            for scale in (2, 3):
                good = (
                    rounding.startswith("round")
                    if grid != "asymmetric"
                    else rounding == "floor" or (rounding, scale) == ("round_prefer_floor", 2)
                )
                case(
                    f"Resize {grid} {rounding} {scale}",
                    (
                        "Resize",
                        "x,,s",
                        {"mode": "nearest", "coordinate_transformation_mode": grid, "nearest_mode": rounding},
                    ),
                    s=scales(1, 1, scale, scale),
                    shape=(2, 4, 5),
                    **({} if good else {"names": "Resize"}),
                )
        for scale in (2, 3):
            case(
                f"Resize linear {grid} {scale}",
                ("Resize", "x,,s", {"mode": "linear", "coordinate_transformation_mode": grid}),
                s=scales(1, 1, scale, scale),
                shape=(2, 4, 5),
                **({"names": "Resize"} if grid == "asymmetric" else {}),
            )
    case(
        "Resize to sizes",
        (
            "Resize",
            "x,,,sizes",
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        ),
        sizes=np.array([1, 4, 12, 12]),
    )
    case("Resize cubic", ("Resize", "x,,s", {"mode": "cubic"}), s=scales(1, 1, 2, 2), names="cubic")
    case("Resize smaller", ("Resize", "x,,s", {"mode": "linear"}), s=scales(1, 1, 0.5, 0.5), names="Resize")
    case("Upsample", ("Upsample", "x,s", {"mode": "nearest"}), s=scales(1, 1, 2, 2), opset=9)


def products():
    case("Gemm", ("Flatten", "x", {}), ("Gemm", "t0,w,b", {"alpha": 0.5, "beta": 2.0}), w=array(144, 5), b=array(5))
    case("Gemm transB", ("Flatten", "x", {}), ("Gemm", "t0,w,b", {"transB": 1}), w=array(5, 144), b=array(1))
    case("Gemm transA", ("Flatten", "x", {}), ("Gemm", "t0,w", {"transA": 1}), w=array(1, 3), names="Gemm")
    case("MatMul of pixels", ("Transpose", "x", {"perm": [0, 2, 3, 1]}), ("MatMul", "t0,w", {}), w=array(4, 5))
    case("MatMul by a vector", ("Transpose", "x", {"perm": [0, 2, 3, 1]}), ("MatMul", "t0,w", {}), w=array(4))
    case("MatMul of columns", ("MatMul", "x,w", {}), w=array(6, 5), names="MatMul")
    case("MatMul of two", ("MatMul", "x,x", {}), names="MatMul")
    for to, names in (
        (TensorProto.FLOAT16, None),
        (TensorProto.INT32, "Cast"),
        (TensorProto.BOOL, "Cast"),
        (TensorProto.UINT8, "Cast"),
    ):
        back = ("Cast", "t0", {"to": TensorProto.FLOAT})
        case(f"Cast {to}", ("Cast", "x", {"to": to}), back, **({"names": names} if names else {}))


def repeated():
    for name, counts, shape, names in (
        ("one channel", (1, 3, 1, 1), (1, 6, 6), None),
        ("one pixel", (1, 1, 5, 5), (3, 1, 1), None),
        ("nothing", (1, 1, 1, 1), (3, 4, 4), None),
        ("channels", (1, 2, 1, 1), (3, 4, 4), "Tile"),
    ):
        refused = {"names": names} if names else {}
        case(f"Tile of {name}", ("Tile", "x,n", {}), shape=shape, n=np.array(counts), **refused)
    case(
        "Row divided by its length",
        ("GlobalAveragePool", "x", {}),
        ("Flatten", "t0", {}),
        ("ReduceL2", "t1", {"axes": [1], "keepdims": 1}),
        ("Expand", "t2,s", {}),
        ("Div", "t1,t3", {}),
        s=np.array([1, 4]),
    )
    rows = (("GlobalAveragePool", "x", {}), ("Flatten", "t0", {}))
    for name, index in (("Gather to pixels", [[[0]], [[1]], [[2]], [[3]]]), ("Gather by a matrix", [[2, 0], [1, 3]])):
        case(name, *rows, ("Gather", "t1,i", {"axis": 1}), i=np.array(index))
    windows = np.array([[0, 2, 4], [1, 3, 5]])
    case("Gather of windows", ("Gather", "x,i", {"axis": 2}), i=windows, names="Gather")
    linear = ("Resize", "x,,s", {"mode": "linear"})
    case("Resize by a fraction", linear, s=np.float32([1, 1, 1.5, 1.5]), names="by 1.5 and 1.5.*stretches the film")


def main():
    parts = (
        convolutions,
        pools,
        reductions,
        arithmetic,
        activations,
        norms,
        shapes,
        resizes,
        products,
        enlarging,
        quantised,
        standardised,
        repeated,
    )
    for part in parts:
        part()
    FIXTURE.write_bytes(gzip.compress(json.dumps(CASES).encode(), mtime=0))
    print(len(CASES), "cases,", FIXTURE.stat().st_size, "bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
