/* test_graph.c - parses one line after another: the shape of every op, and the lines that are refused. */
#include "nn/graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 4 };

/* Reads a line that follows an image of 1 channel, a layer of 5 channels, one of 2 and one of 12, all 8 x 6. */
static pleura_status read_line(layer_desc *out, const char *line)
{
    static const char *const before[LINES] = {"image = input h=8 w=6 c=1", "odd = conv image k=3 pad=1 c=5",
                                              "even = conv image k=1 c=2 act=silu",
                                              "wide = conv image k=1 c=12 act=uint8"};
    layer_desc layers[LINES + 1];
    for (int i = 0; i < LINES; i++) assert(graph_read(layers, i, (text){before[i], strlen(before[i])}) == PLEURA_OK);
    pleura_status status = graph_read(layers, LINES, (text){line, strlen(line)});
    *out = layers[LINES];
    return status;
}

static void lines_have_their_shapes(void)
{
    static const struct {
        const char *line;
        int h, w, c, c_stride;
    } good[] = {
        {"a = conv odd k=3 stride=2 pad=0 after=1 c=9 act=tanh", 4, 3, 9, 12},
        {"a = depthwise odd k=5 stride=1 pad=2", 8, 6, 5, 8},
        {"a = maxpool odd k=3 stride=2 pad=1", 4, 3, 5, 8},
        {"a = conv odd k=3 pad=0 left=2 right=1 c=4", 6, 7, 4, 4},
        {"a = depthwise even k=3 pad=1 after=0 right=2", 7, 7, 2, 4},
        {"a = act odd act=reciprocal", 8, 6, 5, 8},
        {"a = avgpool even k=2 stride=2", 4, 3, 2, 4},
        {"a = resize odd scale=3 mode=linear", 24, 18, 5, 8},
        {"a = resize wide scale=2 mode=shuffle", 16, 12, 3, 4},
        {"a = concat odd even", 8, 6, 7, 8},
        {"a = concat image odd even image", 8, 6, 9, 12},
        {"a = add odd odd act=relu6", 8, 6, 5, 8},
        {"a = mul odd odd", 8, 6, 5, 8},
        {"a = act odd act=hardswish", 8, 6, 5, 8},
        {"a = mean odd", 1, 1, 5, 8},
        {"a = dense odd c=3", 1, 1, 3, 4},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        layer_desc l;
        assert(read_line(&l, good[i].line) == PLEURA_OK);
        assert(l.h == good[i].h && l.w == good[i].w && l.c == good[i].c && l.c_stride == good[i].c_stride);
    }
}

static void wrong_lines_have_their_status(void)
{
    static const struct {
        const char *line;
        pleura_status status;
    } bad[] = {
        {"a = erase odd", PLEURA_MODEL_UNSUPPORTED},
        {"a = conv odd k=3 c=4 act=gelu", PLEURA_MODEL_UNSUPPORTED},
        {"a = maxpool odd k=2 act=relu", PLEURA_MODEL_UNSUPPORTED},
        {"a = avgpool odd k=3 pad=1", PLEURA_MODEL_UNSUPPORTED},
        {"a = conv nothing k=3 c=4", PLEURA_MODEL_UNSUPPORTED},
        {"a = depthwise image k=1", PLEURA_MODEL_UNSUPPORTED}, /* its channel count is not a multiple of 4 */
        {"a = act image act=relu", PLEURA_MODEL_UNSUPPORTED},
        {"odd = mean even", PLEURA_MODEL_DAMAGED},
        {"a = input h=8 w=8 c=1", PLEURA_MODEL_DAMAGED},
        {"a = conv odd k=0 c=4", PLEURA_MODEL_DAMAGED},
        {"a = conv odd k=9 c=4", PLEURA_MODEL_DAMAGED},
        {"a = conv odd k=3 pad=3 c=4", PLEURA_MODEL_DAMAGED},
        {"a = conv odd k=3", PLEURA_MODEL_DAMAGED},
        {"a = conv odd k=3 right=3 c=4", PLEURA_MODEL_DAMAGED},
        {"a = mean odd left=1", PLEURA_MODEL_DAMAGED},
        {"a = add odd even", PLEURA_MODEL_DAMAGED},
        {"a = mul odd", PLEURA_MODEL_DAMAGED},
        {"a = concat odd", PLEURA_MODEL_DAMAGED},
        {"a = concat odd odd odd odd odd", PLEURA_MODEL_DAMAGED},
        {"a = dense odd pad=1 c=3",
         PLEURA_MODEL_DAMAGED}, /* an option that the op does not have would still shift its input */
        {"a = add odd odd after=1", PLEURA_MODEL_DAMAGED},
        {"a = act odd scale=2 act=relu", PLEURA_MODEL_DAMAGED},
        {"a = resize odd scale=2 mode=shuffle", PLEURA_MODEL_DAMAGED}, /* 5 channels are no 4 parts */
        {"a = resize odd scale=0 mode=shuffle", PLEURA_MODEL_DAMAGED},
        {"a = quantise odd scale=2", PLEURA_MODEL_DAMAGED},
        {"a = dequantise odd scale=2", PLEURA_MODEL_DAMAGED},
        {"a = conv odd k=1 scale=2 c=4", PLEURA_MODEL_DAMAGED},
    };
    layer_desc l;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert(read_line(&l, bad[i].line) == bad[i].status);
}

/* Adding the image to a padded layer of the same size would read past the end of the image. */
static void the_image_is_no_second_input_of_a_vector_op(void)
{
    static const char *const lines[] = {"image = input h=8 w=6 c=1", "one = conv image k=1 c=1", "a = add one image"};
    layer_desc layers[3];
    for (int i = 0; i < 2; i++) assert(graph_read(layers, i, (text){lines[i], strlen(lines[i])}) == PLEURA_OK);
    assert(graph_read(layers, 2, (text){lines[2], strlen(lines[2])}) == PLEURA_MODEL_UNSUPPORTED);
}

int main(void)
{
    lines_have_their_shapes();
    wrong_lines_have_their_status();
    the_image_is_no_second_input_of_a_vector_op();
    puts("graph: lines have their shapes, wrong ones their status");
    return 0;
}
