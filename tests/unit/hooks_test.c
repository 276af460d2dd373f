/* SPDX-License-Identifier: Apache-2.0 */
/* probe/hooks: the agent's end, with a process at the other end that is well, slow, silent, dead, or talks nonsense. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/hooks.h"
#include "probe/hooks_wire.h"
#include "probe/load.h"

static struct probe probe;
static struct hooks_opts opts;
static int (*behave)(int fd);
static struct ev_hooked heard[600];
static unsigned int nheard;

/* --- The parts below -------------------------------------------------------------------------------------------- */

struct bpf_program *bpf_object__next_program(const struct bpf_object *obj, struct bpf_program *prog)
{
	(void)obj;
	(void)prog;
	return NULL;
}

int hooks_main(struct probe *p, const struct hooks_opts *o, const struct hooks_run *run)
{
	return p == &probe && o == &opts ? behave(run->fd) : 99;
}

static void say(int fd, uint32_t kind, const void *body, size_t n)
{
	struct hooks_news news = { .kind = kind };

	memcpy(&news.hooked, body, n);
	send(fd, &news, offsetof(struct hooks_news, hooked) + n, MSG_NOSIGNAL);
}

static void say_hooked(int fd, uint32_t pid)
{
	struct ev_hooked h = { .hdr = { .size = sizeof(h), .kind = EV_HOOKED, .pid = pid }, .state = HOOKED_NOTHING };

	memset(h.why, 'x', sizeof(h.why));
	say(fd, HOOKS_HOOKED, &h, sizeof(h));
}

static void say_ready(int fd)
{
	say(fd, HOOKS_READY, "", 0);
}

/* Until the agent closes its end. */
static void listen_on(int fd)
{
	struct hooks_ask ask;

	while (recv(fd, &ask, sizeof(ask), 0) > 0)
		;
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

static void on_record(void *ctx, const struct ev_hdr *h)
{
	assert_ptr_equal(ctx, &probe);
	assert_int_equal(h->kind, EV_HOOKED);
	assert_int_equal(h->size, sizeof(struct ev_hooked));
	memcpy(&heard[nheard++], h, sizeof(heard[0]));
}

static struct hooks *start(int (*fn)(int fd))
{
	struct hooks *h;

	behave = fn;
	nheard = 0;
	h = hooks_start(&probe, &opts);
	assert_non_null(h);
	return h;
}

static void readable(const struct hooks *h)
{
	struct pollfd p = { .fd = hooks_fd(h), .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
}

/* What it is told comes back. */
static int echoes(int fd)
{
	struct hooks_ask ask;

	while (recv(fd, &ask, sizeof(ask), 0) == sizeof(ask))
		say_hooked(fd, ask.pid * 10 + ask.why + (uint32_t)ask.start);
	return 0;
}

static void test_ask(void **state)
{
	struct hooks *h = start(echoes);

	(void)state;
	hooks_look(h, 7, 100, HOOKS_HELLO);
	hooks_look(h, 8, 200, HOOKS_EXIT);
	while (nheard < 2) {
		readable(h);
		assert_int_equal(hooks_consume(h, on_record, &probe), 0);
	}
	assert_int_equal(heard[0].hdr.pid, 172);
	assert_int_equal(heard[1].hdr.pid, 283);
	assert_int_equal(strlen(heard[0].why), EV_WHY_MAX - 1); /* ended, though it did not end it */
	assert_int_equal(hooks_consume(h, on_record, &probe), 0);
	assert_int_equal(nheard, 2);
	assert_int_equal(hooks_busy(h), 0);
	hooks_stop(h);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* What it says before it is ready is not lost, within bounds. */
static int many_then_ready(int fd)
{
	struct hooks_stats s = { .procs = 5, .busy = 3, .nfiles = 1 };

	for (uint32_t i = 0; i < 550; i++)
		say_hooked(fd, i);
	say(fd, HOOKS_STATS, &s, sizeof(s));
	say_ready(fd);
	listen_on(fd);
	return 0;
}

static void test_wait(void **state)
{
	struct hooks *h = start(many_then_ready);
	struct hooks_stats s;

	(void)state;
	assert_int_equal(hooks_wait(h, 60000), 0);
	assert_int_equal(hooks_wait(h, 0), 0);
	assert_int_equal(hooks_consume(h, on_record, &probe), 0);
	assert_int_equal(nheard, 512);
	assert_int_equal(heard[511].hdr.pid, 511);
	hooks_stats(h, &s);
	assert_int_equal(s.procs, 5);
	assert_int_equal(hooks_busy(h), 550 - 512 + 3);
	hooks_stop(h);
}

static int silent(int fd)
{
	while (fd >= 0)
		pause();
	return 1;
}

/* It neither reads nor speaks: nothing waits for it, and it is ended. */
static void test_silent(void **state)
{
	struct hooks *h = start(silent);
	unsigned int n = 0;

	(void)state;
	assert_int_equal(hooks_wait(h, 1), -ETIMEDOUT);
	while (hooks_busy(h) == 0) {
		hooks_look(h, ++n, 1, HOOKS_EXEC);
		assert_true(n < 100000);
	}
	assert_true(n > 100);
	hooks_look(h, 1, 1, HOOKS_EXEC);
	assert_int_equal(hooks_busy(h), 2);
	hooks_look(h, 1, 1, HOOKS_EXIT); /* the sweep sees that */
	assert_int_equal(hooks_busy(h), 2);
	assert_int_equal(hooks_consume(h, on_record, &probe), 0);
	hooks_stop(h);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int dies(int fd)
{
	say_hooked(fd, 1);
	return 1;
}

/* What it said of those before it stays said. */
static int comes_again(int fd)
{
	for (uint32_t i = 0; i < 3; i++)
		say(fd, HOOKS_STATS, &(struct hooks_stats){ .busy = 10 * (i + 1), .restarts = i ? 1 : 0 }, sizeof(struct hooks_stats));
	say_ready(fd);
	listen_on(fd);
	return 0;
}

static void test_restarts(void **state)
{
	struct hooks *h = start(comes_again);

	(void)state;
	assert_int_equal(hooks_wait(h, 60000), 0);
	assert_int_equal(hooks_restarts(h), 1);
	assert_int_equal(hooks_busy(h), 10 + 30);
	hooks_stop(h);
}

static void test_dead(void **state)
{
	struct hooks *h = start(dies);

	(void)state;
	assert_int_equal(hooks_wait(h, 60000), -EPIPE);
	hooks_look(h, 1, 1, HOOKS_EXEC);
	assert_int_equal(hooks_busy(h), 0);
	assert_int_equal(hooks_consume(h, on_record, &probe), -EPIPE);
	assert_int_equal(nheard, 1); /* said while it lived */
	hooks_stop(h);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static int nonsense(int fd)
{
	static char junk[sizeof(struct hooks_news) + 100];

	for (size_t n = 1; n < sizeof(junk); n += 41) {
		junk[0] = (char)(n % HOOKS_ENDED);
		send(fd, junk, n, MSG_NOSIGNAL);
	}
	say(fd, HOOKS_HOOKED, junk, sizeof(struct ev_hooked) - 1);
	say(fd, HOOKS_STATS, junk, sizeof(struct hooks_stats) - 1);
	say(fd, 77, junk, sizeof(struct ev_hooked));
	say_hooked(fd, 5);
	say_ready(fd);
	listen_on(fd);
	return 0;
}

static void test_nonsense(void **state)
{
	struct hooks *h = start(nonsense);

	(void)state;
	while (nheard == 0) {
		readable(h);
		assert_int_equal(hooks_consume(h, on_record, &probe), 0);
	}
	assert_int_equal(nheard, 1);
	assert_int_equal(heard[0].hdr.pid, 5);
	assert_int_equal(hooks_wait(h, 60000), 0);
	hooks_stop(h);
}

/* It has no descriptors of the agent's but standard error; where standard input and output were closed, too. */
static int looks_around(int fd)
{
	struct stat null, in, out;
	uint32_t open_fds = 0;
	char name[16] = "";

	for (int i = 0; i < 1024; i++)
		open_fds += fcntl(i, F_GETFD) >= 0;
	prctl(PR_GET_NAME, name);
	stat("/dev/null", &null);
	fstat(0, &in);
	fstat(1, &out);
	say_hooked(fd, open_fds);
	say_hooked(fd, in.st_rdev == null.st_rdev && out.st_rdev == null.st_rdev);
	listen_on(fd);
	return 0;
}

static void around(void)
{
	struct hooks *h = start(looks_around);

	while (nheard < 2) {
		readable(h);
		assert_int_equal(hooks_consume(h, on_record, &probe), 0);
	}
	assert_int_equal(heard[0].hdr.pid, 5); /* three, its end of the socket, and its beat */
	assert_int_equal(heard[1].hdr.pid, 1);
	hooks_stop(h);
}

static void test_descriptors(void **state)
{
	int more[3] = { dup(2), dup(2), dup(2) }, in = dup(0), out = dup(1);

	(void)state;
	around();
	fflush(stdout);
	close(0);
	close(1);
	around();
	dup2(in, 0);
	dup2(out, 1);
	close(in);
	close(out);
	for (int i = 0; i < 3; i++)
		close(more[i]);
}

/* Whoever kills the agent kills nobody else: what the socket tells ends them, and they take the probes off. */
static void test_orphan(void **state)
{
	int up[2], status;
	pid_t agent;
	char c;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(up), 0);
	agent = fork();
	if (agent == 0) {
		behave = echoes;
		if (!hooks_start(&probe, &opts) || write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(up[0], &c, 1), 1);
	kill(agent, SIGKILL);
	assert_int_equal(waitpid(agent, &status, 0), agent);
	assert_true(waitpid(-1, &status, 0) > 0); /* ours by now */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(waitpid(-1, &status, 0), -1);
	close(up[0]);
	close(up[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),	 cmocka_unit_test(test_wait),	     cmocka_unit_test(test_silent),
		cmocka_unit_test(test_dead),	 cmocka_unit_test(test_nonsense),    cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_orphan),	 cmocka_unit_test(test_restarts),
	};

	hooks_times.off_ms = 100;
	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
