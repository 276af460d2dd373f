/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes through system calls of every sort: single, vectored (scattered backwards in memory, so
 * that only a true walk over the vector gets the order right; empty segments among them),
 * several messages a call, byte by byte, peeked at before they are read. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pair.h"

#define SEGS 64
#define READ_MAX                                                                                   \
	262144 /* a reader takes less than the agent copies per call on its oldest kernel */

enum sort { PLAIN, VEC, VEC2, SEND, MSG, MMSG, SORTS };

struct vec {
	struct iovec v[SEGS];
	int n;
};

/* @n bytes of @mem as segments from its end to its beginning. */
static void vec_cut(struct vec *v, char *mem, size_t n)
{
	char *top = mem + n;
	size_t left = n, k;
	int i;

	v->n = 1 + (int)(rnd() % (one_in(8) ? SEGS : 8));
	for (i = 0; i < v->n; i++) {
		k = i == v->n - 1 ? left : one_in(5) ? 0 : rnd_size(left + 1) - 1;
		if (k > left)
			k = left;
		top -= k;
		left -= k;
		v->v[i] = (struct iovec){ top, k };
	}
}

/* Copy between the segments and @p, which is in order. */
static void vec_copy(const struct vec *v, char *p, size_t n, bool out)
{
	size_t k;
	int i;

	for (i = 0; i < v->n && n; i++, p += k, n -= k) {
		k = v->v[i].iov_len < n ? v->v[i].iov_len : n;
		if (!k)
			continue;
		if (out)
			memcpy(v->v[i].iov_base, p, k);
		else
			memcpy(p, v->v[i].iov_base, k);
	}
}

/* The vector as two messages of one call. */
static ssize_t mmsg(int fd, struct vec *v, bool out)
{
	struct mmsghdr m[2] = {};
	int half = v->n / 2, n;

	m[0].msg_hdr.msg_iov = v->v;
	m[0].msg_hdr.msg_iovlen = out ? (size_t)half : (size_t)v->n;
	m[1].msg_hdr.msg_iov = v->v + half;
	m[1].msg_hdr.msg_iovlen = (size_t)(v->n - half);
	if (out) {
		/* An empty first message is legal and says nothing; the second carries the rest. */
		n = sendmmsg(fd, m, 2, 0);
		return n < 0 ? -1 : (ssize_t)m[0].msg_len + (n > 1 ? (ssize_t)m[1].msg_len : 0);
	}
	n = recvmmsg(fd, m, 1, MSG_WAITFORONE, NULL);
	return n < 0 ? -1 : (ssize_t)m[0].msg_len;
}

static ssize_t vectored(int fd, struct vec *v, enum sort s, bool out)
{
	struct msghdr h = { .msg_iov = v->v, .msg_iovlen = (size_t)v->n };

	switch (s) {
	case VEC:
		return out ? writev(fd, v->v, v->n) : readv(fd, v->v, v->n);
	case VEC2:
		return out ? pwritev2(fd, v->v, v->n, -1, 0) : preadv2(fd, v->v, v->n, -1, 0);
	case MSG:
		return out ? sendmsg(fd, &h, 0) : recvmsg(fd, &h, 0);
	default:
		return mmsg(fd, v, out);
	}
}

static ssize_t single(int fd, char *p, size_t n, enum sort s, bool out)
{
	if (s == SEND)
		return out ? send(fd, p, n, 0) : recv(fd, p, n, 0);
	return out ? write(fd, p, n) : read(fd, p, n);
}

static enum sort any_sort(const struct wire *w)
{
	return (enum sort)(rnd() % (w->sock ? SORTS : SEND));
}

static size_t transfer(struct wire *w, char *p, size_t n, bool out)
{
	static struct text scratch;
	int fd = out ? w->out : w->in;
	enum sort s = any_sort(w);
	struct vec v;
	ssize_t r;

	if (w->tls)
		return tls_move(w->tls, p, n, out);
	do {
		if (s == PLAIN || s == SEND) {
			r = single(fd, p, n, s, out);
		} else {
			scratch.n = 0;
			text_add(&scratch, p, n); /* room; the bytes come by vec_copy */
			vec_cut(&v, scratch.p, n);
			if (out)
				vec_copy(&v, p, n, true);
			r = vectored(fd, &v, s, out);
			if (!out && r > 0)
				vec_copy(&v, p, (size_t)r, false);
		}
	} while (r < 0 && errno == EINTR);
	if (r < 0 && !out && errno == ECONNRESET)
		r = 0;
	if (r < 0)
		die(out ? "write" : "read");
	return (size_t)r;
}

void wire_send(struct wire *w, const char *p, size_t n)
{
	static struct text copy;
	size_t at = 0, k, bytewise = 0;
	unsigned int calls = 0;

	copy.n = 0;
	text_add(&copy, p, n);
	while (at < n) {
		if (!bytewise && one_in(24))
			bytewise = 1 + rnd() % 200;
		k = bytewise ? 1 : one_in(3) ? n - at : rnd_size(n - at);
		if (w->calls_max && ++calls >= w->calls_max)
			k = n - at;
		if (bytewise)
			bytewise--;
		at += transfer(w, copy.p + at, k, true);
	}
	if (w->tls)
		tls_flush(w->tls);
}

bool wire_more(struct wire *w)
{
	struct text *b = &w->buf;
	size_t n = one_in(16) ? 1 + rnd() % 8 : rnd_size(READ_MAX), got;
	static char room[READ_MAX];

	if (w->at) {
		memmove(b->p, b->p + w->at, b->n - w->at);
		b->n -= w->at;
		w->at = 0;
	}
	if (w->sock && one_in(8)) {
		if (w->tls)
			tls_peek(w->tls, room, n);
		else
			recv(w->in, room, n, MSG_PEEK);
	}
	/* What the buffer held before must not pass for what the call should have delivered. */
	memset(room, '#', n);
	got = transfer(w, room, n, false);
	text_add(b, room, got);
	return got > 0;
}

void wire_cipher(int fd, const char *p, size_t n)
{
	ssize_t r;

	for (; n; p += r, n -= (size_t)r) {
		r = one_in(2) ? send(fd, p, n, 0) : write(fd, p, n);
		if (r < 0 && (errno == EPIPE || errno == ECONNRESET)) /* an alert that nobody waits for */
			return;
		if (r < 0)
			die("send");
	}
}
