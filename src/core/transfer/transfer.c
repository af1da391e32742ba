#define _DEFAULT_SOURCE          /* explicit_bzero */
#include "transfer/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

/* libcurl's own copy of a line is made from a node that points into lines */
static void list_lines (dk_xfer *x) {
  size_t count = 0;
  char *text = x->lines.bytes;
  for (size_t at = 0; at < x->lines.length; at += strlen(text + at) + 1) x->line[count++].data = text + at;
  x->line[count++].data = (char *)"Accept-Encoding:";          /* libcurl would ask for what handle.c lets it decode */
  if (x->has_body || x->form != NULL) x->line[count++].data = (char *)"Expect:";     /* libcurl would wait for a 100 that may never come */
  for (size_t i = 0; i < count; i++) x->line[i].next = i + 1 < count ? &x->line[i + 1] : NULL;
}

static size_t count_lines (const dk_buffer *lines) {
  size_t count = 0;
  for (size_t at = 0; at < lines->length; at += strlen(lines->bytes + at) + 1) count++;
  return count;
}

static size_t size_of (const char *text) { return text != NULL ? strlen(text) + 1 : 0; }

/* copies text to *at and moves it on; NULL stays NULL */
static char *put (char **at, const char *text) {
  char *copy = *at;
  if (text == NULL) return NULL;
  *at += size_of(text);
  return strcpy(copy, text);
}

static void give_back (dk_request *request) {
  dk_buffer_reset(&request->lines);
  dk_buffer_reset(&request->body);
  dk_form_free(request->form);
}

dk_xfer *dk_xfer_new (dk_request *request, dk_failure *failure) {
  size_t nodes = (count_lines(&request->lines) + 2) * sizeof(struct curl_slist);     /* two for Accept-Encoding and Expect */
  size_t texts = size_of(request->url) + size_of(request->ca_file) + size_of(request->proxy) + size_of(request->proxy_login);
  dk_xfer *x = malloc(sizeof *x + nodes + texts);  /* one block; and not calloc, which in glibc goes past the quick lists */
  if (x == NULL) {
    give_back(request);
    dk_fail(failure, DK_NO_MEMORY, "no memory");
    return NULL;
  }
  memset(x, 0, sizeof *x + nodes);
  char *at = (char *)x->line + nodes;
  x->url = put(&at, request->url);
  x->ca_file = put(&at, request->ca_file);
  x->proxy = put(&at, request->proxy);
  x->proxy_login = put(&at, request->proxy_login);
  strncpy(x->method, request->method, sizeof x->method - 1);
  x->flags = request->flags;
  x->has_body = request->has_body;
  x->connect = request->connect;
  x->idle = request->idle;
  x->total = request->total;
  x->lines = request->lines;
  x->body = request->body;
  x->form = request->form;
  x->max_answer = request->max_answer;
  x->step = "";
  dk_file_init(&x->file);
  dk_buffer_init(&x->head, DK_MAX_HEAD);
  dk_buffer_init(&x->answer, request->max_answer);
  list_lines(x);
  if (request->save_as == NULL || dk_file_open(&x->file, request->save_as, x->flags & DK_OVERWRITE, request->max_answer, failure) == DK_OK) return x;
  dk_xfer_free(x);
  return NULL;
}

void dk_xfer_free (dk_xfer *x) {
  if (x == NULL) return;
  dk_file_drop(&x->file);
  if (x->proxy_login != NULL) explicit_bzero(x->proxy_login, strlen(x->proxy_login));
  dk_buffer_reset(&x->lines);
  dk_buffer_reset(&x->body);
  dk_buffer_reset(&x->head);
  dk_buffer_reset(&x->answer);
  dk_form_free(x->form);
  free(x);
}

const char *dk_head_find (const char *head, size_t head_length, const char *name, size_t *length) {
  size_t name_length = strlen(name);
  const char *end = head + head_length;
  for (const char *line = head; line < end;) {
    const char *feed = memchr(line, '\n', (size_t)(end - line));
    const char *stop = feed ? feed : end;
    if ((size_t)(stop - line) > name_length && line[name_length] == ':' && dk_same_letters(line, name, name_length)) {
      const char *value = line + name_length + 1;
      while (value < stop && (*value == ' ' || *value == '\t')) value++;
      while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r')) stop--;
      *length = (size_t)(stop - value);
      return value;
    }
    line = stop + 1;
  }
  return NULL;
}
