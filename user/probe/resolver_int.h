/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver's child, and what goes through the pipe. Private to resolver*.c and their tests. */
#ifndef MCPVIGIL_PROBE_RESOLVER_INT_H
#define MCPVIGIL_PROBE_RESOLVER_INT_H

#include <stdint.h>
#include <sys/types.h>

#include "base/hmac.h"
#include "probe/resolved.h"

struct evloop;

/* All that a child says, in this order. The digest is written before one byte of the file is taken for anything but bytes, so
 * that it is true whatever the file makes of the child afterwards; what follows is the file's word. */
struct answer {
	uint8_t digest[SHA256_BYTES];
	struct resolved resolved;
};

enum child_exit {
	CHILD_DONE = 0,
	CHILD_UNCONFINED = 2, /* it could not be confined, and has read nothing */
	CHILD_READ = 3,	      /* the file could not be read or copied, or is shorter than it was */
	CHILD_WRITE = 4,
};

struct child_args {
	int fd; /* the file */
	uint64_t size;
	uint32_t wall_ms, cpu_s;
	uint64_t mem_bytes;
	struct sha256 *sha;
};

/* In the child: answer into @pipe. */
_Noreturn void resolver_child(const struct child_args *a, int pipe, pid_t parent);

/* A child, as its parent sees it. */
struct child {
	struct evloop *loop;
	void (*digest)(struct child *c); /* the answer's digest is there; once */
	/* It has ended, and nothing is left of it but what it said. @status: as wait(2) gives it. */
	void (*end)(struct child *c, int status);
	void *ctx;

	pid_t pid;
	int pidfd, pipe; /* -1: closed */
	size_t got;	 /* bytes that it said; sizeof(struct answer) where it said what it should */
	union {
		struct answer answer;
		char bytes[sizeof(struct answer) + 1]; /* one more than it may say */
	} in;
};

/* Fork it; the callbacks come from the loop. 0, or -errno and there is none. */
int child_start(struct child *c, const struct child_args *a);
/* Its end comes from the loop as ever. */
void child_kill(struct child *c);
/* Kill it and wait; no callback comes. */
void child_end(struct child *c);

/* resolve_fd; tests put worse in its place. */
extern int (*resolver_resolve)(int fd, struct tls_found *ret);

#endif
