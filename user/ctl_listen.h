/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's place in the file system, and who may use it. */
#ifndef MCPVIGIL_CTL_LISTEN_H
#define MCPVIGIL_CTL_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Listen at @path: mode 0600, its directory made (0700) where missing, the socket of a dead agent replaced. A
 * non-blocking descriptor; or -errno after a line on standard error, -EADDRINUSE: an agent runs there. */
int ctl_listen(const char *path);
/* root, and whom the agent itself runs as. Ids of another user namespace do not read as 0. */
bool ctl_peer_ok(const struct ucred *peer, uid_t own);

#endif
