/* form.c - for any file name and any text, the body has exactly these two parts, and the name can't end its header early.
 * Input: the name, a NUL, the text. */
#include "support/handle_on_socket.h"

#define PNG "\x89PNG\r\n\x1A\n"
#define FILE_BEFORE "Content-Disposition: form-data; name=\"image\"; filename=\""
#define FILE_BEHIND "\"\r\nContent-Type: image/png\r\n\r\n" PNG
#define TEXT_BEFORE "Content-Disposition: form-data; name=\"text\"\r\n\r\n"

typedef struct { const char *at, *end; } reader;

/* skips bytes that must be there */
static void pass (reader *r, const char *bytes, size_t length) {
  HOLDS(length <= (size_t)(r->end - r->at) && memcmp(r->at, bytes, length) == 0);
  r->at += length;
}

static void pass_text (reader *r, const char *text) { pass(r, text, strlen(text)); }

/* the base name, with '"', CR and LF as browsers write them */
static void pass_name (reader *r, const char *name) {
  const char *slash = strrchr(name, '/');
  for (const char *at = slash ? slash + 1 : name; *at != '\0'; at++) {
    if (*at == '"') pass_text(r, "%22");
    else if (*at == '\r') pass_text(r, "%0D");
    else if (*at == '\n') pass_text(r, "%0A");
    else pass(r, at, 1);
  }
}

static const char *find (const reader *r, const char *text) {
  for (const char *at = r->at; (size_t)(r->end - at) >= strlen(text); at++) {
    if (memcmp(at, text, strlen(text)) == 0) return at + strlen(text);
  }
  return NULL;
}

/* the request with its complete body, as libcurl sends it; no response comes */
static dk_buffer send_form (dk_form *form) {
  static socket_handle w;
  dk_buffer sent;
  int running = 1;
  dk_buffer_init(&sent, 1 << 20);
  dk_xfer *x = socket_handle_begin(&w, "POST", form, 1000);
  for (int turn = 0, idle = 0; running > 0 && turn < 1000 && idle < 20; turn++) {
    char bytes[4096];
    curl_multi_perform(w.multi, &running);
    ssize_t n = recv(w.pair[0], bytes, sizeof bytes, MSG_DONTWAIT);
    idle = n > 0 ? 0 : idle + 1;
    if (n > 0) HOLDS(dk_buffer_add(&sent, bytes, (size_t)n) == DK_OK);
  }
  HOLDS(running == 1);
  socket_handle_end(&w);
  dk_handle_free(w.handle);
  HOLDS(x->outcome.fate == DK_UNKNOWN);
  dk_xfer_free(x);
  return sent;
}

static void check (const dk_buffer *sent, const char *name, const char *text, size_t text_length) {
  char boundary[100], length[32];
  reader r = {sent->bytes, sent->bytes + sent->length};
  const char *stands = find(&r, "\r\nContent-Type: multipart/form-data; boundary="), *told = find(&r, "\r\nContent-Length: ");
  const char *body = find(&r, "\r\n\r\n");
  HOLDS(stands != NULL && told != NULL && body != NULL && stands < body && told < body && sscanf(stands, "%99[^\r]", boundary) == 1);
  snprintf(length, sizeof length, "%zu\r\n", (size_t)(r.end - body));
  HOLDS(strncmp(told, length, strlen(length)) == 0);
  r.at = body;
  pass_text(&r, "--");
  pass_text(&r, boundary);
  pass_text(&r, "\r\n" FILE_BEFORE);
  pass_name(&r, name);
  pass_text(&r, FILE_BEHIND "\r\n--");
  pass_text(&r, boundary);
  pass_text(&r, "\r\n" TEXT_BEFORE);
  pass(&r, text, text_length);
  pass_text(&r, "\r\n--");
  pass_text(&r, boundary);
  pass_text(&r, "--\r\n");
  HOLDS(r.at == r.end);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_open(data, size);
  dk_failure failure;
  dk_form *form = dk_form_new();
  char *name = fuzz_text(&input);
  size_t length = input.left;
  char *text = fuzz_bytes(&input, length);
  HOLDS(dk_form_add_bytes(form, "image", name, PNG, strlen(PNG), 100, &failure) == DK_OK);
  HOLDS(dk_form_add_text(form, "text", text, length, &failure) == DK_OK);
  dk_buffer sent = send_form(form);
  check(&sent, name, text, length);
  dk_buffer_reset(&sent);
  free(text);
  free(name);
  return 0;
}
