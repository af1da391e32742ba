/* socket_folder.h - a private folder for one unix socket: makes it, removes it, and removes those that killed processes left. */
#ifndef DK_SOCKET_FOLDER_H
#define DK_SOCKET_FOLDER_H

#include "base/status.h"
#include "os/network.h"

/* Makes a folder of mode 0700 in parent. Its name has the process's id. path: gets the absolute path of the socket to make in it.
 * First removes the folders of processes of this user that were killed. Errors: DK_FILE. */
dk_status dk_socket_folder_make (const char *parent, char path[DK_SOCKET_PATH], dk_failure *failure);

/* Removes the socket and its folder. A second call changes nothing. */
void dk_socket_folder_remove (const char *path);

#endif
