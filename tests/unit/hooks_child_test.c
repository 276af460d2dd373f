/* SPDX-License-Identifier: Apache-2.0 */
/* probe/hooks_child: the process's own loop, asked and heard over its socket, in a thread of the test; what looks at processes is
 * not there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/hooks_wire.h"
#include "probe/load.h"
#include "probe/tlsprocs.h"

static struct probe probe;

static struct world {
	int pair[2];
	pthread_t thread;
	int beat, new_err, exit_status;
	struct hooks_opts o;
	struct tlsfiles_opts fo;
	int (*tell)(void *ctx, const struct ev_hooked *h);
	void *ctx;
	uint32_t sweeps, ticks, busy, freed;
	int last_tell;
	uint32_t odd[4]; /* pid, start, stack, what */
} w;

/* --- The parts below; in the thread ------------------------------------------------------------------------------- */

struct tlsprocs *tlsprocs_new(const struct tlsfiles_opts *files, int (*tell)(void *ctx, const struct ev_hooked *h), void *ctx)
{
	w.fo = *files;
	w.tell = tell;
	w.ctx = ctx;
	errno = w.new_err;
	return w.new_err ? NULL : (struct tlsprocs *)&w;
}

void tlsprocs_free(struct tlsprocs *t)
{
	w.freed += t != NULL;
}

/* It is told of at once, as often as the pid says. */
void tlsprocs_look(struct tlsprocs *t, uint32_t pid, uint64_t start, enum hooks_reason why)
{
	struct ev_hooked h = { .hdr = { .size = sizeof(h), .kind = EV_HOOKED, .pid = pid }, .start = start, .state = (uint8_t)why };

	(void)t;
	w.last_tell = 0;
	for (uint32_t i = 0; i < pid && !w.last_tell; i++)
		w.last_tell = w.tell(w.ctx, &h);
}

void tlsprocs_odd(struct tlsprocs *t, uint32_t pid, uint64_t start, uint32_t stack, enum odd_what what)
{
	(void)t;
	memcpy(w.odd, (uint32_t[]){ pid, (uint32_t)start, stack, what }, sizeof(w.odd));
}

void tlsprocs_sweep(struct tlsprocs *t)
{
	(void)t;
	w.sweeps++;
	w.busy = 3;
}

void tlsprocs_tick(struct tlsprocs *t, uint64_t now)
{
	(void)t;
	(void)now;
	w.ticks++;
	w.busy -= w.busy > 0;
}

uint32_t tlsprocs_busy(const struct tlsprocs *t)
{
	(void)t;
	return w.busy;
}

bool tlsprocs_waiting(const struct tlsprocs *t)
{
	(void)t;
	return false;
}

uint64_t tlsprocs_full(const struct tlsprocs *t)
{
	(void)t;
	return 42;
}

void tlsprocs_stats(const struct tlsprocs *t, struct hooks_stats *ret)
{
	(void)t;
	ret->procs = 17;
}

static void *run(void *arg)
{
	(void)arg;
	w.exit_status = hooks_main(&probe, &w.o, &(struct hooks_run){ .fd = w.pair[1], .beat = w.beat, .restarts = 4 });
	return NULL;
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.o = (struct hooks_opts){ .cache_dir = "/cache", .fuse_network = true };
	w.beat = eventfd(0, EFD_CLOEXEC);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w.pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(w.pair[0]);
	close(w.pair[1]);
	close(w.beat);
	return 0;
}

static void start(void)
{
	assert_int_equal(pthread_create(&w.thread, NULL, run, NULL), 0);
}

/* The loop ends with the agent. */
static void end(int status)
{
	shutdown(w.pair[0], SHUT_RDWR);
	assert_int_equal(pthread_join(w.thread, NULL), 0);
	assert_int_equal(w.exit_status, status);
}

static ssize_t hear(struct hooks_news *ret)
{
	ssize_t n = recv(w.pair[0], ret, sizeof(*ret), 0);

	return n - (ssize_t)offsetof(struct hooks_news, hooked);
}

static void ask(uint32_t pid, uint64_t start_ns, enum hooks_reason why)
{
	const struct hooks_ask a = { .pid = pid, .start = start_ns, .why = why };

	assert_int_equal(send(w.pair[0], &a, sizeof(a), 0), sizeof(a));
}

/* Ready once all was looked at, with figures in front; and it goes on beating. */
static void test_ready(void **state)
{
	struct hooks_news news;
	eventfd_t beats;

	(void)state;
	start();
	assert_int_equal(hear(&news), sizeof(news.stats));
	assert_int_equal(news.kind, HOOKS_STATS);
	assert_int_equal(news.stats.procs, 17);
	assert_int_equal(news.stats.busy, 42);
	assert_int_equal(news.stats.restarts, 4);
	assert_int_equal(news.stats.pid, getpid());
	for (;;) {
		ssize_t n = hear(&news);

		if (news.kind == HOOKS_READY) {
			assert_int_equal(n, 0);
			break;
		}
		assert_int_equal(news.kind, HOOKS_STATS);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(eventfd_read(w.beat, &beats), 0);
	end(0);
	assert_int_equal(w.sweeps, 1);
	assert_true(w.ticks >= 3);
	assert_int_equal(w.freed, 1);
	assert_ptr_equal(w.fo.probe, &probe);
	assert_string_equal(w.fo.cache_dir, "/cache");
	assert_true(w.fo.remote);
}

static void test_no_start(void **state)
{
	(void)state;
	w.new_err = EPERM;
	start();
	end(1);
	assert_int_equal(w.sweeps, 0);
	assert_int_equal(w.freed, 0);
}

static void test_ask(void **state)
{
	struct hooks_news news = { 0 };

	(void)state;
	start();
	assert_int_equal(send(w.pair[0], "junk", 4, 0), 4);
	ask(1, 77, HOOKS_HELLO);
	while (news.kind != HOOKS_HOOKED)
		hear(&news);
	assert_int_equal(news.hooked.hdr.pid, 1);
	assert_int_equal(news.hooked.start, 77);
	assert_int_equal(news.hooked.state, HOOKS_HELLO);
	end(0);
}

static void test_odd(void **state)
{
	const struct hooks_ask a = { .pid = 9, .why = HOOKS_ODD, .start = 77, .stack = TLS_GNUTLS, .what = ODD_LENGTH };
	struct hooks_news news = { 0 };

	(void)state;
	start();
	assert_int_equal(send(w.pair[0], &a, sizeof(a), 0), sizeof(a));
	ask(1, 77, HOOKS_HELLO);
	while (news.kind != HOOKS_HOOKED)
		hear(&news);
	end(0);
	assert_int_equal(w.odd[0], 9);
	assert_int_equal(w.odd[1], 77);
	assert_int_equal(w.odd[2], TLS_GNUTLS);
	assert_int_equal(w.odd[3], ODD_LENGTH);
}

/* An agent that does not listen: it is said that nothing was told, and nobody waits. */
static void test_deaf(void **state)
{
	struct hooks_news news;

	(void)state;
	start();
	ask(1000000, 1, HOOKS_EXEC);
	do
		hear(&news);
	while (news.kind != HOOKS_HOOKED);
	end(0);
	assert_int_not_equal(w.last_tell, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_ready), TEST(test_no_start), TEST(test_ask), TEST(test_odd),
					    TEST(test_deaf) };

	return cmocka_run_group_tests_name("hooks_child", tests, NULL, NULL);
}
