/* fail_alloc.h - makes the n-th allocation of our code fail, for the tests named *_memory_test.
 *
 * The test program is linked with
 *   -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup,--wrap=free
 * which redirects these calls of the linked objects (the core and the test), but of no library.
 * After fail_alloc_hook_curl, libcurl's allocations come here, too; they can fail, and do not count as live.
 * Thread: any; the thread of a started engine allocates, too. */
#ifndef FAIL_ALLOC_H
#define FAIL_ALLOC_H
#include <stdbool.h>
#include <stddef.h>

void fail_allocation (long n);     /* the n-th from now fails, once; 1 is the next; 0: none */
bool fail_allocation_done (void);  /* true: the n-th was requested since fail_allocation(n) */
size_t live_blocks (void);         /* blocks that our code allocated and has not freed */
void watch_freed (const char *secret); /* counts the blocks of our code that contain secret when they are freed */
size_t freed_unwiped (void);       /* the number of these blocks */
void fail_alloc_hook_curl (void);  /* call it before the core's first libcurl call: curl_global_init sets libcurl's allocators */

#endif
