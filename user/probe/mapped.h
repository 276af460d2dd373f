/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a process may run code of: the executable mappings of /proc/PID/maps. */
#ifndef MCPVIGIL_PROBE_MAPPED_H
#define MCPVIGIL_PROBE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPED_MAX 128	      /* files of one process */
#define MAPPED_BYTES (4 << 20) /* of maps */

struct mapped_file {
	uint64_t dev, ino;	/* as the kernel has them: major << 32 | minor */
	uint64_t from, to;	/* one of its mappings, which names it in map_files */
	char path[96];		/* the end of it where it is longer; for people */
};

struct mapped {
	uint32_t n;
	bool more; /* than there is room for */
	struct mapped_file file[MAPPED_MAX];
};

/* Read one line, without its end. false: no executable mapping of a file. Bytes of the path that are no printable ASCII become
 * '?': whoever made the file chose them. */
bool mapped_line(const char *line, size_t n, struct mapped_file *ret);
/* Each file once. 0 or -errno: -ESRCH, -ENOENT it is gone. */
int mapped_read(uint32_t pid, struct mapped *ret);

#endif
