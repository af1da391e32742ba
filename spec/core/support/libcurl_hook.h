/* libcurl_hook.h - for tests that replace a function of libcurl. */
#ifndef LIBCURL_HOOK_H
#define LIBCURL_HOOK_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#define HOOK __attribute__((visibility("default")))

/* Sets a function pointer to libcurl's own function. ISO C has no cast from an object pointer to a function pointer. */
#define HOOK_REAL(pointer, name)                             \
  do {                                                       \
    void *hook_symbol = dlsym(RTLD_NEXT, name);              \
    memcpy(&(pointer), &hook_symbol, sizeof (pointer));      \
  } while (0)

#endif
