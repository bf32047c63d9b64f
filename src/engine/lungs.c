/* lungs.c - the lung mask, its regions and box; the crop, blurred and normalised inside the lungs.
 *
 * The mask logits fall into connected regions. Small ones are specks, the rest are the lungs, whatever their number:
 * area, balance and doubt then tell the gate how plausible they are. The crop keeps nothing from outside: its filter
 * and its normalisations weight every pixel by the probability of lung. */
#include "engine/lungs.h"

#include <math.h>
#include <string.h>

#include "nn/f32.h"

#define LOGIT_SURE 2.1972246f /* ln 9, the logit of 0.9; that of 0.1 is -ln 9 */

/* Labels the 4-connected regions of positive logits: label[side][side] becomes the number of the pixel's region, from
 * 1, or 0. Leaves the size of region n in queue[n - 1] and returns the largest size. */
static int find_regions(int *label, int *queue, const float *logits, int stride, int side)
{
    int count = side * side, regions = 0, largest = 0;
    for (int i = 0; i < count; i++) label[i] = logits[(size_t)i * (size_t)stride] > 0 ? -1 : 0;
    for (int seed = 0; seed < count; seed++) {
        if (label[seed] >= 0) continue;
        /* The queue starts after the sizes. Every region has at least one pixel, so both fit into count ints. */
        int *start = queue + regions++, tail = 0;
        start[tail++] = seed;
        label[seed] = regions;
        for (int head = 0; head < tail; head++) {
            int p = start[head], x = p % side, near[4] = {p - 1, p + 1, p - side, p + side};
            int inside[4] = {x > 0, x + 1 < side, p >= side, p + side < count};
            for (int k = 0; k < 4; k++)
                if (inside[k] && label[near[k]] == -1) label[near[k]] = regions, start[tail++] = near[k];
        }
        start[0] = tail;
        if (tail > largest) largest = tail;
    }
    return largest;
}

/* Whether one of the 9 pixels around (x, y) is lung. */
static int touches(const int *label, int side, int x, int y)
{
    for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < side; v++)
        for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < side; u++)
            if (label[v * side + u] > 0) return 1;
    return 0;
}

void lungs_find(lungs *l, const float *logits, int stride, int *workspace)
{
    int side = l->side, count = side * side, *label = workspace, *sizes = workspace + count;
    int left = side, top = side, right = 0, bottom = 0, area = 0, doubtful = 0, half[2] = {0, 0};
    int largest = find_regions(label, sizes, logits, stride, side);
    for (int i = 0; i < count; i++) {
        if (!label[i]) continue;
        if (sizes[label[i] - 1] * 8 < largest) {
            label[i] = -1;
            continue;
        }
        int x = i % side, y = i / side;
        if (x < left) left = x;
        if (x + 1 > right) right = x + 1;
        if (y < top) top = y;
        bottom = y + 1;
        area++;
    }
    for (int i = 0; i < count; i++) {
        int x = i % side, kept = touches(label, side, x, i / side);
        float logit = logits[(size_t)i * (size_t)stride];
        if (label[i] > 0) half[2 * x + 1 > left + right]++;
        doubtful += logit > -LOGIT_SURE && logit < LOGIT_SURE;
        /* A margin of one pixel keeps its probability, so that the outline has subpixel precision. */
        l->mask[i] = kept ? 1 / (1 + pleura_exp(-logit)) : 0;
    }
    int small = half[0] < half[1] ? half[0] : half[1], large = half[0] + half[1] - small;
    float pixel = 1 / (float)side;
    l->area = (float)area * pixel * pixel;
    l->balance = large ? (float)small / (float)large : 0;
    l->doubt = area ? (float)doubtful / (float)area : 0;
    if (!area) left = top = 0, right = bottom = side;
    l->x0 = (float)left * pixel, l->y0 = (float)top * pixel;
    l->x1 = (float)right * pixel, l->y1 = (float)bottom * pixel;
}

void lungs_whole_film(lungs *l)
{
    for (int i = 0; i < l->side * l->side; i++) l->mask[i] = 1;
    l->area = l->balance = l->x1 = l->y1 = 1;
    l->doubt = l->x0 = l->y0 = 0;
}

void lungs_box(float box[4], float margin, const lungs *l)
{
    float dx = margin * (l->x1 - l->x0), dy = margin * (l->y1 - l->y0);
    box[0] = l->x0 > dx ? l->x0 - dx : 0;
    box[1] = l->y0 > dy ? l->y0 - dy : 0;
    box[2] = l->x1 + dx < 1 ? l->x1 + dx : 1;
    box[3] = l->y1 + dy < 1 ? l->y1 + dy : 1;
}

float grid_at(const float *grid, int width, int height, float x, float y)
{
    x = x * (float)width - 0.5f, y = y * (float)height - 0.5f;
    x = x < 0 ? 0 : x > (float)(width - 1) ? (float)(width - 1) : x;
    y = y < 0 ? 0 : y > (float)(height - 1) ? (float)(height - 1) : y;
    int i = (int)x, j = (int)y, right = i + 1 < width, below = j + 1 < height ? width : 0;
    const float *g = grid + j * width + i;
    float u = x - (float)i, v = y - (float)j;
    float upper = g[0] + u * (g[right] - g[0]), lower = g[below] + u * (g[below + right] - g[below]);
    return upper + v * (lower - upper);
}

/* One pass of the filter 1 2 1 along n values that are `step` apart. Each value is weighted by its mask, so that
 * nothing leaks in from outside the lungs: normalised convolution (Knutsson and Westin, 1993). */
static void binomial(float *line, const float *mask, int n, int step)
{
    float before = 0, weight_before = 0;
    for (int i = 0; i < n; i++, line += step, mask += step) {
        float weight = 2 * mask[0], weight_after = i + 1 < n ? mask[step] : 0;
        float here = weight * line[0], after = i + 1 < n ? weight_after * line[step] : 0;
        float total = weight_before + weight + weight_after, sum = before + here + after;
        before = 0.5f * here, weight_before = 0.5f * weight;
        if (total > 0) line[0] = sum / total;
    }
}

/* crop = (crop - mean) / deviation, both weighted by the mask; clipped to -3..3. */
static void normalise(float *crop, const float *mask, int count)
{
    double weight = 0, sum = 0, squares = 0;
    for (int i = 0; i < count; i++) weight += mask[i], sum += (double)mask[i] * crop[i];
    double mean = weight > 0 ? sum / weight : 0;
    for (int i = 0; i < count; i++) squares += mask[i] * (crop[i] - mean) * (crop[i] - mean);
    double deviation = weight > 0 ? sqrt(squares / weight) : 0;
    for (int i = 0; i < count; i++) {
        double v = deviation > 0 ? (crop[i] - mean) / deviation : 0;
        crop[i] = (float)(v < -3 ? -3 : v > 3 ? 3 : v);
    }
}

/* Widens the mask by one pixel on every side: out = the maximum of 3 x 3 pixels; out may be the mask. */
static void widen(float *out, const float *mask, int side)
{
    for (int pass = 0; pass < 2; pass++, mask = out) {
        int across = pass ? side : 1, along = pass ? 1 : side; /* rows first, then columns */
        for (int i = 0; i < side; i++) {
            const float *in = mask + i * along;
            float *to = out + i * along, before = 0;
            for (int k = 0; k < side; k++) {
                float here = in[k * across], after = k + 1 < side ? in[(k + 1) * across] : 0;
                float larger = before > after ? before : after;
                to[k * across] = here > larger ? here : larger;
                before = here;
            }
        }
    }
}

/* The moments of each cell: sums of the mask, of mask * v and of mask * v * v, in three planes of n x n. */
static void pool_moments(float *moments, const float *crop, const float *mask, int side)
{
    int n = side / LOCAL_CELL, cells = n * n;
    memset(moments, 0, 3 * (size_t)cells * sizeof *moments);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int cell = y / LOCAL_CELL * n + x / LOCAL_CELL;
            float weight = mask[y * side + x], v = crop[y * side + x];
            moments[cell] += weight;
            moments[cells + cell] += weight * v;
            moments[2 * cells + cell] += weight * v * v;
        }
}

/* mean[n][n] and deviation[n][n] of the 5 x 5 cells around each cell; 0 where they hold no lung. */
static void local_statistics(float *mean, float *deviation, const float *moments, int n)
{
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            float sum[3] = {0, 0, 0};
            for (int v = y > 2 ? y - 2 : 0; v <= y + 2 && v < n; v++)
                for (int u = x > 2 ? x - 2 : 0; u <= x + 2 && u < n; u++)
                    for (int k = 0; k < 3; k++) sum[k] += moments[(k * n + v) * n + u];
            float m = sum[0] > 0 ? sum[1] / sum[0] : 0, square = sum[0] > 0 ? sum[2] / sum[0] - m * m : 0;
            mean[y * n + x] = m, deviation[y * n + x] = square > 0 ? sqrtf(square) : 0;
        }
}

/* The workspace holds the five planes of cells. */
static void normalise_locally(float *crop, const float *mask, const crop_settings *s, float *workspace)
{
    int side = s->side, n = side / LOCAL_CELL;
    float *mean = workspace, *deviation = mean + n * n;
    pool_moments(deviation + n * n, crop, mask, side);
    local_statistics(mean, deviation, deviation + n * n, n);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            float *v = crop + y * side + x, at_x = ((float)x + 0.5f) / (float)side,
                  at_y = ((float)y + 0.5f) / (float)side;
            if (mask[y * side + x] > 0)
                *v = (*v - grid_at(mean, n, n, at_x, at_y)) / (grid_at(deviation, n, n, at_x, at_y) + s->contrast);
        }
}

size_t lungs_input_workspace(const crop_settings *s, const lungs *l)
{
    size_t map = (size_t)l->side * (size_t)l->side, cells = (size_t)(s->side / LOCAL_CELL);
    size_t local = s->contrast > 0 ? 5 * cells * cells : 0;
    return map > local ? map : local; /* the widened mask is not needed any more when the cells are */
}

void lungs_input(float *crop, float *mask, const crop_settings *s, const film *f, const lungs *l, float *workspace)
{
    int side = s->side;
    const float *wide = l->mask;
    for (int i = 0; i < s->grow; i++, wide = workspace) widen(workspace, wide, l->side);
    float box[4];
    lungs_box(box, s->margin, l);
    film_rect part = {(double)box[0] * f->width, (double)box[1] * f->height, (double)box[2] * f->width,
                      (double)box[3] * f->height};
    film_resample(crop, side, side, f, &part);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            float u = ((float)x + 0.5f) / (float)side, v = ((float)y + 0.5f) / (float)side;
            mask[y * side + x] =
                grid_at(wide, l->side, l->side, box[0] + u * (box[2] - box[0]), box[1] + v * (box[3] - box[1]));
        }
    for (int pass = 0; pass < s->blur; pass++) {
        for (int i = 0; i < side; i++) binomial(crop + i * side, mask + i * side, side, 1);
        for (int i = 0; i < side; i++) binomial(crop + i, mask + i, side, side);
    }
    normalise(crop, mask, side * side);
    if (s->contrast > 0) normalise_locally(crop, mask, s, workspace);
}
