"""Layers from elsewhere -> the engine's graph: batch norms and activations folded, windows made square, logits at the end."""
from dataclasses import replace

import numpy as np

from gguf import Q8_0, pack, round4, to_q8
from layers import ConvertError, Layer, dilated

# What src/nn/graph.h and graph.c take: a window's side, a picture's sides and channels, its values, layers.
MAX_KERNEL, MAX_SIZE, MAX_VALUES, MAX_LAYERS = 64, 4096, 1 << 28, 640


def in_order(last):
    """All layers that `last` needs, each after its inputs."""
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
    """Runs step(layer, its users by id) over all layers; a layer that it gives takes the place of the old one."""
    order, instead = in_order(last), {}
    read_by = users(order)
    for layer in order:
        layer.inputs = [instead.get(id(i), i) for i in layer.inputs]
        made = step(layer, read_by)
        if made is not layer:
            instead[id(layer)] = made
            before = read_by.get(id(made), [layer])
            read_by[id(made)] = [
                one for reader in before for one in (read_by[id(layer)] if reader is layer else [reader])
            ]
    return instead.get(id(last), last)


def scale_outputs(source, affine):
    """conv or dense, then affine, in one."""
    source.weight = source.weight * affine.weight.reshape(-1, *(1,) * (source.weight.ndim - 1))
    source.bias = source.bias * affine.weight + affine.bias
    return source


def fold_affine(layer, read_by):
    """Into the layer before; into a dense layer behind it. Not into a convolution behind it, whose padding stays zero."""
    if layer.op != "affine":
        return layer
    source, behind = layer.inputs[0], read_by[id(layer)]
    if source.op in ("conv", "dense") and source.act == "none" and len(read_by[id(source)]) == 1:
        return scale_outputs(source, layer)
    if len(behind) == 1 and behind[0].op == "dense":
        dense = behind[0]
        dense.bias = dense.bias + dense.weight.reshape(len(dense.weight), -1, len(layer.bias)).sum(1) @ layer.bias
        dense.weight = dense.weight * layer.weight
        return source
    return layer


def fold_act(layer, read_by):
    if layer.op != "act":
        return layer
    source = layer.inputs[0]
    if source.op in ("conv", "dense", "affine", "add") and source.act == "none" and len(read_by[id(source)]) == 1:
        source.act = layer.act
        return source
    return layer


def take_input_scale(last, image):
    """An affine that alone reads the image, as (scale, offset) a channel; the network without it."""
    order = in_order(last)
    readers = users(order).get(id(image), [])
    if len(readers) != 1 or readers[0].op != "affine":
        return last, None
    for layer in order:
        layer.inputs = [image if i is readers[0] else i for i in layer.inputs]
    return (image if last is readers[0] else last), (readers[0].weight, readers[0].bias)


def with_logits(last):
    """The last layer as a dense one: a map answers with its mean, one value with the logits 0 and z."""
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


def square(kernel, layer):
    """(kernel, pad, after): a square kernel with zeros where the foreign window has none, and the engine's two paddings."""
    above, left, below, right = layer.pads
    (kh, kw), (_, h, w), (_, oh, ow) = kernel.shape[2:], layer.inputs[0].shape, layer.shape
    least = max(above, left)
    choices = (
        (k, pad, after) for k in range(max(kh, kw), MAX_KERNEL + 1) for pad in range(least, k) for after in range(k)
    )
    for k, pad, after in choices:
        top, side = pad - above, pad - left
        fits = [(size + pad + after - k) // layer.stride + 1 for size in (h, w)] == [oh, ow]
        if fits and top + kh <= k and side + kw <= k:
            wide = np.zeros((*kernel.shape[:2], k, k), kernel.dtype)
            wide[:, :, top : top + kh, side : side + kw] = kernel
            return wide, pad, after
    raise ConvertError(f"{layer.source}: its window of {kh}x{kw} with the padding {layer.pads} does not fit the engine")


def stuffed(kernel, dilation):
    """A dilated kernel with its zeros written out."""
    if dilation == (1, 1):
        return kernel
    kh, kw = (dilated(size, step) for size, step in zip(kernel.shape[2:], dilation))
    out = np.zeros((*kernel.shape[:2], kh, kw), kernel.dtype)
    out[:, :, :: dilation[0], :: dilation[1]] = kernel
    return out


def block_diagonal(kernel, groups, cin):
    """A grouped convolution's weights as those of a plain one."""
    cout, part = kernel.shape[:2]
    out = np.zeros((cout, cin, *kernel.shape[2:]), kernel.dtype)
    for o in range(cout):
        first = o // (cout // groups) * part
        out[o, first : first + part] = kernel[o]
    return out


def plain_image(layer):
    """Only conv, dense and concat read an image whose channels are no multiple of 4: others get a copy."""
    for n, source in enumerate(layer.inputs):
        c = source.shape[0]
        if source.op == "input" and c % 4:
            layer.inputs[n] = Layer(
                "conv", [source], source.shape, source.source, weight=np.eye(c)[:, :, None, None], bias=np.zeros(c)
            )


def as_convolution(layer):
    """affine, pad and an average over padding as depthwise convolutions."""
    c = layer.inputs[0].shape[0]
    if layer.op == "affine":
        weight, bias = layer.weight, layer.bias
    else:
        weight, bias = np.full(c, 1 / (layer.k[0] * layer.k[1])), np.zeros(c)
    weight = np.broadcast_to(weight[:, None, None, None], (c, 1, *layer.k))
    return replace(layer, op="conv", groups=c, weight=weight, bias=bias)


def lowered(layer):
    """(op and its settings, weights [cout, cin, k, k] or None, bias): one line of the graph."""
    c = layer.shape[0]
    if layer.op == "softmax":
        raise ConvertError(f"{layer.source}: softmax stands before the end of the network")
    if layer.op in ("affine", "pad") or (layer.op == "avgpool" and any(layer.pads)):
        layer = as_convolution(layer)
    if layer.op == "conv":
        cin = layer.inputs[0].shape[0]
        alone = layer.groups == cin == c and (layer.inputs[0].op != "input" or c % 4 == 0)
        kernel, pad, after = square(stuffed(layer.weight, layer.dilation), layer)
        if not alone and layer.groups > 1:
            kernel = block_diagonal(kernel, layer.groups, cin)
        words = f"k={kernel.shape[2]} stride={layer.stride} pad={pad} after={after}"
        return f"depthwise {words}" if alone else f"conv {words} c={c}", kernel, layer.bias
    if layer.op in ("maxpool", "avgpool"):
        kernel, pad, after = square(np.zeros((1, 1, *layer.k)), layer)
        if kernel.shape[2:] != layer.k:
            raise ConvertError(
                f"{layer.source}: the engine pools square windows with one padding above and left, one below and right"
            )
        return (
            f"{layer.op} k={layer.k[0]} stride={layer.stride}" + (f" pad={pad} after={after}" if pad or after else ""),
            None,
            None,
        )
    if layer.op == "resize":
        return f"resize scale={layer.scale}" + (" mode=linear" if layer.linear else ""), None, None
    if layer.op == "dense":
        lanes = layer.inputs[0].shape[0] if layer.inputs[0].op == "input" else round4(layer.inputs[0].shape[0])
        weight = np.zeros((*layer.weight.shape[:3], lanes), layer.weight.dtype)
        weight[..., : layer.weight.shape[3]] = layer.weight
        return f"dense c={c}", weight.reshape(len(weight), -1, 1, 1), layer.bias
    return "input h={1} w={2} c={0}".format(*layer.shape) if layer.op == "input" else layer.op, None, None


def names(order):
    """{id: name}: kind and number, but for the roles that pleura.c looks for."""
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
    if max(c, h, w, layer.stride, layer.scale) > MAX_SIZE or c * h * w > MAX_VALUES:
        raise ConvertError(
            f"{layer.source}: {h}x{w} with {c} channels, in steps of {max(layer.stride, layer.scale)}: the engine takes up to "
            f"{MAX_SIZE} of each, and {MAX_VALUES} values"
        )


def check_weights(layer, given, packed):
    """given, packed: weight and bias, as they come and as they are written."""
    if not all(np.isfinite(array).all() for array in given):
        raise ConvertError(f"{layer.source}: its weights are not all finite")
    if not all(np.isfinite(array["scale"] if array.dtype == Q8_0 else array).all() for array in packed):
        most = max(np.abs(array).max() for array in given)
        limit = "" if packed[0].dtype == np.float32 else " for float16; use --f32"
        raise ConvertError(f"{layer.source}: its weights reach {most:.3g}, too large{limit}")


def graph(last, image, kind):
    """(lines, {tensor name: array}, (scale, offset) or None) of the network that ends in `last`, its weights of that kind."""
    last = fold(last, fold_affine)
    last, input_scale = take_input_scale(last, image)
    last = with_logits(fold(last, fold_act))
    for layer in in_order(last):
        check_size(layer)
        if layer.op not in ("conv", "dense", "concat", "affine", "pad"):
            plain_image(layer)
    order = in_order(last)
    if order[0] is not image:
        raise ConvertError("the answer does not depend on the image")
    if len(order) > MAX_LAYERS:
        raise ConvertError(f"the network has {len(order)} layers, the engine takes {MAX_LAYERS}")
    name, lines, tensors = names(order), [], {}
    for layer in order:
        what, weight, bias = lowered(layer)
        op, *settings = what.split(" ")
        act = [f"act={layer.act}"] if layer.act != "none" else []
        own = name[id(layer)]
        lines.append(" ".join([own, "=", op, *(name[id(i)] for i in layer.inputs), *settings, *act]))
        if weight is None:
            continue
        whole = op in ("dense", "depthwise") or layer.inputs[0].op == "input"
        cin = weight.shape[1] if whole else round4(weight.shape[1])
        weights = to_q8(pack(weight, cin, np.float32)) if kind == Q8_0 else pack(weight, cin, kind)
        biases = np.pad(bias.astype(np.float32), (0, -len(bias) % 4))
        check_weights(layer, (weight, bias), (weights, biases))
        tensors |= {f"diagnosis.{own}.weight": weights, f"diagnosis.{own}.bias": biases}
    return lines, tensors, input_scale
