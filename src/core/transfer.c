#define _DEFAULT_SOURCE          /* strdup, strncasecmp */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libcurl's own copy of a line is made from a node that points into lines */
static void list_lines (dk_xfer *x) {
  size_t count = 0;
  const char *text = x->lines.bytes, *end = text + x->lines.length;
  for (; text < end; text += strlen(text) + 1) x->line[count++].data = (char *)text;
  if (x->has_body || x->form != NULL) x->line[count++].data = (char *)"Expect:";     /* libcurl would wait for a 100 that may never come */
  for (size_t i = 0; i < count; i++) x->line[i].next = i + 1 < count ? &x->line[i + 1] : NULL;
}

static size_t count_lines (const dk_buffer *lines) {
  size_t count = 0;
  for (const char *at = lines->bytes, *end = at + lines->length; at < end; at += strlen(at) + 1) count++;
  return count;
}

static void give_back (dk_request *request) {
  dk_buffer_reset(&request->lines);
  dk_buffer_reset(&request->body);
  dk_form_free(request->form);
}

dk_xfer *dk_xfer_new (dk_request *request, dk_failure *failure) {
  size_t nodes = (count_lines(&request->lines) + 2) * sizeof(struct curl_slist);     /* one for Expect, one to be the end */
  size_t url = strlen(request->url) + 1;
  dk_xfer *x = malloc(sizeof *x + nodes + url);  /* one block; and not calloc, which in glibc goes past the quick lists */
  if (x == NULL) {
    give_back(request);
    dk_fail(failure, DK_NO_MEMORY, "no memory");
    return NULL;
  }
  memset(x, 0, sizeof *x + nodes);
  x->url = memcpy((char *)x->line + nodes, request->url, url);
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
  x->ca_file = request->ca_file ? strdup(request->ca_file) : NULL;
  dk_status status = DK_OK;
  if (request->ca_file != NULL && x->ca_file == NULL) status = dk_fail(failure, DK_NO_MEMORY, "no memory");
  else if (request->save_as != NULL) status = dk_file_open(&x->file, request->save_as, x->flags & DK_OVERWRITE, request->max_answer, failure);
  if (status == DK_OK) return x;
  dk_xfer_free(x);
  return NULL;
}

void dk_xfer_free (dk_xfer *x) {
  if (x == NULL) return;
  dk_file_drop(&x->file);
  free(x->ca_file);
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
    if ((size_t)(stop - line) > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0) {
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
