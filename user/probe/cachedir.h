/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of small files that only we may have written. Private to probe/. */
#ifndef MCPVIGIL_PROBE_CACHEDIR_H
#define MCPVIGIL_PROBE_CACHEDIR_H

#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

/* Files of which one may be dropped for another; at so many the oldest are. */
#define CACHEDIR_FILES 4096
#define CACHEDIR_NAME  64 /* their names: so many hexadecimal digits */

struct cachedir {
	int fd; /* -1: none, and every call below fails with -EBADF */
	unsigned int files;
	uint64_t dropped;
};

/* Make @path (mode 0700; what leads to it 0755) where it is missing. -errno: -EPERM it is not the effective user's, or others may
 * write it. Then @ret stands for none. */
int cachedir_open(const char *path, struct cachedir *ret);
void cachedir_close(struct cachedir *d);
/* The whole of the file, @max bytes at most: its length, or -errno: -ENOENT; -EPERM it is no regular file, another user's, or
 * others may write it; -EFBIG. */
ssize_t cachedir_read(const struct cachedir *d, const char *name, char *ret, size_t max);
/* Put it there, mode 0600: the whole of it or nothing is ever seen. 0 or -errno. */
int cachedir_write(struct cachedir *d, const char *name, struct sv text);
/* The same, and leave it open: a descriptor through which cachedir_add adds to it, for the caller to close. */
int cachedir_write_open(struct cachedir *d, const char *name, struct sv text);
/* 0 or -errno: -ESTALE it is not there any more. */
int cachedir_add(int fd, struct sv text);

#endif
