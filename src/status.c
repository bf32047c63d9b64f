/* status.c - the codes and sentences of status.h. */
#include "status.h"

const char *pleura_status_code(int status)
{
    switch (status) {
#define X(name, number, code, text) \
    case number: return code;
        PLEURA_STATUS_LIST(X)
#undef X
    default: return "unknown";
    }
}

const char *pleura_status_text(int status)
{
    switch (status) {
#define X(name, number, code, text) \
    case number: return text;
        PLEURA_STATUS_LIST(X)
#undef X
    default: return "An unknown error occurred.";
    }
}
