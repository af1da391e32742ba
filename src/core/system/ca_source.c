#include "system/ca_source.h"

#include <curl/curl.h>
#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static dk_roots system_roots;

/* "1d3472b9.0", as OpenSSL's rehash names them */
static bool is_hashed_name (const char *name) {
  return strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

static bool has_hashed_names (const char *folder) {
  DIR *dir = folder ? opendir(folder) : NULL;
  bool found = false;
  if (dir == NULL) return false;
  for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) found = is_hashed_name(entry->d_name);
  closedir(dir);
  return found;
}

/* rustls, BearSSL, Secure Transport and Schannel read no folder */
static bool takes_folders (const char *folder) {
  CURL *easy = curl_easy_init();
  CURLcode code = easy ? curl_easy_setopt(easy, CURLOPT_CAPATH, folder) : CURLE_OUT_OF_MEMORY;
  curl_easy_cleanup(easy);
  return code == CURLE_OK || code == CURLE_OUT_OF_MEMORY;
}

static void find (void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  bool has_folder = has_hashed_names(info->capath) && takes_folders(info->capath);
  system_roots = has_folder ? (dk_roots){.folder = info->capath} : (dk_roots){.file = info->cainfo};
}

dk_roots dk_roots_of (const char *ca_file) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (ca_file != NULL) return (dk_roots){.file = ca_file};
  pthread_once(&once, find);
  return system_roots;
}

const char *dk_roots_name (const char *ca_file) {
  dk_roots roots = dk_roots_of(ca_file);
  return roots.file ? roots.file : roots.folder ? roots.folder : "none found";
}
