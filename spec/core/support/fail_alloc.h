/* fail_alloc.h - makes the n-th allocation of our own code fail, for the tests named *_memory_test.
 *
 * The test program is linked with
 *   -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup,--wrap=free
 * which sends these calls here from the objects that are linked in (the core and the test), and from no library.
 * libcurl's own allocations come here once fail_alloc_hook_curl was called; they can fail, and are not counted as live.
 * Thread: any; a started engine allocates on its own. */
#ifndef FAIL_ALLOC_H
#define FAIL_ALLOC_H
#include <stdbool.h>
#include <stddef.h>

void fail_allocation (long n);     /* the n-th from now fails, once; 1 is the next; 0: none */
bool fail_allocation_done (void);  /* since fail_allocation(n), the n-th was asked for */
size_t live_blocks (void);         /* allocated by our own code and not freed yet */
void watch_freed (const char *secret); /* from now on, blocks of our own code that still hold it when they are freed are counted */
size_t freed_unwiped (void);       /* how many did */
void fail_alloc_hook_curl (void);  /* before the core's first call of libcurl: curl_global_init takes these from then on */

#endif
