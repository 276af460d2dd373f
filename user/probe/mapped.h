/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a process may run code of: the executable mappings of /proc/PID/maps. */
#ifndef MCPVIGIL_PROBE_MAPPED_H
#define MCPVIGIL_PROBE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPED_MAX 1024	      /* files of one process; Python with much loaded has 400 */
#define MAPPED_BYTES (8 << 20) /* of maps */
#define MAPPED_TEXT (16 << 10) /* read at a time; more than the longest line */

struct mapped_file {
	uint64_t dev, ino; /* as the kernel has them there, which stat need not agree with: major << 32 | minor */
	uint64_t from, to; /* one of its mappings, which names it in map_files */
	bool code;	   /* ... may be run */
	char path[96];	   /* the end of it where it is longer; for people */
};

struct mapped {
	uint32_t n;
	bool more; /* than there is room for, or than was read */
	struct mapped_file file[MAPPED_MAX];
	char text[MAPPED_TEXT];
};

/* Read one line, without its end. false: no mapping of a file. Bytes of the path that are no printable ASCII become '?': whoever
 * made the file chose them. */
bool mapped_line(const char *line, size_t n, struct mapped_file *ret);
/* Of each file one mapping that may be run. @dir: see procfs_dir. 0 or -errno: -ESRCH, -ENOENT it is gone. */
int mapped_read(int dir, struct mapped *ret);
/* The file that our own mapping from @from on is of. 0 or -errno. */
int mapped_own(uint64_t from, struct mapped_file *ret);

#endif
