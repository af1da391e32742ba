#ifndef _WIN32
#define _GNU_SOURCE              /* sigaction */
#include "system/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* The stop signals, and what --json prints if it has printed nothing before. */
#define STOP(number, code) \
  {number, "{\"error\":{\"exit_code\":" code ",\"kind\":\"cancelled\",\"message\":\"interrupted\",\"outcome\":\"not_sent\"}}\n"}
static const struct { int number; const char *json; } stops[] = {STOP(SIGINT, "130"), STOP(SIGTERM, "143"), STOP(SIGHUP, "129")};
enum { STOPS = sizeof stops / sizeof *stops, SIGNALLED = 128 };

static struct sigaction interrupt;                       /* the interpreter's own action for SIGINT: it raises in Lua */
static volatile sig_atomic_t stopped;                    /* the signal that came; 0: none */
static bool shows_json, prepared;

/* A signal that is ignored stays ignored: nohup ignores SIGHUP. */
static void set_action (void (*handler)(int)) {
  struct sigaction before, own;
  own.sa_handler = handler;
  own.sa_flags = 0;
  sigfillset(&own.sa_mask);
  for (size_t i = 0; i < STOPS; i++)
    if (sigaction(stops[i].number, NULL, &before) == 0 && before.sa_handler != SIG_IGN) (void)sigaction(stops[i].number, &own, NULL);
}

static void write_all (int fd, const char *text) {
  ssize_t written = write(fd, text, strlen(text));
  (void)written;                 /* the program ends in any case */
}

static void exit_on_stop (int number) {
  write_all(STDERR_FILENO, "devkit4ai: interrupted\n");
  for (size_t i = 0; i < STOPS; i++) {
    if (shows_json && stops[i].number == number) write_all(STDOUT_FILENO, stops[i].json);
  }
  _exit(SIGNALLED + number);
}

static void record_stop (int number) {
  if (!stopped) stopped = number;
}

/* The interpreter's handler restores the default of SIGINT. Without the second sigaction, the next signal would end the program. */
static void raise_stop (int number) {
  int reason = errno;
  if (!stopped) {
    stopped = number;
    interrupt.sa_handler(SIGINT);
    struct sigaction own;
    own.sa_handler = raise_stop;
    own.sa_flags = 0;
    sigfillset(&own.sa_mask);
    (void)sigaction(SIGINT, &own, NULL);
  }
  errno = reason;
}

char *dk_program_utf8 (const char *word) { return strdup(word); }

void dk_program_raise_stops (void) {
  bool raises = interrupt.sa_handler != SIG_DFL && interrupt.sa_handler != SIG_IGN && !(interrupt.sa_flags & SA_SIGINFO);
  if (raises) set_action(raise_stop);
}

void dk_program_record_stops (void) { set_action(record_stop); }

int dk_program_stop_signal (void) { return stopped; }

/* a closed standard file is the lowest free number, so open(2) gives it */
static void open_standard_files (void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    int opened = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    (void)opened;
  }
}

void dk_program_prepare (bool json) {
  open_standard_files();
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGXFSZ, SIG_IGN);
  shows_json = json;
  if (!prepared && sigaction(SIGINT, NULL, &interrupt) == 0) set_action(exit_on_stop);
  prepared = true;
}
#endif
