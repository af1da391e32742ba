/* ca_source.h - the CA certificates that TLS trusts: one file, one directory or the system's store, because libcurl with two of them
 * reads all for each new connection. */
#ifndef DK_CA_SOURCE_H
#define DK_CA_SOURCE_H

#include <stdbool.h>

/* One of them, or none. */
typedef struct {
  const char *file;              /* a bundle */
  const char *directory;         /* with hashed names */
  bool system_store;             /* not files: what the system itself has (CURLSSLOPT_NATIVE_CA) */
} dk_ca_source;

/* The source for ca_file; NULL: the system's: a hashed directory if the TLS library looks up single certificates there, else a
 * bundle, and the system's store where libcurl knows no files. The system is searched once.
 * The strings are static, or ca_file itself. Thread: any, after libcurl is initialised. */
dk_ca_source dk_ca_source_for (const char *ca_file);

/* The system's source for a TLS library, by curl_version_info's ssl_version, its bundle and its directory; NULL: it has none. The
 * strings are borrowed. */
dk_ca_source dk_ca_source_of (const char *ssl_version, const char *file, const char *directory);

/* Its path, for messages, or why the system has none, and what to do; the same lifetime. */
const char *dk_ca_source_name (const char *ca_file);

#endif
