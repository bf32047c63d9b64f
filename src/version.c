/* version.c - see pleura.h. */
#include "pleura.h"

const char *pleura_version(void) { return PLEURA_VERSION; }
int pleura_abi(void) { return PLEURA_ABI; }
