/* two_copies.c - two_copies A.so B.so SCRIPT [ARGUMENT...]: two libraries with a copy of devkit4ai each. Runs the script in both at
 * once, unloads one of them, and runs it in the other one again. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef int run_function (int count, char **script);

typedef struct {
  void *library;
  run_function *run;
  int count, failed;
  char **script;
} job;

static void load (job *j, const char *path) {
  j->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  j->run = j->library != NULL ? (run_function *)dlsym(j->library, "run_script") : NULL;
  if (j->run != NULL) return;
  fprintf(stderr, "%s\n", dlerror());
  exit(1);
}

static void *run_job (void *arg) {
  job *j = (job *)arg;
  j->failed = j->run(j->count, j->script);
  return NULL;
}

int main (int count, char **arguments) {
  job jobs[2] = {{NULL, NULL, count - 3, 1, arguments + 3}, {NULL, NULL, count - 3, 1, arguments + 3}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) load(&jobs[i], arguments[1 + i]);
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, run_job, &jobs[i]) != 0) return 1;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  dlclose(jobs[0].library);
  run_job(&jobs[1]);
  return jobs[0].failed || jobs[1].failed;
}
