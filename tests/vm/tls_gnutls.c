/* SPDX-License-Identifier: Apache-2.0 */
/* The same by GnuTLS: gnutls_record_send, _send2 and _send_range, _recv and _recv_seq at random, and what was corked. A write that
 * is refused is repeated with the same bytes until it is taken: they count once. Without certificates: a shared key. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pair.h"
#include "tls.h"

#define SNDBUF	  32768 /* small, so that a non-blocking writer is refused now and then */
#define CIPHERMAX 40000
#define KEY	  "0123456789abcdef0123456789abcdef"

struct tls {
	gnutls_session_t session;
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
	struct text in, out; /* TLS_MEM: ciphertext on its way */
	size_t in_at, out_at;
	int fd;
	enum tls_way way;
	bool corked;
};

static void must(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "%s\n", gnutls_strerror(err));
	die(what);
}

/* --- Memory between the library and the socket ------------------------------------------------------------------ */

static ssize_t push(gnutls_transport_ptr_t p, const void *data, size_t n)
{
	struct tls *t = p;

	text_add(&t->out, data, n);
	return (ssize_t)n;
}

static ssize_t pull(gnutls_transport_ptr_t p, void *data, size_t n)
{
	struct tls *t = p;
	size_t left = t->in.n - t->in_at;

	if (!left) {
		gnutls_transport_set_errno(t->session, EAGAIN);
		return -1;
	}
	if (n > left)
		n = left;
	memcpy(data, t->in.p + t->in_at, n);
	t->in_at += n;
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t p, unsigned int ms)
{
	struct tls *t = p;

	(void)ms;
	return t->in_at < t->in.n;
}

static void send_out(struct tls *t)
{
	while (t->out_at < t->out.n) {
		size_t n = rnd_size(CIPHERMAX), left = t->out.n - t->out_at;

		if (n > left)
			n = left;
		wire_cipher(t->fd, t->out.p + t->out_at, n);
		t->out_at += n;
	}
	t->out.n = t->out_at = 0;
}

/* Ciphertext from the socket to where the library finds it. False at its end. */
static bool fill(struct tls *t)
{
	static char cipher[CIPHERMAX];
	size_t n = rnd_size(sizeof(cipher));
	ssize_t r;

	tls_flush(t);
	r = one_in(2) ? recv(t->fd, cipher, n, 0) : read(t->fd, cipher, n);
	if (r < 0 && errno != ECONNRESET)
		die("recv");
	if (r <= 0)
		return false;
	if (t->in_at == t->in.n)
		t->in.n = t->in_at = 0;
	text_add(&t->in, cipher, (size_t)r);
	return true;
}

/* --- Calls ------------------------------------------------------------------------------------------------------ */

/* The call returned @r and is to be repeated; false at the end of the stream. */
static bool again(struct tls *t, ssize_t r)
{
	struct pollfd p = { t->fd, gnutls_record_get_direction(t->session) ? POLLOUT : POLLIN, 0 };

	if (r == GNUTLS_E_PREMATURE_TERMINATION || r == GNUTLS_E_PULL_ERROR || r == GNUTLS_E_PUSH_ERROR)
		return false;
	if (r != GNUTLS_E_AGAIN && r != GNUTLS_E_INTERRUPTED)
		must((int)r, "TLS");
	if (t->way == TLS_MEM)
		return p.events == POLLOUT || fill(t);
	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		die("poll");
	return true;
}

static ssize_t call_out(struct tls *t, const char *p, size_t n)
{
	const gnutls_range_st range = { n, n };

	switch (rnd() % 3) {
	case 0:
		return gnutls_record_send2(t->session, p, n, 0, 0);
	case 1: /* passes by what is corked, and goes on with no call that was refused */
		if (t->way == TLS_FD && !t->corked && n <= 8192 && gnutls_record_can_use_length_hiding(t->session))
			return gnutls_record_send_range(t->session, p, n, &range);
		/* fallthrough */
	default:
		return gnutls_record_send(t->session, p, n);
	}
}

static ssize_t call(struct tls *t, char *p, size_t n, bool out)
{
	unsigned char seq[8];

	if (out)
		return call_out(t, p, n);
	return one_in(2) ? gnutls_record_recv(t->session, p, n) : gnutls_record_recv_seq(t->session, p, n, seq);
}

static void uncork(struct tls *t)
{
	int r = 0;

	while (t->corked && r >= 0) {
		r = gnutls_record_uncork(t->session, one_in(2) ? GNUTLS_RECORD_WAIT : 0);
		if (r >= 0)
			t->corked = false;
		else if (again(t, r))
			r = 0;
	}
}

void tls_flush(struct tls *t)
{
	uncork(t);
	if (t->way == TLS_MEM)
		send_out(t);
}

size_t tls_move(struct tls *t, char *p, size_t n, bool out)
{
	ssize_t r;

	if (out && !t->corked && one_in(8)) {
		gnutls_record_cork(t->session);
		t->corked = true;
	} else if (!out) {
		tls_flush(t);
	}
	do {
		r = call(t, p, n, out);
	} while (r < 0 && again(t, r));
	if (r <= 0 && out)
		die("peer left");
	/* Now and then several writes share one send. */
	if (out && !one_in(3))
		tls_flush(t);
	return r > 0 ? (size_t)r : 0;
}

/* There is no such call. */
void tls_peek(struct tls *t, char *p, size_t n)
{
	(void)p;
	(void)n;
	gnutls_record_check_pending(t->session);
}

/* --- Sessions --------------------------------------------------------------------------------------------------- */

static int key_of(gnutls_session_t s, const char *user, gnutls_datum_t *key)
{
	(void)s;
	(void)user;
	key->size = sizeof(KEY) / 2;
	key->data = gnutls_malloc(key->size);
	if (!key->data)
		return -1;
	memcpy(key->data, KEY, key->size);
	return 0;
}

static void set_key(struct tls *t, bool server)
{
	gnutls_datum_t key;

	if (server) {
		must(gnutls_psk_allocate_server_credentials(&t->server), "credentials");
		gnutls_psk_set_server_credentials_function(t->server, key_of);
		must(gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, t->server), "credentials");
		return;
	}
	must(gnutls_psk_allocate_client_credentials(&t->client), "credentials");
	must(key_of(NULL, NULL, &key), "key");
	must(gnutls_psk_set_client_credentials(t->client, "pair", &key, GNUTLS_PSK_KEY_RAW), "credentials");
	gnutls_free(key.data);
	must(gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, t->client), "credentials");
}

static void set_way(struct tls *t)
{
	int size = SNDBUF;

	if (t->way == TLS_MEM) {
		gnutls_transport_set_ptr(t->session, t);
		gnutls_transport_set_push_function(t->session, push);
		gnutls_transport_set_pull_function(t->session, pull);
		gnutls_transport_set_pull_timeout_function(t->session, pull_timeout);
		return;
	}
	if (one_in(2))
		gnutls_transport_set_int2(t->session, t->fd, t->fd);
	else
		gnutls_transport_set_ptr(t->session, (gnutls_transport_ptr_t)(long)t->fd);
	if (t->way == TLS_FD)
		return;
	setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK))
		die("O_NONBLOCK");
}

static void session_new(struct tls *t, bool server)
{
	const char *versions = !server && one_in(3) ? ":-VERS-TLS1.3" : "";
	char priority[128];

	must(gnutls_init(&t->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | (t->way == TLS_FD ? 0 : GNUTLS_NONBLOCK)), "init");
	snprintf(priority, sizeof(priority), "NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK%s", versions);
	must(gnutls_priority_set_direct(t->session, priority, NULL), "priority");
}

static void handshake(struct tls *t)
{
	int r;

	do {
		r = gnutls_handshake(t->session);
	} while (r < 0 && again(t, r));
	must(r, "handshake");
	tls_flush(t);
}

struct tls *tls_new(int fd, bool server, enum tls_way way)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		die("memory");
	t->fd = fd;
	t->way = way;
	session_new(t, server);
	/* The address of a session that is gone is given to the next. */
	if (one_in(2)) {
		gnutls_deinit(t->session);
		session_new(t, server);
	}
	set_key(t, server);
	set_way(t);
	handshake(t);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	tls_flush(t);
	if (one_in(2)) {
		gnutls_bye(t->session, GNUTLS_SHUT_WR);
		tls_flush(t);
	}
	if (one_in(2))
		gnutls_deinit(t->session);
	if (t->client)
		gnutls_psk_free_client_credentials(t->client);
	if (t->server)
		gnutls_psk_free_server_credentials(t->server);
	free(t->in.p);
	free(t->out.p);
	free(t);
}
