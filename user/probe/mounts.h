/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of file system a file is on, by /proc/PID/mountinfo alone: statfs asks the server of a FUSE file system, which may never
 * answer. Private to probe/. */
#ifndef MCPVIGIL_PROBE_MOUNTS_H
#define MCPVIGIL_PROBE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

#define MOUNT_TYPE 32

struct mount {
	uint64_t id;
	uint64_t dev; /* major << 32 | minor */
	char type[MOUNT_TYPE];
};

/* As they stand in the line: blanks and what else would be a separator are written as \ooo. */
struct mount_text {
	struct sv point, options;
};

/* Read one line of mountinfo, without its end. false: it is none. @ret_text: where it lies in @line; NULL. */
bool mount_line(const char *line, size_t n, struct mount *ret, struct mount_text *ret_text);
/* The mount that a descriptor's file was opened through, from the text of its fdinfo. false: it does not say. */
bool mount_of_fdinfo(const char *text, uint64_t *ret_id);

/* A mount with this id, or, where @id is 0, one of the file system with this device, as process @pid sees them. 0, or -ENOENT where
 * it sees none, or has more than 16384 mounts; -errno. */
int mount_find(uint32_t pid, uint64_t id, uint64_t dev, struct mount *ret);
/* The mount that @fd was opened through. 0 or -errno. */
int mount_id(int fd, uint64_t *ret_id);

/* Lies a layer of the overlay with this id on a file system that is served by others? By the paths that it was mounted with, as
 * process 1 sees them; where they are relative, that cannot be told, and it is taken for no. 0, 1 or
 * -errno. */
int mount_overlay_remote(uint32_t pid, uint64_t id);

/* Is a file system of this type served by a program or by other hosts, so that whoever opens a file may wait for them? */
bool mount_is_remote(const char *type);

#endif
