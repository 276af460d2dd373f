/* SPDX-License-Identifier: Apache-2.0 */
/* Files that other processes map, opened without waiting for anybody and without opening what is no file. Private to probe/. */
#ifndef MCPVIGIL_PROBE_OPENFILE_H
#define MCPVIGIL_PROBE_OPENFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/mapped.h"
#include "probe/rescache.h"

#define OPENFILE_WHY 96
#define OPENFILE_DEVS 64

/* What is known of file systems by their devices, for a minute. Zero at first. */
struct openfile_devs {
	struct {
		uint64_t dev, until; /* ns of CLOCK_BOOTTIME */
		const char *why;
	} dev[OPENFILE_DEVS];
};

/* Why the file system of @dev (as maps has it) is not to be asked for anything, as whoever serves it may let us wait: NULL, or for
 * people. @pid maps a file of it. */
const char *openfile_barred(struct openfile_devs *d, uint32_t pid, uint64_t dev, uint64_t now);
/* What the file behind @f, which process @pid maps, is now, without asking the server of a FUSE file system. 0 or -errno: -ENOENT,
 * -ESRCH the process is gone, or the mapping; -EINVAL no regular file. */
int openfile_id(uint32_t pid, const struct mapped_file *f, struct file_id *ret);
/* Open it: a descriptor for reading, or -errno with the reason for people in @why. As above, and -EREMOTE: it would wait for
 * others, or might, and @remote does not allow that; nothing of it was read. -EFBIG. */
int openfile_open(uint32_t pid, const struct mapped_file *f, bool remote, struct file_id *ret, char why[OPENFILE_WHY]);

#endif
