/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: the rings' records in a file, behind a head that says when. */
#ifndef MCPVIGIL_PROBE_TAPE_H
#define MCPVIGIL_PROBE_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "event.h"

#define TAPE_MAGIC "mcpvigil tape 1\n"

struct tape_head {
	char magic[16];
	__s64 wall_offset; /* wall time minus CLOCK_BOOTTIME, ns */
	__u64 zero[5];
};

struct tape;

/* Create @path, mode 0600, never over an existing file. NULL with errno. */
struct tape *tape_create(const char *path, int64_t wall_offset);
/* Errors are kept and returned by tape_close. */
void tape_write(struct tape *t, const struct ev_hdr *h);
/* Open for reading. NULL with errno; EBADMSG: not a recording. */
struct tape *tape_open(const char *path, int64_t *ret_wall_offset);
/* The file can be read and begins as a recording. */
bool tape_is(const char *path);
/* The next record, valid until the next call; NULL at the end. *ret_truncated: it ended inside a record, or a record
 * is malformed. */
const struct ev_hdr *tape_read(struct tape *t, bool *ret_truncated);
/* 0 or -errno of the first write that failed. Takes NULL. */
int tape_close(struct tape *t);

#endif
