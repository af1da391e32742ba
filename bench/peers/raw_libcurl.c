/* raw_libcurl.c - raw libcurl with the same requests as the client: reused handles, libcurl's own defaults.
 *
 *   raw_libcurl idle                               linked with libcurl, does nothing
 *   raw_libcurl calls BASE HEAD COUNT WARM         GETs, one after another; prints microseconds of CPU a call
 *   raw_libcurl many BASE HEAD COUNT WARM AT_ONCE  GETs, so many at once in a multi handle that polls; the same
 *   raw_libcurl flight BASE HEAD COUNT             GETs that nobody answers; prints bytes of memory for each
 *   raw_libcurl upload BASE HEAD ROOTS FILE...     a GET, then a multipart POST; prints the POST's milliseconds of CPU
 *                                                  and its peak in KiB above what the process held after the GET
 *   raw_libcurl download BASE HEAD FILE            a GET, then the image into FILE; the same
 *
 * HEAD is a request's head as the client sent it (server --head): the same headers go out here. ROOTS is the
 * one CA file to trust, or "-" for libcurl's own choice. */
#define _POSIX_C_SOURCE 200809L
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define FLIGHT 0.5   /* seconds in which all requests of a flight are on their way */

typedef struct {
  char *bytes;
  size_t used, room;
} buffer;

static void fail (const char *what) {
  fprintf(stderr, "raw_libcurl: %s\n", what);
  exit(1);
}

static void check (CURLcode code) {
  if (code != CURLE_OK) fail(curl_easy_strerror(code));
}

static void check_multi (CURLMcode code) {
  if (code != CURLM_OK) fail(curl_multi_strerror(code));
}

static size_t on_body (char *bytes, size_t one, size_t n, void *arg) {
  buffer *b = arg;
  n *= one;
  if (b->room - b->used < n) {
    b->room = (b->used + n) * 2;
    b->bytes = realloc(b->bytes, b->room);
    if (b->bytes == NULL) fail("out of memory");
  }
  memcpy(b->bytes + b->used, bytes, n);
  b->used += n;
  return n;
}

/* What libcurl writes by itself, with the host and the boundary of this request. */
static bool own_header (const char *line) {
  return strncasecmp(line, "Host:", 5) == 0 || strncasecmp(line, "Content-Length:", 15) == 0
      || strncasecmp(line, "Content-Type:", 13) == 0;
}

/* The headers of the head at path; Accept and Expect, which libcurl adds unasked, only if they stand there. */
static struct curl_slist *read_headers (const char *path) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) fail(path);
  struct curl_slist *list = NULL;
  char line[8192];
  bool accept = false, expect = false, first = true;
  while (fgets(line, sizeof line, f) != NULL) {
    line[strcspn(line, "\r\n")] = '\0';
    if (!first && line[0] != '\0' && !own_header(line)) list = curl_slist_append(list, line);
    accept |= strncasecmp(line, "Accept:", 7) == 0;
    expect |= strncasecmp(line, "Expect:", 7) == 0;
    first = false;
  }
  fclose(f);
  if (!accept) list = curl_slist_append(list, "Accept:");
  if (!expect) list = curl_slist_append(list, "Expect:");
  return list;
}

static void set_address (CURL *easy, const char *base, const char *path) {
  char url[256];
  snprintf(url, sizeof url, "%s%s", base, path);
  check(curl_easy_setopt(easy, CURLOPT_URL, url));
}

static CURL *open_handle (const char *base, struct curl_slist *headers, buffer *body) {
  CURL *easy = curl_easy_init();
  if (easy == NULL) fail("no handle");
  set_address(easy, base, "/api/v1/auth/me");
  check(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers));
  check(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
  check(curl_easy_setopt(easy, CURLOPT_WRITEDATA, body));
  return easy;
}

static void check_answer (CURL *easy, buffer *body) {
  long status = 0;
  check(curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status));
  if (status != 200 || body->used == 0) fail("not the answer that was expected");
  body->used = 0;
}

static void call (CURL *easy, buffer *body) {
  check(curl_easy_perform(easy));
  check_answer(easy, body);
}

static double seconds (clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu (void) {                     /* user and system, of all threads */
  return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static long memory (const char *field) {       /* KiB */
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  long kib = -1;
  while (f != NULL && fgets(line, sizeof line, f) != NULL)
    if (strncmp(line, field, strlen(field)) == 0) kib = strtol(line + strlen(field), NULL, 10);
  if (f != NULL) fclose(f);
  return kib;
}

static void run_calls (char **argv) {
  buffer body = {0};
  CURL *easy = open_handle(argv[2], read_headers(argv[3]), &body);
  int count = atoi(argv[4]), warm = atoi(argv[5]);
  for (int i = 0; i < warm; i++) call(easy, &body);
  double start = cpu();
  for (int i = 0; i < count; i++) call(easy, &body);
  printf("%.3f\n", (cpu() - start) / count * 1e6);
}

/* count GETs through the multi handle, as many at once as there are handles */
static void call_many (CURLM *multi, CURL **easy, int at_once, int count) {
  int begun = 0, running, left;
  for (; begun < at_once && begun < count; begun++) check_multi(curl_multi_add_handle(multi, easy[begun]));
  for (int done = 0; done < count;) {
    check_multi(curl_multi_perform(multi, &running));
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL; done++) {
      CURL *one = message->easy_handle;
      buffer *its_body;
      check(message->data.result);
      check(curl_easy_getinfo(one, CURLINFO_PRIVATE, &its_body));
      check_answer(one, its_body);
      check_multi(curl_multi_remove_handle(multi, one));
      if (begun < count) check_multi(curl_multi_add_handle(multi, one)), begun++;
    }
    if (done < count) check_multi(curl_multi_poll(multi, NULL, 0, 1000, NULL));
  }
}

static void run_many (char **argv) {
  int count = atoi(argv[4]), warm = atoi(argv[5]), at_once = atoi(argv[6]);
  struct curl_slist *headers = read_headers(argv[3]);
  CURL **easy = calloc((size_t)at_once, sizeof *easy);
  buffer *body = calloc((size_t)at_once, sizeof *body);
  CURLM *multi = curl_multi_init();
  if (easy == NULL || body == NULL || multi == NULL) fail("out of memory");
  for (int i = 0; i < at_once; i++) {
    easy[i] = open_handle(argv[2], headers, &body[i]);
    check(curl_easy_setopt(easy[i], CURLOPT_PRIVATE, &body[i]));
  }
  call_many(multi, easy, at_once, warm);
  double start = cpu();
  call_many(multi, easy, at_once, count);
  printf("%.3f\n", (cpu() - start) / count * 1e6);
}

static void run_flight (char **argv) {
  int count = atoi(argv[4]), running = 0;
  struct curl_slist *headers = read_headers(argv[3]);
  buffer body = {0};
  CURLM *multi = curl_multi_init();
  if (multi == NULL) fail("out of memory");
  call(open_handle(argv[2], headers, &body), &body);
  long idle = memory("VmRSS:");
  for (int i = 0; i < count; i++) {
    CURL *easy = open_handle(argv[2], headers, &body);
    set_address(easy, argv[2], "/api/v1/generation/generations-v2/550e8400-e29b-41d4-a716-446655440000/status");
    check_multi(curl_multi_add_handle(multi, easy));
  }
  for (double start = seconds(CLOCK_MONOTONIC); seconds(CLOCK_MONOTONIC) - start < FLIGHT;) {
    check_multi(curl_multi_perform(multi, &running));
    check_multi(curl_multi_poll(multi, NULL, 0, 100, NULL));
  }
  if (running != count) fail("not all are in flight");
  printf("%.0f\n", (double)(memory("VmRSS:") - idle) * 1024 / count);
}

static void run_upload (char **argv) {
  buffer body = {0};
  CURL *easy = open_handle(argv[2], read_headers(argv[3]), &body);
  if (strcmp(argv[4], "-") != 0) {
    check(curl_easy_setopt(easy, CURLOPT_CAINFO, argv[4]));
    check(curl_easy_setopt(easy, CURLOPT_CAPATH, NULL));
  }
  call(easy, &body);                           /* idle is a process whose libcurl has begun its work */
  long idle = memory("VmRSS:");
  double start = cpu();
  set_address(easy, argv[2], "/api/v1/generation/generate-v2");
  check(curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L));   /* as every POST of the client */
  curl_mime *form = curl_mime_init(easy);
  for (char **file = argv + 5; *file != NULL; file++) {
    curl_mimepart *part = curl_mime_addpart(form);
    check(curl_mime_name(part, "example_images"));
    check(curl_mime_filedata(part, *file));
  }
  curl_mimepart *text = curl_mime_addpart(form);
  check(curl_mime_name(text, "instructions"));
  check(curl_mime_data(text, "{\"prompt\":\"a futuristic cityscape with neon lights\"}", CURL_ZERO_TERMINATED));
  check(curl_easy_setopt(easy, CURLOPT_MIMEPOST, form));
  call(easy, &body);
  printf("%.3f %ld\n", (cpu() - start) * 1e3, memory("VmHWM:") - idle);
}

static void run_download (char **argv) {
  buffer body = {0};
  CURL *easy = open_handle(argv[2], read_headers(argv[3]), &body);
  call(easy, &body);
  long idle = memory("VmRSS:");
  double start = cpu();
  FILE *f = fopen(argv[4], "wb");
  if (f == NULL) fail(argv[4]);
  set_address(easy, argv[2], "/image.jpg");
  check(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, NULL));
  check(curl_easy_setopt(easy, CURLOPT_WRITEDATA, f));
  check(curl_easy_perform(easy));
  if (fclose(f) != 0) fail(argv[4]);
  printf("%.3f %ld\n", (cpu() - start) * 1e3, memory("VmHWM:") - idle);
}

int main (int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "idle") == 0) return 0;
  check(curl_global_init(CURL_GLOBAL_DEFAULT));
  if (strcmp(mode, "calls") == 0 && argc == 6) run_calls(argv);
  else if (strcmp(mode, "many") == 0 && argc == 7) run_many(argv);
  else if (strcmp(mode, "flight") == 0 && argc == 5) run_flight(argv);
  else if (strcmp(mode, "upload") == 0 && argc > 5) run_upload(argv);
  else if (strcmp(mode, "download") == 0 && argc == 5) run_download(argv);
  else fail("usage: see the first comment of bench/peers/raw_libcurl.c");
  return 0;
}
