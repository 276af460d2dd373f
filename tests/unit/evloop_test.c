/* SPDX-License-Identifier: Apache-2.0 */
/* base/evloop: descriptors, the tick, signals, and deleting what is about to be called. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/evloop.h"

struct pair {
	struct evloop *l;
	int a[2], b[2]; /* pipes */
	int seen_a, seen_b, wrong, ticks, sig;
};

static int set_up(void **state)
{
	static struct pair p;

	p = (struct pair){ .l = evloop_new() };
	if (!p.l || pipe(p.a) || pipe(p.b))
		return -1;
	*state = &p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < 2; i++) {
		close(p->a[i]);
		close(p->b[i]);
	}
	evloop_free(p->l);
	return 0;
}

static void poke(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

static void drain(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
}

static void on_a(void *ctx)
{
	struct pair *p = ctx;

	drain(p->a[0]);
	p->seen_a++;
	if (p->seen_a < 3)
		poke(p->b[1]);
	else
		evloop_stop(p->l);
}

static void on_b(void *ctx)
{
	struct pair *p = ctx;

	drain(p->b[0]);
	p->seen_b++;
	poke(p->a[1]);
}

static void test_ping_pong(void **state)
{
	struct pair *p = *state;

	assert_int_equal(evloop_add_fd(p->l, p->a[0], on_a, p), 0);
	assert_int_equal(evloop_add_fd(p->l, p->b[0], on_b, p), 0);
	assert_int_equal(evloop_add_fd(p->l, p->b[0], on_b, p), -EEXIST);
	assert_int_equal(evloop_add_fd(p->l, -1, on_b, p), -EBADF);
	poke(p->a[1]);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->seen_a, 3);
	assert_int_equal(p->seen_b, 2);
}

static void on_newcomer(void *ctx)
{
	struct pair *p = ctx;

	p->wrong++;
	evloop_stop(p->l);
}

/* Both are ready, so one batch holds both. Whichever runs first deletes the other, and a newcomer with
 * nothing to read takes its number and its slot. */
static void replace(struct pair *p, int *other)
{
	evloop_del_fd(p->l, other[0]);
	close(other[0]);
	close(other[1]);
	assert_int_equal(pipe(other), 0);
	assert_int_equal(evloop_add_fd(p->l, other[0], on_newcomer, p), 0);
}

static void on_a_replaces(void *ctx)
{
	struct pair *p = ctx;

	drain(p->a[0]);
	p->seen_a++;
	replace(p, p->b);
}

static void on_b_replaces(void *ctx)
{
	struct pair *p = ctx;

	drain(p->b[0]);
	p->seen_b++;
	replace(p, p->a);
}

static void stop_at_tick(void *ctx)
{
	struct pair *p = ctx;

	p->ticks++;
	evloop_stop(p->l);
}

static void test_replace_in_batch(void **state)
{
	struct pair *p = *state;

	evloop_add_fd(p->l, p->a[0], on_a_replaces, p);
	evloop_add_fd(p->l, p->b[0], on_b_replaces, p);
	poke(p->a[1]);
	poke(p->b[1]);
	evloop_tick(p->l, 20, stop_at_tick, p);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->seen_a + p->seen_b, 1);
	assert_int_equal(p->wrong, 0);
	poke(p->seen_a ? p->b[1] : p->a[1]);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->wrong, 1);
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void on_sig(void *ctx, int sig)
{
	struct pair *p = ctx;

	p->sig = sig;
	evloop_stop(p->l);
}

/* The loop's own two descriptors do not count among the 64. */
static void test_cap(void **state)
{
	struct pair *p = *state;
	int fds[65];

	for (int i = 0; i < 65; i++) {
		fds[i] = dup(p->a[0]);
		assert_int_equal(evloop_add_fd(p->l, fds[i], nothing, NULL), i < 64 ? 0 : -ENOSPC);
	}
	assert_int_equal(evloop_tick(p->l, 1000, stop_at_tick, p), 0);
	assert_int_equal(evloop_signal(p->l, SIGUSR2, on_sig, p), 0);
	evloop_del_fd(p->l, fds[64]); /* never added */
	assert_int_equal(evloop_add_fd(p->l, fds[64], nothing, NULL), -ENOSPC);
	evloop_del_fd(p->l, fds[10]);
	assert_int_equal(evloop_add_fd(p->l, fds[64], nothing, NULL), 0);
	for (int i = 0; i < 65; i++)
		close(fds[i]);
}

static void on_tick(void *ctx)
{
	struct pair *p = ctx;

	if (++p->ticks == 5)
		evloop_stop(p->l);
}

static void test_tick(void **state)
{
	struct pair *p = *state;
	uint64_t start = clock_boot_ns();

	assert_int_equal(evloop_tick(p->l, 0, on_tick, p), -EINVAL);
	assert_int_equal(evloop_tick(p->l, 4, on_tick, p), 0);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->ticks, 5);
	assert_true(clock_boot_ns() - start >= 20 * NSEC_PER_MSEC - NSEC_PER_MSEC);
}

static void test_signals(void **state)
{
	struct pair *p = *state;

	assert_int_equal(evloop_signal(p->l, 0, on_sig, p), -EINVAL);
	assert_int_equal(evloop_signal(p->l, 9999, on_sig, p), -EINVAL);
	assert_int_equal(evloop_signal(p->l, SIGUSR1, on_sig, p), 0);
	assert_int_equal(evloop_signal(p->l, SIGUSR2, on_sig, p), 0);
	kill(getpid(), SIGUSR2);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->sig, SIGUSR2);
	kill(getpid(), SIGUSR1);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->sig, SIGUSR1);
}

static void test_hangup_calls(void **state)
{
	struct pair *p = *state;

	evloop_add_fd(p->l, p->a[0], stop_at_tick, p);
	close(p->a[1]);
	p->a[1] = -1;
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->ticks, 1);
}

/* The other end of @a is writable at once; what can be read waits until it is wanted again. */
static void on_writable(void *ctx)
{
	struct pair *p = ctx;

	p->seen_b++;
	assert_int_equal(evloop_want(p->l, p->a[1], false, false), 0);
	assert_int_equal(evloop_want(p->l, p->b[0], true, false), 0);
}

static void stop_at_read(void *ctx)
{
	struct pair *p = ctx;

	drain(p->b[0]);
	assert_int_equal(p->seen_b, 1);
	p->seen_a++;
	evloop_stop(p->l);
}

static void test_want(void **state)
{
	struct pair *p = *state;

	assert_int_equal(evloop_want(p->l, p->a[1], true, true), -ENOENT);
	assert_int_equal(evloop_want(p->l, -1, true, true), -ENOENT);
	assert_int_equal(evloop_add_fd(p->l, p->b[0], stop_at_read, p), 0);
	assert_int_equal(evloop_want(p->l, p->b[0], false, false), 0);
	assert_int_equal(evloop_add_fd(p->l, p->a[1], on_writable, p), 0);
	assert_int_equal(evloop_want(p->l, p->a[1], false, true), 0);
	poke(p->b[1]);
	assert_int_equal(evloop_run(p->l), 0);
	assert_int_equal(p->seen_a, 1);
	assert_int_equal(p->seen_b, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ping_pong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replace_in_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tick, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hangup_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_want, set_up, tear_down),
	};

	evloop_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
