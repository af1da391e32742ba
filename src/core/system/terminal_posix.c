#ifndef _WIN32
#define _GNU_SOURCE              /* ppoll */
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

#include "os/os.h"
#include "os/threads.h"

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24 };

int dk_terminal_columns (int fd) {
  struct winsize size;
  if (!isatty(fd)) return 0;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? (int)size.ws_col : (int)DEFAULT_COLUMNS;
}

int dk_terminal_rows (int fd) {
  struct winsize size;
  if (!isatty(fd)) return 0;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? (int)size.ws_row : (int)DEFAULT_ROWS;
}

static dk_status fail_input (dk_failure *failure) {
  return dk_fail(failure, DK_FILE, "standard input: %s", strerror(errno));
}

static void write_prompt (const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;                 /* a person who sees no prompt types no line */
}

/* Waits for a byte or a signal. awake: the mask meanwhile. False: errno. */
static bool wait_for_input (const sigset_t *awake) {
#ifdef __APPLE__                 /* it has no ppoll; its pselect is not restarted either */
  fd_set input;
  FD_ZERO(&input);
  FD_SET(STDIN_FILENO, &input);
  return pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, awake) >= 0;
#else
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return ppoll(&input, 1, NULL, awake) >= 0;
#endif
}

/* ppoll, because no signal handler restarts it; Lua's signal(3) handler restarts read. awake: the mask that lets signals in. A
 * signal since the prompt was blocked until then, so it ends the wait, too. */
static dk_status read_line (const sigset_t *awake, dk_buffer *line, bool *given, dk_failure *failure) {
  char piece[256];
  dk_status status = DK_OK;
  *given = false;
  while (status == DK_OK && !*given) {
    if (!wait_for_input(awake)) return errno == EINTR ? DK_OK : fail_input(failure);
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n == 0 || (n < 0 && errno == EINTR)) break;
    if (n < 0) return fail_input(failure);
    *given = piece[n - 1] == '\n';
    status = dk_buffer_add(line, piece, (size_t)n - *given);
    dk_wipe(piece, sizeof piece);
  }
  if (status == DK_OVER_LIMIT) return dk_fail(failure, status, "the line is too long");
  if (status == DK_NO_MEMORY) return dk_fail(failure, status, "no memory");
  return status;
}

dk_status dk_terminal_read_line (const char *prompt, bool shown, dk_buffer *line, bool *given, dk_failure *failure) {
  struct termios before, hidden;
  sigset_t all, awake;
  *given = false;
  if (tcgetattr(STDIN_FILENO, &before) != 0) return fail_input(failure);
  hidden = before;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  if (!shown && tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0) return fail_input(failure);
  sigfillset(&all);
  dk_signal_mask(SIG_BLOCK, &all, &awake);
  write_prompt(prompt);
  dk_status status = read_line(&awake, line, given, failure);
  dk_signal_mask(SIG_SETMASK, &awake, NULL);
  if (!shown) (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
  if (!shown || !*given) write_prompt("\n");          /* the typed line end is hidden, or there is none */
  return status;
}

void dk_terminal_sleep (double seconds) {
  (void)poll(NULL, 0, (int)(seconds * 1000));
}

bool dk_terminal_is_writable (int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}
#endif
