/* handle_runner.h - runs one handle without an engine, for tests of the options that a transfer sets. */
#ifndef HANDLE_RUNNER_H
#define HANDLE_RUNNER_H

#include "support/engine_helpers.h"
#include "handle/handle.h"

/* Runs the prepared handle until its transfer ends; returns libcurl's result. */
static inline CURLcode run_handle (CURLM *multi, dk_handle *handle) {
  double end = dk_now() + PATIENCE;
  int left = 1;
  curl_multi_add_handle(multi, dk_handle_easy(handle));
  while (left > 0 && dk_now() < end) {
    curl_multi_perform(multi, &left);
    if (left > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  CURLMsg *message = curl_multi_info_read(multi, &left);
  CURLcode code = message ? message->data.result : CURLE_AGAIN;
  curl_multi_remove_handle(multi, dk_handle_easy(handle));
  return code;
}

#endif
