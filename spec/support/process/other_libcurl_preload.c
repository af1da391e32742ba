/* other_libcurl_preload.c - a libcurl that says it is another one, under LD_PRELOAD.
 *
 * OTHER_LIBCURL_NUMBER, OTHER_LIBCURL_VERSION  its version, as a number and as a text
 * OTHER_LIBCURL_WITHOUT                        the bits of the features that it lacks
 * OTHER_LIBCURL_CAINFO, OTHER_LIBCURL_CAPATH   its file and its folder of root certificates; "": it has none */
#define _GNU_SOURCE              /* RTLD_NOLOAD */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void replace_path (const char **path, const char *name) {
  char *other = getenv(name);
  if (other != NULL) *path = *other != '\0' ? other : NULL;
}

curl_version_info_data *curl_version_info (CURLversion age) {
  static curl_version_info_data other;
  curl_version_info_data *(*real) (CURLversion);
  const char *number = getenv("OTHER_LIBCURL_NUMBER"), *without = getenv("OTHER_LIBCURL_WITHOUT");
  void *found = dlsym(dlopen("libcurl.so.4", RTLD_LAZY | RTLD_NOLOAD), "curl_version_info");
  memcpy(&real, &found, sizeof real);
  other = *real(age);
  if (number != NULL) {
    other.version_num = (unsigned)strtoul(number, NULL, 16);
    other.version = getenv("OTHER_LIBCURL_VERSION");
  }
  if (without != NULL) other.features &= ~(int)strtol(without, NULL, 10);
  replace_path(&other.cainfo, "OTHER_LIBCURL_CAINFO");
  replace_path(&other.capath, "OTHER_LIBCURL_CAPATH");
  return &other;
}
