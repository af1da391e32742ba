#define _GNU_SOURCE              /* O_CLOEXEC, renameat2 */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "image_kind.h"
#include "roots.h"

enum {
  SMALL_BUFFER = 16 * 1024,      /* bytes; libcurl's own default for what comes */
  FILE_BUFFER = 128 * 1024,      /* a download into a file: 0.70 x the CPU of the default (PERFORMANCE 2.10) */
  SEND_BUFFER = 64 * 1024,       /* libcurl's default for what goes */
  FORM_BUFFER = 112 * 1024,      /* an upload: `make bench` R4 says 0.7 x on plain, 0.9 x on TLS; from 128 KiB on, above 1 */
};

struct dk_handle {
  CURL *easy;
  CURLU *address;                /* parsed once while the same address is asked again: 15 % of a call's instructions */
  char *url, *ca_file;           /* what address and the roots were set from */
  bool has_roots;
  long receive_buffer;
  bool counts;                   /* progress is asked of libcurl: for forms and files alone, since it costs each small call 2 % */
  curl_mime *mime;
  dk_xfer *xfer;
  char error[CURL_ERROR_SIZE];
};

/* ---- the file ---- */

static void file_drop (dk_xfer *x) {
  if (x->file.fd >= 0) close(x->file.fd);
  x->file.fd = -1;
  if (x->file.part != NULL) unlink(x->file.part);
  free(x->file.part);
  free(x->file.path);
  x->file.part = x->file.path = NULL;
}

static dk_status file_failed (dk_xfer *x, dk_failure *failure, int reason) {
  return dk_fail(failure, DK_FILE, DK_PATH ": %s", x->file.path, strerror(reason));
}

static dk_status file_exists (dk_xfer *x, dk_failure *failure) {
  return dk_fail(failure, DK_FILE_EXISTS, DK_PATH ": it exists already", x->file.path);
}

static dk_status file_open (dk_xfer *x, const char *path, dk_failure *failure) {
  static atomic_uint number;
  struct rlimit limit;
  size_t room = strlen(path) + 40;
  x->file.path = strdup(path);
  x->file.part = malloc(room);
  if (x->file.path == NULL || x->file.part == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  if (!(x->flags & DK_OVERWRITE) && access(path, F_OK) == 0) {
    free(x->file.part);
    x->file.part = NULL;
    return file_exists(x, failure);
  }
  do {
    snprintf(x->file.part, room, "%s.part-%ld-%u", path, (long)getpid(), atomic_fetch_add(&number, 1));
    x->file.fd = open(x->file.part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (x->file.fd < 0 && errno == EEXIST);
  if (x->file.fd < 0) {
    int reason = errno;
    free(x->file.part);
    x->file.part = NULL;
    return file_failed(x, failure, reason);
  }
  x->file.limit = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
  return DK_OK;
}

static dk_status file_add (dk_xfer *x, const char *bytes, size_t length) {
  if (length > x->max_answer - x->file.length) return dk_fail(&x->failure, DK_OVER_CAP, "the answer has more than %zu bytes", x->max_answer);
  if (length > x->file.limit - x->file.length) return file_failed(x, &x->failure, EFBIG);   /* writing on would raise SIGXFSZ */
  for (size_t i = 0; i < length && x->file.length + i < sizeof x->file.head; i++) x->file.head[x->file.length + i] = bytes[i];
  while (length > 0) {
    ssize_t n = write(x->file.fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_failed(x, &x->failure, errno);
    bytes += n;
    length -= (size_t)n;
    x->file.length += (uint64_t)n;
  }
  return DK_OK;
}

/* gives the part file its name; without DK_OVERWRITE only if nobody has taken the name meanwhile */
static int file_name (dk_xfer *x) {
  if (x->flags & DK_OVERWRITE) return rename(x->file.part, x->file.path);
#ifdef RENAME_NOREPLACE
  if (renameat2(AT_FDCWD, x->file.part, AT_FDCWD, x->file.path, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
  if (link(x->file.part, x->file.path) != 0) return -1;
  return unlink(x->file.part);
}

static dk_status file_finish (dk_xfer *x) {
  size_t head = x->file.length < sizeof x->file.head ? (size_t)x->file.length : sizeof x->file.head;
  if (dk_image_type(x->file.head, head) == NULL) return dk_fail(&x->failure, DK_NO_IMAGE, "what came is no JPEG, PNG or WebP picture by its first bytes");
  int fd = x->file.fd;
  if (fsync(fd) != 0) return file_failed(x, &x->failure, errno);
  x->file.fd = -1;
  if (close(fd) != 0) return file_failed(x, &x->failure, errno);
  if (file_name(x) != 0) return errno == EEXIST ? file_exists(x, &x->failure) : file_failed(x, &x->failure, errno);
  free(x->file.part);
  x->file.part = NULL;
  return DK_OK;
}

/* ---- the transfer ---- */

static bool is_tls (const dk_xfer *x) { return strncasecmp(x->url, "https:", 6) == 0; }

static bool is_saved (const dk_xfer *x) { return x->file.path != NULL && x->status / 100 == 2; }

static bool copy_strings (dk_xfer *x, const dk_request *request) {
  snprintf(x->method, sizeof x->method, "%s", request->method);
  x->url = strdup(request->url);
  x->ca_file = request->ca_file ? strdup(request->ca_file) : NULL;
  return x->url != NULL && (request->ca_file == NULL || x->ca_file != NULL);
}

/* the lines as libcurl wants them: nodes that point into them */
static bool list_lines (dk_xfer *x) {
  const char *text = x->lines.bytes, *end = text + x->lines.length;
  size_t count = 1;                                           /* one more, for Expect */
  for (const char *at = text; at < end; at += strlen(at) + 1) count++;
  x->line = malloc(count * sizeof *x->line);
  if (x->line == NULL) return false;
  x->line[0].data = NULL;
  count = 0;
  for (; text < end; text += strlen(text) + 1) x->line[count++].data = (char *)text;
  if (x->has_body || x->form != NULL) x->line[count++].data = (char *)"Expect:";     /* libcurl would wait for a 100 that may never come */
  for (size_t i = 0; i < count; i++) x->line[i].next = i + 1 < count ? &x->line[i + 1] : NULL;
  return true;
}

dk_xfer *dk_xfer_new (dk_request *request, dk_failure *failure) {
  dk_xfer *x = malloc(sizeof *x);        /* glibc's calloc goes past its quick lists: 1,000 instructions a call */
  if (x == NULL) {
    dk_buffer_reset(&request->lines);
    dk_buffer_reset(&request->body);
    dk_form_free(request->form);
    dk_fail(failure, DK_NO_MEMORY, "no memory");
    return NULL;
  }
  memset(x, 0, sizeof *x);
  x->flags = request->flags;
  x->has_body = request->has_body;
  x->connect = request->connect;
  x->idle = request->idle;
  x->total = request->total;
  x->lines = request->lines;
  x->body = request->body;
  x->form = request->form;
  x->max_answer = request->max_answer;
  x->file.fd = -1;
  x->step = "";
  dk_buffer_init(&x->head, DK_MAX_HEAD);
  dk_buffer_init(&x->answer, request->max_answer);
  dk_status status = DK_OK;
  if (!copy_strings(x, request) || !list_lines(x)) status = dk_fail(failure, DK_NO_MEMORY, "no memory");
  else if (request->save_as != NULL) status = file_open(x, request->save_as, failure);
  if (status == DK_OK) return x;
  dk_xfer_free(x);
  return NULL;
}

void dk_xfer_free (dk_xfer *x) {
  if (x == NULL) return;
  file_drop(x);
  free(x->url);
  free(x->line);
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

/* ---- libcurl's callbacks: they note, and never call curl ---- */

/* "HTTP/1.1 200 OK": 200; 0 where no number stands there */
static long status_of (const char *line, size_t length) {
  const char *at = memchr(line, ' ', length), *end = line + length;
  long status = 0;
  while (at != NULL && ++at < end && *at >= '0' && *at <= '9' && status < 1000) status = status * 10 + (*at - '0');
  return status;
}

/* its empty line came: a connection that ends within the header block is no failure to libcurl */
static bool has_whole_head (const dk_xfer *x) {
  const char *end = x->head.bytes + x->head.length;
  return x->head.length > 4 && end[-1] == '\n' && (end[-2] == '\n' || (end[-2] == '\r' && end[-3] == '\n'));
}

static size_t on_head (char *bytes, size_t one, size_t count, void *arg) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  size_t length = one * count;
  x->moved = *x->clock;
  if (x->status >= 200 && has_whole_head(x)) return length;    /* a trailer, behind a chunked body */
  if (length > 5 && memcmp(bytes, "HTTP/", 5) == 0) {          /* a new block: what came before was interim (100) */
    dk_buffer_cut(&x->head, 0);
    x->status = status_of(bytes, length);
  }
  dk_status status = dk_buffer_add(&x->head, bytes, length);
  if (status == DK_OK) return length;
  if (status == DK_NO_MEMORY) dk_fail(&x->failure, status, "no memory");
  else dk_fail(&x->failure, status, "the answer's headers have more than %d bytes", DK_MAX_HEAD);
  return 0;
}

static size_t on_body (char *bytes, size_t one, size_t count, void *arg) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  size_t length = one * count;
  x->moved = *x->clock;
  if (is_saved(x)) return file_add(x, bytes, length) == DK_OK ? length : 0;
  dk_status status = dk_buffer_add(&x->answer, bytes, length);
  if (status == DK_OK) return length;
  if (status == DK_NO_MEMORY) dk_fail(&x->failure, status, "no memory");
  else dk_fail(&x->failure, status, "the answer has more than %zu bytes", x->max_answer);
  return 0;
}

static int on_progress (void *arg, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  const curl_off_t now[4] = {sent, to_send, received, to_receive};
  for (int i = 0; i < 4; i++) {
    uint64_t count = now[i] > 0 ? (uint64_t)now[i] : 0;
    if (atomic_load_explicit(&x->counts[i], memory_order_relaxed) == count) continue;
    atomic_store_explicit(&x->counts[i], count, memory_order_relaxed);
    x->moved = *x->clock;
  }
  return 0;
}

/* libcurl calls it each time a request is about to go out; of its own accord it sends again what a dying kept connection
 * left without an answer */
static int on_prerequest (void *arg, char *peer, char *local, int peer_port, int local_port) {
  dk_xfer *x = ((dk_handle *)arg)->xfer;
  (void)peer, (void)local, (void)peer_port, (void)local_port;
  x->moved = *x->clock;
  if (x->sendings > 0 && (x->flags & DK_ONCE)) {
    x->repeated = true;
    return CURL_PREREQFUNC_ABORT;
  }
  x->sendings++;
  return CURL_PREREQFUNC_OK;
}

/* ---- the handle ---- */

CURL *dk_handle_easy (dk_handle *handle) { return handle->easy; }

dk_xfer *dk_handle_xfer (CURL *easy) {
  dk_handle *handle = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle);
  return handle->xfer;
}

static void set_protocols (CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

dk_handle *dk_handle_new (CURLSH *share) {
  dk_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) return NULL;
  handle->easy = curl_easy_init();
  handle->address = curl_url();
  if (handle->easy == NULL || handle->address == NULL) {
    dk_handle_free(handle);
    return NULL;
  }
  CURL *easy = handle->easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
  curl_easy_setopt(easy, CURLOPT_SHARE, share);
  curl_easy_setopt(easy, CURLOPT_CURLU, handle->address);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->error);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, handle);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prerequest);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, handle);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");                /* also spares libcurl its look at the environment */
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);              /* cancel and close don't wait for a name look-up */
#endif
  set_protocols(easy);
  return handle;
}

void dk_handle_free (dk_handle *handle) {
  if (handle == NULL) return;
  curl_mime_free(handle->mime);
  curl_easy_cleanup(handle->easy);
  curl_url_cleanup(handle->address);
  free(handle->url);
  free(handle->ca_file);
  free(handle);
}

static dk_status load_url (dk_handle *handle, dk_xfer *x) {
  if (handle->url != NULL && strcmp(handle->url, x->url) == 0) return DK_OK;
  free(handle->url);
  handle->url = strdup(x->url);
  curl_url_set(handle->address, CURLUPART_SCHEME, NULL, 0);    /* else an address without one is taken as relative to the last */
  CURLUcode code = curl_url_set(handle->address, CURLUPART_URL, x->url, 0);
  if (code == CURLUE_OK && handle->url != NULL) return DK_OK;
  free(handle->url);
  handle->url = NULL;
  return code == CURLUE_OK || code == CURLUE_OUT_OF_MEMORY ? dk_fail(&x->failure, DK_NO_MEMORY, "no memory")
                                                           : dk_fail(&x->failure, DK_BAD_URL, "%s", curl_url_strerror(code));
}

static dk_status load_roots (dk_handle *handle, dk_xfer *x) {
  if (!is_tls(x)) return DK_OK;
  bool same = handle->ca_file && x->ca_file ? strcmp(handle->ca_file, x->ca_file) == 0 : handle->ca_file == x->ca_file;
  if (handle->has_roots && same) return DK_OK;
  free(handle->ca_file);
  handle->ca_file = x->ca_file ? strdup(x->ca_file) : NULL;
  handle->has_roots = handle->ca_file != NULL || x->ca_file == NULL;
  if (!handle->has_roots) return dk_fail(&x->failure, DK_NO_MEMORY, "no memory");
  const dk_roots roots = dk_roots_of(x->ca_file);
  curl_easy_setopt(handle->easy, CURLOPT_CAINFO, roots.file);
  curl_easy_setopt(handle->easy, CURLOPT_CAPATH, roots.folder);
  return DK_OK;
}

static dk_status load_body (dk_handle *handle, dk_xfer *x) {
  CURL *easy = handle->easy;
  const char *custom = x->method;
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);                 /* back from whatever was before */
  if (x->form != NULL) {
    handle->mime = dk_form_mime(x->form, easy);
    if (handle->mime == NULL) return dk_fail(&x->failure, DK_NO_MEMORY, "no memory");
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)FORM_BUFFER);
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, handle->mime);
  } else if (x->has_body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, x->body.bytes ? x->body.bytes : "");
  }
  if (strcmp(custom, x->form != NULL || x->has_body ? "POST" : "GET") == 0) custom = NULL;
  if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK) return DK_OK;
  return dk_fail(&x->failure, DK_NO_MEMORY, "no memory");
}

static long milliseconds (double seconds) {
  double ms = seconds * 1000;
  return ms >= 1e9 ? 1000000000L : ms < 1 ? 1L : (long)ms;
}

/* lets go of all that points into the transfer */
static void clear (dk_handle *handle) {
  if (handle->mime != NULL) {
    curl_easy_setopt(handle->easy, CURLOPT_MIMEPOST, NULL);
    curl_mime_free(handle->mime);
    handle->mime = NULL;
    curl_easy_setopt(handle->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);    /* gives the large one back */
  }
  curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, NULL);
  handle->xfer = NULL;
}

dk_status dk_handle_load (dk_handle *handle, dk_xfer *x) {
  CURL *easy = handle->easy;
  long receive_buffer = x->file.path ? FILE_BUFFER : SMALL_BUFFER;
  bool counts = x->form != NULL || x->file.path != NULL;
  handle->xfer = x;
  handle->error[0] = '\0';
  dk_status status = load_url(handle, x);
  if (status == DK_OK) status = load_roots(handle, x);
  if (status == DK_OK) status = load_body(handle, x);
  if (status != DK_OK) {
    clear(handle);
    file_drop(x);
    return status;
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->line[0].data ? x->line : NULL);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, x->flags & DK_ONCE ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, x->connect > 0 ? milliseconds(x->connect) : 0L);
  if (receive_buffer != handle->receive_buffer) curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, receive_buffer);
  if (counts != handle->counts) curl_easy_setopt(easy, CURLOPT_NOPROGRESS, counts ? 0L : 1L);
  handle->receive_buffer = receive_buffer;
  handle->counts = counts;
  return DK_OK;
}

/* libcurl's results that mean something else than "the connection ended early" */
static const struct { CURLcode code; dk_status status; } results[] = {
  {CURLE_COULDNT_RESOLVE_HOST, DK_LOOKUP},
  {CURLE_COULDNT_CONNECT, DK_CONNECT},
  {CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT},
  {CURLE_SSL_CONNECT_ERROR, DK_TLS},
  {CURLE_PEER_FAILED_VERIFICATION, DK_TLS},
  {CURLE_SSL_CACERT_BADFILE, DK_TLS},
  {CURLE_SSL_ISSUER_ERROR, DK_TLS},
  {CURLE_SSL_CIPHER, DK_TLS},
  {CURLE_SSL_INVALIDCERTSTATUS, DK_TLS},
  {CURLE_OUT_OF_MEMORY, DK_NO_MEMORY},
  {CURLE_URL_MALFORMAT, DK_BAD_URL},
  {CURLE_UNSUPPORTED_PROTOCOL, DK_BAD_URL},
  {CURLE_WEIRD_SERVER_REPLY, DK_PROTOCOL},
  {CURLE_BAD_CONTENT_ENCODING, DK_PROTOCOL},
};

static dk_status result_of (CURLcode code) {
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
    if (results[i].code == code) return results[i].status;
  }
  return DK_CUT;
}

static curl_off_t time_of (CURL *easy, CURLINFO what) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, what, &microseconds);
  return microseconds;
}

/* how far it came */
static const char *step_of (dk_handle *handle) {
  dk_xfer *x = handle->xfer;
  if (x->sendings == 0) {
    if (time_of(handle->easy, CURLINFO_NAMELOOKUP_TIME_T) == 0) return "name look-up";
    long connected = 0;
    curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &connected);   /* CURLINFO_CONNECT_TIME_T is 0 until TLS is done, too */
    return is_tls(x) && connected > 0 ? "TLS" : "connect";
  }
  if (x->status > 0) return "body";
  return atomic_load(&x->counts[0]) < atomic_load(&x->counts[1]) ? "send" : "wait";      /* small bodies go out at once */
}

static void tell_failure (dk_handle *handle, CURLcode code) {
  dk_xfer *x = handle->xfer;
  const char *trouble = x->form ? dk_form_trouble(x->form) : NULL;
  const char *text = handle->error[0] ? handle->error : curl_easy_strerror(code);
  dk_status status = result_of(code);
  if (status == DK_BAD_URL && x->sendings > 0) status = DK_PROTOCOL;      /* libcurl tells an answer in HTTP/0.9 the same way */
  if (trouble != NULL) dk_fail(&x->failure, DK_FILE, "%s", trouble);
  else if (x->repeated) dk_fail(&x->failure, DK_CUT, "the connection ended before an answer came");
  else if (status == DK_TLS) dk_fail(&x->failure, status, "%s (trusted roots: %s)", text, dk_roots_name(x->ca_file));
  else dk_fail(&x->failure, status, "%s", text);
}

static void settle (dk_handle *handle, CURLcode code, dk_status stopped, const char *text) {
  dk_xfer *x = handle->xfer;
  x->took = (double)time_of(handle->easy, CURLINFO_TOTAL_TIME_T) / 1e6;
  if (code == CURLE_OK && !has_whole_head(x)) code = CURLE_GOT_NOTHING;
  x->fate = code == CURLE_OK && stopped == DK_OK ? DK_ANSWERED : x->sendings > 0 ? DK_UNKNOWN : DK_NOT_SENT;
  if (x->fate != DK_ANSWERED) x->step = step_of(handle);
  if (stopped != DK_OK) dk_fail(&x->failure, stopped, "%s", text);
  else if (x->failure.status == DK_OK && code != CURLE_OK) tell_failure(handle, code);
  if (x->failure.status == DK_TLS) x->step = "TLS";             /* libcurl counts it as part of connecting */
  if (x->failure.status == DK_OK && is_saved(x)) file_finish(x);
}

void dk_handle_unload (dk_handle *handle, CURLcode code, dk_status stopped, const char *text) {
  settle(handle, code, stopped, text);
  file_drop(handle->xfer);
  clear(handle);
}
