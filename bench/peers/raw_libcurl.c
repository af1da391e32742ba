/* raw_libcurl.c - raw libcurl with the same requests as the client: reused handles, libcurl's own defaults.
 *
 *   raw_libcurl idle                               linked with libcurl, does nothing
 *   raw_libcurl calls BASE HEAD COUNT WARM         GETs, one after another; prints microseconds of CPU a call
 *   raw_libcurl many BASE HEAD COUNT WARM AT_ONCE  GETs, so many at once in a multi handle that polls; the same
 *   raw_libcurl flight BASE HEAD COUNT             GETs that nobody answers; prints bytes of memory for each
 *   raw_libcurl upload BASE HEAD ROOTS FILE...     a GET, then a multipart POST; prints the POST's milliseconds of CPU
 *                                                  and its peak in KiB above what the process held after the GET
 *   raw_libcurl download BASE HEAD FILE            a GET, then the image into FILE; the same
 *   raw_libcurl jobs BASE HEAD COUNT AT_ONCE IMAGE OUT
 *                                                  generations of IMAGE at the sandbox, so many at once: a POST, a GET of the status
 *                                                  each second, the result into OUT/N.png; prints microseconds of CPU a job and the
 *                                                  peak in KiB above the start
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
  char url[512];
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

static void add_image (curl_mime *form, const char *path) {
  curl_mimepart *part = curl_mime_addpart(form);
  check(curl_mime_name(part, "example_images"));
  check(curl_mime_filedata(part, path));
}

static void add_text (curl_mime *form, const char *name, const char *text) {
  curl_mimepart *part = curl_mime_addpart(form);
  check(curl_mime_name(part, name));
  check(curl_mime_data(part, text, CURL_ZERO_TERMINATED));
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
  for (char **file = argv + 5; *file != NULL; file++) add_image(form, *file);
  add_text(form, "instructions", "{\"prompt\":\"a futuristic cityscape with neon lights\"}");
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

/* ---- jobs ---- */

#define PAUSE 1.0    /* seconds between two status requests, as in bench/batch.lua */

typedef enum { SENDING, ASKING, PAUSING, SAVING, IDLE } job_step;

typedef struct {
  CURL *easy;
  curl_mime *form;
  buffer body;                                 /* of the last response, with a zero at its end */
  FILE *file;
  job_step step;
  double due;                                  /* PAUSING: when the next status request begins */
  char status_path[160];
} job;

typedef struct {
  CURLM *multi;
  const char *base, *image, *out;
  struct curl_slist *headers;
  int count, begun, done;
} batch;

/* The text of a field of a JSON object, without the backslashes before slashes. */
static void read_field (buffer *body, const char *field, char *text, size_t size) {
  char name[64];
  snprintf(name, sizeof name, "\"%s\":\"", field);
  on_body((char *)"", 1, 1, body);
  const char *at = strstr(body->bytes, name);
  if (at == NULL) fail("a field is missing");
  size_t n = 0;
  for (at += strlen(name); *at != '"' && *at != '\0' && n + 1 < size; at++)
    if (*at != '\\') text[n++] = *at;
  text[n] = '\0';
}

static void begin (const batch *b, job *j, job_step step, const char *base, const char *path, struct curl_slist *headers) {
  j->step = step;
  j->body.used = 0;
  check(curl_easy_setopt(j->easy, CURLOPT_HTTPHEADER, headers));
  check(curl_easy_setopt(j->easy, CURLOPT_FRESH_CONNECT, step == SENDING ? 1L : 0L));    /* as every POST of the client */
  if (step == SENDING) check(curl_easy_setopt(j->easy, CURLOPT_MIMEPOST, j->form));
  else check(curl_easy_setopt(j->easy, CURLOPT_HTTPGET, 1L));
  check(curl_easy_setopt(j->easy, CURLOPT_WRITEFUNCTION, step == SAVING ? NULL : on_body));
  check(curl_easy_setopt(j->easy, CURLOPT_WRITEDATA, step == SAVING ? (void *)j->file : (void *)&j->body));
  set_address(j->easy, base, path);
  check_multi(curl_multi_add_handle(b->multi, j->easy));
}

static void begin_job (batch *b, job *j) {
  char instructions[128], path[1024];
  if (j->form != NULL) curl_mime_free(j->form);
  j->form = NULL;
  j->step = IDLE;
  if (b->begun == b->count) return;
  int number = ++b->begun;
  snprintf(path, sizeof path, "%s/%d.png", b->out, number);
  j->file = fopen(path, "wb");
  if (j->file == NULL) fail(path);
  j->form = curl_mime_init(j->easy);
  add_image(j->form, b->image);
  snprintf(instructions, sizeof instructions, "{\"prompt\":\"a view of City %d at night\"}", number);
  add_text(j->form, "instructions", instructions);
  begin(b, j, SENDING, b->base, "/api/v1/generation/generate-v2", b->headers);
}

static void ask (const batch *b, job *j) { begin(b, j, ASKING, b->base, j->status_path, b->headers); }

static void read_status (const batch *b, job *j) {
  char status[32], url[512];
  read_field(&j->body, "status", status, sizeof status);
  if (strcmp(status, "completed") == 0) {
    read_field(&j->body, "result_image_url", url, sizeof url);
    begin(b, j, SAVING, url, "", NULL);        /* without the account's headers */
  } else {
    j->step = PAUSING;
    j->due = seconds(CLOCK_MONOTONIC) + PAUSE;
  }
}

static void finish_step (batch *b, job *j) {
  long status = 0;
  char id[64];
  check(curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status));
  if (status != 200) fail("not the answer that was expected");
  check_multi(curl_multi_remove_handle(b->multi, j->easy));
  if (j->step == SENDING) {
    read_field(&j->body, "id", id, sizeof id);
    snprintf(j->status_path, sizeof j->status_path, "/api/v1/generation/generations-v2/%s/status", id);
    ask(b, j);
  } else if (j->step == ASKING) {
    read_status(b, j);
  } else {
    if (fclose(j->file) != 0) fail("the image is not saved");
    b->done++;
    begin_job(b, j);
  }
}

static void run_jobs (char **argv) {
  int at_once = atoi(argv[5]), running, left;
  long idle = memory("VmRSS:");
  double start = cpu();
  batch b = {.multi = curl_multi_init(), .base = argv[2], .headers = read_headers(argv[3]), .count = atoi(argv[4]), .image = argv[6],
    .out = argv[7]};
  job *jobs = calloc((size_t)at_once, sizeof *jobs);
  if (b.multi == NULL || jobs == NULL) fail("out of memory");
  for (int i = 0; i < at_once; i++) {
    jobs[i].easy = curl_easy_init();
    check(curl_easy_setopt(jobs[i].easy, CURLOPT_PRIVATE, &jobs[i]));
    begin_job(&b, &jobs[i]);
  }
  while (b.done < b.count) {
    check_multi(curl_multi_perform(b.multi, &running));
    for (CURLMsg *message; (message = curl_multi_info_read(b.multi, &left)) != NULL;) {
      job *j;
      check(message->data.result);
      check(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &j));
      finish_step(&b, j);
    }
    double now = seconds(CLOCK_MONOTONIC), next = now + PAUSE;
    for (int i = 0; i < at_once; i++) {
      if (jobs[i].step != PAUSING) continue;
      if (jobs[i].due <= now) ask(&b, &jobs[i]), next = now;
      else if (jobs[i].due < next) next = jobs[i].due;
    }
    check_multi(curl_multi_poll(b.multi, NULL, 0, (int)((next - now) * 1e3), NULL));
  }
  printf("%.3f %ld\n", (cpu() - start) / b.count * 1e6, memory("VmHWM:") - idle);
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
  else if (strcmp(mode, "jobs") == 0 && argc == 8) run_jobs(argv);
  else fail("usage: see the first comment of bench/peers/raw_libcurl.c");
  return 0;
}
