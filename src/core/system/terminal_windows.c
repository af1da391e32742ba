#ifdef _WIN32
#include "system/terminal.h"

#include <io.h>
#include <string.h>

#include "os/os.h"
#include "system/program.h"
#include "os/paths_windows.h"

enum { STANDARD_INPUT = 0, STANDARD_ERROR = 2 };

static bool get_screen (int fd, CONSOLE_SCREEN_BUFFER_INFO *screen) {
  return fd >= 0 && fd <= STANDARD_ERROR && GetConsoleScreenBufferInfo(dk_handle_of(fd), screen);
}

int dk_terminal_columns (int fd) {
  CONSOLE_SCREEN_BUFFER_INFO screen;
  return get_screen(fd, &screen) ? screen.srWindow.Right - screen.srWindow.Left + 1 : 0;
}

int dk_terminal_rows (int fd) {
  CONSOLE_SCREEN_BUFFER_INFO screen;
  return get_screen(fd, &screen) ? screen.srWindow.Bottom - screen.srWindow.Top + 1 : 0;
}

static void write_prompt (const char *text) {
  int written = _write(STANDARD_ERROR, text, (unsigned)strlen(text));
  (void)written;                 /* a person who sees no prompt types no line */
}

/* the console's line, with its end, in UTF-8; *given false: it ended, or Ctrl-C came */
static dk_status read_line (HANDLE input, dk_buffer *line, bool *given, dk_failure *failure) {
  wchar_t piece[256];
  char bytes[4 * sizeof piece];
  dk_status status = DK_OK;
  DWORD n;
  *given = false;
  while (status == DK_OK && !*given) {
    if (!ReadConsoleW(input, piece, sizeof piece / sizeof *piece - 1, &n, NULL) || n == 0) break;
    *given = piece[n - 1] == L'\n';
    while (n > 0 && (piece[n - 1] == L'\n' || piece[n - 1] == L'\r')) n--;
    int length = WideCharToMultiByte(CP_UTF8, 0, piece, (int)n, bytes, sizeof bytes, NULL, NULL);
    status = dk_buffer_add(line, bytes, (size_t)length);
    dk_wipe(piece, sizeof piece);
    dk_wipe(bytes, sizeof bytes);
  }
  if (status == DK_OVER_LIMIT) return dk_fail(failure, status, "the line is too long");
  if (status == DK_NO_MEMORY) return dk_fail(failure, status, "no memory");
  return status;
}

dk_status dk_terminal_read_line (const char *prompt, bool shown, dk_buffer *line, bool *given, dk_failure *failure) {
  HANDLE input = dk_handle_of(STANDARD_INPUT);
  DWORD before;
  *given = false;
  if (!GetConsoleMode(input, &before)) return dk_fail(failure, DK_FILE, "standard input: it is not a console");
  if (!shown) (void)SetConsoleMode(input, before & ~(DWORD)ENABLE_ECHO_INPUT);
  write_prompt(prompt);
  dk_status status = read_line(input, line, given, failure);
  (void)SetConsoleMode(input, before);
  if (!shown || !*given) write_prompt("\n");          /* the typed line end is hidden, or there is none */
  return status;
}

/* in pieces: Ctrl-C comes in another thread */
void dk_terminal_sleep (double seconds) {
  double end = dk_now() + seconds, left = seconds;
  for (int stopped = dk_program_stop_signal(); left > 0 && dk_program_stop_signal() == stopped; left = end - dk_now())
    dk_sleep_milliseconds(left < 0.05 ? (int)(left * 1000) + 1 : 50);
}

bool dk_terminal_is_writable (int fd) {
  return fd >= 0 && fd <= STANDARD_ERROR && fd != STANDARD_INPUT && dk_handle_of(fd) != INVALID_HANDLE_VALUE;
}
#endif
