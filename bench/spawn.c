/* spawn.c - what a short process costs, from its start to its end.
 *
 *   spawn COUNT COMMAND ARGUMENT...             prints milliseconds of CPU a process and the largest peak in KiB
 *
 * vfork and exec, so that nothing of this process's own memory is copied or counted. The command's standard
 * output is thrown away; a command that fails ends the measurement. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double milliseconds (struct timeval t) {
  return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void run (char **command, int nowhere) {
  int status;
  pid_t child = vfork();
  if (child == 0) {
    dup2(nowhere, STDOUT_FILENO);
    execvp(command[0], command);
    _exit(127);
  }
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "spawn: %s failed\n", command[0]);
    exit(1);
  }
}

int main (int argc, char **argv) {
  int count = argc > 2 ? atoi(argv[1]) : 0;
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (count < 1 || nowhere < 0) {
    fprintf(stderr, "usage: spawn COUNT COMMAND ARGUMENT...\n");
    return 2;
  }
  for (int i = 0; i < count; i++) run(argv + 2, nowhere);
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  printf("%.3f %ld\n", (milliseconds(used.ru_utime) + milliseconds(used.ru_stime)) / count, used.ru_maxrss);
  return 0;
}
