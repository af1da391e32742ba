/* libcurl_hook.h - for tests that put a function of their own in front of one of libcurl's. */
#ifndef LIBCURL_HOOK_H
#define LIBCURL_HOOK_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#define HOOK __attribute__((visibility("default")))

/* Sets a function pointer to libcurl's own function. ISO C has no cast from an object's pointer to a function's. */
#define HOOK_REAL(pointer, name)                             \
  do {                                                       \
    void *hook_symbol = dlsym(RTLD_NEXT, name);              \
    memcpy(&(pointer), &hook_symbol, sizeof (pointer));      \
  } while (0)

#endif
