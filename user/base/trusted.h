/* SPDX-License-Identifier: Apache-2.0 */
/* Files that decide what we do, opened only where nobody but root and us can have put or changed them. */
#ifndef MCPVIGIL_BASE_TRUSTED_H
#define MCPVIGIL_BASE_TRUSTED_H

#include <stddef.h>
#include <sys/types.h>

#define TRUSTED_WHY 512

/* Open the regular file @path for reading: a descriptor, or -errno with the reason in @why. -EPERM: it, a directory on
 * the way to it, or one on the way of a symbolic link there belongs to somebody besides root and the effective user, or
 * others may write it. A directory with the sticky bit will do, since what lies in it and is ours cannot be replaced;
 * so will one on a mount that is read-only. Access control lists count: their mask shows as the group's bits. */
int trusted_open(const char *path, char why[TRUSTED_WHY]);
/* The whole of it, @max bytes at most, into @ret: the length, or -errno with the reason; -EFBIG: it is longer. */
ssize_t trusted_read(const char *path, char *ret, size_t max, char why[TRUSTED_WHY]);

#endif
