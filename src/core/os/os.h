/* os.h - what the core needs of the operating system and no file or socket has: memory, random bytes, time, the process.
 *
 * Systems differ here and nowhere else: this folder, and the files of other folders whose names end in _posix or _windows, are the
 * only ones that include a header of a system or ask which system it is. _posix is Linux, macOS and the BSDs. */
#ifndef DK_OS_H
#define DK_OS_H

#include <stdbool.h>
#include <stddef.h>

/* how a function with a format takes it: gcc for Windows knows two libraries */
#if defined(_WIN32) && !defined(__clang__)
#define DK_PRINTF gnu_printf
#else
#define DK_PRINTF printf
#endif

/* Overwrites memory with zeros, also if nothing reads it afterwards. */
void dk_wipe (void *bytes, size_t length);

/* The first place of the needle in the text; NULL: none. */
const void *dk_find_bytes (const void *text, size_t length, const void *needle, size_t needle_length);

/* Fills memory from the system's random source. length: at most 256. False: the system has none, such as Linux before 3.17. */
bool dk_random_bytes (void *bytes, size_t length);

/* Seconds on the monotonic clock, since an unspecified start. */
double dk_now (void);

/* Sleeps; a signal ends the sleep. */
void dk_sleep_milliseconds (int milliseconds);

/* The id of this process, by a system call. */
int dk_os_process_id (void);

/* Memory of zeros. In a forked child the kernel clears it, if it can. NULL: no memory. It ends with dk_free_wiped_in_child. */
void *dk_new_wiped_in_child (size_t length);
void dk_free_wiped_in_child (void *memory, size_t length);

/* Makes exit() call run, while the process's other threads run. A system that ends them before (Windows) needs no such call, and
 * gets none. False: no memory. */
bool dk_at_exit (void (*run) (void));

/* Keeps the library with this address in memory until the process ends: a thread of libcurl may still run its code. */
void dk_pin_library (const void *address);

/* The name of this machine, cut off at the size; "" if the system does not tell. */
void dk_host_name (char *name, size_t size);

/* Whether a folder has an entry whose name is wanted. */
bool dk_folder_has (const char *path, bool (*is_wanted) (const char *name));

#endif
