#ifndef _WIN32
#define _GNU_SOURCE              /* dladdr, RTLD_NODELETE, explicit_bzero, getentropy, memmem, MADV_WIPEONFORK */
#include "os/os.h"

#include <dirent.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#include "os/threads.h"

void dk_wipe (void *bytes, size_t length) {
#ifdef __APPLE__
  memset(bytes, 0, length);
  __asm__ volatile ("" : : "r"(bytes) : "memory");    /* so that the compiler keeps the memset */
#else
  explicit_bzero(bytes, length);
#endif
}

const void *dk_find_bytes (const void *text, size_t length, const void *needle, size_t needle_length) {
  return memmem(text, length, needle, needle_length);
}

bool dk_random_bytes (void *bytes, size_t length) { return getentropy(bytes, length) == 0; }

double dk_now (void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void dk_sleep_milliseconds (int milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&time, NULL);
}

int dk_os_process_id (void) { return getpid(); }

/* macOS has neither flag */
void *dk_new_wiped_in_child (size_t length) {
  void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
#if defined(MADV_WIPEONFORK)
  (void)madvise(memory, length, MADV_WIPEONFORK);
#elif defined(INHERIT_ZERO)
  (void)minherit(memory, length, INHERIT_ZERO);
#endif
  return memory;
}

void dk_free_wiped_in_child (void *memory, size_t length) { munmap(memory, length); }

#if DK_HAS_THREADS
bool dk_thread_start (dk_thread *thread, void *(*run) (void *), void *arg) {
  sigset_t all, before;
  sigfillset(&all);
  dk_signal_mask(SIG_SETMASK, &all, &before);
  bool starts = pthread_create(thread, NULL, run, arg) == 0;
  dk_signal_mask(SIG_SETMASK, &before, NULL);
  return starts;
}
#endif

bool dk_at_exit (void (*run) (void)) { return atexit(run) == 0; }

void dk_pin_library (const void *address) {
  Dl_info info;
  if (dladdr(address, &info) != 0 && info.dli_fname != NULL) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

void dk_host_name (char *name, size_t size) {
  if (gethostname(name, size) != 0) name[0] = '\0';
  name[size - 1] = '\0';
}

bool dk_folder_has (const char *path, bool (*is_wanted) (const char *name)) {
  DIR *dir = opendir(path);
  bool found = false;
  if (dir == NULL) return false;
  for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) found = is_wanted(entry->d_name);
  closedir(dir);
  return found;
}
#endif
