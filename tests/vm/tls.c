/* SPDX-License-Identifier: Apache-2.0 */
/* SSL_read, SSL_write and their _ex forms at random, so that every second call of a message may be of the other form.
 * A write that is refused is repeated as the library demands, whole, until it is taken: the bytes count once. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pair.h"
#include "tls.h"
#include "tls_cert.h"

#define SNDBUF	  32768 /* small, so that a non-blocking writer is refused now and then */
#define CIPHERMAX 40000

struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out; /* TLS_MEM */
	int fd;
	enum tls_way way;
};

static void refuse(const char *what)
{
	ERR_print_errors_fp(stderr);
	die(what);
}

static SSL_CTX *make_ctx(bool server)
{
	SSL_CTX *c = SSL_CTX_new(TLS_method());
	EVP_PKEY *key;
	X509 *cert;

	if (!c)
		refuse("SSL_CTX_new");
	if (!server) {
		if (one_in(3))
			SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
		return c;
	}
	if (cert_make(&key, &cert) || SSL_CTX_use_certificate(c, cert) != 1 || SSL_CTX_use_PrivateKey(c, key) != 1)
		refuse("certificate");
	EVP_PKEY_free(key);
	X509_free(cert);
	return c;
}

static void set_socket(struct tls *t)
{
	BIO *b;

	switch (rnd() % 3) {
	case 0:
		if (SSL_set_fd(t->ssl, t->fd) != 1)
			refuse("SSL_set_fd");
		break;
	case 1:
		if (SSL_set_rfd(t->ssl, t->fd) != 1 || SSL_set_wfd(t->ssl, t->fd) != 1)
			refuse("SSL_set_rfd");
		break;
	default:
		b = BIO_new_socket(t->fd, BIO_NOCLOSE);
		if (!b)
			refuse("BIO_new_socket");
		SSL_set_bio(t->ssl, b, b);
	}
}

static void set_way(struct tls *t)
{
	int size = SNDBUF;

	if (t->way == TLS_MEM) {
		t->in = BIO_new(BIO_s_mem());
		t->out = BIO_new(BIO_s_mem());
		if (!t->in || !t->out)
			refuse("BIO_new");
		SSL_set_bio(t->ssl, t->in, t->out);
		return;
	}
	set_socket(t);
	if (t->way == TLS_FD)
		return;
	setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK))
		die("O_NONBLOCK");
	SSL_set_mode(t->ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | (one_in(4) ? 0 : SSL_MODE_ENABLE_PARTIAL_WRITE));
}

void tls_flush(struct tls *t)
{
	static char cipher[CIPHERMAX];
	int n;

	while (t->way == TLS_MEM && BIO_ctrl_pending(t->out)) {
		n = BIO_read(t->out, cipher, (int)rnd_size(sizeof(cipher)));
		if (n > 0)
			wire_cipher(t->fd, cipher, (size_t)n);
	}
}

/* Ciphertext from the socket to the library. False at its end. */
static bool fill(struct tls *t)
{
	static char cipher[CIPHERMAX];
	size_t n = rnd_size(sizeof(cipher));
	ssize_t r;

	tls_flush(t);
	r = one_in(2) ? recv(t->fd, cipher, n, 0) : read(t->fd, cipher, n);
	if (r < 0 && errno != ECONNRESET)
		die("recv");
	return r > 0 && BIO_write(t->in, cipher, (int)r) == r;
}

static bool wait_for(int fd, short what)
{
	struct pollfd p = { fd, what, 0 };

	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		die("poll");
	return true;
}

/* The peer is gone without a word: OpenSSL 3 calls it an error of the protocol, 1.1.1 one of a system call. */
static bool cut_off(int how)
{
	if (how == SSL_ERROR_SYSCALL)
		return !errno || errno == ECONNRESET || errno == EPIPE;
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
	return how == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
	return false;
#endif
}

/* The call returned @r and is to be repeated; false at the end of the stream. */
static bool again(struct tls *t, int r)
{
	int how = SSL_get_error(t->ssl, r);

	if (how == SSL_ERROR_WANT_READ)
		return t->way == TLS_MEM ? fill(t) : wait_for(t->fd, POLLIN);
	if (how == SSL_ERROR_WANT_WRITE)
		return wait_for(t->fd, POLLOUT);
	if (how == SSL_ERROR_ZERO_RETURN || cut_off(how))
		return false;
	refuse("TLS");
	return false;
}

static int call(SSL *s, char *p, size_t n, bool out, size_t *did)
{
	int r;

	ERR_clear_error();
	errno = 0;
	if (one_in(2))
		return out ? SSL_write_ex(s, p, n, did) : SSL_read_ex(s, p, n, did);
	r = out ? SSL_write(s, p, (int)n) : SSL_read(s, p, (int)n);
	*did = r > 0 ? (size_t)r : 0;
	return r;
}

size_t tls_move(struct tls *t, char *p, size_t n, bool out)
{
	size_t did = 0;
	int r;

	do {
		r = call(t->ssl, p, n, out, &did);
	} while (r <= 0 && again(t, r));
	if (r <= 0 && out)
		die("peer left");
	/* Now and then several writes share one send. */
	if (out && !one_in(3))
		tls_flush(t);
	return r > 0 ? did : 0;
}

void tls_peek(struct tls *t, char *p, size_t n)
{
	size_t did;

	ERR_clear_error();
	if (one_in(2))
		SSL_peek(t->ssl, p, (int)n);
	else
		SSL_peek_ex(t->ssl, p, n, &did);
}

static void handshake(struct tls *t)
{
	int r;

	do {
		ERR_clear_error();
		errno = 0;
		r = SSL_do_handshake(t->ssl);
	} while (r <= 0 && again(t, r));
	if (r <= 0)
		die("handshake");
	tls_flush(t);
}

struct tls *tls_new(int fd, bool server, enum tls_way way)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		die("memory");
	*t = (struct tls){ .ctx = make_ctx(server), .fd = fd, .way = way };
	/* The address of a connection that is gone is given to the next. */
	if (one_in(2))
		SSL_free(SSL_new(t->ctx));
	t->ssl = SSL_new(t->ctx);
	if (!t->ssl)
		refuse("SSL_new");
	set_way(t);
	if (server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	/* Else the first read or write does it, and is refused until it is done. */
	if (one_in(2))
		handshake(t);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (one_in(2)) {
		SSL_shutdown(t->ssl);
		tls_flush(t);
	}
	if (one_in(2))
		SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	free(t);
}
