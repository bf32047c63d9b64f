/* depthwise.h - the walk over the windows of a depthwise layer, the same for vectors of every width.
 *
 * Four neighbours of a row go together where their windows lie inside the input from left to right. At the left and the
 * right edge four of a column do, where they lie inside from top to bottom. All channels of four pixels are computed
 * before those of the next, since their windows share what the cache holds. */
#ifndef PLEURA_DEPTHWISE_H
#define PLEURA_DEPTHWISE_H

#include "nn/f32.h"

/* The taps of a window that lie inside the input: ky from top to bottom - 1, kx from left to right - 1. */
typedef struct {
    int top, bottom, left, right;
} taps;

/* Four pixels that lie side by side or below each other. */
typedef struct {
    int in, out; /* values from one to the next */
} spacing;

/* Computes all channels of four pixels whose windows have the same taps, or of one if next is null. The first window
 * begins at in + corner: an index, because it may be negative. */
typedef void depthwise_windows(float *out, const float *in, int corner, const float *w, const float *bias,
                               const taps *t, const spacing *next, const window_shape *s);

/* The first tap of window number `at` that lies inside `size` values, and the end of such taps. */
static inline void clip(int *first, int *end, int at, int size, const window_shape *s)
{
    int from = at * s->stride - s->pad;
    *first = from < 0 ? -from : 0;
    *end = from + s->k > size ? size - from : s->k;
}

/* The outputs, of a row or column, whose windows lie inside the input; none if there are not four. */
typedef struct {
    int first, end;
} whole_windows;

static inline whole_windows find_whole(int outputs, int size, const window_shape *s)
{
    whole_windows r = {(s->pad + s->stride - 1) / s->stride, (size - s->k + s->pad) / s->stride + 1};
    if (r.end > outputs) r.end = outputs;
    return r.end - r.first < 4 ? (whole_windows){0, 0} : r;
}

static inline int is_whole(const whole_windows *r, int at) { return at >= r->first && at < r->end; }

/* The first of the four that begin at number `at`; the last four may overlap those before. */
static inline int four_at(const whole_windows *r, int at) { return at + 4 <= r->end ? at : r->end - 4; }

static inline void walk_depthwise(float *out, const float *in, const float *w, const float *bias, const window_shape *s,
                                  depthwise_windows *windows)
{
    whole_windows across = find_whole(s->ow, s->w, s), down = find_whole(s->oh, s->h, s);
    spacing right = {s->stride * s->cin, s->cout}, below = {right.in * s->w, right.out * s->ow};
    for (int y = 0; y < s->oh; y++)
        for (int x = 0; x < s->ow; x++) {
            int in_row = is_whole(&across, x), in_column = !in_row && is_whole(&down, y);
            if (in_column && (y - down.first) % 4) continue;
            int from_y = in_column ? four_at(&down, y) : y, from_x = in_row ? four_at(&across, x) : x;
            taps t;
            clip(&t.top, &t.bottom, from_y, s->h, s), clip(&t.left, &t.right, from_x, s->w, s);
            int corner = ((from_y * s->stride - s->pad) * s->w + from_x * s->stride - s->pad) * s->cin;
            const spacing *next = in_row ? &right : in_column ? &below : NULL;
            windows(out + (from_y * s->ow + from_x) * s->cout, in, corner, w, bias, &t, next, s);
            if (in_row) x = from_x + 3;
        }
}

#endif
