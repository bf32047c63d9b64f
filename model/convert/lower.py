"""Lowers the layers of a foreign network to the engine's operations.

Batch norms and activations are folded into the layer before, windows become square, groups and dilation are written out
with zeros, and a dense layer with one logit per label ends the graph. Layers are changed in place or replaced.
"""
from dataclasses import replace

import numpy as np

from gguf import Q8_0, dense_kernel, pack, pack_bias, round4, to_q8
from layers import ConvertError, Layer, stuffed
from limits import MAX_DIM, MAX_FLOATS, MAX_KERNEL, MAX_LAYERS


def in_order(last):
    """All layers that `last` depends on, each after its inputs."""
    order, seen, waiting = [], set(), [(last, False)]
    while waiting:
        layer, ready = waiting.pop()
        if ready:
            order.append(layer)
        elif id(layer) not in seen:
            seen.add(id(layer))
            waiting.append((layer, True))
            waiting.extend((i, False) for i in reversed(layer.inputs))
    return order


def users(order):
    """{id of layer: the layers that read it}"""
    found = {id(layer): [] for layer in order}
    for layer in order:
        for i in layer.inputs:
            found[id(i)].append(layer)
    return found


def fold(last, step):
    """Runs step(layer, {id: readers}) over all layers; the layer that it returns replaces the old one."""
    order, replaced = in_order(last), {}
    read_by = users(order)
    for layer in order:
        layer.inputs = [replaced.get(id(i), i) for i in layer.inputs]
        result = step(layer, read_by)
        if result is not layer:
            replaced[id(layer)] = result
            before = read_by.get(id(result), [layer])
            read_by[id(result)] = [
                one for reader in before for one in (read_by[id(layer)] if reader is layer else [reader])
            ]
    return replaced.get(id(last), last)


def scale_outputs(source, affine):
    """Merges an affine layer into the convolution or dense layer before it."""
    source.weight = source.weight * affine.weight.reshape(-1, *(1,) * (source.weight.ndim - 1))
    source.bias = source.bias * affine.weight + affine.bias
    return source


def scale_inputs(reader, affine):
    """Merges an affine layer into a convolution or dense layer after it."""
    scale, shift = affine.weight, affine.bias
    if reader.op == "dense":
        reader.bias = reader.bias + reader.weight.reshape(len(reader.weight), -1, len(shift)).sum(1) @ shift
        reader.weight = reader.weight * scale
        return
    cout, part = reader.weight.shape[:2]
    scale, shift = (np.repeat(v.reshape(reader.groups, part), cout // reader.groups, 0) for v in (scale, shift))
    reader.bias = reader.bias + (reader.weight.sum((2, 3)) * shift).sum(1)
    reader.weight = reader.weight * scale[:, :, None, None]


def fold_relu(layer, read_by):
    """Leaves out a ReLU before a rounding to integers that makes 0 of all values below 0 anyway."""
    if layer.act == "uint8" and layer.inputs[0].op == "affine" and layer.inputs[0].inputs[0].act == "relu":
        affine, relu = layer.inputs[0], layer.inputs[0].inputs[0]
        if np.all(affine.weight > 0) and not affine.bias.any() and len(read_by[id(affine)]) == 1:
            affine.inputs = [relu.inputs[0]]
    return layer


def fold_affine(layer, read_by):
    """Folds an affine layer into the layer before it, or into all that read it, if they are convolutions or dense.

    A shift cannot be folded into a convolution that pads: its zeros have not gone through the affine layer. What scales
    the image stays, because it becomes the scale of the input.
    """
    if layer.op != "affine":
        return layer
    source, after = layer.inputs[0], read_by[id(layer)]
    if source.op in ("conv", "dense") and source.act == "none" and len(read_by[id(source)]) == 1:
        return scale_outputs(source, layer)
    padded = lambda reader: any(reader.pads) and layer.bias.any()
    if source.op == "input" or not after:
        return layer
    if not all(reader.op == "dense" or (reader.op == "conv" and not padded(reader)) for reader in after):
        return layer
    for reader in after:
        scale_inputs(reader, layer)
    return source


def fold_act(layer, read_by):
    if layer.op != "act":
        return layer
    source = layer.inputs[0]
    if source.op in ("conv", "dense", "affine", "add") and source.act == "none" and len(read_by[id(source)]) == 1:
        source.act = layer.act
        return source
    return layer


def take_input_scale(last, image):
    """(network without it, (scale, offset) per channel) if an affine layer is the only one that reads the image."""
    order = in_order(last)
    readers = users(order).get(id(image), [])
    if len(readers) != 1 or readers[0].op != "affine":
        return last, None
    for layer in order:
        layer.inputs = [image if i is readers[0] else i for i in layer.inputs]
    return (image if last is readers[0] else last), (readers[0].weight, readers[0].bias)


def with_logits(last):
    """Makes the last layer a dense one. A map becomes its mean, and a single value z the two logits 0 and z."""
    c, h, w = last.shape
    if last.op == "conv" and last.inputs[0].shape[1:] == last.k == (1, 1) and last.groups == 1 and not any(last.pads):
        last = replace(last, op="dense", weight=last.weight.transpose(0, 2, 3, 1))
    if last.op != "dense" or last.act != "none":
        if (h, w) != (1, 1):
            last = Layer("mean", [last], (c, 1, 1))
        last = Layer("dense", [last], (c, 1, 1), weight=np.eye(c)[:, None, None], bias=np.zeros(c))
    if c == 1:
        last = replace(
            last,
            shape=(2, 1, 1),
            weight=np.concatenate([0 * last.weight, last.weight]),
            bias=np.concatenate([[0], last.bias]),
        )
    return last


def placed(k, size, window, out, stride, pad, exact):
    """(pad before, pad after, offset of the window) that make a window of k the given one, along one direction.

    None if k does not do: the engine's paddings are from 0 to k - 1. With `exact` what the larger window adds must lie
    outside the picture.
    """
    for offset in range(k - window + 1):
        before = pad + offset
        after = max((out - 1) * stride + k - size - before, 0)
        fits = 0 <= before < k and after < k and (size + before + after - k) // stride + 1 == out
        outside = k == window or (out == 1 and before >= offset and after >= k - window - offset)
        if fits and (outside or not exact):
            return before, after, offset
    return None


def square(layer, k, exact=False):
    """(k, (above, below, left, right), (row, column)): a square window, its paddings, and where the given one lies in it.

    The engine has square windows only. A larger window with zeros in its weights can express every other one.
    """
    (kh, kw), (above, left, _, _) = k, layer.pads
    (_, h, w), (_, oh, ow) = layer.inputs[0].shape, layer.shape
    for side in range(max(kh, kw), MAX_KERNEL + 1):
        rows = placed(side, h, kh, oh, layer.stride, above, exact)
        columns = placed(side, w, kw, ow, layer.stride, left, exact)
        if rows and columns:
            return side, (*rows[:2], *columns[:2]), (rows[2], columns[2])
    raise ConvertError(
        f"{layer.source}: its window of {kh}x{kw} with the padding {layer.pads} cannot be written as a square window "
        f"of at most {MAX_KERNEL}, which the engine needs"
    )


def window_options(k, stride, pads):
    above, below, left, right = pads
    sides = "" if (left, right) == (above, below) else f" left={left} right={right}"
    return f"k={k} stride={stride} pad={above} after={below}{sides}"


def block_diagonal(kernel, groups, cin):
    """The weights of a grouped convolution as those of a plain one, zero between the groups."""
    cout, part = kernel.shape[:2]
    out = np.zeros((cout, cin, *kernel.shape[2:]), kernel.dtype)
    for o in range(cout):
        first = o // (cout // groups) * part
        out[o, first : first + part] = kernel[o]
    return out


def plain_image(layer):
    """Gives the layer a copy of the image by an identity convolution where it cannot read the image itself.

    The image's channels are stored without padding; only conv, dense and concat read such an input.
    """
    for n, source in enumerate(layer.inputs):
        c = source.shape[0]
        if source.op == "input" and c % 4:
            layer.inputs[n] = Layer(
                "conv", [source], source.shape, source.source, weight=np.eye(c)[:, :, None, None], bias=np.zeros(c)
            )


def as_convolution(layer):
    """Writes gather, affine, pad, and an average as a convolution; all but gather work channel by channel."""
    c = layer.inputs[0].shape[0]
    if layer.op == "gather":
        weight = np.zeros((len(layer.index), c, 1, 1), np.float32)
        weight[np.arange(len(layer.index)), layer.index] = 1
        return replace(layer, op="conv", weight=weight, bias=np.zeros(len(layer.index)))
    if layer.op == "affine":
        weight, bias = layer.weight, layer.bias
    else:
        weight, bias = np.full(c, 1 / (layer.k[0] * layer.k[1])), np.zeros(c)
    weight = np.broadcast_to(weight[:, None, None, None], (c, 1, *layer.k))
    return replace(layer, op="conv", groups=c, weight=weight, bias=bias)


def lowered(layer):
    """One line of the graph: (operation and options, weights [cout, cin, k, k] or None, bias)."""
    c = layer.shape[0]
    if layer.op == "softmax":
        raise ConvertError(f"{layer.source}: the engine supports softmax only at the end of the network")
    if layer.op == "pad" and layer.fill:
        raise ConvertError(f"{layer.source}: it pads with {layer.fill}, which only a maximum right after it can do")
    oblong = layer.op == "avgpool" and (any(layer.pads) or layer.k[0] != layer.k[1])
    if layer.op in ("affine", "pad", "gather") or oblong:
        layer = as_convolution(layer)
    if layer.op == "conv":
        cin = layer.inputs[0].shape[0]
        alone = layer.groups == cin == c and (layer.inputs[0].op != "input" or c % 4 == 0)
        plain = stuffed(layer.weight, layer.dilation)
        k, pads, (row, column) = square(layer, plain.shape[2:])
        kernel = np.zeros((*plain.shape[:2], k, k), plain.dtype)
        kernel[:, :, row : row + plain.shape[2], column : column + plain.shape[3]] = plain
        if not alone and layer.groups > 1:
            kernel = block_diagonal(kernel, layer.groups, cin)
        options = window_options(k, layer.stride, pads)
        return f"depthwise {options}" if alone else f"conv {options} c={c}", kernel, layer.bias
    if layer.op == "maxpool":
        k, pads, _ = square(layer, layer.k, exact=True)
        return f"maxpool {window_options(k, layer.stride, pads)}", None, None
    if layer.op == "avgpool":
        return f"avgpool k={layer.k[0]} stride={layer.stride}", None, None
    if layer.op == "resize":
        return f"resize scale={layer.scale}" + (f" mode={layer.mode}" if layer.mode != "nearest" else ""), None, None
    if layer.op == "dense":
        cin = layer.inputs[0].shape[0]
        stored = cin if layer.inputs[0].op == "input" else round4(cin)
        return f"dense c={c}", dense_kernel(layer.weight, stored), layer.bias
    return "input h={1} w={2} c={0}".format(*layer.shape) if layer.op == "input" else layer.op, None, None


def names(order):
    """{id: name}: operation and number, except for the names that the engine looks for."""
    out, count = {}, {}
    for layer in order:
        count[layer.op] = count.get(layer.op, 0) + 1
        out[id(layer)] = f"{'bn' if layer.op == 'affine' else layer.op}{count[layer.op]}"
    last = order[-1]
    pool = last.inputs[0]
    if pool.op == "mean":
        out[id(pool.inputs[0])] = "features"
    out[id(order[0])], out[id(last)] = "image", "logits"
    return out


def check_size(layer):
    c, h, w = layer.shape
    step = max(layer.stride, layer.scale)
    if max(c, h, w, step) > MAX_DIM or c * h * w > MAX_FLOATS:
        raise ConvertError(
            f"{layer.source}: its size is {h}x{w} with {c} channels, in steps of {step}; the engine accepts at most "
            f"{MAX_DIM} of each, and {MAX_FLOATS} values"
        )


def check_weights(layer, original, packed):
    """original, packed: weight and bias, before and after packing."""
    if not all(np.isfinite(array).all() for array in original):
        raise ConvertError(f"{layer.source}: its weights contain NaN or infinity")
    if not all(np.isfinite(array["scale"] if array.dtype == Q8_0 else array).all() for array in packed):
        largest = max(np.abs(array).max() for array in original)
        advice = "" if packed[0].dtype == np.float32 else " for float16. Use --f32"
        raise ConvertError(f"{layer.source}: its weights reach {largest:.3g}, too large{advice}")


def graph(last, image, kind):
    """(lines, {tensor name: array}, (scale, offset) of the input or None) of the network that ends in `last`.

    `kind` is the type of the weights: np.float32, np.float16 or Q8_0.
    """
    last = fold(fold(last, fold_relu), fold_affine)
    last, input_scale = take_input_scale(last, image)
    last = with_logits(fold(last, fold_act))
    for layer in in_order(last):
        check_size(layer)
        if layer.op not in ("conv", "dense", "concat", "affine", "pad", "gather"):
            plain_image(layer)
    order = in_order(last)
    if order[0] is not image:
        raise ConvertError("the network's output does not depend on its input")
    if len(order) > MAX_LAYERS:
        raise ConvertError(f"the network has {len(order)} layers; the engine accepts at most {MAX_LAYERS}")
    name, lines, tensors = names(order), [], {}
    for layer in order:
        expression, weight, bias = lowered(layer)
        op, *options = expression.split(" ")
        act = [f"act={layer.act}"] if layer.act != "none" else []
        lines.append(" ".join([name[id(layer)], "=", op, *(name[id(i)] for i in layer.inputs), *options, *act]))
        if weight is None:
            continue
        unpadded = op in ("dense", "depthwise") or layer.inputs[0].op == "input"
        cin = weight.shape[1] if unpadded else round4(weight.shape[1])
        packed = to_q8(pack(weight, cin, np.float32)) if kind == Q8_0 else pack(weight, cin, kind)
        check_weights(layer, (weight, bias), (packed, pack_bias(bias)))
        prefix = f"diagnosis.{name[id(layer)]}"
        tensors |= {f"{prefix}.weight": packed, f"{prefix}.bias": pack_bias(bias)}
    return lines, tensors, input_scale
