/* node.c - libpleura in Node without WebAssembly: the functions of wasm.c as methods of a class, by Node-API.
 *
 * `make native` builds it as build/pleura.node, the same C as pleura.wasm and hence the same bits, for the machine that
 * compiles it. It has two exports: `wasm`, the SHA-256 of the pleura.wasm that it was built beside, and the class
 * `Instance`. All numbers are JavaScript's, addresses too. JavaScript has no view of this memory, so read() and write()
 * copy: src/node/native.mjs. */
#include <node_api.h>
#include <string.h>

#define EXPORT(name) name
#include "engine/wasm.c"

enum { MAX_ARGUMENTS = 4 };

static void *at(double address) { return (void *)(uintptr_t)address; }

/* Every function of wasm.c but offer_products, which is about WebAssembly: NUMBER(name, arguments), ADDRESS for those
 * that return one, NOTHING for the others. */
/* clang-format off */
#define FUNCTIONS                                                                                                     \
    ADDRESS(input, a[0]) NUMBER(load, a[0], a[1], a[2])                                                               \
    NUMBER(diagnose, a[0]) NUMBER(diagnose_rgba, a[0], a[1]) NUMBER(diagnose_samples, a[0], a[1], a[2], a[3])         \
    NUMBER(diagnose_phantom) NUMBER(check_size, a[0], a[1])                                                           \
    NUMBER(decode_jpeg, a[0]) NUMBER(jpeg_width) NUMBER(jpeg_height) NUMBER(jpeg_channels) NUMBER(jpeg_bits)          \
    ADDRESS(jpeg_values) NOTHING(end_jpeg)                                                                            \
    NUMBER(set_prevalence, a[0]) NOTHING(judge, a[0])                                                                 \
    NUMBER(verdict) ADDRESS(logits) ADDRESS(probability) NUMBER(gate) NUMBER(gate_score) NUMBER(width) NUMBER(height) \
    NUMBER(evidence) NUMBER(map_side) NUMBER(doubt) NUMBER(quarter_turns) NUMBER(map_kind) ADDRESS(extent)            \
    ADDRESS(lungs_map) ADDRESS(heatmap) NUMBER(bits_high) NUMBER(bits_low)                                            \
    NUMBER(has_film) ADDRESS(view, a[0], a[1]) ADDRESS(greys, a[0], a[1]) ADDRESS(class_map, a[0])                    \
    NUMBER(view_status) NUMBER(greys_low) NUMBER(greys_high)                                                          \
    ADDRESS(text, a[0]) NUMBER(text_size) NUMBER(number, a[0])                                                        \
    NUMBER(layer, a[0], a[1]) ADDRESS(layer_name) NUMBER(layer_name_size) NUMBER(layer_h) NUMBER(layer_w)             \
    NUMBER(layer_c) NUMBER(layer_lanes) NUMBER(layer_bytes) NUMBER(layer_products) ADDRESS(layer_out)                 \
    NOTHING(run_layer, a[0], a[1]) NUMBER(prepare, a[0], a[1])                                                        \
    NUMBER(text_length, at(a[0])) ADDRESS(status_code, a[0]) ADDRESS(status_text, a[0])                               \
    ADDRESS(gate_code, a[0]) ADDRESS(gate_text, a[0]) ADDRESS(doubt_code, a[0]) ADDRESS(doubt_text, a[0])
/* clang-format on */

/* One function each that takes its arguments from an array; C converts them to what wasm.c declares. */
typedef double function(const double *a);
#define FUNCTION(name, value)                \
    static double name##_of(const double *a) \
    {                                        \
        (void)a;                             \
        return value;                        \
    }
#define NUMBER(name, ...) FUNCTION(name, (double)name(__VA_ARGS__))
#define ADDRESS(name, ...) FUNCTION(name, (double)(uintptr_t)name(__VA_ARGS__))
#define NOTHING(name, ...) FUNCTION(name, (name(__VA_ARGS__), 0))
FUNCTIONS
#undef NUMBER
#undef ADDRESS
#undef NOTHING

static const struct {
    const char *name;
    function *run;
} functions[] = {
#define NUMBER(name, ...) {#name, name##_of},
#define ADDRESS NUMBER
#define NOTHING NUMBER
    FUNCTIONS};
enum { COUNT = sizeof functions / sizeof *functions };

/* What an engine with the shipped weights takes, roughly, so that the garbage collector knows. */
enum { WEIGHT_BYTES = 16 << 20 };

/* The instance of `this`, and the arguments as numbers: 0 for any that is none. NULL after a TypeError. */
static instance *begin(double *numbers, napi_value *arguments, void **data, napi_env env, napi_callback_info info)
{
    size_t count = MAX_ARGUMENTS;
    napi_value this;
    void *own = NULL;
    napi_get_cb_info(env, info, &count, arguments, &this, data);
    if (napi_unwrap(env, this, &own) != napi_ok) napi_throw_type_error(env, NULL, "not an instance of pleura.node");
    for (size_t i = 0; i < MAX_ARGUMENTS; i++) {
        double v;
        numbers[i] = i < count && napi_get_value_double(env, arguments[i], &v) == napi_ok && v == v ? v : 0;
    }
    return own;
}

static napi_value call(napi_env env, napi_callback_info info)
{
    double numbers[MAX_ARGUMENTS];
    napi_value arguments[MAX_ARGUMENTS], result = NULL;
    void *data;
    self = begin(numbers, arguments, &data, env, info);
    if (!self) return NULL;
    napi_create_double(env, functions[(size_t)(uintptr_t)data].run(numbers), &result);
    return result;
}

/* read(address, bytes): a copy in an ArrayBuffer. */
static napi_value read_memory(napi_env env, napi_callback_info info)
{
    double numbers[MAX_ARGUMENTS];
    napi_value arguments[MAX_ARGUMENTS], result = NULL;
    void *data;
    if (!begin(numbers, arguments, &data, env, info)) return NULL;
    size_t size = (size_t)numbers[1];
    if (napi_create_arraybuffer(env, size, &data, &result) == napi_ok && size) memcpy(data, at(numbers[0]), size);
    return result;
}

/* write(address, bytes): the other way, from a Uint8Array. */
static napi_value write_memory(napi_env env, napi_callback_info info)
{
    double numbers[MAX_ARGUMENTS];
    napi_value arguments[MAX_ARGUMENTS];
    napi_typedarray_type type;
    size_t size;
    void *data;
    if (!begin(numbers, arguments, &data, env, info)) return NULL;
    if (napi_get_typedarray_info(env, arguments[1], &type, &size, &data, NULL, NULL) != napi_ok ||
        type != napi_uint8_array)
        napi_throw_type_error(env, NULL, "write takes a Uint8Array");
    else if (size) memcpy(at(numbers[0]), data, size);
    return NULL;
}

static void finish(napi_env env, void *own, void *hint)
{
    int64_t total;
    (void)hint;
    self = own;
    pleura_close(self->engine), free_input(), end_jpeg(), free(self->weights), free(self->view_pixels), free(self);
    self = NULL;
    napi_adjust_external_memory(env, -WEIGHT_BYTES, &total);
}

static napi_value construct(napi_env env, napi_callback_info info)
{
    int64_t total;
    napi_value this;
    instance *own = calloc(1, sizeof *own);
    if (!own || napi_get_cb_info(env, info, NULL, NULL, &this, NULL) != napi_ok ||
        napi_wrap(env, this, own, finish, NULL, NULL) != napi_ok) {
        free(own);
        napi_throw_error(env, NULL, "no memory for an engine");
        return NULL;
    }
    napi_adjust_external_memory(env, WEIGHT_BYTES, &total);
    return this;
}

NAPI_MODULE_INIT(/* env, exports */)
{
    napi_property_descriptor methods[COUNT + 2] = {{.utf8name = "read", .method = read_memory},
                                                   {.utf8name = "write", .method = write_memory}};
    for (size_t i = 0; i < COUNT; i++)
        methods[i + 2] =
            (napi_property_descriptor){.utf8name = functions[i].name, .method = call, .data = (void *)(uintptr_t)i};
    napi_value class, wasm;
    if (napi_define_class(env, "Instance", NAPI_AUTO_LENGTH, construct, NULL, COUNT + 2, methods, &class) != napi_ok ||
        napi_create_string_utf8(env, PLEURA_WASM_SHA256, NAPI_AUTO_LENGTH, &wasm) != napi_ok)
        return NULL;
    napi_set_named_property(env, exports, "Instance", class);
    napi_set_named_property(env, exports, "wasm", wasm);
    return exports;
}
