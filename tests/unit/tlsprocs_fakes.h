/* SPDX-License-Identifier: Apache-2.0 */
/* What stands below probe/tlsprocs, and does as it is told. */
#ifndef MCPVIGIL_TESTS_TLSPROCS_FAKES_H
#define MCPVIGIL_TESTS_TLSPROCS_FAKES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/clock.h"
#include "event_tls.h"
#include "probe/mapped.h"
#include "probe/tlsfiles.h"
#include "probe/tlsprocs.h"
#include "tls_stack.h"

#define FILES 8
#define MS NSEC_PER_MSEC
#define BUSY 3 /* inode of a file that is being looked at; 1 has no TLS code; others as the test wants it */

static struct world {
	struct tlsprocs *t;
	struct tlsfiles_opts fo;
	pid_t pid, other;
	uint64_t start;
	uint32_t reads, gets, refs[FILES], ticks;
	enum tlsfile_state state[FILES];
	uint64_t maps[FILES]; /* inodes that every process maps */
	uint32_t nmaps;
	pid_t mapper; /* ... but for others than this one; 0: every process */
	bool again, deaf;
	uint32_t ntold, withdrawn; /* bits of files */
	enum odd_what what;
	struct ev_hooked told;
} w;

/* --- The parts below -------------------------------------------------------------------------------------------- */

int mapped_read(uint32_t pid, struct mapped *ret)
{
	w.reads++;
	ret->n = 0;
	ret->more = false;
	if (w.mapper && (pid_t)pid != w.mapper)
		return 0;
	for (uint32_t i = 0; i < w.nmaps; i++)
		ret->file[ret->n++] = (struct mapped_file){ .dev = 1, .ino = w.maps[i] };
	return 0;
}

struct tlsfiles *tlsfiles_new(const struct tlsfiles_opts *o)
{
	w.fo = *o;
	return (struct tlsfiles *)&w;
}

void tlsfiles_free(struct tlsfiles *t)
{
	(void)t;
}

uint32_t tlsfiles_get(struct tlsfiles *t, uint32_t pid, const struct mapped_file *m)
{
	(void)t;
	(void)pid;
	w.gets++;
	if (m->ino >= FILES)
		return TLSFILES_NONE;
	w.refs[m->ino]++;
	return (uint32_t)m->ino;
}

void tlsfiles_put(struct tlsfiles *t, uint32_t file)
{
	(void)t;
	assert_int_not_equal(w.refs[file], 0);
	w.refs[file]--;
}

enum tlsfile_state tlsfiles_state(const struct tlsfiles *t, uint32_t file)
{
	(void)t;
	return w.state[file];
}

uint32_t tlsfiles_stacks(const struct tlsfiles *t, uint32_t file)
{
	(void)t;
	return w.state[file] == TLSFILE_PROBED ? 1u << (file % TLS_STACKS) : 0;
}

void tlsfiles_withdraw(struct tlsfiles *t, uint32_t file, uint32_t stacks, enum odd_what what)
{
	(void)t;
	(void)stacks;
	w.withdrawn |= 1u << file;
	w.what = what;
}

uint64_t tlsfiles_since(const struct tlsfiles *t, uint32_t file)
{
	(void)t;
	return 1000 + file;
}

void tlsfiles_why(const struct tlsfiles *t, uint32_t file, char *ret, size_t size)
{
	(void)t;
	snprintf(ret, size, "why %u", file);
}

bool tlsfiles_again(struct tlsfiles *t, uint64_t now)
{
	bool again = w.again;

	(void)t;
	(void)now;
	w.again = false;
	return again;
}

uint32_t tlsfiles_busy(const struct tlsfiles *t)
{
	(void)t;
	return w.state[BUSY] == TLSFILE_RESOLVING;
}

uint64_t tlsfiles_full(const struct tlsfiles *t)
{
	(void)t;
	return 100;
}

void tlsfiles_tick(struct tlsfiles *t, uint64_t now)
{
	(void)t;
	(void)now;
	w.ticks++;
}

void tlsfiles_stats(const struct tlsfiles *t, struct hooks_stats *ret)
{
	(void)t;
	ret->known_files = 4;
}

#endif
