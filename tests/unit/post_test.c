/* SPDX-License-Identifier: Apache-2.0 */
/* POST over real sockets of the loopback: what is sent, what comes back, what becomes of servers that misbehave. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sink/post.h"

/* A server for one connection, in a thread. */
struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	const char *answer; /* NULL: close without a word */
	bool hang;	    /* say nothing until the client goes */
	bool flood;	    /* after the answer, bytes without end */
	char got[8192];
};

/* All of a request whose body ends with '}'. */
static void read_request(struct server *s, int fd)
{
	size_t n = 0;

	while (n + 1 < sizeof(s->got)) {
		ssize_t r = read(fd, s->got + n, sizeof(s->got) - 1 - n);

		if (r <= 0)
			break;
		n += (size_t)r;
		if (s->got[n - 1] == '}')
			break;
	}
	s->got[n] = '\0';
}

static void *server_main(void *ctx)
{
	struct server *s = ctx;
	static const char zeros[4096];
	int fd = accept(s->fd, NULL, NULL);
	char c;

	if (fd < 0)
		return NULL;
	read_request(s, fd);
	if (s->answer && send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) < 0)
		s->answer = NULL;
	while (s->flood && send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0)
		;
	if (s->hang)
		(void)!read(fd, &c, 1);
	close(fd);
	return NULL;
}

static void server_begin(struct server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 4), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

static void server_end(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static struct post_result wait_for(void *p)
{
	struct post_result r;

	while (!post_curl_ops.take(p, &r))
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	return r;
}

/* One request to @s. */
static struct post_result post_to(struct server *s, const char *userinfo, uint64_t timeout_ms)
{
	struct post_req req = { .header = { "X-One: 1", "X-Two: 2" }, .body = SV("{\"a\":1}") };
	struct post_result r;
	char url[128];
	void *p;

	server_begin(s);
	snprintf(url, sizeof(url), "http://%s127.0.0.1:%u/api", userinfo, s->port);
	p = post_curl_new(url, timeout_ms * NSEC_PER_MSEC);
	assert_non_null(p);
	assert_int_equal(post_curl_ops.start(p, &req), 0);
	assert_int_equal(post_curl_ops.start(p, &req), -EBUSY);
	r = wait_for(p);
	assert_false(post_curl_ops.take(p, &r));
	post_curl_ops.free(p);
	server_end(s);
	return r;
}

static void test_request(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" };
	struct post_result r = post_to(&s, "", 10000);

	(void)state;
	assert_int_equal(r.status, 200);
	assert_string_equal(r.why, "ok");
	assert_int_equal(r.retry_after_ns, 0);
	assert_ptr_equal(strstr(s.got, "POST /api HTTP/1.1\r\n"), s.got);
	assert_non_null(strstr(s.got, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(s.got, "\r\nX-One: 1\r\nX-Two: 2\r\n"));
	assert_non_null(strstr(s.got, "\r\nContent-Length: 7\r\n"));
	assert_non_null(strstr(s.got, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(s.got, "Authorization"));
	assert_null(strstr(s.got, "Expect"));
}

static void test_basic_authentication(void **state)
{
	struct server s = { .answer = "HTTP/1.1 204 No Content\r\n\r\n" };
	struct post_result r = post_to(&s, "user:secret@", 10000);

	(void)state;
	assert_int_equal(r.status, 204);
	assert_non_null(strstr(s.got, "\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
}

static void test_errors_are_answers(void **state)
{
	struct server s = { .answer = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n" };
	struct server away = { .answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" };
	struct post_result r = post_to(&s, "", 10000);

	(void)state;
	assert_int_equal(r.status, 503);
	assert_int_equal(r.retry_after_ns, 7 * NSEC_PER_SEC);
	r = post_to(&away, "", 10000);
	assert_int_equal(r.status, 302); /* not followed */
}

static void test_no_answer(void **state)
{
	struct server closes = { .answer = NULL };
	struct server hangs = { .hang = true };
	struct server halves = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" };
	struct post_result r = post_to(&closes, "", 10000);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_string_not_equal(r.why, "");
	r = post_to(&hangs, "", 50);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.why, "Timeout was reached");
	r = post_to(&halves, "", 10000);
	assert_int_equal(r.status, 0);
}

static void test_endless_answer(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\n\r\n", .flood = true };
	struct post_result r = post_to(&s, "", 60000);

	(void)state;
	assert_int_equal(r.status, 200);
}

static void test_refused(void **state)
{
	struct server s = { 0 };
	struct post_result r;
	char url[64];
	void *p;

	(void)state;
	server_begin(&s);
	shutdown(s.fd, SHUT_RDWR); /* ends its accept */
	server_end(&s);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", s.port);
	p = post_curl_new(url, 10 * NSEC_PER_SEC);
	for (int i = 0; i < 3; i++) { /* the next one works as the first */
		assert_int_equal(post_curl_ops.start(p, &(struct post_req){ .body = SV("{}") }), 0);
		r = wait_for(p);
		assert_int_equal(r.status, 0);
	}
	post_curl_ops.free(p);
}

static void test_end_does_not_wait(void **state)
{
	struct server s = { .hang = true };
	char url[64];
	void *p;

	(void)state;
	server_begin(&s);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", s.port);
	p = post_curl_new(url, 3600 * NSEC_PER_SEC);
	assert_int_equal(post_curl_ops.start(p, &(struct post_req){ .body = SV("{}") }), 0);
	post_curl_ops.free(p); /* an hour would be stopped by the runner */
	shutdown(s.fd, SHUT_RDWR);
	server_end(&s);
}

static void test_schemes(void **state)
{
	static const char *const bad[] = { "", "http", "file:///etc/passwd", "ftp://x/", "gopher://x/", "127.0.0.1:9093" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		assert_null(post_curl_new(bad[i], NSEC_PER_SEC));
		assert_int_equal(errno, EPROTONOSUPPORT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),	       cmocka_unit_test(test_basic_authentication),
		cmocka_unit_test(test_errors_are_answers), cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_endless_answer), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_end_does_not_wait), cmocka_unit_test(test_schemes),
	};

	/* A proxy of the environment would take what is meant for the loopback. */
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
