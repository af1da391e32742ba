#include "system/ca_source.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "os/os.h"
#include "os/threads.h"

#define ADVICE "install the package ca-certificates, or set ca_file"

enum { NAME_SIZE = 1024 };       /* bytes: a path and a sentence */

static dk_ca_source system_source;
static char system_name[NAME_SIZE];

/* "1d3472b9.0", as OpenSSL's rehash names them */
static bool is_hashed_name (const char *name) {
  return strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

static bool has_hashed_names (const char *directory) {
  return directory != NULL && dk_folder_has(directory, is_hashed_name);
}

/* What the TLS libraries of libcurl do with root certificates. */
typedef enum {
  FILES_ONLY,                    /* a file or a directory must be named */
  ON_REQUEST,                    /* the system's store, with CURLSSLOPT_NATIVE_CA */
  BY_ITSELF,                     /* the system's store, if nothing is named */
} store_use;

typedef struct {
  const char *name;              /* in curl_version_info's ssl_version */
  bool looks_up;                 /* it reads of a hashed directory only what it needs; the others read all for each connection */
  store_use store;
} tls_library;

static const tls_library tls_libraries[] = {
  {"OpenSSL", true, ON_REQUEST},
  {"quictls", true, ON_REQUEST},
  {"LibreSSL", true, ON_REQUEST},
  {"BoringSSL", true, ON_REQUEST},
  {"AWS-LC", true, ON_REQUEST},
  {"GnuTLS", false, ON_REQUEST},       /* 3.5 x the instructions of a bundle with a hashed directory (measured, 7.88.1) */
  {"wolfSSL", false, ON_REQUEST},
  {"rustls-ffi", false, ON_REQUEST},
  {"mbedTLS", false, FILES_ONLY},
  {"BearSSL", false, FILES_ONLY},
  {"Schannel", false, BY_ITSELF},
  {"SecureTransport", false, BY_ITSELF},
};

/* "(OpenSSL/3.0.17) GnuTLS/3.7.9": a libcurl with two, of which GnuTLS is used */
static const tls_library *used_library (const char *names) {
  static const tls_library unknown = {"", false, FILES_ONLY};
  for (const char *name = names; name != NULL && *name != '\0'; name += strcspn(name, " ")) {
    name += strspn(name, " ");
    for (size_t i = 0; i < sizeof tls_libraries / sizeof *tls_libraries; i++) {
      if (strncmp(name, tls_libraries[i].name, strlen(tls_libraries[i].name)) == 0) return &tls_libraries[i];
    }
  }
  return &unknown;
}

static bool is_readable (const char *path) {
  FILE *file = path != NULL ? fopen(path, "rb") : NULL;
  if (file == NULL) return false;
  fclose(file);
  return true;
}

/* rustls, BearSSL, Secure Transport and Schannel read no directory */
static bool supports_directories (const char *directory) {
  CURL *easy = curl_easy_init();
  CURLcode code = easy ? curl_easy_setopt(easy, CURLOPT_CAPATH, directory) : CURLE_OUT_OF_MEMORY;
  curl_easy_cleanup(easy);
  return code == CURLE_OK || code == CURLE_OUT_OF_MEMORY;
}

/* a file that can't be read is named all the same, if there is nothing else: libcurl's error then has its path */
dk_ca_source dk_ca_source_of (const char *ssl_version, const char *file, const char *directory) {
  const tls_library *library = used_library(ssl_version);
  bool has_directory = has_hashed_names(directory) && supports_directories(directory);
  if (has_directory && (library->looks_up || !is_readable(file))) return (dk_ca_source){.directory = directory};
  if (file != NULL) return (dk_ca_source){.file = file};
  return (dk_ca_source){.system_store = library->store != FILES_ONLY};
}

/* Where the system has none, the text says which folder or file was searched, and what to do. */
static void name_system_source (const char *directory) {
  const dk_ca_source *source = &system_source;
  const char *store = source->system_store ? "the system's store" : "none";
  if (source->directory != NULL) snprintf(system_name, sizeof system_name, "%s", source->directory);
  else if (source->file != NULL && is_readable(source->file)) snprintf(system_name, sizeof system_name, "%s", source->file);
  else if (source->file != NULL) snprintf(system_name, sizeof system_name, "none: %s can't be read; " ADVICE, source->file);
  else if (directory != NULL) snprintf(system_name, sizeof system_name, "%s: the folder %s has no certificates; " ADVICE, store, directory);
  else snprintf(system_name, sizeof system_name, "%s", source->system_store ? store : "none; " ADVICE);
}

static void find_system_source (void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  system_source = dk_ca_source_of(info->ssl_version, info->cainfo, info->capath);
  name_system_source(info->capath);
}

dk_ca_source dk_ca_source_for (const char *ca_file) {
  static dk_once once = DK_ONCE_INIT;
  if (ca_file != NULL) return (dk_ca_source){.file = ca_file};
  dk_run_once(&once, find_system_source);
  return system_source;
}

const char *dk_ca_source_name (const char *ca_file) {
  if (ca_file != NULL) return ca_file;
  (void)dk_ca_source_for(NULL);  /* searches the system */
  return system_name;
}
