/* handle_options_test.c - options that libcurl refuses or does not clear: no request is sent without its safety options. */
#define _GNU_SOURCE              /* for test_server.h, RTLD_NEXT */
#include <stdarg.h>

#include "support/handle_runner.h"
#include "support/libcurl_hook.h"
#include "support/test_server.h"

#define HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static const server_route rows[] = {{.path = "/", .response = HI}, {.path = "http://name.test/", .response = HI}, {NULL}};
static test_server one, other;

/* ---- another libcurl ---- */

static CURLoption refused;       /* 0: none */
#define PROTOCOLS_STR ((CURLoption)(CURLOPTTYPE_STRINGPOINT + 318))  /* CURLOPT_PROTOCOLS_STR, also with older headers */
#define PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 181))  /* CURLOPT_PROTOCOLS, which newer headers call deprecated */
static bool refuses_protocols;   /* CURLOPT_PROTOCOLS_STR, too, which came with 7.85 */
static bool forgets;             /* CURLOPT_PROXYUSERPWD with NULL has no effect, as in 8.8 to 8.20 */

#undef curl_easy_setopt
HOOK CURLcode curl_easy_setopt (CURL *easy, CURLoption option, ...) {
  static CURLcode (*real) (CURL *, CURLoption, ...);
  if (real == NULL) HOOK_REAL(real, "curl_easy_setopt");
  va_list args;
  va_start(args, option);
  CURLcode code;
  if (option < CURLOPTTYPE_OBJECTPOINT) code = option == refused ? CURLE_UNKNOWN_OPTION : real(easy, option, va_arg(args, long));
  else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB) code = option == refused ? CURLE_UNKNOWN_OPTION : real(easy, option, va_arg(args, curl_off_t));
  else {
    void *value = va_arg(args, void *);
    if (option == refused || (option == PROTOCOLS_STR && refuses_protocols)) code = CURLE_NOT_BUILT_IN;
    else code = forgets && option == CURLOPT_PROXYUSERPWD && value == NULL ? CURLE_OK : real(easy, option, value);
  }
  va_end(args);
  return code;
}

static dk_request with_form (void) {
  static const char image[] = PNG_HEAD;
  dk_failure failure;
  dk_request r = make_request("POST", server_url(&one, "/"));
  r.form = dk_form_new();
  CHECK(dk_form_add_bytes(r.form, "i", "i.png", image, sizeof image, sizeof image, &failure) == DK_OK);
  return r;
}

static dk_request with_body (void) { return make_post(server_url(&one, "/"), "{}"); }

static dk_request with_proxy (void) {
  static char proxy[128];
  strcpy(proxy, server_url(&one, "/"));
  dk_request r = make_request("GET", "http://name.test/");
  r.proxy = proxy;
  r.proxy_login = "user:word";
  return r;
}

static dk_request plain (void) { return make_request("GET", server_url(&one, "/")); }

static dk_request with_tls (void) { return make_request("GET", "https://127.0.0.1:1/"); }

#define ROW(option, request) {option, #option, request}

static void each_refusal_stops_the_transfer (void) {
  static const struct { CURLoption option; const char *name; dk_request (*request) (void); } options[] = {
    ROW(CURLOPT_PREREQFUNCTION, plain), ROW(CURLOPT_PREREQDATA, plain), ROW(CURLOPT_OPENSOCKETFUNCTION, plain), ROW(CURLOPT_OPENSOCKETDATA, plain),
    ROW(CURLOPT_NOSIGNAL, plain), ROW(CURLOPT_HEADEROPT, plain), ROW(CURLOPT_SUPPRESS_CONNECT_HEADERS, plain), ROW(CURLOPT_HTTP_VERSION, plain),
    ROW(CURLOPT_SSLVERSION, plain), ROW(CURLOPT_PROXY_SSLVERSION, plain), ROW(CURLOPT_HEADERFUNCTION, plain), ROW(CURLOPT_WRITEFUNCTION, plain),
    ROW(CURLOPT_NOPROXY, plain), ROW(CURLOPT_HTTPHEADER, plain), ROW(CURLOPT_FRESH_CONNECT, plain), ROW(CURLOPT_FORBID_REUSE, plain),
    ROW(CURLOPT_CONNECTTIMEOUT_MS, plain), ROW(CURLOPT_CUSTOMREQUEST, with_body), ROW(CURLOPT_POSTFIELDS, with_body),
    ROW(CURLOPT_POSTFIELDSIZE_LARGE, with_body), ROW(CURLOPT_MIMEPOST, with_form), ROW(CURLOPT_PROXY, with_proxy),
    ROW(CURLOPT_PROXYUSERPWD, with_proxy), ROW(CURLOPT_CAINFO, with_tls), ROW(CURLOPT_PROXY_CAINFO, with_tls),
    ROW(CURLOPT_SSL_OPTIONS, with_tls), ROW(CURLOPT_PROXY_SSL_OPTIONS, with_tls), {PROTOCOLS, "CURLOPT_PROTOCOLS", plain},
  };
  server_start(&one, rows);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    dk_engine *e = dk_engine_new();
    dk_request r = options[i].request();
    refused = options[i].option;
    refuses_protocols = i == sizeof options / sizeof *options - 1;
    dk_xfer *x = run_transfer(e, r);
    refused = 0;
    refuses_protocols = false;
    if (x != NULL && !(CHECK(x->outcome.failure.status == DK_UNSUPPORTED) & CHECK(x->outcome.fate == DK_NOT_SENT) & CHECK(strstr(x->outcome.failure.text, options[i].name) != NULL)))
      fprintf(stderr, "  %s: %s (%s)\n", options[i].name, dk_status_name(x->outcome.failure.status), x->outcome.failure.text);
    dk_xfer_free(x);
    x = run_transfer(e, plain());                          /* the next one works, because libcurl accepts the option again */
    if (x != NULL && !CHECK(x->outcome.failure.status == DK_OK)) fprintf(stderr, "  after %s: %s\n", options[i].name, x->outcome.failure.text);
    dk_xfer_free(x);
    dk_engine_close(e);
    dk_engine_free(e);
  }
  CHECK(server_requests(&one, 0) == (int)(sizeof options / sizeof *options));
  server_stop(&one);
}

/* a libcurl before 7.85 knows CURLOPT_PROTOCOLS alone */
static void an_old_name_of_the_protocols (void) {
  server_start(&one, rows);
  dk_engine *e = dk_engine_new();
  refused = PROTOCOLS_STR;
  dk_xfer *x = run_transfer(e, plain());
  refused = 0;
  CHECK(x != NULL && x->outcome.failure.status == DK_OK);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&one);
}

/* a TLS library without CA directories refuses the option; the bundle is enough */
static void a_tls_without_folders (void) {
  static const CURLoption options[] = {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    dk_engine *e = dk_engine_new();
    dk_request r = with_tls();
    r.ca_file = "/etc/ssl/certs/ca-certificates.crt";
    refused = options[i];
    dk_xfer *x = run_transfer(e, r);
    refused = 0;
    if (x != NULL && !CHECK(x->outcome.failure.status == DK_CONNECT)) fprintf(stderr, "  %s\n", x->outcome.failure.text);
    dk_xfer_free(x);
    dk_engine_close(e);
    dk_engine_free(e);
  }
}

/* the next proxy does not get the login, also if libcurl does not clear it */
static void a_login_is_for_its_proxy_alone (void) {
  static const char *const kinds[] = {"http", "socks5h"};
  server_start(&one, rows);
  server_start(&other, rows);
  forgets = true;
  for (int kind = 0; kind < 2; kind++) {
    static char first[128], second[128], got[SERVER_KEPT + 1];
    dk_engine *e = dk_engine_new();
    dk_request r = make_request("GET", "http://name.test/");
    snprintf(first, sizeof first, "%s%s", kinds[kind], strchr(server_url(&one, ""), ':'));
    snprintf(second, sizeof second, "http%s", strchr(server_url(&other, ""), ':'));
    r.proxy = first;
    r.proxy_login = "user:word";
    r.limits.connect = 0.5;                                   /* not a SOCKS server: only the options left on the handle matter */
    dk_xfer_free(run_transfer(e, r));
    for (int i = 0; i < 2; i++) {
      r = make_request("GET", "http://name.test/");
      r.proxy = second;
      r.proxy_login = i == 0 ? NULL : "other";         /* a login without a password does not keep the old password */
      dk_xfer *x = run_transfer(e, r);
      if (x != NULL) CHECK(x->outcome.failure.status == DK_OK);
      dk_xfer_free(x);
      server_last_request(&other, got);
      CHECK(i == 0 ? strstr(got, "Proxy-Authorization") == NULL : strstr(got, "Proxy-Authorization: Basic b3RoZXI6\r\n") != NULL);
    }
    dk_engine_close(e);
    dk_engine_free(e);
  }
  forgets = false;
  server_stop(&one);
  server_stop(&other);
}

int main (void) {
  static const check_test tests[] = {
    {"each_refusal_stops_the_transfer", each_refusal_stops_the_transfer},
    {"an_old_name_of_the_protocols", an_old_name_of_the_protocols},
    {"a_tls_without_folders", a_tls_without_folders},
    {"a_login_is_for_its_proxy_alone", a_login_is_for_its_proxy_alone},
  };
  return CHECK_RUN(tests);
}
