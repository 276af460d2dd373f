/* SPDX-License-Identifier: Apache-2.0 */
/* probe/hooks_keep: what is killed or says nothing is started again, until the agent is gone or it gives up by itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/hooks_wire.h"
#include "probe/load.h"

static struct probe probe;
static struct hooks_opts opts;
static int (*behave)(const struct hooks_run *run);
static int ours, theirs;
static pid_t keeper;

/* Shared by all. */
static struct shared {
	uint32_t confined, runs;
} *shared;

int hooks_main(struct probe *p, const struct hooks_opts *o, const struct hooks_run *run)
{
	shared->runs++;
	return p == &probe && o == &opts ? behave(run) : 99;
}

static void say(const struct hooks_run *run, uint32_t kind)
{
	const struct hooks_news news = { .kind = kind, .stats = { .restarts = run->restarts } };

	send(run->fd, &news, sizeof(news), MSG_NOSIGNAL);
}

/* Until the agent closes its end. */
static int listen_on(const struct hooks_run *run)
{
	struct hooks_ask ask;

	while (recv(run->fd, &ask, sizeof(ask), 0) > 0)
		;
	return 0;
}

static int confine(void)
{
	shared->confined++;
	return 0;
}

static int confine_not(void)
{
	return -EPERM;
}

/* --- The agent's end -------------------------------------------------------------------------------------------- */

static void start(int (*fn)(const struct hooks_run *run))
{
	int pair[2];

	behave = fn;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ours = pair[0];
	theirs = pair[1];
	keeper = fork();
	if (keeper == 0) {
		close(ours);
		_exit(hooks_keep(&probe, &opts, theirs));
	}
	close(theirs);
}

/* The next news: its kind, 0 at the end of them. */
static uint32_t hear(uint32_t *ret_restarts)
{
	struct hooks_news news = { 0 };
	ssize_t n = recv(ours, &news, sizeof(news), 0);

	*ret_restarts = news.stats.restarts;
	return n > 0 ? news.kind : 0;
}

static void assert_hear(uint32_t kind, uint32_t restarts)
{
	uint32_t got;

	assert_int_equal(hear(&got), kind);
	assert_int_equal(got, restarts);
}

static void assert_end(int status)
{
	int got;

	close(ours);
	assert_int_equal(waitpid(keeper, &got, 0), keeper);
	assert_true(WIFEXITED(got));
	assert_int_equal(WEXITSTATUS(got), status);
	assert_int_equal(waitpid(-1, NULL, 0), -1); /* what it had started would be ours by now */
	assert_int_equal(errno, ECHILD);
}

static int set_up(void **state)
{
	(void)state;
	memset(shared, 0, sizeof(*shared));
	opts.confine = confine;
	hooks_times = (struct hooks_times){ .silent_ms = 120000, .off_ms = 120000, .end_ms = 120000, .again_ms = 1 };
	return 0;
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

static int well(const struct hooks_run *run)
{
	say(run, HOOKS_READY);
	return listen_on(run);
}

static void test_well(void **state)
{
	(void)state;
	start(well);
	assert_hear(HOOKS_READY, 0);
	assert_end(0);
	assert_int_equal(shared->confined, 1);
	assert_int_equal(shared->runs, 1);
}

static int dies_twice(const struct hooks_run *run)
{
	say(run, HOOKS_READY);
	signal(SIGSEGV, SIG_DFL); /* the test's own */
	if (run->restarts < 2)
		raise(run->restarts ? SIGSEGV : SIGKILL);
	return listen_on(run);
}

/* What it gave up it gives up once. */
static void test_killed(void **state)
{
	(void)state;
	start(dies_twice);
	assert_hear(HOOKS_READY, 0);
	assert_hear(HOOKS_READY, 1);
	assert_hear(HOOKS_READY, 2);
	assert_end(0);
	assert_int_equal(shared->confined, 1);
	assert_int_equal(shared->runs, 3);
}

static int silent_once(const struct hooks_run *run)
{
	say(run, HOOKS_READY);
	while (!run->restarts)
		pause();
	eventfd_write(run->beat, 1);
	return 0;
}

static void test_silent(void **state)
{
	uint32_t restarts;

	(void)state;
	hooks_times.silent_ms = 20;
	start(silent_once);
	assert_hear(HOOKS_READY, 0);
	do /* it may be that slow to start that it is taken to be stuck once more */
		assert_int_equal(hear(&restarts), HOOKS_READY);
	while (restarts == 0);
	while (hear(&restarts) == HOOKS_READY)
		;
	assert_end(0);
	assert_true(shared->runs >= 2);
}

/* The keeper takes note of each beat: there is none to be taken note of any more. */
static int beats(const struct hooks_run *run)
{
	struct pollfd p = { .fd = run->beat, .events = POLLIN };

	eventfd_write(run->beat, 1);
	while (poll(&p, 1, 0) > 0)
		sched_yield();
	say(run, HOOKS_READY);
	return listen_on(run);
}

static void test_beats(void **state)
{
	(void)state;
	start(beats);
	assert_hear(HOOKS_READY, 0);
	assert_end(0);
}

static int gives_up(const struct hooks_run *run)
{
	say(run, HOOKS_STATS);
	return 1;
}

/* It has said why: another one would come no further. The agent is told. */
static void test_gives_up(void **state)
{
	(void)state;
	start(gives_up);
	assert_hear(HOOKS_STATS, 0);
	assert_hear(HOOKS_ENDED, 0);
	assert_hear(0, 0);
	assert_end(1);
	assert_int_equal(shared->runs, 1);
}

static void test_unconfined(void **state)
{
	(void)state;
	opts.confine = confine_not;
	start(well);
	assert_hear(HOOKS_ENDED, 0);
	assert_end(1);
	assert_int_equal(shared->runs, 0);
}

static int deaf(const struct hooks_run *run)
{
	say(run, HOOKS_READY);
	while (run->fd >= 0)
		pause();
	return 0;
}

/* The agent is gone, and it does not care: it is ended. */
static void test_deaf(void **state)
{
	(void)state;
	hooks_times.off_ms = 20;
	start(deaf);
	assert_hear(HOOKS_READY, 0);
	assert_end(0);
}

/* The agent is gone while nothing runs: nothing is started any more. */
static int dies(const struct hooks_run *run)
{
	say(run, HOOKS_READY);
	raise(SIGKILL);
	return 0;
}

static void test_end_between(void **state)
{
	(void)state;
	hooks_times.again_ms = 1000000;
	start(dies);
	assert_hear(HOOKS_READY, 0);
	assert_end(0);
	assert_int_equal(shared->runs, 1);
}

/* Whoever kills the keeper does not kill what it keeps, whose probes would be left: that ends with the agent. */
static void test_keeper_killed(void **state)
{
	int status;

	(void)state;
	start(well);
	assert_hear(HOOKS_READY, 0);
	kill(keeper, SIGKILL);
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	assert_int_equal(waitpid(-1, &status, WNOHANG), 0);
	shutdown(ours, SHUT_WR);
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ours);
}

#define TEST(fn) cmocka_unit_test_setup(fn, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_well),       TEST(test_killed), TEST(test_silent),	  TEST(test_beats),	     TEST(test_gives_up),
		TEST(test_unconfined), TEST(test_deaf),	  TEST(test_end_between), TEST(test_keeper_killed),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	return cmocka_run_group_tests_name("hooks_keep", tests, NULL, NULL);
}
