/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the control socket: a client that takes apart what it is told. */
#ifndef MCPVIGIL_TESTS_CTL_ASKER_H
#define MCPVIGIL_TESTS_CTL_ASKER_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "ctl_wire.h"

struct asker {
	int fd;
	bool deaf;   /* does not read */
	bool gone;   /* the agent closed */
	int status;  /* -1: not told */
	struct buf raw, out, err;
};

static inline void asker_close(struct asker *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	buf_done(&a->raw);
	buf_done(&a->out);
	buf_done(&a->err);
}

static inline void asker_connect(struct asker *a, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, path, strlen(path));
	a->gone = a->deaf = false;
	a->status = -1;
	buf_init(&a->raw, 64 << 20);
	buf_init(&a->out, 64 << 20);
	buf_init(&a->err, 1 << 20);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(a->fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

static inline void asker_send(struct asker *a, const void *p, size_t n)
{
	assert_int_equal(send(a->fd, p, n, MSG_NOSIGNAL), n);
}

static inline void frames(struct asker *a)
{
	struct ctl_head h;
	size_t at = 0;

	while (a->raw.n - at >= sizeof(h)) {
		memcpy(&h, a->raw.p + at, sizeof(h));
		assert_int_equal(h.version, CTL_VERSION);
		if (a->raw.n - at - sizeof(h) < h.n)
			break;
		at += sizeof(h);
		if (h.type == CTL_STATUS)
			a->status = (unsigned char)a->raw.p[at];
		else
			assert_int_equal(buf_add(h.type == CTL_STDOUT ? &a->out : &a->err, a->raw.p + at, h.n), 0);
		at += h.n;
	}
	buf_cut(&a->raw, at);
}

static inline void listen_to(struct asker *a)
{
	static char chunk[1 << 20];
	ssize_t n;

	while (a->fd >= 0 && !a->deaf && !a->gone) {
		n = recv(a->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			a->gone = true;
		else
			assert_int_equal(buf_add(&a->raw, chunk, (size_t)n), 0);
		frames(a);
	}
}

static inline void text_is(const struct buf *b, const char *want)
{
	if (b->n != strlen(want) || memcmp(b->p, want, b->n) != 0)
		fail_msg("got:\n%.*s\nwant:\n%s", (int)b->n, b->p ? b->p : "", want);
}

static inline bool text_has(const struct buf *b, const char *part)
{
	return b->n && memmem(b->p, b->n, part, strlen(part)) != NULL;
}

static inline size_t lines_of(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

#endif
