#ifdef _WIN32
#include "system/program.h"

#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "os/paths_windows.h"
#include <shellapi.h>

/* Ctrl-C, Ctrl-Break and the end of the console come in a thread of their own. */

enum { STANDARD_OUTPUT = 1, STANDARD_ERROR = 2, INTERRUPTED = 2, EXIT_CODE = 128 + INTERRUPTED };

static const char json[] = "{\"error\":{\"exit_code\":130,\"kind\":\"cancelled\",\"message\":\"interrupted\",\"outcome\":\"not_sent\"}}\n";

static enum { EXIT, RAISE, RECORD } action;
static volatile LONG stopped;
static void (*interrupt) (int);  /* the interpreter's own handler of SIGINT: it raises in Lua */
static bool shows_json, prepared;
static UINT former_page;         /* of the console; 0: there is none */

static void write_all (int fd, const char *text) {
  int written = _write(fd, text, (unsigned)strlen(text));
  (void)written;                 /* the program ends in any case */
}

static BOOL WINAPI on_stop (DWORD event) {
  (void)event;
  bool is_first = InterlockedExchange(&stopped, INTERRUPTED) == 0;
  if (action == RAISE && is_first) interrupt(SIGINT);
  if (action != EXIT) return TRUE;
  write_all(STANDARD_ERROR, "devkit4ai: interrupted\n");
  if (shows_json) write_all(STANDARD_OUTPUT, json);
  ExitProcess(EXIT_CODE);
}

static void restore_console (void) { (void)SetConsoleOutputCP(former_page); }

/* standard output in bytes, as images need it, and the console in UTF-8 */
static void prepare_output (void) {
  (void)_setmode(STANDARD_OUTPUT, _O_BINARY);
  former_page = GetConsoleOutputCP();
  if (former_page != 0 && SetConsoleOutputCP(CP_UTF8)) (void)atexit(restore_console);
}

void dk_program_prepare (bool shows) {
  shows_json = shows;
  if (prepared) return;
  prepare_output();
  interrupt = signal(SIGINT, SIG_DFL);
  prepared = SetConsoleCtrlHandler(on_stop, TRUE) != 0;
}

/* the word whose form in the code page this is: that form may have lost letters */
static char *find_word (const char *word, wchar_t **words, int count) {
  char narrow[4096];
  for (int i = 0; words != NULL && i < count; i++) {
    int length = WideCharToMultiByte(CP_ACP, 0, words[i], -1, narrow, sizeof narrow, NULL, NULL);
    if (length > 0 && strcmp(narrow, word) == 0) return dk_utf8(words[i]);
  }
  return _strdup(word);
}

char *dk_program_utf8 (const char *word) {
  int count = 0;
  wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &count);
  char *found = find_word(word, words, count);
  LocalFree(words);
  return found;
}

void dk_program_raise_stops (void) {
  if (interrupt != SIG_DFL && interrupt != SIG_IGN && interrupt != SIG_ERR) action = RAISE;
}

void dk_program_record_stops (void) { action = RECORD; }

int dk_program_stop_signal (void) { return (int)stopped; }
#endif
