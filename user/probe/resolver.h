/* SPDX-License-Identifier: Apache-2.0 */
/* Results of resolve/, from the cache or from a child process that may die of the file without harm. Private to probe/. */
#ifndef MCPVIGIL_PROBE_RESOLVER_H
#define MCPVIGIL_PROBE_RESOLVER_H

#include <stdint.h>

#include "resolve/resolve.h"

struct evloop;
struct resolver;

struct resolver_opts {
	struct evloop *loop;   /* the children's ends are watched there */
	const char *cache_dir; /* made 0700 where it is missing; NULL: nothing is kept on disk */
	uint32_t wall_ms;      /* a child lives that long, 5000 */
	uint32_t cpu_s;	       /* ... and computes that long, 3 */
	uint64_t mem_bytes;    /* ... in that much address space besides the file, 512 MiB */
	uint32_t queue_max;    /* files that wait, 1024; 2 children at once */
	/* A file was looked at. @err: 0 or -errno of resolve_fd; -ETIMEDOUT, -ECHILD where the child was killed or died; -ESTALE
	 * the file was written meanwhile; what fork or the file system says. @f is valid during the call, and empty where @err
	 * is set. */
	void (*done)(void *ctx, uint64_t tag, int err, const struct tls_found *f);
	void *ctx;
};

struct resolver_stats {
	uint64_t files, cached, died, timed_out, refused; /* refused: the queue was full */
	uint64_t ns_max, ns_sum;			  /* of files that were not cached */
	uint64_t cache_dropped, cache_damaged, cache_failed; /* files: removed for others; not what we wrote; not written */
};

/* 0 in a number of @o stands for the one named there. NULL with errno. */
struct resolver *resolver_new(const struct resolver_opts *o);
/* Ends the children; done() is not called for what they and the queue held. Takes NULL; not from done(). */
void resolver_free(struct resolver *r);
/* Look at the regular file behind @fd, which is open for reading and duplicated. done() comes from the loop, or at once, inside
 * this call, where the cache knows the file or its first bytes say that it is no ELF file. 0, or -errno and done() is not
 * called: -EINVAL no regular file; -EFBIG above 1 GiB; -ENOBUFS the queue is full; -EMFILE. A file whose child came to grief is
 * not tried again for a minute, and -ETIMEDOUT or -ECHILD is its result. */
int resolver_look(struct resolver *r, int fd, uint64_t tag);
/* Children over their time are killed. Call each 100 ms or more often. */
void resolver_tick(struct resolver *r);
void resolver_stats(const struct resolver *r, struct resolver_stats *ret);

#endif
