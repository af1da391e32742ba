/* ca_source.h - the CA certificates that TLS trusts: one file or one directory, because libcurl with both reads all of them for
 * each new connection. */
#ifndef DK_CA_SOURCE_H
#define DK_CA_SOURCE_H

/* One of both, or neither. */
typedef struct {
  const char *file;              /* a bundle */
  const char *directory;         /* with hashed names */
} dk_ca_source;

/* The source for ca_file; NULL: the system's, a hashed directory if there is one, else a bundle. The system is searched once.
 * The strings are static, or ca_file itself. Thread: any, after libcurl is initialised. */
dk_ca_source dk_ca_source_for (const char *ca_file);

/* Its path, for messages; the same lifetime. */
const char *dk_ca_source_name (const char *ca_file);

#endif
