/* SPDX-License-Identifier: Apache-2.0 */
/* Files that processes map: what is known of each, who uses it, and its probes. In the hooks process alone. */
#ifndef MCPVIGIL_PROBE_TLSFILES_H
#define MCPVIGIL_PROBE_TLSFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "event_tls.h"
#include "probe/mapped.h"

#define TLSFILES_MAX 4096
#define TLSFILES_NONE UINT32_MAX
#define TLSFILES_LINGER_NS (15 * 1000000000ull) /* probes stay that long behind the last user */

struct evloop;
struct hooks_stats;
struct probe;
struct tlsfiles;

enum tlsfile_state {
	TLSFILE_NEW,	   /* to be opened when it is next mapped */
	TLSFILE_RESOLVING,
	TLSFILE_PROBED,
	TLSFILE_NOTHING,   /* no TLS code */
	TLSFILE_REFUSED,   /* a file that is not looked at: why */
	TLSFILE_OPAQUE,	   /* TLS code that is not read: why */
};

struct tlsfiles_opts {
	struct probe *probe;
	struct evloop *loop;
	const char *cache_dir;
	bool remote; /* see openfile.h */
	/* A file's state changed: processes that map it are to be judged anew. Not from tlsfiles_put. */
	void (*changed)(void *ctx, uint32_t file);
	void *ctx;
};

/* NULL with errno. */
struct tlsfiles *tlsfiles_new(const struct tlsfiles_opts *o);
void tlsfiles_free(struct tlsfiles *t);
/* The file @m, which @pid maps: its number, used once more until tlsfiles_put. TLSFILES_NONE: it is no file to look at, or there
 * is no room, which is counted. */
uint32_t tlsfiles_get(struct tlsfiles *t, uint32_t pid, const struct mapped_file *m);
void tlsfiles_put(struct tlsfiles *t, uint32_t file);
enum tlsfile_state tlsfiles_state(const struct tlsfiles *t, uint32_t file);
/* Take its probes off, and put none on it while it stays what it is: those of @stacks (1 << enum tls_stack) saw what no TLS library
 * does. */
void tlsfiles_withdraw(struct tlsfiles *t, uint32_t file, uint32_t stacks, enum odd_what what);
/* 1 << enum tls_stack of its probes. */
uint32_t tlsfiles_stacks(const struct tlsfiles *t, uint32_t file);
/* Boot ns since when they are on. */
uint64_t tlsfiles_since(const struct tlsfiles *t, uint32_t file);
/* For people: where it is probed, its path; else its name and why it is not. */
void tlsfiles_why(const struct tlsfiles *t, uint32_t file, char *ret, size_t size);
/* Are the processes to be looked at anew, since files that they map were being written? Once. */
bool tlsfiles_again(struct tlsfiles *t, uint64_t now);
/* Files that are being looked at. */
uint32_t tlsfiles_busy(const struct tlsfiles *t);
/* Files that found no room, since the start. */
uint64_t tlsfiles_full(const struct tlsfiles *t);
void tlsfiles_tick(struct tlsfiles *t, uint64_t now);
void tlsfiles_stats(const struct tlsfiles *t, struct hooks_stats *ret);

#endif
