/* SPDX-License-Identifier: Apache-2.0 */
/* What stands below probe/tlsfiles, and does as it is told. */
#ifndef MCPVIGIL_TESTS_TLSFILES_FAKES_H
#define MCPVIGIL_TESTS_TLSFILES_FAKES_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/attach.h"
#include "probe/resolver.h"
#include "probe/tlsfiles.h"

#define PROBE ((struct probe *)0x10)
#define LOOP ((struct evloop *)0x20)

struct attached {
	int fd;
};

static struct world {
	struct tlsfiles *t;
	struct resolver_opts ro;
	unsigned int looked, changes;
	int attached, leased; /* at this time */
	char log[512];	      /* what happened, in order, each a letter */
	int look_err, open_err, id_err, lease_err, attach_err;
	bool twins;
	const char *barred;
	uint64_t mtime; /* of all files */
	uint64_t now;	/* boot ns */
	void (*broken)(void *ctx, int fd);
	void *broken_ctx;
	int last_fd; /* probed */
} w;

static void note(const char *what)
{
	strncat(w.log, what, sizeof(w.log) - strlen(w.log) - 1);
}

/* --- The parts below -------------------------------------------------------------------------------------------- */

struct resolver *resolver_new(const struct resolver_opts *o)
{
	w.ro = *o;
	return (struct resolver *)&w;
}

void resolver_free(struct resolver *r)
{
	(void)r;
}

int resolver_look(struct resolver *r, int fd, uint64_t tag)
{
	(void)r;
	(void)tag;
	assert_true(fcntl(fd, F_GETFD) >= 0);
	if (w.look_err)
		return w.look_err;
	w.looked++;
	note("l");
	return 0;
}

void resolver_tick(struct resolver *r)
{
	(void)r;
}

void resolver_stats(const struct resolver *r, struct resolver_stats *ret)
{
	(void)r;
	*ret = (struct resolver_stats){ .files = 11, .cached = 7, .died = 2, .timed_out = 1 };
}

struct attached *attach_file(struct probe *p, int fd, const struct tls_found *f)
{
	struct attached *a;

	assert_ptr_equal(p, PROBE);
	assert_int_not_equal(f->n, 0);
	if (w.attach_err) {
		errno = -w.attach_err;
		return NULL;
	}
	a = malloc(sizeof(*a));
	a->fd = fd;
	w.last_fd = fd;
	w.attached++;
	note("a");
	return a;
}

void attach_free_all(struct attached *const *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_true(fcntl(list[i]->fd, F_GETFD) >= 0);
		w.attached--;
		note("d");
		free(list[i]);
	}
}

void attach_free(struct attached *a)
{
	attach_free_all(&a, 1);
}

struct leases *leases_new(struct evloop *l, void (*broken)(void *ctx, int fd), void *ctx)
{
	assert_ptr_equal(l, LOOP);
	w.broken = broken;
	w.broken_ctx = ctx;
	return (struct leases *)&w;
}

void leases_free(struct leases *s)
{
	(void)s;
}

int lease_take(struct leases *s, int fd)
{
	(void)s;
	(void)fd;
	if (w.lease_err)
		return w.lease_err;
	w.leased++;
	note("+");
	return 0;
}

void lease_drop(struct leases *s, int fd)
{
	(void)s;
	assert_true(fcntl(fd, F_GETFD) >= 0);
	w.leased--;
	note("-");
}

#endif
