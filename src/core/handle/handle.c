#define _GNU_SOURCE              /* strdup */
#include "handle/handle.h"

#include <stdlib.h>
#include <string.h>

#include "http/ip_address.h"
#include "system/ca_source.h"
#include "os/os.h"
#include "handle/handle_callbacks.h"
#include "handle/handle_internal.h"
#include "handle/outcome.h"
#include "transfer/curl_check.h"

enum {
  DOWNLOAD_BUFFER = 128 * 1024,  /* bytes, for a file: 0.70 x the CPU of the default (measured, libcurl 7.88.1) */
  FORM_BUFFER = 112 * 1024,      /* bytes: `make bench` R4 says 0.7 x on plain, 0.9 x on TLS; from 128 KiB on, above 1 */
};

typedef dk_option_value options_wanted[DK_OPTION_COUNT];

/* ---- a new handle ---- */

static dk_status fail_refused (const dk_handle_options *options, dk_failure *failure) {
  if (options->refusal == CURLE_OUT_OF_MEMORY) return dk_no_memory(failure);
  return dk_fail(failure, DK_UNSUPPORTED, "libcurl %s does not take %s: %s", curl_version_info(CURLVERSION_NOW)->version, options->refused_option,
                 curl_easy_strerror(options->refusal));
}

static void set_fixed_options (dk_handle *handle, CURLSH *share) {
  DK_REQUIRE(handle, CURLOPT_PRIVATE, handle);
  DK_REQUIRE(handle, CURLOPT_SHARE, share);
  DK_REQUIRE(handle, CURLOPT_CURLU, handle->parsed_url);
  DK_REQUIRE(handle, CURLOPT_ERRORBUFFER, handle->error);
  DK_REQUIRE(handle, CURLOPT_NOSIGNAL, 1L);
  DK_REQUIRE(handle, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);            /* our headers are for the server */
  DK_REQUIRE(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);                    /* a proxy's headers are no response */
  DK_REQUIRE(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  DK_REQUIRE(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  DK_REQUIRE(handle, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  DK_REQUIRE(handle, CURLOPT_ACCEPT_ENCODING, "");             /* decodes what comes; transfer.c removes the request header */
  dk_handle_options_note(&handle->options, dk_curl_allow_http(handle->easy), "CURLOPT_PROTOCOLS");
  curl_easy_setopt(handle->easy, DK_CURLOPT_QUICK_EXIT, 1L);   /* cancel and close don't wait for a name lookup */
}

dk_handle *dk_handle_new (CURLSH *share, dk_failure *failure) {
  dk_handle *handle = (dk_handle *)calloc(1, sizeof *handle);
  if (handle != NULL) {
    dk_handle_options_init(&handle->options);
    handle->easy = curl_easy_init();
    handle->parsed_url = curl_url();
  }
  if (handle == NULL || handle->easy == NULL || handle->parsed_url == NULL) {
    dk_no_memory(failure);
    dk_handle_free(handle);
    return NULL;
  }
  set_fixed_options(handle, share);
  dk_handle_set_callbacks(handle);
  if (handle->options.refusal == CURLE_OK) return handle;
  fail_refused(&handle->options, failure);
  dk_handle_free(handle);
  return NULL;
}

void dk_handle_free (dk_handle *handle) {
  if (handle == NULL) return;
  curl_mime_free(handle->mime);
  curl_easy_cleanup(handle->easy);
  curl_url_cleanup(handle->parsed_url);
  dk_handle_options_free(&handle->options);
  free(handle->url);
  free(handle);
}

CURL *dk_handle_easy (dk_handle *handle) { return handle->easy; }

dk_xfer *dk_handle_xfer (CURL *easy) {
  dk_handle *handle = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handle);
  return handle->xfer;
}

/* ---- the options of one transfer ---- */

static long milliseconds (double seconds) {
  double ms = seconds * 1000;
  return ms >= 1e9 ? 1000000000L : ms < 1 ? 1L : (long)ms;
}

static void want_connection (options_wanted wanted, const dk_xfer *x) {
  double connect = x->request.limits.connect;
  wanted[DK_OPT_FRESH_CONNECT] = x->request.flags & DK_ONCE || x->engine.exclusive_connection;
  wanted[DK_OPT_FORBID_REUSE] = x->engine.exclusive_connection;
  wanted[DK_OPT_CONNECTTIMEOUT_MS] = connect > 0 ? milliseconds(connect) : 0;
}

/* "*" means that libcurl does not read the proxy variables of the environment; with a proxy of ours, no host is exempt */
static void want_proxy (options_wanted wanted, const dk_request *request) {
  static const char every_host[] = "*", no_host[] = "";
  wanted[DK_OPT_PROXY] = (dk_option_value)request->proxy;
  wanted[DK_OPT_PROXYUSERPWD] = (dk_option_value)request->proxy_login;
  wanted[DK_OPT_NOPROXY] = (dk_option_value)(request->proxy ? no_host : every_host);
}

/* For the server, and for a proxy that speaks TLS: libcurl's pool does not compare that proxy's certificates for an http URL.
 * Without TLS the options stay as they are, since no certificate is checked. */
static void want_ca_source (options_wanted wanted, const dk_handle *handle, const dk_request *request) {
  static const dk_option options[] = {DK_OPT_CAINFO, DK_OPT_CAPATH, DK_OPT_SSL_OPTIONS, DK_OPT_PROXY_CAINFO, DK_OPT_PROXY_CAPATH,
                                      DK_OPT_PROXY_SSL_OPTIONS};
  bool needs_tls = dk_request_has_tls(request) || dk_request_has_tls_proxy(request);
  dk_ca_source source = needs_tls ? dk_ca_source_for(request->ca_file) : (dk_ca_source){NULL, NULL, false};
  const dk_option_value values[] = {(dk_option_value)source.file, (dk_option_value)source.directory, source.system_store ? CURLSSLOPT_NATIVE_CA : 0};
  for (int i = 0; i < 6; i++) wanted[options[i]] = needs_tls ? values[i % 3] : handle->options.set[options[i]];
}

static void want_body (options_wanted wanted, const dk_handle *handle, const dk_request *request) {
  bool has_body = request->form != NULL || request->has_body;
  bool is_usual = strcmp(request->method, has_body ? "POST" : "GET") == 0;
  wanted[DK_OPT_CUSTOMREQUEST] = is_usual ? 0 : (dk_option_value)request->method;
  if (request->form != NULL) {
    wanted[DK_OPT_MIMEPOST] = (dk_option_value)handle->mime;
    wanted[DK_OPT_UPLOAD_BUFFERSIZE] = FORM_BUFFER;
    wanted[DK_OPT_VERBOSE] = 1;  /* libcurl calls the debug callback */
  } else if (request->has_body) {
    wanted[DK_OPT_POST] = 1;
    wanted[DK_OPT_POSTFIELDSIZE_LARGE] = (dk_option_value)request->body.length;
    wanted[DK_OPT_POSTFIELDS] = (dk_option_value)(request->body.bytes ? request->body.bytes : "");
  } else {
    wanted[DK_OPT_HTTPGET] = 1;
  }
}

/* progress callbacks are 2 % of a small call's instructions */
static void want_progress (options_wanted wanted, const dk_xfer *x) {
  bool is_large = x->request.form != NULL || x->download.path != NULL || x->request.body.length > DK_UPLOAD_BUFFER;
  if (is_large) wanted[DK_OPT_NOPROGRESS] = 0;
  if (x->download.path != NULL) wanted[DK_OPT_BUFFERSIZE] = DOWNLOAD_BUFFER;
}

static dk_status set_options (dk_handle *handle, dk_xfer *x) {
  options_wanted wanted;
  dk_handle_options_defaults(wanted);
  wanted[DK_OPT_HTTPHEADER] = (dk_option_value)&x->header_list[0];
  want_connection(wanted, x);
  want_proxy(wanted, &x->request);
  want_ca_source(wanted, handle, &x->request);
  want_body(wanted, handle, &x->request);
  want_progress(wanted, x);
  return dk_handle_options_apply(&handle->options, handle->easy, wanted) ? DK_OK : fail_refused(&handle->options, &x->outcome.failure);
}

/* ---- one transfer ---- */

static dk_status parse_url (dk_handle *handle, dk_xfer *x) {
  if (handle->url != NULL && strcmp(handle->url, x->request.url) == 0) return DK_OK;
  free(handle->url);
  handle->url = strdup(x->request.url);
  curl_url_set(handle->parsed_url, CURLUPART_SCHEME, NULL, 0); /* libcurl resolves a URL without a scheme against the last one */
  CURLUcode code = curl_url_set(handle->parsed_url, CURLUPART_URL, x->request.url, 0);
  if (code == CURLUE_OK && handle->url != NULL) return DK_OK;
  free(handle->url);
  handle->url = NULL;
  if (code == CURLUE_OK || code == CURLUE_OUT_OF_MEMORY) return dk_no_memory(&x->outcome.failure);
  return dk_fail(&x->outcome.failure, DK_BAD_URL, "%s", dk_curl_url_error((int)code));
}

/* through a proxy, the address in the URL is the only one that can be checked */
static dk_status check_public (dk_handle *handle, dk_xfer *x) {
  bool is_public = x->request.flags & DK_PUBLIC;
  handle->public_only = is_public && x->request.proxy == NULL;
  if (!is_public || handle->public_only) return DK_OK;
  char *host = NULL;
  if (curl_url_get(handle->parsed_url, CURLUPART_HOST, &host, 0) != CURLUE_OK) return dk_no_memory(&x->outcome.failure);
  if (dk_ip_classify(host) == DK_IP_PRIVATE) dk_outcome_not_public(x, host);
  curl_free(host);
  return x->outcome.failure.status;
}

static dk_status build_form (dk_handle *handle, dk_xfer *x) {
  if (x->request.form == NULL) return DK_OK;
  handle->mime = dk_form_build(x->request.form, handle->easy);
  if (handle->mime == NULL) return dk_no_memory(&x->outcome.failure);
  dk_form_set_pause_check(x->request.form, dk_handle_must_pause, handle);
  return DK_OK;
}

/* drops all that points into the transfer */
static void release (dk_handle *handle) {
  dk_handle_options_release(&handle->options, handle->easy);
  curl_mime_free(handle->mime);
  handle->mime = NULL;
  dk_download_discard(&handle->xfer->download);
  handle->xfer = NULL;
}

static void reset_state (dk_handle *handle) {
  handle->error[0] = handle->refused_address[0] = '\0';
  handle->socket = CURL_SOCKET_BAD;
  handle->upload = (dk_upload_pause){0};
  memcpy(handle->upload.tail, "     \r\n", sizeof handle->upload.tail);      /* the end of the headers: a chunk size follows a line end */
}

dk_status dk_handle_prepare (dk_handle *handle, dk_xfer *x) {
  handle->xfer = x;
  reset_state(handle);
  dk_status status = parse_url(handle, x);
  if (status == DK_OK) status = check_public(handle, x);
  if (status == DK_OK) status = build_form(handle, x);
  if (status == DK_OK) status = set_options(handle, x);
  if (status != DK_OK) release(handle);
  return status;
}

bool dk_handle_resume_upload (dk_handle *handle) {
  dk_upload_pause *upload = &handle->upload;
  if (upload->paused && (dk_now() >= upload->grace_ends || handle->xfer->response.has_headers)) curl_easy_pause(handle->easy, CURLPAUSE_CONT);
  return upload->paused;
}

void dk_handle_finish (dk_handle *handle, CURLcode code, dk_status stopped, const char *text) {
  dk_outcome_settle(handle, code, stopped, text);
  release(handle);
}
