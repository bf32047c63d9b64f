/* arena.h - the allocator for weights and activations: one block, handed out from the front. Nothing is freed piece by
 * piece; to rewind, copy the struct before and restore it later. */
#ifndef PLEURA_ARENA_H
#define PLEURA_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    unsigned char *base; /* 16-byte aligned */
    size_t size, used;
} arena;

/* Floats that n floats occupy when whatever follows them is aligned to 16 bytes as well. */
static inline size_t arena_floats(size_t n) { return (n + 3) & ~(size_t)3; }

/* count * item bytes, 16-byte aligned, uninitialised; NULL if they do not fit. */
static inline void *arena_take(arena *a, size_t count, size_t item)
{
    if (a->used > SIZE_MAX - 15) return NULL;
    size_t start = (a->used + 15) & ~(size_t)15;
    if (start > a->size || (item && count > (a->size - start) / item)) return NULL;
    a->used = start + count * item;
    return a->base + start;
}

#endif
