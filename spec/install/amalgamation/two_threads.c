/* two_threads.c - two_threads SCRIPT [ARGUMENT...]: runs the script twice at once, each in a thread and a state of its own. */
#include <pthread.h>
#include <stddef.h>

#include "run.h"

typedef struct {
  int count, failed;
  char **script;
} job;

static void *run_job (void *arg) {
  job *j = (job *)arg;
  j->failed = run_script(j->count, j->script);
  return NULL;
}

int main (int count, char **arguments) {
  job jobs[2] = {{count - 1, 1, arguments + 1}, {count - 1, 1, arguments + 1}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, run_job, &jobs[i]) != 0) return 1;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return jobs[0].failed || jobs[1].failed;
}
