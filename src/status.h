/* status.h - every way to fail: its number, its code for programs and its sentence for people, in one list.
 *
 * A function that can fail returns a pleura_status. Its results go through pointers and stay untouched on failure.
 * A sentence says what happened, then what to do. Statuses with different sentences may share a code. Numbers and codes
 * are never reused, because stored records refer to them. */
#ifndef PLEURA_STATUS_H
#define PLEURA_STATUS_H

#define PLEURA_STATUS_LIST(X)                                                                                          \
    X(PLEURA_OK, 0, "ok", "No error.")                                                                                 \
    X(PLEURA_MEMORY, 1, "out-of-memory", "There is not enough memory. Close other programs or use a smaller image.")   \
    X(PLEURA_NOT_MODEL, 10, "not-a-model", "The weights are not a GGUF file. Download pleura.gguf again.")             \
    X(PLEURA_MODEL_VERSION, 11, "model-version",                                                                       \
      "The weights use a GGUF version other than 3. Use the weights that belong to this version of Pleura.")           \
    X(PLEURA_MODEL_DAMAGED, 12, "model-damaged", "The weights are damaged or incomplete. Download pleura.gguf again.") \
    X(PLEURA_MODEL_UNSUPPORTED, 13, "model-unsupported",                                                               \
      "The network in this file is too large or uses operations this engine does not support. Use other weights.")     \
    X(PLEURA_SELF_TEST, 14, "self-test",                                                                               \
      "This machine or browser does not reproduce the model's reference output, so its results cannot be trusted. "    \
      "Update it or use another one.")                                                                                 \
    X(PLEURA_NO_PRIOR, 15, "no-prior",                                                                                 \
      "These weights do not record the class mix their probabilities assume, so they cannot be adjusted to another "   \
      "prevalence. Use weights with the key pleura.prior.")                                                            \
    X(PLEURA_PREVALENCE, 16, "prevalence",                                                                             \
      "This prevalence is not valid. Give one share per label, none negative, that sum to 1.")                         \
    X(PLEURA_NO_FILM, 17, "no-film", "No film has been diagnosed yet. Diagnose one first.")                            \
    X(PLEURA_NO_MAP, 18, "no-class-map", "These weights allow no class activation map of this label.")                 \
    X(PLEURA_EMPTY, 20, "empty-file", "The file is empty. Copy it again from its source.")                             \
    X(PLEURA_NOT_IMAGE, 21, "not-an-image",                                                                            \
      "This is not an image that Pleura can read. Use a PNG, JPEG or BMP file of a chest X-ray.")                      \
    X(PLEURA_IMAGE_DAMAGED, 22, "image-damaged",                                                                       \
      "The image is damaged or incomplete. Copy or export it again from its source.")                                  \
    X(PLEURA_IMAGE_UNSUPPORTED, 23, "image-unsupported",                                                               \
      "This image uses an encoding that Pleura does not support. Save it as a standard PNG or JPEG.")                  \
    X(PLEURA_IMAGE_TOO_LARGE, 24, "image-too-large",                                                                   \
      "The image is larger than 16384 pixels per side or 64 million in total. Export it at a smaller size.")           \
    X(PLEURA_IMAGE_TOO_SMALL, 25, "image-too-small",                                                                   \
      "The image is smaller than 64 pixels per side. Use the original film, not a thumbnail.")                         \
    X(PLEURA_JPEG_ARITHMETIC, 26, "image-unsupported",                                                                 \
      "This JPEG is arithmetic-coded, which Pleura does not support. Save it as a standard PNG or JPEG.")              \
    X(PLEURA_JPEG_DEPTH, 27, "image-unsupported",                                                                      \
      "This JPEG is lossless or has more than 8 bits, which Pleura reads only inside DICOM files. Save it as PNG.")    \
    X(PLEURA_JPEG_LS, 28, "image-unsupported",                                                                         \
      "This is a JPEG-LS image, which Pleura reads only inside DICOM files. Save it as PNG.")                          \
    X(PLEURA_PNG_APPLE, 29, "image-unsupported",                                                                       \
      "This PNG is in the variant of Apple's apps (CgBI), which Pleura does not support. Save it as a standard PNG.")  \
    X(PLEURA_BMP_COMPRESSED, 30, "image-unsupported",                                                                  \
      "This BMP is compressed, which Pleura does not support. Save it uncompressed or as PNG.")                        \
    X(PLEURA_BMP_LAYOUT, 31, "image-unsupported",                                                                      \
      "This BMP has a header, a depth or colour masks that Pleura does not support. Save it as PNG.")

#define X(name, number, code, text) name = number,
typedef enum { PLEURA_STATUS_LIST(X) } pleura_status;
#undef X

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)
/* The code, such as "not-an-image", and the sentence of a status. Static, never NULL; any number is allowed. */
const char *pleura_status_code(int status);
const char *pleura_status_text(int status);
#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
