/* SPDX-License-Identifier: Apache-2.0 */
/* What resolve/ said of a file, as it is handed on and kept: checked, as text, held against the file. Private to probe/. */
#ifndef MCPVIGIL_PROBE_RESOLVED_H
#define MCPVIGIL_PROBE_RESOLVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"
#include "resolve/resolve.h"

struct buf;

struct resolved {
	uint64_t size; /* of the file */
	int32_t err;   /* of resolve_fd */
	uint32_t zero;
	struct tls_found f; /* empty where err is set */
};

/* Is every field what resolve_fd may return for a file of that size? The bytes may be anybody's. What the fields do not use
 * (behind a string's end, behind the last point) is set to zero. */
bool resolved_check(struct resolved *r);
/* It would be the same for every run on the same bytes; -ENOMEM would not. */
bool resolved_lasts(const struct resolved *r);

#define RESOLVED_TEXT_MAX (16 << 10)

/* Append the one text that stands for @r, which is checked and lasts. 0 or -errno of the buffer. */
int resolved_write(const struct resolved *r, struct buf *out);
/* Take it back. -EBADMSG: damaged, made by another version of the finders, or not from resolved_write. */
int resolved_read(struct sv text, struct resolved *ret);

/* Are the bytes at each point and on the way to it those analysed? 0; -ESTALE: no; -errno: the file cannot be read. */
int resolved_match(const struct resolved *r, int fd);

#endif
