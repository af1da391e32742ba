/* check.h - the test framework of the C tests: a table of named functions, CHECK, and the summary that tools/test reads.
 *
 *   static void adds (void) { CHECK(1 + 1 == 2); }
 *   int main (void) {
 *     static const check_test tests[] = {{"adds", adds}};
 *     return CHECK_RUN(tests);
 *   }
 */
#ifndef CHECK_H
#define CHECK_H
#include <stdbool.h>
#include <stdio.h>

typedef struct {
  const char *name;
  void (*run) (void);
} check_test;

static const char *check_running; /* the test's name */
static int check_misses;          /* of the running test */

/* Reports a condition that does not hold, with its place; the test continues. CHECK returns the condition, so a test can stop:
 * if (!CHECK(response != NULL)) return; */
#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)

static inline bool check_that (bool holds, const char *condition, const char *file, int line) {
  if (holds) return true;
  check_misses++;
  fprintf(stderr, "%s:%d: %s: %s does not hold\n", file, line, check_running, condition);
  return false;
}

#define CHECK_RUN(tests) check_run(tests, sizeof tests / sizeof *tests)

/* Runs all tests, and returns the exit code for main. Prints a line per test; the last line is `N passed, N failed`. */
static inline int check_run (const check_test *tests, size_t count) {
  size_t failed = 0;
  for (size_t i = 0; i < count; i++) {
    check_running = tests[i].name;
    check_misses = 0;
    tests[i].run();
    if (check_misses > 0) failed++;
    printf("%s %s\n", check_misses > 0 ? "FAILED" : "ok    ", check_running);
    fflush(stdout);                 /* tools/test sees the progress; a forked child of a test has nothing to write */
  }
  printf("%zu passed, %zu failed\n", count - failed, failed);
  return failed > 0;
}

#endif
