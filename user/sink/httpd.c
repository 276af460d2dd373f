/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd on one thread. A connection carries one request and has a time to live: one that sends or reads a byte
 * now and then would keep its place for ever, as the library's own time-out starts over with each byte. */
#include "sink/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/lib.h"
#include "base/log.h"
#include "base/num.h"

#define CONNS	   16
#define IDLE_S	   10
#define LIFE_NS	   (20 * NSEC_PER_SEC)
#define FULL_NS	   (3 * NSEC_PER_SEC) /* the time to live while no place is free */
#define BLOCK	   32768
#define CONN_BYTES 32768

#define MHD_CALLS(X) \
	X(MHD_add_response_header) \
	X(MHD_create_response_from_buffer) \
	X(MHD_create_response_from_callback) \
	X(MHD_destroy_response) \
	X(MHD_get_connection_info) \
	X(MHD_lookup_connection_value) \
	X(MHD_queue_response) \
	X(MHD_start_daemon) \
	X(MHD_stop_daemon)

/* Once filled it stays as it is. */
static struct {
	MHD_CALLS(LIB_MEMBER)
} lib;

struct httpd {
	struct MHD_Daemon *daemon;
	int (*get)(void *ctx, const char *path, const char *accept, struct httpd_answer *ret);
	void *ctx;
	uint16_t port;
	pthread_mutex_t lock; /* of conn */
	struct {
		int fd; /* -1: free */
		uint64_t since;
	} conn[CONNS];
};

/* Where to listen. */

static int parse_host(struct sv host, struct sockaddr_in6 *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	char text[64];

	if (!host.n) {
		ret->sin6_family = AF_INET6; /* :: takes IPv4 too */
		return 0;
	}
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct sv){ host.p + 1, host.n - 2 };
	if (host.n >= sizeof(text))
		return -EINVAL;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return 0;
	}
	ret->sin6_family = AF_INET6;
	return inet_pton(AF_INET6, text, &ret->sin6_addr) == 1 ? 0 : -EINVAL;
}

/* sin_port and sin6_port lie at the same place. */
static int parse_listen(const char *listen_on, struct sockaddr_in6 *ret)
{
	const char *colon = strrchr(listen_on, ':');
	uint64_t port;

	*ret = (struct sockaddr_in6){ 0 };
	if (!colon || num_u64(sv_of(colon + 1), &port) || port > UINT16_MAX)
		return -EINVAL;
	ret->sin6_port = htons((uint16_t)port);
	return parse_host((struct sv){ listen_on, (size_t)(colon - listen_on) }, ret);
}

static int listen_at(const struct sockaddr_in6 *at, uint16_t *ret_port)
{
	bool v4 = at->sin6_family == AF_INET;
	socklen_t len = v4 ? sizeof(struct sockaddr_in) : sizeof(*at);
	int fd = socket(at->sin6_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, zero = 0, err;
	struct sockaddr_in6 got;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, (const struct sockaddr *)at, len) == 0 && listen(fd, CONNS) == 0 &&
	    getsockname(fd, (struct sockaddr *)&got, &len) == 0) {
		*ret_port = ntohs(got.sin6_port);
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

/* Connections and their time to live. */

static void on_conn(void *ctx, struct MHD_Connection *c, void **mine, enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info = lib.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	int want = code == MHD_CONNECTION_NOTIFY_STARTED ? -1 : info ? info->connect_fd : -1;
	struct httpd *h = ctx;

	(void)mine;
	if (!info)
		return;
	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < CONNS; i++) {
		if (h->conn[i].fd != want)
			continue;
		h->conn[i].fd = want < 0 ? info->connect_fd : -1;
		h->conn[i].since = clock_boot_ns();
		break;
	}
	pthread_mutex_unlock(&h->lock);
}

void httpd_tick(struct httpd *h)
{
	uint64_t now = clock_boot_ns(), life = FULL_NS;

	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < CONNS; i++)
		if (h->conn[i].fd < 0)
			life = LIFE_NS;
	for (int i = 0; i < CONNS; i++)
		if (h->conn[i].fd >= 0 && now - h->conn[i].since > life)
			shutdown(h->conn[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&h->lock);
}

/* Requests. */

struct body {
	struct httpd_answer a;
};

static ssize_t body_read(void *ctx, uint64_t at, char *p, size_t n)
{
	struct body *b = ctx;
	ssize_t got = b->a.read(b->a.body, p, n);

	(void)at;
	return got > 0 ? got : MHD_CONTENT_READER_END_OF_STREAM;
}

static void body_free(void *ctx)
{
	struct body *b = ctx;

	b->a.free(b->a.body);
	free(b);
}

static struct MHD_Response *response_of(const struct httpd_answer *a)
{
	struct body *b = malloc(sizeof(*b));
	struct MHD_Response *r = NULL;

	if (b) {
		b->a = *a;
		r = lib.MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, body_read, b, body_free);
	}
	if (!r) {
		a->free(a->body);
		free(b);
	}
	return r;
}

static struct MHD_Response *fixed(const char *text)
{
	return lib.MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(struct httpd *h, struct MHD_Connection *c, const char *path)
{
	struct httpd_answer a = { .status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8" };
	int err = h->get(h->ctx, path, lib.MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT), &a);
	struct MHD_Response *r = err ? fixed(err == -ENOENT ? "not found\n" : "no memory\n") : response_of(&a);
	enum MHD_Result done;

	if (err)
		a.status = err == -ENOENT ? MHD_HTTP_NOT_FOUND : MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (!r)
		return MHD_NO;
	lib.MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a.type);
	lib.MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	done = lib.MHD_queue_response(c, a.status, r);
	lib.MHD_destroy_response(r);
	return done;
}

static enum MHD_Result refuse(struct MHD_Connection *c)
{
	struct MHD_Response *r = fixed("GET and HEAD only\n");
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	lib.MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	lib.MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	done = lib.MHD_queue_response(c, MHD_HTTP_METHOD_NOT_ALLOWED, r);
	lib.MHD_destroy_response(r);
	return done;
}

/* The library's type. It calls this with the head, with each part of a body, and with its end. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method,
				  const char *version, const char *data, size_t *size, void **mine)
{
	static char seen;

	(void)version;
	(void)data;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(c);
	if (!*mine) {
		*mine = &seen;
		return MHD_YES;
	}
	if (*size) {
		*size = 0;
		return MHD_YES;
	}
	return answer(ctx, c, path);
}

static struct MHD_Daemon *start(struct httpd *h, int fd)
{
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC;
	struct MHD_Daemon *d;
	sigset_t all, before;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	d = lib.MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
			     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNS, MHD_OPTION_CONNECTION_TIMEOUT,
			     (unsigned int)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_BYTES,
			     MHD_OPTION_NOTIFY_CONNECTION, on_conn, h, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return d;
}

struct httpd *httpd_new(const char *listen_on,
			int (*get)(void *ctx, const char *path, const char *accept, struct httpd_answer *ret),
			void *ctx)
{
	static const struct lib_call calls[] = { MHD_CALLS(LIB_CALL) };
	struct httpd *h = calloc(1, sizeof(*h));
	struct sockaddr_in6 at;
	int err, fd = -1;

	if (!h)
		return NULL;
	pthread_mutex_init(&h->lock, NULL);
	h->get = get;
	h->ctx = ctx;
	for (int i = 0; i < CONNS; i++)
		h->conn[i].fd = -1;
	err = lib_load("libmicrohttpd.so.12", calls, sizeof(calls) / sizeof(calls[0]));
	if (!err)
		err = parse_listen(listen_on, &at);
	if (!err) {
		fd = listen_at(&at, &h->port);
		err = fd < 0 ? fd : 0;
	}
	h->daemon = err ? NULL : start(h, fd);
	if (h->daemon)
		return h;
	if (!err)
		close(fd);
	err = err ? err : -ENOMEM;
	log_err("cannot listen on '%s': %s", listen_on, errstr(err));
	httpd_free(h);
	errno = -err;
	return NULL;
}

void httpd_free(struct httpd *h)
{
	if (!h)
		return;
	if (h->daemon)
		lib.MHD_stop_daemon(h->daemon);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

uint16_t httpd_port(const struct httpd *h)
{
	return h->port;
}
