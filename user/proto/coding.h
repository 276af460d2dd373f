/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings of HTTP (gzip, x-gzip, deflate, br, zstd, identity, stacked), incremental,
 * with limits. */
#ifndef MCPVIGIL_PROTO_CODING_H
#define MCPVIGIL_PROTO_CODING_H

#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

#define CODING_LAYERS	  3	    /* codings on top of each other */
#define CODING_WINDOW_LOG 23	    /* 8 MiB: all that RFC 9659 lets an HTTP sender of zstd use */
#define CODING_RATIO_FROM (1 << 20) /* decoded bytes before the ratio counts */

struct coding_opts {
	uint64_t out_max; /* longest decoded content, also between two layers; 0: no cap */
	uint32_t ratio;	  /* most decoded bytes per wire byte beyond CODING_RATIO_FROM; 0: no cap */
	/* Decoded bytes, in order; the view lives for the call. */
	void (*out)(void *ctx, struct sv bytes);
	void *ctx;
};

struct coding;

/* A decoder for the value of Content-Encoding. NULL with errno EPROTONOSUPPORT for a coding that
 * is not known or too many of them, ENOMEM. Memory: 16 KiB and the library's state a layer,
 * taken at the layer's first byte; 9 MiB a layer at most. */
struct coding *coding_new(struct sv encodings, const struct coding_opts *opts);
void coding_free(struct coding *c);
/* Decode the next bytes of the content; @opts.out runs for what comes out.
 * 0          all of @in is taken
 * -EBADMSG   broken, or a window above the limit
 * -E2BIG     a limit was passed
 * -ENOMEM    no decoder could be made
 * An error is for good: every further call returns the same. Bytes after the end of the outer
 * coding are ignored. */
int coding_feed(struct coding *c, struct sv in);
/* Every layer is at the end of its stream. */
bool coding_ended(const struct coding *c);
/* Nothing is coded: coding_new would only copy. */
bool coding_is_identity(struct sv encodings);

#endif
