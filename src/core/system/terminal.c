#define _GNU_SOURCE              /* explicit_bzero, O_CLOEXEC, ppoll */
#include "system/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, USUAL_ROWS = 24 };

int dk_terminal_columns (int fd) {
  struct winsize size;
  if (!isatty(fd)) return 0;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
}

int dk_terminal_rows (int fd) {
  struct winsize size;
  if (!isatty(fd)) return 0;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : USUAL_ROWS;
}

static dk_status failed (dk_failure *failure) {
  return dk_fail(failure, DK_FILE, "standard input: %s", strerror(errno));
}

static void say (const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;                 /* who sees no question gives no answer */
}

/* ppoll, since no signal handler makes it start again, as read does where Lua set one by signal(3); a signal that came since
 * the question, while all were blocked, ends it as well. awake: the mask under which signals come */
static dk_status read_line (const sigset_t *awake, dk_buffer *line, bool *given, dk_failure *failure) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  char piece[256];
  dk_status status = DK_OK;
  *given = false;
  while (status == DK_OK && !*given) {
    if (ppoll(&input, 1, NULL, awake) < 0) return errno == EINTR ? DK_OK : failed(failure);
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n == 0 || (n < 0 && errno == EINTR)) break;
    if (n < 0) return failed(failure);
    *given = piece[n - 1] == '\n';
    status = dk_buffer_add(line, piece, (size_t)n - *given);
    explicit_bzero(piece, sizeof piece);
  }
  if (status == DK_OVER_CAP) return dk_fail(failure, status, "the line is too long");
  if (status == DK_NO_MEMORY) return dk_fail(failure, status, "no memory");
  return status;
}

dk_status dk_terminal_ask (const char *prompt, bool shown, dk_buffer *line, bool *given, dk_failure *failure) {
  struct termios before, hidden;
  sigset_t all, awake;
  *given = false;
  if (tcgetattr(STDIN_FILENO, &before) != 0) return failed(failure);
  hidden = before;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  if (!shown && tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0) return failed(failure);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &awake);
  say(prompt);
  dk_status status = read_line(&awake, line, given, failure);
  pthread_sigmask(SIG_SETMASK, &awake, NULL);
  if (!shown) (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
  if (!shown || !*given) say("\n");       /* the one that was typed does not show, or none was typed */
  return status;
}

void dk_terminal_pause (double seconds) {
  (void)poll(NULL, 0, (int)(seconds * 1000));
}

/* The signals that stop the program, and what --json shows where nothing else has been shown yet. */
#define STOP(number, code) \
  {number, "{\"error\":{\"exit_code\":" code ",\"kind\":\"cancelled\",\"message\":\"interrupted\",\"outcome\":\"not_sent\"}}\n"}
static const struct { int number; const char *json; } stops[] = {STOP(SIGINT, "130"), STOP(SIGTERM, "143"), STOP(SIGHUP, "129")};
enum { STOPS = sizeof stops / sizeof *stops, SIGNALLED = 128 };

static struct sigaction interrupt;                       /* the interpreter's own action for SIGINT: it raises in Lua */
static volatile sig_atomic_t stopped;                    /* the signal that came; 0: none */
static bool shows_json, prepared;

/* A signal that is ignored stays ignored: nohup ignores SIGHUP. */
static void set_action (void (*handler)(int)) {
  struct sigaction before, own = {.sa_handler = handler};
  sigfillset(&own.sa_mask);
  for (size_t i = 0; i < STOPS; i++)
    if (sigaction(stops[i].number, NULL, &before) == 0 && before.sa_handler != SIG_IGN) (void)sigaction(stops[i].number, &own, NULL);
}

static void on_early_stop (int number) {
  say("devkit4ai: interrupted\n");
  for (size_t i = 0; i < STOPS; i++) {
    if (!shows_json || stops[i].number != number) continue;
    ssize_t written = write(STDOUT_FILENO, stops[i].json, strlen(stops[i].json));
    (void)written;
  }
  _exit(SIGNALLED + number);
}

static void on_late_stop (int number) {
  if (!stopped) stopped = number;
}

/* The interpreter's handler sets SIGINT back to the default. It is set again here, or a second signal would end the program. */
static void on_stop (int number) {
  int reason = errno;
  if (!stopped) {
    stopped = number;
    interrupt.sa_handler(SIGINT);
    struct sigaction own = {.sa_handler = on_stop};
    sigfillset(&own.sa_mask);
    (void)sigaction(SIGINT, &own, NULL);
  }
  errno = reason;
}

void dk_terminal_catch_stops (void) {
  bool raises = interrupt.sa_handler != SIG_DFL && interrupt.sa_handler != SIG_IGN && !(interrupt.sa_flags & SA_SIGINFO);
  if (raises) set_action(on_stop);
}

void dk_terminal_note_stops (void) { set_action(on_late_stop); }

int dk_terminal_stopped (void) { return stopped; }

bool dk_terminal_writes (int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

void dk_terminal_prepare (bool json) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    int taken = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);  /* the lowest free number: this one */
    (void)taken;
  }
  (void)signal(SIGPIPE, SIG_IGN);
  (void)signal(SIGXFSZ, SIG_IGN);
  shows_json = json;
  if (!prepared && sigaction(SIGINT, NULL, &interrupt) == 0) set_action(on_early_stop);
  prepared = true;
}
