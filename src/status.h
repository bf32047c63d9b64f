/* status.h - every failure: its number, its name for programs and its sentence for people, in one list.
 *
 * A function that can fail returns a pleura_status; its results go through pointers and stay untouched on failure.
 * Numbers are never reused: records that people have kept refer to the names. */
#ifndef PLEURA_STATUS_H
#define PLEURA_STATUS_H

#define PLEURA_STATUS_LIST(X)                                                                                                \
    X(PLEURA_OK, 0, "ok", "No error.")                                                                                       \
    X(PLEURA_MEMORY, 1, "out-of-memory",                                                                                     \
      "There is not enough memory for this. Close other programs or use a smaller image.")                                   \
    X(PLEURA_NOT_MODEL, 10, "not-a-model", "The weights are not a GGUF file. Fetch the file pleura.gguf again.")             \
    X(PLEURA_MODEL_VERSION, 11, "model-version",                                                                             \
      "The weights are in a GGUF version other than 3. Fetch the weights that belong to this version of Pleura.")            \
    X(PLEURA_MODEL_DAMAGED, 12, "model-damaged",                                                                             \
      "The weights are damaged or incomplete. Fetch the file pleura.gguf again.")                                            \
    X(PLEURA_MODEL_UNSUPPORTED, 13, "model-unsupported",                                                                     \
      "The weights describe a network that this engine cannot run.")                                                         \
    X(PLEURA_SELF_TEST, 14, "self-test",                                                                                     \
      "This machine or browser computes other bits than the model was checked with, so its results cannot be trusted. "      \
      "Update it or use another one.")                                                                                       \
    X(PLEURA_NO_PRIOR, 15, "no-prior",                                                                                       \
      "These weights do not say for which mixture of classes their probabilities stand, so they cannot be moved to another " \
      "prevalence. Use weights that hold pleura.prior.")                                                                     \
    X(PLEURA_PREVALENCE, 16, "prevalence",                                                                                   \
      "A prevalence is one share for each label, none below 0 and all together 1.")                                          \
    X(PLEURA_NO_FILM, 17, "no-film", "No film has been diagnosed yet. Diagnose one first.")                                  \
    X(PLEURA_EMPTY, 20, "empty-file", "The file is empty. Copy it again from where it came from.")                           \
    X(PLEURA_NOT_IMAGE, 21, "not-an-image",                                                                                  \
      "This is not an image that Pleura reads. Use a PNG, JPEG or BMP file of a chest X-ray.")                               \
    X(PLEURA_IMAGE_DAMAGED, 22, "image-damaged",                                                                             \
      "The image is damaged or incomplete. Copy or export it again from where it came from.")                                \
    X(PLEURA_IMAGE_UNSUPPORTED, 23, "image-unsupported",                                                                     \
      "This image is coded in a way that Pleura does not read. Save it as an ordinary PNG or JPEG.")                         \
    X(PLEURA_IMAGE_TOO_LARGE, 24, "image-too-large",                                                                         \
      "The image is too large: at most 16384 pixels a side and 64 million in all. Export it at a smaller size.")             \
    X(PLEURA_IMAGE_TOO_SMALL, 25, "image-too-small",                                                                         \
      "The image is too small to read: at least 64 pixels a side are needed. Use the original film, not a thumbnail.")

#define X(name, number, code, text) name = number,
typedef enum { PLEURA_STATUS_LIST(X) } pleura_status;
#undef X

#pragma GCC visibility push(default)
/* Static, never NULL, never freed; any number is allowed. */
const char *pleura_status_code(int status); /* "not-an-image" */
const char *pleura_status_text(int status); /* a whole sentence: what is wrong and what to do */
#pragma GCC visibility pop

#endif
