#include "system/ca_source.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "os/os.h"
#include "os/threads.h"

static dk_ca_source system_source;

/* "1d3472b9.0", as OpenSSL's rehash names them */
static bool is_hashed_name (const char *name) {
  return strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

static bool has_hashed_names (const char *directory) {
  return directory != NULL && dk_folder_has(directory, is_hashed_name);
}

/* rustls, BearSSL, Secure Transport and Schannel read no directory */
static bool supports_directories (const char *directory) {
  CURL *easy = curl_easy_init();
  CURLcode code = easy ? curl_easy_setopt(easy, CURLOPT_CAPATH, directory) : CURLE_OUT_OF_MEMORY;
  curl_easy_cleanup(easy);
  return code == CURLE_OK || code == CURLE_OUT_OF_MEMORY;
}

static void find_system_source (void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  bool has_directory = has_hashed_names(info->capath) && supports_directories(info->capath);
  system_source = has_directory ? (dk_ca_source){.directory = info->capath} : (dk_ca_source){.file = info->cainfo};
}

dk_ca_source dk_ca_source_for (const char *ca_file) {
  static dk_once once = DK_ONCE_INIT;
  if (ca_file != NULL) return (dk_ca_source){.file = ca_file};
  dk_run_once(&once, find_system_source);
  return system_source;
}

const char *dk_ca_source_name (const char *ca_file) {
  dk_ca_source source = dk_ca_source_for(ca_file);
  return source.file ? source.file : source.directory ? source.directory : "none found";
}
