/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files that other processes map, without waiting for anybody or opening what is no file. */
#ifndef MCPVIGIL_PROBE_OPENFILE_H
#define MCPVIGIL_PROBE_OPENFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "probe/mapped.h"

#define OPENFILE_WHY 96

/* The file behind @f, which process @pid maps: a descriptor for reading, or -errno with the reason for people in @why.
 * -EINVAL: no regular file. -EREMOTE: its file system is served by a program or another host, which could make us wait,
 * and @remote does not allow that; nothing of it was read then. -EFBIG. */
int openfile_mapped(uint32_t pid, const struct mapped_file *f, bool remote, struct stat *ret_st, char why[OPENFILE_WHY]);
/* The name in /proc that leads to it. */
void openfile_path(uint32_t pid, const struct mapped_file *f, char *ret, size_t size);
/* Is a file system of that magic number (statfs) served by a program or another host? */
bool openfile_is_remote(uint64_t magic);
/* ... of that name (mountinfo)? */
bool openfile_type_is_remote(const char *type, size_t n);
/* Is the mountinfo line @line that of @dev? Then its type. */
bool openfile_mount_line(const char *line, uint64_t dev, const char **ret_type, size_t *ret_n);

#endif
