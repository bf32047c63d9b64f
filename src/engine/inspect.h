/* inspect.h - what the wasm face, the profiler and the training need beyond pleura.h; not installed. */
#ifndef PLEURA_INSPECT_H
#define PLEURA_INSPECT_H

#include "pleura.h"

/* Whether the engine holds a film, so that it has a view and features. */
int pleura_has_film(const pleura_engine *e);

#endif
