/* test_gguf.c - the GGUF reader on truncated files, wrong fields and changed bytes, then the engine on the same files.
 * Either may refuse or accept, but neither may read a byte outside the file (AddressSanitizer watches). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/gguf.h"
#include "pleura.h"
#include "../support/read_file.h"

/* Opens a copy of exact size, so that AddressSanitizer sees a read past its end. An engine that opens must also run. */
static pleura_status open_copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    pleura_engine *e;
    pleura_status status = pleura_open(&e, copy, size, PLEURA_SIMD);
    if (!status) {
        pleura_result r;
        assert(pleura_diagnose_phantom(e, &r) == PLEURA_OK);
        pleura_close(e);
    }
    free(copy);
    return status;
}

static void every_prefix_is_refused(const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n += n < 8192 ? 1 : 997) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, bytes, n);
        gguf g;
        pleura_status status = gguf_open(&g, copy, n);
        assert(status == (n < 8 ? PLEURA_NOT_MODEL : PLEURA_MODEL_DAMAGED));
        free(copy);
    }
}

/* Sets every byte in front of the tensor data to a few values that are likely to do harm. */
static void changed_bytes_do_no_harm(uint8_t *bytes, size_t size)
{
    static const uint8_t hurtful[] = {0, 1, 0x20, 0x7f, 0x80, 0xff};
    gguf g;
    assert(gguf_open(&g, bytes, size) == PLEURA_OK);
    size_t refused = 0, tried = 0;
    for (size_t i = 0; i < g.data; i++) {
        uint8_t right = bytes[i];
        for (size_t j = 0; j < sizeof hurtful; j++) {
            bytes[i] = hurtful[j];
            /* Opening is cheap, running is not, so only every 64th file runs. */
            uint8_t *copy = malloc(size);
            memcpy(copy, bytes, size);
            pleura_engine *e;
            pleura_status status = pleura_open(&e, copy, size, PLEURA_SIMD);
            if (!status) pleura_close(e);
            free(copy);
            refused += status != PLEURA_OK, tried++;
        }
        if (i % 64 == 0) open_copy(bytes, size);
        bytes[i] = right;
    }
    printf("gguf: %zu changed files, %zu refused\n", tried, refused);
    assert(refused > tried / 4);
}

/* The first position of `what` in the file. */
static uint8_t *find(uint8_t *bytes, size_t size, const char *what)
{
    for (size_t i = 0; i + strlen(what) <= size; i++)
        if (memcmp(bytes + i, what, strlen(what)) == 0) return bytes + i;
    fprintf(stderr, "the fixture does not contain \"%s\"\n", what);
    exit(1);
}

/* Replaces `from` by `to`, of the same length, expects the status, and restores the text. */
static void expect(uint8_t *bytes, size_t size, const char *from, const char *to, pleura_status status)
{
    assert(strlen(from) == strlen(to));
    uint8_t *at = find(bytes, size, from);
    memcpy(at, to, strlen(to));
    pleura_status got = open_copy(bytes, size);
    memcpy(at, from, strlen(from));
    if (got != status) {
        fprintf(stderr, "\"%s\" for \"%s\": status %d, not %d\n", to, from, got, status);
        exit(1);
    }
}

static void put64(uint8_t *at, uint64_t v) { memcpy(at, &v, 8); }

static void wrong_fields_have_their_status(uint8_t *bytes, size_t size)
{
    expect(bytes, size, "GGUF", "GGML", PLEURA_NOT_MODEL);
    bytes[4] = 2;
    assert(open_copy(bytes, size) == PLEURA_MODEL_VERSION);
    bytes[4] = 3;
    for (int field = 8; field <= 16; field += 8) { /* the counts of tensors and of values */
        uint8_t right[8];
        memcpy(right, bytes + field, 8);
        put64(bytes + field, UINT64_MAX);
        assert(open_copy(bytes, size) == PLEURA_MODEL_DAMAGED);
        put64(bytes + field, (uint64_t)1 << 33);
        assert(open_copy(bytes, size) == PLEURA_MODEL_DAMAGED);
        memcpy(bytes + field, right, 8);
    }
    expect(bytes, size, "pleura.labels", "pleura.lapels", PLEURA_MODEL_DAMAGED);
    expect(bytes, size, "pleura.diagnosis.graph", "pleura.diagnosis.grape", PLEURA_MODEL_DAMAGED);
    expect(bytes, size, "general.architecture", "general.architecturf", PLEURA_MODEL_UNSUPPORTED);
    expect(bytes, size, "= conv ", "= cons ", PLEURA_MODEL_UNSUPPORTED);
    expect(bytes, size, "act=relu", "act=tanu", PLEURA_MODEL_UNSUPPORTED);
    expect(bytes, size, "= input h=", "= input k=", PLEURA_MODEL_DAMAGED);
    expect(bytes, size, "logits = dense", "logitz = dense", PLEURA_MODEL_DAMAGED);
    expect(bytes, size, "stride=1", "stride=0", PLEURA_MODEL_DAMAGED);
}

/* An infinite weight, F16 or F32, would spread through every answer. */
static void infinite_weights_are_refused(uint8_t *bytes, size_t size)
{
    gguf g;
    tensor t;
    assert(gguf_open(&g, bytes, size) == PLEURA_OK);
    for (int part = 0; part < 2; part++) {
        assert(gguf_tensor(&t, &g, "diagnosis", (text){"logits", 6}, part ? "bias" : "weight") &&
               t.type == (part ? TENSOR_F32 : TENSOR_F16));
        uint8_t *top = bytes + (t.data - bytes) + (part ? 3 : 1), right[2] = {top[0], top[-1]};
        top[0] = part ? 0x7f : 0x7c, top[-1] = part ? 0x80 : 0;
        assert(open_copy(bytes, size) == PLEURA_MODEL_DAMAGED);
        top[0] = right[0], top[-1] = right[1];
    }
    assert(open_copy(bytes, size) == PLEURA_OK);
}

int main(void)
{
    size_t size;
    uint8_t *bytes = read_file("tests/fixtures/tiny.gguf", &size);
    assert(open_copy(bytes, size) == PLEURA_OK);
    every_prefix_is_refused(bytes, size);
    wrong_fields_have_their_status(bytes, size);
    infinite_weights_are_refused(bytes, size);
    changed_bytes_do_no_harm(bytes, size);
    free(bytes);
    puts("gguf: every prefix, wrong field and changed byte is refused or harmless");
    return 0;
}
