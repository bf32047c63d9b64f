/* graph.c - one line of text becomes one layer: first its words, then its shape, then whether the engine can run it. */
#include "nn/graph.h"

#include <string.h>

enum { MAX_KERNEL = 64 };

/* Removes the next word from the line; empty at its end. */
static text take_word(text *line)
{
    while (line->size && *line->at == ' ') line->at++, line->size--;
    text word = {line->at, 0};
    while (word.size < line->size && line->at[word.size] != ' ') word.size++;
    line->at += word.size, line->size -= word.size;
    return word;
}

/* True if the word begins with "<key>="; *rest is what follows. */
static int has_key(text *rest, text word, const char *key)
{
    size_t n = strlen(key);
    if (word.size <= n || memcmp(word.at, key, n) != 0 || word.at[n] != '=') return 0;
    *rest = (text){word.at + n + 1, word.size - n - 1};
    return 1;
}

/* True if the word is "<key>=<integer>" with an integer in 0..GRAPH_MAX_DIM. */
static int read_integer(int *out, text word, const char *key)
{
    text digits;
    int v = 0;
    if (!has_key(&digits, word, key) || digits.size < 1 || digits.size > 4) return 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') return 0;
        v = v * 10 + (digits.at[i] - '0');
    }
    if (v > GRAPH_MAX_DIM) return 0;
    *out = v;
    return 1;
}

/* True if the word is mode= or act= with a known value. */
static int read_choice(layer_desc *l, text word)
{
    static const char *const acts[ACT_COUNT] = {"none", "relu", "relu6", "silu", "hardswish",  "hardsigmoid", "sigmoid",
                                                "tanh", "exp",  "erf",   "sqrt", "reciprocal", "log",         "uint8"};
    text name;
    if (text_equals(word, "mode=linear")) return l->mode = RESIZE_LINEAR, 1;
    if (text_equals(word, "mode=shuffle")) return l->mode = RESIZE_SHUFFLE, 1;
    if (!has_key(&name, word, "act")) return 0;
    for (int i = ACT_NONE; i < ACT_COUNT; i++)
        if (text_equals(name, acts[i])) return l->act = (activation)i, 1;
    return 0;
}

int graph_find(const layer_desc *layers, int count, text name)
{
    for (int i = 0; i < count; i++)
        if (layers[i].name.size == name.size && memcmp(layers[i].name.at, name.at, name.size) == 0) return i;
    return -1;
}

size_t graph_values(const layer_desc *l) { return (size_t)l->h * (size_t)l->w * (size_t)l->c_stride; }

int graph_has_weights(const layer_desc *l) { return l->op == OP_CONV || l->op == OP_DEPTHWISE || l->op == OP_DENSE; }

int graph_is_padded(const layer_desc *l) { return l->pad || l->pad_end || l->pad_left || l->pad_right; }

void graph_window(int *k, uint64_t *cin, const layer_desc *l, const layer_desc *layers)
{
    const layer_desc *in = layers + l->inputs[0];
    *k = l->op == OP_DENSE ? 1 : l->k;
    *cin = l->op == OP_DENSE ? graph_values(in) : l->op == OP_DEPTHWISE ? 1 : (uint64_t)in->c_stride;
}

static const struct {
    const char *name;
    int min_inputs, max_inputs, has_act;
} ops[] = {[OP_INPUT] = {"input", 0, 0, 0},
           [OP_CONV] = {"conv", 1, 1, 1},
           [OP_DEPTHWISE] = {"depthwise", 1, 1, 1},
           [OP_MAXPOOL] = {"maxpool", 1, 1, 0},
           [OP_AVGPOOL] = {"avgpool", 1, 1, 0},
           [OP_RESIZE] = {"resize", 1, 1, 0},
           [OP_CONCAT] = {"concat", 2, GRAPH_MAX_INPUTS, 0},
           [OP_ADD] = {"add", 2, 2, 1},
           [OP_MUL] = {"mul", 2, 2, 0},
           [OP_ACT] = {"act", 1, 1, 1},
           [OP_GLOBAL_AVGPOOL] = {"mean", 1, 1, 0},
           [OP_DENSE] = {"dense", 1, 1, 1},
           [OP_QUANTISE] = {"quantise", 1, 1, 0},
           [OP_DEQUANTISE] = {"dequantise", 1, 1, 0}};

/* Fills in the fields that the line names, without checking shapes. */
static pleura_status read_words(layer_desc *l, const layer_desc *layers, int number, text line)
{
    *l = (layer_desc){.k = 1, .stride = 1, .pad_end = -1, .pad_left = -1, .pad_right = -1, .scale = 1};
    l->name = take_word(&line);
    text equals = take_word(&line), op = take_word(&line), word;
    if (!l->name.size || !text_equals(equals, "=") || graph_find(layers, number, l->name) >= 0)
        return PLEURA_MODEL_DAMAGED;
    int known = 0;
    for (int i = 0; i < (int)(sizeof ops / sizeof *ops); i++)
        if (text_equals(op, ops[i].name)) l->op = (graph_op)i, known = 1;
    if (!known) return PLEURA_MODEL_UNSUPPORTED;
    while ((word = take_word(&line)).size) {
        int input = graph_find(layers, number, word);
        if (input >= 0) {
            if (l->input_count == ops[l->op].max_inputs) return PLEURA_MODEL_DAMAGED;
            l->inputs[l->input_count++] = input;
        } else if (!read_integer(&l->k, word, "k") && !read_integer(&l->stride, word, "stride") &&
                   !read_integer(&l->pad, word, "pad") && !read_integer(&l->pad_end, word, "after") &&
                   !read_integer(&l->pad_left, word, "left") && !read_integer(&l->pad_right, word, "right") &&
                   !read_integer(&l->scale, word, "scale") && !read_integer(&l->h, word, "h") &&
                   !read_integer(&l->w, word, "w") && !read_integer(&l->c, word, "c") && !read_choice(l, word)) {
            return PLEURA_MODEL_UNSUPPORTED;
        }
    }
    if (l->pad_end < 0) l->pad_end = l->pad;
    if (l->pad_left < 0) l->pad_left = l->pad;
    if (l->pad_right < 0) l->pad_right = l->pad_end;
    if (l->act && !ops[l->op].has_act) return PLEURA_MODEL_UNSUPPORTED;
    return l->input_count < ops[l->op].min_inputs ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

/* The size of a conv, depthwise or pool layer's output. */
static pleura_status infer_window(layer_desc *l, const layer_desc *in)
{
    int rows = in->h + l->pad + l->pad_end, columns = in->w + l->pad_left + l->pad_right;
    if (l->k < 1 || l->k > MAX_KERNEL || l->stride < 1 || l->pad >= l->k || l->pad_end >= l->k || l->pad_left >= l->k ||
        l->pad_right >= l->k)
        return PLEURA_MODEL_DAMAGED;
    if (l->op == OP_AVGPOOL && graph_is_padded(l))
        return PLEURA_MODEL_UNSUPPORTED; /* frameworks disagree on whether it counts the padding */
    if (rows < l->k || columns < l->k) return PLEURA_MODEL_DAMAGED;
    l->h = (rows - l->k) / l->stride + 1;
    l->w = (columns - l->k) / l->stride + 1;
    if (l->op != OP_CONV) l->c = in->c;
    return PLEURA_OK;
}

static pleura_status infer_concat(layer_desc *l, const layer_desc *layers)
{
    const layer_desc *first = layers + l->inputs[0];
    l->h = first->h, l->w = first->w, l->c = 0;
    for (int i = 0; i < l->input_count; i++) {
        const layer_desc *part = layers + l->inputs[i];
        if (part->h != l->h || part->w != l->w) return PLEURA_MODEL_DAMAGED;
        l->c += part->c;
    }
    return PLEURA_OK;
}

/* Works out the output's shape from the inputs' shapes. */
static pleura_status infer_shape(layer_desc *l, const layer_desc *layers, int number)
{
    const layer_desc *in = layers + l->inputs[0], *other = layers + l->inputs[1];
    pleura_status status = PLEURA_OK;
    int window = l->op == OP_CONV || l->op == OP_DEPTHWISE || l->op == OP_MAXPOOL || l->op == OP_AVGPOOL;
    if ((l->op == OP_INPUT) != (number == 0)) return PLEURA_MODEL_DAMAGED;
    if ((!window && graph_is_padded(l)) || (l->op != OP_RESIZE && l->scale != 1)) return PLEURA_MODEL_DAMAGED;
    if (l->op == OP_ADD || l->op == OP_MUL || l->op == OP_ACT || l->op == OP_RESIZE || l->op == OP_QUANTISE ||
        l->op == OP_DEQUANTISE)
        l->h = in->h * l->scale, l->w = in->w * l->scale, l->c = in->c;
    if (l->mode == RESIZE_SHUFFLE) {
        if (l->scale < 1 || in->c % (l->scale * l->scale)) return PLEURA_MODEL_DAMAGED;
        l->c /= l->scale * l->scale;
    }
    if (l->op == OP_GLOBAL_AVGPOOL || l->op == OP_DENSE) l->h = l->w = 1;
    if (l->op == OP_GLOBAL_AVGPOOL) l->c = in->c;
    if (window) status = infer_window(l, in);
    if (l->op == OP_CONCAT) status = infer_concat(l, layers);
    if (status) return status;
    int same = other->h == l->h && other->w == l->w, pixel = other->h == 1 && other->w == 1;
    if ((l->op == OP_ADD && !same) || (l->op == OP_MUL && !same && !pixel)) return PLEURA_MODEL_DAMAGED;
    if ((l->op == OP_ADD || l->op == OP_MUL) && other->c != l->c) return PLEURA_MODEL_DAMAGED;
    if (l->h < 1 || l->w < 1 || l->c < 1 || l->h > GRAPH_MAX_DIM || l->w > GRAPH_MAX_DIM || l->c > GRAPH_MAX_DIM)
        return PLEURA_MODEL_DAMAGED;
    l->c_stride = l->op == OP_INPUT ? l->c : l->op == OP_QUANTISE ? in->c_stride : (l->c + 3) / 4 * 4;
    /* Most kernels read vectors of four channels. Only these read single values, so only they accept an input image
     * whose channels are not padded. */
    int reads_single =
        l->op == OP_INPUT || l->op == OP_CONV || l->op == OP_DENSE || l->op == OP_CONCAT || l->op == OP_QUANTISE;
    int padded = in->c_stride % 4 == 0 && (l->input_count < 2 || other->c_stride % 4 == 0);
    if (!reads_single && !padded) return PLEURA_MODEL_UNSUPPORTED;
    return (size_t)l->h * (size_t)l->w > GRAPH_MAX_FLOATS / (size_t)l->c_stride ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

pleura_status graph_read(layer_desc *layers, int number, text line)
{
    pleura_status status = read_words(layers + number, layers, number, line);
    return status ? status : infer_shape(layers + number, layers, number);
}
