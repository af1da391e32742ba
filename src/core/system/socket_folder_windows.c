#ifdef _WIN32
#include "system/socket_folder.h"

dk_status dk_socket_folder_make (const char *parent, char path[DK_SOCKET_PATH], dk_failure *failure) {
  (void)path;
  return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": on Windows there is no unix socket to listen on: use the engine's descriptor", parent);
}

void dk_socket_folder_remove (const char *path) { (void)path; }
#endif
