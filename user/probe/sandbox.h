/* SPDX-License-Identifier: Apache-2.0 */
/* A process that may read what it holds, compute, and answer. Private to probe/. */
#ifndef MCPVIGIL_PROBE_SANDBOX_H
#define MCPVIGIL_PROBE_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

struct sandbox {
	const int *keep; /* these descriptors become 0, 1, 2 ...; all others are closed */
	unsigned int nkeep;
	pid_t parent;	     /* it dies with this one */
	uint32_t wall_ms;    /* SIGALRM after so long */
	uint32_t cpu_s;	     /* SIGXCPU after so much computing */
	uint64_t mem_bytes;  /* of address space, besides what is mapped now */
	uint64_t file_bytes; /* no file that it writes grows longer */
};
#define SANDBOX_KEEP_MAX 4

/* Confine this process, which was forked and has one thread. Memory shared with others is unmapped. From here on it can read,
 * map (nothing that runs), write what it holds, and exit; any other system call kills it. 0, or -errno: then it is confined in
 * part, and must exit. */
int sandbox_enter(const struct sandbox *s);

#endif
