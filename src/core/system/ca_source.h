/* ca_source.h - where TLS finds whom to trust: one source, since libcurl with two parses all of them for every connection. */
#ifndef DK_ROOTS_H
#define DK_ROOTS_H

typedef struct {
  const char *file;              /* a bundle; or NULL */
  const char *folder;            /* a folder with hashed names; or NULL */
} dk_roots;

/* ca_file, or where it is NULL the system's own: a hashed folder alone where there is one, else a bundle alone; looked for
 * once, by the first who asks. Static, or ca_file itself. Thread: any, once libcurl is initialised. */
dk_roots dk_roots_of (const char *ca_file);

/* The same, as a name for a person. */
const char *dk_roots_name (const char *ca_file);

#endif
