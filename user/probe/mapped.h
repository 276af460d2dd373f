/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a process may run code of: the executable mappings of /proc/PID/maps. */
#ifndef MCPVIGIL_PROBE_MAPPED_H
#define MCPVIGIL_PROBE_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPED_MAX 512	       /* files of one process */
#define MAPPED_BYTES (4 << 20) /* of maps */
#define MAPPED_TEXT (64 << 10) /* of it at a time; a line is shorter: paths have 4 KiB at most, each byte written as four */

struct mapped_file {
	uint64_t dev, ino; /* as the kernel has them: major << 32 | minor */
	uint64_t from, to; /* one of its mappings, which names it in map_files */
	char path[96];	   /* the end of it where it is longer; for people */
};

struct mapped {
	uint32_t n;
	bool more; /* than there is room for */
	struct mapped_file file[MAPPED_MAX];
	uint16_t index[2 * MAPPED_MAX]; /* hash of dev and ino -> 1 + number of the file; 0: free */
	char text[MAPPED_TEXT];
};

/* Read one line, without its end. false: no executable mapping of a file. Bytes of the path that are no printable ASCII become
 * '?': whoever made the file chose them. */
bool mapped_line(const char *line, size_t n, struct mapped_file *ret);
/* Add what the whole lines of @text name, each file once. @return bytes of them. */
size_t mapped_text(struct mapped *m, const char *text, size_t n);
/* What process @pid maps. 0 or -errno: -ESRCH, -ENOENT it is gone. A kernel thread, or what ended and was not waited for, maps
 * nothing. */
int mapped_read(uint32_t pid, struct mapped *ret);

#endif
