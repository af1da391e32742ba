/* inline_libcurl.c - a frame loop that runs libcurl itself: curl_multi_perform once per frame.
 *
 *   inline_libcurl idle COUNT                nothing is in progress
 *   inline_libcurl upload BASE ROOTS FILE...  each file in a request of its own, at 60 frames per second
 *   inline_libcurl burst BASE COUNT CALLS     COUNT times: the responses of so many GETs are there in one frame
 *
 * Prints what frame_times.h says. ROOTS is the CA file. The requests have libcurl's own headers. */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "../frame_times.h"

static CURLM *multi;
static frame_times times;

static void fail (const char *what) {
  fprintf(stderr, "inline_libcurl: %s\n", what);
  exit(1);
}

static size_t ignore (char *bytes, size_t one, size_t n, void *arg) {
  (void)bytes;
  (void)arg;
  return one * n;
}

static CURL *new_handle (const char *base, const char *path) {
  char url[256];
  CURL *easy = curl_easy_init();
  if (easy == NULL) fail("no handle");
  snprintf(url, sizeof url, "%s%s", base, path);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  return easy;
}

/* one frame; how many transfers have finished in it */
static int perform (void) {
  int running, left, finished = 0;
  curl_multi_perform(multi, &running);
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL; finished++) {
    if (message->data.result != CURLE_OK) fail(curl_easy_strerror(message->data.result));
    curl_multi_remove_handle(multi, message->easy_handle);
  }
  return finished;
}

static int measured_frame (void) {
  begin_frame(&times);
  int finished = perform();
  end_frame(&times);
  return finished;
}

static void run_idle (int count) {
  for (int i = 0; i < count; i++) {
    wait_for_next_frame(&times);
    measured_frame();
  }
}

static CURL *new_upload (const char *base, const char *roots, const char *file) {
  CURL *easy = new_handle(base, "/api/v1/generation/generate-v2");
  curl_easy_setopt(easy, CURLOPT_CAINFO, roots);
  curl_mime *form = curl_mime_init(easy);
  curl_mimepart *part = curl_mime_addpart(form);
  curl_mime_name(part, "example_images");
  if (curl_mime_filedata(part, file) != CURLE_OK) fail(file);
  curl_easy_setopt(easy, CURLOPT_MIMEPOST, form);
  return easy;
}

static void run_upload (char **argv) {
  int left = 0;
  for (char **file = argv + 4; *file != NULL; file++, left++) curl_multi_add_handle(multi, new_upload(argv[2], argv[3], *file));
  while (left > 0) {
    wait_for_next_frame(&times);
    left -= measured_frame();
  }
}

/* The requests go out, are answered after a while, and then their responses are there. */
static void start_calls (CURL **easy, int calls) {
  static const struct timespec a_while = {0, 150000000};
  for (int i = 0; i < calls; i++) curl_multi_add_handle(multi, easy[i]);
  if (perform() > 0) fail("a response came too early");
  nanosleep(&a_while, NULL);
}

static void run_burst (char **argv) {
  int count = atoi(argv[3]), calls = atoi(argv[4]);
  CURL **easy = calloc((size_t)calls, sizeof *easy);
  if (easy == NULL) fail("no memory");
  for (int i = 0; i < calls; i++) easy[i] = new_handle(argv[2], "/api/v1/auth/me");
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)calls);
  for (int i = 0; i < calls; i++) curl_multi_add_handle(multi, easy[i]);
  for (int left = calls; left > 0; left -= perform()) curl_multi_poll(multi, NULL, 0, 100, NULL);
  while (count-- > 0) {
    start_calls(easy, calls);
    for (int left = calls; left > 0;) left -= measured_frame();
  }
}

int main (int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = curl_multi_init();
  if (strcmp(mode, "idle") == 0 && argc == 3) run_idle(atoi(argv[2]));
  else if (strcmp(mode, "upload") == 0 && argc > 4) run_upload(argv);
  else if (strcmp(mode, "burst") == 0 && argc == 5) run_burst(argv);
  else fail("usage: see the first comment of bench/peers/inline_libcurl.c");
  print_frames(&times);
  printf("\n");
  return 0;
}
