/* terminal_test.c - a pseudo-terminal's size, lines that are typed with and without echo, standard files, and stop signals. */
#define _GNU_SOURCE              /* posix_openpt, ptsname_r */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "system/program.h"
#include "system/terminal.h"

/* a child with a new terminal as standard input and error; *master: the other end of the terminal */
static pid_t child_on_terminal (int *master) {
  char name[64];
  *master = posix_openpt(O_RDWR | O_NOCTTY);
  if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0 || ptsname_r(*master, name, sizeof name) != 0) return -1;
  pid_t pid = fork();
  if (pid != 0) return pid;
  setsid();
  int slave = open(name, O_RDWR);                        /* becomes the controlling terminal: Ctrl-C works */
  dup2(slave, STDIN_FILENO);
  dup2(slave, STDERR_FILENO);
  return 0;
}

/* reads the terminal's output until it ends with text */
static void see (int master, char *shown, size_t room, const char *text) {
  size_t length = strlen(shown);
  while (length + 1 < room && (length < strlen(text) || strcmp(shown + length - strlen(text), text) != 0)) {
    if (read(master, shown + length, 1) != 1) return;
    shown[++length] = '\0';
  }
}

static int end_of (pid_t pid) {
  int status = -1;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void note (int number) { (void)number; }

/* reads a line in a child; its exit code: 0 the wanted line, 1 another line, 2 no line, 3 a failure */
static void ask_and_exit (bool shown, const char *wanted) {
  dk_buffer line;
  dk_failure failure;
  bool given;
  dk_buffer_init(&line, 100);
  signal(SIGINT, note);
  dk_status status = dk_terminal_read_line("Key: ", shown, &line, &given, &failure);
  if (status != DK_OK) _exit(3);
  if (!given) _exit(2);
  _exit(line.length == strlen(wanted) && memcmp(line.length > 0 ? line.bytes : "", wanted, line.length) == 0 ? 0 : 1);
}

static int asked (bool shown, const char *typed, const char *wanted, char *seen, size_t room) {
  int master;
  pid_t pid = child_on_terminal(&master);
  if (pid == 0) ask_and_exit(shown, wanted);
  if (!CHECK(pid > 0)) return -1;
  seen[0] = '\0';
  see(master, seen, room, "Key: ");
  if (!CHECK(write(master, typed, strlen(typed)) == (ssize_t)strlen(typed))) return -1;
  int code = end_of(pid);
  size_t length = strlen(seen);
  fcntl(master, F_SETFL, O_NONBLOCK);
  ssize_t n = read(master, seen + length, room - length - 1);
  seen[length + (n > 0 ? (size_t)n : 0)] = '\0';
  close(master);
  return code;
}

static void a_hidden_line_does_not_show (void) {
  char seen[200];
  CHECK(asked(false, "s3cret\n", "s3cret", seen, sizeof seen) == 0);
  CHECK(strcmp(seen, "Key: \r\n") == 0);
}

static void a_shown_line_shows (void) {
  char seen[200];
  CHECK(asked(true, "me@host\n", "me@host", seen, sizeof seen) == 0);
  CHECK(strstr(seen, "me@host") != NULL);
}

static void an_empty_line_is_one (void) {
  char seen[200];
  CHECK(asked(false, "\n", "", seen, sizeof seen) == 0);
}

static void the_end_and_a_signal_give_none (void) {
  char seen[200];
  CHECK(asked(false, "\004", "", seen, sizeof seen) == 2);
  CHECK(asked(false, "\003", "", seen, sizeof seen) == 2);
}

static void a_line_has_a_cap (void) {
  char seen[400], typed[203];
  memset(typed, 'x', 201);
  memcpy(typed + 201, "\n", 2);
  CHECK(asked(false, typed, "", seen, sizeof seen) == 3);
}

static void echo_comes_back (void) {
  int master;
  char seen[200] = "";
  pid_t pid = child_on_terminal(&master);
  if (pid == 0) {
    dk_buffer line;
    dk_failure failure;
    bool given;
    dk_buffer_init(&line, 100);
    dk_status hidden = dk_terminal_read_line("Key: ", false, &line, &given, &failure);
    dk_status shown = dk_terminal_read_line("Name: ", true, &line, &given, &failure);
    _exit(hidden != DK_OK || shown != DK_OK);
  }
  if (!CHECK(pid > 0)) return;
  see(master, seen, sizeof seen, "Key: ");
  CHECK(write(master, "k\n", 2) == 2);
  see(master, seen, sizeof seen, "Name: ");
  CHECK(write(master, "n\n", 2) == 2);
  see(master, seen, sizeof seen, "Name: n");
  CHECK(strstr(seen, "Name: n") != NULL);
  CHECK(end_of(pid) == 0);
  close(master);
}

static void size_is_the_terminals (void) {
  int master, pipes[2];
  pid_t pid = child_on_terminal(&master);
  if (pid == 0)                  /* a terminal of unknown size */
    _exit(dk_terminal_columns(STDERR_FILENO) == 80 && dk_terminal_rows(STDERR_FILENO) == 24 ? 0 : 1);
  CHECK(pid > 0 && end_of(pid) == 0);
  close(master);
  pid = child_on_terminal(&master);
  if (pid == 0) {
    struct winsize size = {.ws_col = 20, .ws_row = 5};
    if (ioctl(STDERR_FILENO, TIOCSWINSZ, &size) != 0) _exit(1);
    _exit(dk_terminal_columns(STDERR_FILENO) == 20 && dk_terminal_rows(STDERR_FILENO) == 5 ? 0 : 1);
  }
  CHECK(pid > 0 && end_of(pid) == 0);
  close(master);
  if (!CHECK(pipe(pipes) == 0)) return;
  CHECK(dk_terminal_columns(pipes[0]) == 0);
  CHECK(dk_terminal_columns(-1) == 0 && dk_terminal_rows(-1) == 0);
  close(pipes[0]);
  close(pipes[1]);
}

static void no_terminal_is_an_error (void) {
  pid_t pid = fork();
  if (pid == 0) {
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    ask_and_exit(true, "");
  }
  CHECK(pid > 0 && end_of(pid) == 3);
}

static void standard_files_stand (void) {
  pid_t pid = fork();
  if (pid == 0) {
    char byte = 0;
    int pipes[2];
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    dk_program_prepare(false);
    bool stand = read(STDIN_FILENO, &byte, 1) < 0 && write(STDOUT_FILENO, &byte, 1) < 0 && errno == EBADF;
    stand = stand && pipe(pipes) == 0 && pipes[0] > STDERR_FILENO;
    close(pipes[0]);
    stand = stand && write(pipes[1], &byte, 1) < 0 && errno == EPIPE;          /* and the process lives */
    dk_program_prepare(false);                          /* a second call changes nothing */
    _exit(stand ? 0 : 1);
  }
  CHECK(pid > 0 && end_of(pid) == 0);
}

static volatile sig_atomic_t interrupts;

static void as_the_interpreter (int number) {
  (void)signal(number, SIG_DFL);
  interrupts++;
}

static void one_signal_interrupts_and_none_kills (void) {
  pid_t pid = fork();
  if (pid == 0) {
    (void)signal(SIGINT, as_the_interpreter);
    (void)signal(SIGHUP, SIG_IGN);
    dk_program_prepare(false);
    dk_program_raise_stops();
    dk_program_raise_stops();                           /* a second call changes nothing */
    (void)raise(SIGHUP);
    bool ignored = interrupts == 0;
    (void)raise(SIGTERM);
    (void)raise(SIGINT);
    (void)raise(SIGTERM);
    _exit(ignored && interrupts == 1 && dk_program_stop_signal() == SIGTERM ? 0 : 1);
  }
  CHECK(pid > 0 && end_of(pid) == 0);
}

static void an_early_signal_ends_with_its_code (void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  for (int i = 0; i < 3; i++) {
    char said[256] = "", code[32];
    int pipes[2];
    if (!CHECK(pipe(pipes) == 0)) return;
    pid_t pid = fork();
    if (pid == 0) {
      (void)signal(SIGINT, as_the_interpreter);
      (void)signal(SIGHUP, SIG_DFL);                           /* the tests may run with it ignored, as under nohup */
      dup2(pipes[1], STDOUT_FILENO);
      dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
      dk_program_prepare(true);
      (void)raise(numbers[i]);
      _exit(0);
    }
    close(pipes[1]);
    CHECK(read(pipes[0], said, sizeof said - 1) > 0);
    close(pipes[0]);
    CHECK(pid > 0 && end_of(pid) == 128 + numbers[i]);
    snprintf(code, sizeof code, "\"exit_code\":%d,", 128 + numbers[i]);
    CHECK(strstr(said, code) != NULL && strstr(said, "}}\n") != NULL);
  }
}

static void a_late_signal_is_noted (void) {
  pid_t pid = fork();
  if (pid == 0) {
    (void)signal(SIGINT, as_the_interpreter);
    dk_program_prepare(false);
    dk_program_raise_stops();
    dk_program_record_stops();
    bool none = dk_program_stop_signal() == 0;
    (void)raise(SIGINT);
    (void)raise(SIGTERM);
    _exit(none && interrupts == 0 && dk_program_stop_signal() == SIGINT ? 0 : 1);
  }
  CHECK(pid > 0 && end_of(pid) == 0);
}

int main (void) {
  static const check_test tests[] = {
    {"a_hidden_line_does_not_show", a_hidden_line_does_not_show},
    {"a_shown_line_shows", a_shown_line_shows},
    {"an_empty_line_is_one", an_empty_line_is_one},
    {"the_end_and_a_signal_give_none", the_end_and_a_signal_give_none},
    {"a_line_has_a_cap", a_line_has_a_cap},
    {"echo_comes_back", echo_comes_back},
    {"size_is_the_terminals", size_is_the_terminals},
    {"no_terminal_is_an_error", no_terminal_is_an_error},
    {"standard_files_stand", standard_files_stand},
    {"one_signal_interrupts_and_none_kills", one_signal_interrupts_and_none_kills},
    {"an_early_signal_ends_with_its_code", an_early_signal_ends_with_its_code},
    {"a_late_signal_is_noted", a_late_signal_is_noted},
  };
  return CHECK_RUN(tests);
}
