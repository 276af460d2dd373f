/* SPDX-License-Identifier: Apache-2.0 */
/* What one end writes stands in the memory that the other reads: see BIO_new_bio_pair(3). */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../vm/tls_cert.h"
#include "loopback.h"

#define ROOM (1 << 20) /* what may be on the way in one direction */

static int make_ctx(struct loopback *l)
{
	EVP_PKEY *key;
	X509 *cert;
	int ok;

	l->server_ctx = SSL_CTX_new(TLS_method());
	l->client_ctx = SSL_CTX_new(TLS_method());
	if (!l->server_ctx || !l->client_ctx || cert_make(&key, &cert))
		return 0;
	ok = SSL_CTX_use_certificate(l->server_ctx, cert) == 1 && SSL_CTX_use_PrivateKey(l->server_ctx, key) == 1;
	EVP_PKEY_free(key);
	X509_free(cert);
	return ok;
}

static int memory_between(struct loopback *l)
{
	BIO *a, *b;

	if (BIO_new_bio_pair(&a, ROOM, &b, ROOM) != 1)
		return 0;
	SSL_set_bio(l->server, a, a);
	SSL_set_bio(l->client, b, b);
	return 1;
}

static int connect_tcp(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len))
		return 0;
	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd[1] < 0 || connect(fd[1], (struct sockaddr *)&a, len))
		return 0;
	fd[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd[0] >= 0;
}

static int tcp_between(struct loopback *l)
{
	return connect_tcp(l->fd) && SSL_set_fd(l->server, l->fd[0]) == 1 && SSL_set_fd(l->client, l->fd[1]) == 1;
}

static int connect_ends(struct loopback *l, int tcp)
{
	l->server = SSL_new(l->server_ctx);
	l->client = SSL_new(l->client_ctx);
	if (!l->server || !l->client || !(tcp ? tcp_between(l) : memory_between(l)))
		return 0;
	SSL_set_accept_state(l->server);
	SSL_set_connect_state(l->client);
	return 1;
}

/* Neither end may wait for the other while the handshake goes back and forth. */
static void set_blocking(const struct loopback *l, int blocking)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (l->fd[i] >= 0)
			fcntl(l->fd[i], F_SETFL, blocking ? 0 : O_NONBLOCK);
	}
}

int loopback_open(struct loopback *l, int tcp)
{
	int i;

	*l = (struct loopback){ .fd = { -1, -1 } };
	if (!make_ctx(l) || !connect_ends(l, tcp))
		goto out;
	set_blocking(l, 0);
	for (i = 0; i < 1000; i++) {
		SSL_do_handshake(l->client);
		SSL_do_handshake(l->server);
		if (SSL_is_init_finished(l->client) && SSL_is_init_finished(l->server)) {
			set_blocking(l, 1);
			return 0;
		}
	}
out:
	loopback_close(l);
	return -1;
}

int loopback_unplug(struct loopback *l)
{
	return memory_between(l) ? 0 : -1;
}

void loopback_close(struct loopback *l)
{
	int i;

	SSL_free(l->server);
	SSL_free(l->client);
	SSL_CTX_free(l->server_ctx);
	SSL_CTX_free(l->client_ctx);
	for (i = 0; i < 2; i++) {
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	}
	*l = (struct loopback){ .fd = { -1, -1 } };
}
