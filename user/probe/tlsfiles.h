/* SPDX-License-Identifier: Apache-2.0 */
/* Files that processes map: what is known of each, who uses it, and its probes. In the hooks process alone. */
#ifndef MCPVIGIL_PROBE_TLSFILES_H
#define MCPVIGIL_PROBE_TLSFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/attach.h"
#include "probe/mapped.h"
#include "probe/resolver.h"

#define TLSFILES_MAX 4096
#define TLSFILES_LINGER_NS (15 * 1000000000ull) /* probes stay that long behind the last user */

struct hooks_stats;
struct probe;
struct tlsfiles;

enum tlsfile_state {
	TLSFILE_NEW,	   /* to be opened when it is next mapped */
	TLSFILE_RESOLVING,
	TLSFILE_PROBED,
	TLSFILE_NOTHING,   /* no TLS code */
	TLSFILE_REFUSED,   /* TLS code that is not read, or a file that is not looked at: why */
};

struct tlsfiles_opts {
	struct probe *probe; /* NULL: nothing is attached (tests) */
	struct evloop *loop;
	const char *cache_dir;
	bool remote; /* see openfile.h */
	/* A file's state changed: processes that map it are to be judged anew. */
	void (*changed)(void *ctx, uint32_t file);
	void *ctx;
};

/* NULL with errno. */
struct tlsfiles *tlsfiles_new(const struct tlsfiles_opts *o);
void tlsfiles_free(struct tlsfiles *t);
/* The file @m, which @pid maps: its number, used once more until tlsfiles_put; UINT32_MAX where there is no room. */
uint32_t tlsfiles_get(struct tlsfiles *t, uint32_t pid, const struct mapped_file *m);
void tlsfiles_put(struct tlsfiles *t, uint32_t file);
enum tlsfile_state tlsfiles_state(const struct tlsfiles *t, uint32_t file);
/* 1 << enum tls_stack of its probes. */
uint32_t tlsfiles_stacks(const struct tlsfiles *t, uint32_t file);
/* Why it is refused, with its name, for people. */
void tlsfiles_why(const struct tlsfiles *t, uint32_t file, char *ret, size_t size);
/* Are the processes to be looked at anew, since files that they map were being written? Once. */
bool tlsfiles_again(struct tlsfiles *t, uint64_t now);
/* Files that are being looked at. */
uint32_t tlsfiles_busy(const struct tlsfiles *t);
void tlsfiles_tick(struct tlsfiles *t, uint64_t now);
void tlsfiles_stats(const struct tlsfiles *t, struct hooks_stats *ret);

#endif
