#include "transfer/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "os/os.h"

/* libcurl copies a line when it is sent, so the nodes can point into the buffer */
static void build_header_list (dk_xfer *x) {
  const dk_request *r = &x->request;
  struct curl_slist *list = x->header_list;
  size_t count = 0;
  for (size_t at = 0; at < r->headers.length; at += strlen(r->headers.bytes + at) + 1) list[count++].data = r->headers.bytes + at;
  list[count++].data = (char *)"Accept-Encoding:";             /* CURLOPT_ACCEPT_ENCODING would add it; it is set only to decode */
  if (r->has_body || r->form != NULL) list[count++].data = (char *)"Expect:";         /* libcurl would wait for a 100 that may never come */
  for (size_t i = 0; i < count; i++) list[i].next = i + 1 < count ? &list[i + 1] : NULL;
}

static size_t count_lines (const dk_buffer *lines) {
  size_t count = 0;
  for (size_t at = 0; at < lines->length; at += strlen(lines->bytes + at) + 1) count++;
  return count;
}

static size_t size_of (const char *text) { return text != NULL ? strlen(text) + 1 : 0; }

/* copies text to *at and advances it; NULL stays NULL */
static char *copy_text (char **at, const char *text) {
  char *copy = *at;
  if (text == NULL) return NULL;
  *at += size_of(text);
  return strcpy(copy, text);
}

static void free_request (dk_request *request) {
  dk_buffer_reset(&request->headers);
  dk_buffer_reset(&request->body);
  dk_form_free(request->form);
}

/* takes the request over; at: room for its strings */
static void set_request (dk_xfer *x, const dk_request *request, char *at) {
  x->request = *request;
  x->request.method = copy_text(&at, request->method);
  x->request.url = copy_text(&at, request->url);
  x->request.ca_file = copy_text(&at, request->ca_file);
  x->request.proxy = copy_text(&at, request->proxy);
  x->request.proxy_login = copy_text(&at, request->proxy_login);
  x->request.save_as = NULL;
  build_header_list(x);
}

dk_xfer *dk_xfer_new (dk_request *request, dk_failure *failure) {
  size_t nodes = (count_lines(&request->headers) + 2) * sizeof(struct curl_slist);   /* two more for Accept-Encoding and Expect */
  size_t texts = size_of(request->method) + size_of(request->url) + size_of(request->ca_file) + size_of(request->proxy) + size_of(request->proxy_login);
  dk_xfer *x = (dk_xfer *)malloc(sizeof *x + nodes + texts);     /* one block; malloc, because glibc's calloc does not use its fast lists */
  if (x == NULL) {
    free_request(request);
    dk_fail(failure, DK_NO_MEMORY, "no memory");
    return NULL;
  }
  memset((void *)x, 0, sizeof *x + nodes);
  set_request(x, request, (char *)x->header_list + nodes);
  x->outcome.phase = "";
  dk_download_init(&x->download);
  dk_buffer_init(&x->response.headers, DK_MAX_HEADERS);
  dk_buffer_init(&x->response.body, request->limits.response_bytes);
  if (request->save_as == NULL) return x;
  bool overwrite = request->flags & DK_OVERWRITE;
  if (dk_download_open(&x->download, request->save_as, overwrite, request->limits.response_bytes, failure) == DK_OK) return x;
  dk_xfer_free(x);
  return NULL;
}

void dk_xfer_free (dk_xfer *x) {
  if (x == NULL) return;
  dk_download_discard(&x->download);
  if (x->request.proxy_login != NULL) dk_wipe((char *)x->request.proxy_login, strlen(x->request.proxy_login));
  free_request(&x->request);
  dk_buffer_reset(&x->response.headers);
  dk_buffer_reset(&x->response.body);
  free(x);
}
