/* roots.h - where TLS finds whom to trust: one source, since libcurl with two parses all of them for every connection. */
#ifndef DK_ROOTS_H
#define DK_ROOTS_H

typedef struct {
  const char *file;              /* a bundle; or NULL */
  const char *folder;            /* a folder with hashed names; or NULL */
} dk_roots;

/* Looks once where the system keeps its own (a hashed folder alone where there is one, else a bundle); libcurl must be
 * initialised. Thread: once, before the first dk_roots_of. */
void dk_roots_find (void);

/* ca_file, or the system's own where it is NULL. Static, or ca_file itself. */
dk_roots dk_roots_of (const char *ca_file);

/* The same, as a name for a person. */
const char *dk_roots_name (const char *ca_file);

#endif
