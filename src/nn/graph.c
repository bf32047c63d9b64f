/* graph.c - one line of text to one layer: its words, its shape, and whether the engine can run it. */
#include "nn/graph.h"

#include <string.h>

enum { MAX_KERNEL = 64 };

static int is(text t, const char *s) { return strlen(s) == t.size && memcmp(t.at, s, t.size) == 0; }

/* Takes the next word off the line, up to a space or the end; empty when there is none. */
static text take_word(text *line)
{
    while (line->size && *line->at == ' ') line->at++, line->size--;
    text word = {line->at, 0};
    while (word.size < line->size && line->at[word.size] != ' ') word.size++;
    line->at += word.size, line->size -= word.size;
    return word;
}

/* Whether word begins with "<key>="; what follows is left in *rest. */
static int begins(text *rest, text word, const char *key)
{
    size_t n = strlen(key);
    if (word.size <= n || memcmp(word.at, key, n) != 0 || word.at[n] != '=') return 0;
    *rest = (text){word.at + n + 1, word.size - n - 1};
    return 1;
}

/* Whether word is "<key>=<number>", 0..GRAPH_MAX_DIM. */
static int setting(int *out, text word, const char *key)
{
    text digits;
    int v = 0;
    if (!begins(&digits, word, key) || digits.size < 1 || digits.size > 4) return 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') return 0;
        v = v * 10 + (digits.at[i] - '0');
    }
    if (v > GRAPH_MAX_DIM) return 0;
    *out = v;
    return 1;
}

/* Whether word is one of the words that are no numbers. */
static int choice(graph_layer *l, text word)
{
    static const char *const acts[] = {"none", "relu", "relu6", "silu", "hardswish", "hardsigmoid", "sigmoid", "tanh"};
    text name;
    if (is(word, "mode=linear")) return l->linear = 1;
    if (!begins(&name, word, "act")) return 0;
    for (int i = ACT_NONE; i <= ACT_TANH; i++)
        if (is(name, acts[i])) return l->act = (activation)i, 1;
    return 0;
}

int graph_find(const graph_layer *layers, int count, text name)
{
    for (int i = 0; i < count; i++)
        if (layers[i].name.size == name.size && memcmp(layers[i].name.at, name.at, name.size) == 0) return i;
    return -1;
}

size_t graph_values(const graph_layer *l) { return (size_t)l->h * (size_t)l->w * (size_t)l->lanes; }

static const struct {
    const char *name;
    int least, most, acts;
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
           [OP_MEAN] = {"mean", 1, 1, 0},
           [OP_DENSE] = {"dense", 1, 1, 1},
           [OP_QUANTISE] = {"quantise", 1, 1, 0},
           [OP_DEQUANTISE] = {"dequantise", 1, 1, 0}};

/* Words to fields; says nothing yet of shapes. */
static pleura_status read_words(graph_layer *l, const graph_layer *layers, int number, text line)
{
    *l = (graph_layer){.k = 1, .stride = 1, .after = -1, .scale = 1, .last_use = number};
    l->name = take_word(&line);
    text equals = take_word(&line), op = take_word(&line), word;
    if (!l->name.size || !is(equals, "=") || graph_find(layers, number, l->name) >= 0) return PLEURA_MODEL_DAMAGED;
    int known = 0;
    for (int i = 0; i < (int)(sizeof ops / sizeof *ops); i++)
        if (is(op, ops[i].name)) l->op = (graph_op)i, known = 1;
    if (!known) return PLEURA_MODEL_UNSUPPORTED;
    while ((word = take_word(&line)).size) {
        int input = graph_find(layers, number, word);
        if (input >= 0) {
            if (l->input_count == ops[l->op].most) return PLEURA_MODEL_DAMAGED;
            l->inputs[l->input_count++] = input;
        } else if (!setting(&l->k, word, "k") && !setting(&l->stride, word, "stride") &&
                   !setting(&l->pad, word, "pad") && !setting(&l->after, word, "after") &&
                   !setting(&l->scale, word, "scale") && !setting(&l->h, word, "h") && !setting(&l->w, word, "w") &&
                   !setting(&l->c, word, "c") && !choice(l, word)) {
            return PLEURA_MODEL_UNSUPPORTED;
        }
    }
    if (l->after < 0) l->after = l->pad;
    if (l->act && !ops[l->op].acts) return PLEURA_MODEL_UNSUPPORTED;
    return l->input_count < ops[l->op].least ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

static pleura_status slide_window(graph_layer *l, const graph_layer *in)
{
    int around = l->pad + l->after;
    if (l->k < 1 || l->k > MAX_KERNEL || l->stride < 1 || l->pad >= l->k || l->after >= l->k)
        return PLEURA_MODEL_DAMAGED;
    if (l->op == OP_AVGPOOL && around) return PLEURA_MODEL_UNSUPPORTED; /* who counts the padding differs */
    if (in->h + around < l->k || in->w + around < l->k) return PLEURA_MODEL_DAMAGED;
    l->h = (in->h + around - l->k) / l->stride + 1;
    l->w = (in->w + around - l->k) / l->stride + 1;
    if (l->op != OP_CONV) l->c = in->c;
    return PLEURA_OK;
}

static pleura_status join(graph_layer *l, const graph_layer *layers)
{
    const graph_layer *first = layers + l->inputs[0];
    l->h = first->h, l->w = first->w, l->c = 0;
    for (int i = 0; i < l->input_count; i++) {
        const graph_layer *part = layers + l->inputs[i];
        if (part->h != l->h || part->w != l->w) return PLEURA_MODEL_DAMAGED;
        l->c += part->c;
    }
    return PLEURA_OK;
}

/* The output's size from the inputs'. */
static pleura_status infer_shape(graph_layer *l, const graph_layer *layers, int number)
{
    const graph_layer *in = layers + l->inputs[0], *other = layers + l->inputs[1];
    pleura_status status = PLEURA_OK;
    int window = l->op == OP_CONV || l->op == OP_DEPTHWISE || l->op == OP_MAXPOOL || l->op == OP_AVGPOOL;
    if ((l->op == OP_INPUT) != (number == 0)) return PLEURA_MODEL_DAMAGED;
    if ((!window && (l->pad || l->after)) || (l->op != OP_RESIZE && l->scale != 1)) return PLEURA_MODEL_DAMAGED;
    if (l->op == OP_ADD || l->op == OP_MUL || l->op == OP_ACT || l->op == OP_RESIZE || l->op == OP_QUANTISE ||
        l->op == OP_DEQUANTISE)
        l->h = in->h * l->scale, l->w = in->w * l->scale, l->c = in->c;
    if (l->op == OP_MEAN || l->op == OP_DENSE) l->h = l->w = 1;
    if (l->op == OP_MEAN) l->c = in->c;
    if (window) status = slide_window(l, in);
    if (l->op == OP_CONCAT) status = join(l, layers);
    if (status) return status;
    int same = other->h == l->h && other->w == l->w, pixel = other->h == 1 && other->w == 1;
    if ((l->op == OP_ADD && !same) || (l->op == OP_MUL && !same && !pixel)) return PLEURA_MODEL_DAMAGED;
    if ((l->op == OP_ADD || l->op == OP_MUL) && other->c != l->c) return PLEURA_MODEL_DAMAGED;
    if (l->h < 1 || l->w < 1 || l->c < 1 || l->h > GRAPH_MAX_DIM || l->w > GRAPH_MAX_DIM || l->c > GRAPH_MAX_DIM)
        return PLEURA_MODEL_DAMAGED;
    l->lanes = l->op == OP_INPUT ? l->c : l->op == OP_QUANTISE ? in->lanes : (l->c + 3) / 4 * 4;
    /* The vector kernels take whole vectors; of the image alone conv, dense and concat read single values. */
    int single =
        l->op == OP_INPUT || l->op == OP_CONV || l->op == OP_DENSE || l->op == OP_CONCAT || l->op == OP_QUANTISE;
    int whole = in->lanes % 4 == 0 && (l->input_count < 2 || other->lanes % 4 == 0);
    if (!single && !whole) return PLEURA_MODEL_UNSUPPORTED;
    return (size_t)l->h * (size_t)l->w > GRAPH_MAX_FLOATS / (size_t)l->lanes ? PLEURA_MODEL_DAMAGED : PLEURA_OK;
}

pleura_status graph_read(graph_layer *layers, int number, text line)
{
    pleura_status status = read_words(layers + number, layers, number, line);
    return status ? status : infer_shape(layers + number, layers, number);
}
