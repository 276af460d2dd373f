/* SPDX-License-Identifier: Apache-2.0 */
/* probe/lease: a writer waits until the lease is dropped; nobody else does; where there are no leases, inotify tells. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/evloop.h"
#include "probe/attach.h"

#define FILES 3
#define NOBODY 65534

struct world {
	struct evloop *l;
	struct leases *s;
	char path[FILES][64];
	int fd[FILES];	  /* for reading */
	int told[FILES]; /* how often it was said to break */
	bool keep;	  /* do not drop it then */
	int rounds;
	int wake[2];
	int held; /* of a writer: says when it has opened the file; -1: none is expected to wait */
};

static void on_broken(void *ctx, int fd)
{
	struct world *w = ctx;
	struct stat st;

	for (int i = 0; i < FILES; i++)
		w->told[i] += w->fd[i] == fd;
	if (w->held >= 0) {
		struct pollfd p = { .fd = w->held, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 100), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, 4);
	}
	if (!w->keep)
		lease_drop(w->s, fd);
}

static void on_wake(void *ctx)
{
	struct world *w = ctx;
	char c;

	assert_int_equal(read(w->wake[0], &c, 1), 1);
	if (++w->rounds % 3)
		assert_int_equal(write(w->wake[1], "x", 1), 1);
	else
		evloop_stop(w->l);
}

/* Whatever waits is handed on: a descriptor that is ready has its turn in each round. */
static void pump(struct world *w)
{
	assert_int_equal(write(w->wake[1], "x", 1), 1);
	assert_int_equal(evloop_run(w->l), 0);
}

static int set_up(void **state)
{
	static struct world w;

	alarm(60);
	w = (struct world){ .held = -1 };
	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(w.path[i], sizeof(w.path[i]), "/tmp/lease_test.XXXXXX");
		fd = mkstemp(w.path[i]);
		if (fd < 0 || write(fd, "abcd", 4) != 4 || close(fd))
			return -1;
		w.fd[i] = open(w.path[i], O_RDONLY | O_CLOEXEC);
		if (w.fd[i] < 0)
			return -1;
	}
	w.l = evloop_new();
	w.s = w.l ? leases_new(w.l, on_broken, &w) : NULL;
	if (!w.s || pipe2(w.wake, O_CLOEXEC) || evloop_add_fd(w.l, w.wake[0], on_wake, &w))
		return -1;
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	leases_free(w->s);
	evloop_free(w->l);
	for (int i = 0; i < FILES; i++) {
		close(w->fd[i]);
		unlink(w->path[i]);
	}
	close(w->wake[0]);
	close(w->wake[1]);
	return 0;
}

static void assert_told(const struct world *w, int a, int b, int c)
{
	assert_int_equal(w->told[0], a);
	assert_int_equal(w->told[1], b);
	assert_int_equal(w->told[2], c);
}

/* Opened by somebody who does not wait: 0 or errno. */
static int try_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static pid_t writer_start(struct world *w, int file)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(w->path[file], O_WRONLY | O_TRUNC);

		_exit(fd >= 0 && write(ends[1], "x", 1) == 1 && write(fd, "new", 3) == 3 ? 7 : 1);
	}
	assert_true(pid > 0);
	close(ends[1]);
	w->held = ends[0];
	return pid;
}

static void test_writer_waits(void **state)
{
	struct world *w = *state;
	pid_t pid;
	int status;
	char c;

	assert_int_equal(lease_take(w->s, w->fd[1]), 0);
	pid = writer_start(w, 1);
	while (!w->told[1])
		pump(w);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(read(w->held, &c, 1), 1);
	close(w->held);
	assert_told(w, 0, 1, 0);
}

static void test_truncate_waits(void **state)
{
	struct world *w = *state;
	struct stat st;
	int status;
	pid_t pid;

	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
	pid = fork();
	if (pid == 0)
		_exit(truncate(w->path[0], 1) ? 1 : 7);
	while (!w->told[0])
		pump(w);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(fstat(w->fd[0], &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_told(w, 1, 0, 0);
}

/* Said again with every break of another one until it is dropped, and of the others nothing. */
static void test_many(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < FILES; i++)
		assert_int_equal(lease_take(w->s, w->fd[i]), 0);
	w->keep = true;
	assert_int_equal(try_write(w->path[0]), EWOULDBLOCK);
	pump(w);
	assert_told(w, 1, 0, 0);
	assert_int_equal(try_write(w->path[2]), EWOULDBLOCK);
	w->keep = false;
	pump(w);
	assert_told(w, 2, 0, 1);
	assert_int_equal(try_write(w->path[0]), 0);
	assert_int_equal(try_write(w->path[2]), 0);
	assert_int_equal(try_write(w->path[1]), EWOULDBLOCK);
	pump(w);
	assert_told(w, 2, 1, 1);
}

static void test_drop_and_take(void **state)
{
	struct world *w = *state;

	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
	assert_int_equal(lease_take(w->s, w->fd[0]), -EEXIST);
	lease_drop(w->s, w->fd[0]);
	lease_drop(w->s, w->fd[0]);
	lease_drop(w->s, w->fd[1]);
	lease_drop(w->s, -1);
	assert_int_equal(try_write(w->path[0]), 0);
	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
	assert_int_equal(try_write(w->path[0]), EWOULDBLOCK);
	pump(w);
	assert_told(w, 1, 0, 0);
	assert_int_equal(lease_take(w->s, -1), -EBADF);
	assert_int_equal(lease_take(w->s, 1000000), -EBADF);
}

static void test_busy(void **state)
{
	struct world *w = *state;
	int fd = open(w->path[0], O_RDWR);

	assert_int_equal(lease_take(w->s, w->fd[0]), -EAGAIN);
	close(fd);
	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
}

static int run(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl(path, path, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

/* Read, mapped, run, renamed over, removed. */
static void test_others_pass(void **state)
{
	struct world *w = *state;
	struct stat st;
	void *p;
	int fd = open(w->path[0], O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, "#!/bin/sh\nexit 7\n", 17), 17);
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
	assert_int_equal(lease_take(w->s, w->fd[1]), 0);
	fd = open(w->path[0], O_RDONLY);
	p = mmap(NULL, 17, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	*(char *)p = 'x';
	munmap(p, 17);
	close(fd);
	assert_int_equal(run(w->path[0]), 7);
	assert_int_equal(chmod(w->path[0], 0500), 0);
	assert_int_equal(rename(w->path[2], w->path[0]), 0);
	assert_int_equal(unlink(w->path[1]), 0);
	assert_int_equal(raise(SIGRTMIN), 0); /* all are looked at */
	pump(w);
	assert_told(w, 0, 0, 0);
	assert_int_equal(try_write(w->path[0]), 0);
	assert_int_equal(fstat(w->fd[0], &st), 0);
	assert_int_equal(st.st_size, 17);
}

static void test_holder_killed(void **state)
{
	struct world *w = *state;
	int ends[2], status;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(w->path[0], O_RDONLY);

		if (lease_take(w->s, fd) == 0 && write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(lease_take(w->s, w->fd[0]), 0); /* several may hold one */
	lease_drop(w->s, w->fd[0]);
	assert_int_equal(try_write(w->path[0]), EWOULDBLOCK);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(try_write(w->path[0]), 0);
	close(ends[0]);
	close(ends[1]);
}

/* No room for a signal of our own: SIGIO comes in its place, which would end the process if nobody took it. */
static void test_no_queue(void **state)
{
	struct world *w = *state;
	struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct leases *s;

		evloop_free(w->l);
		w->l = evloop_new();
		s = w->l ? leases_new(w->l, on_broken, w) : NULL;
		w->s = s;
		if (!s || evloop_add_fd(w->l, w->wake[0], on_wake, w) || setrlimit(RLIMIT_SIGPENDING, &none) ||
		    lease_take(s, w->fd[0]) || try_write(w->path[0]) != EWOULDBLOCK)
			_exit(1);
		pump(w);
		_exit(w->told[0] == 1 && try_write(w->path[0]) == 0 ? 7 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void lease_cap_set(bool on)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	assert_int_equal(syscall(SYS_capget, &h, d), 0);
	if (on)
		d[0].effective |= 1U << CAP_LEASE;
	else
		d[0].effective &= ~(1U << CAP_LEASE);
	assert_int_equal(syscall(SYS_capset, &h, d), 0);
}

/* Of inotify, in this process. */
static int watches(void)
{
	char path[64], line[256];
	int n = 0;

	for (int fd = 0; fd < 64; fd++) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			n += strncmp(line, "inotify wd:", 11) == 0;
		if (f)
			fclose(f);
	}
	return n;
}

static void test_inotify(void **state)
{
	struct world *w = *state;
	int fd, again;

	if (geteuid())
		skip(); /* to have a file of somebody else's that can be written */
	assert_int_equal(chown(w->path[0], NOBODY, NOBODY), 0);
	assert_int_equal(chown(w->path[1], NOBODY, NOBODY), 0);
	again = open(w->path[0], O_RDONLY);
	w->fd[2] = again;
	lease_cap_set(false);
	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
	assert_int_equal(lease_take(w->s, w->fd[1]), 0);
	assert_int_equal(lease_take(w->s, again), 0);
	lease_cap_set(true);
	fd = open(w->path[0], O_WRONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(unlink(w->path[1]), 0);
	pump(w);
	assert_told(w, 0, 0, 0);
	w->keep = true;
	assert_int_equal(write(fd, "x", 1), 1);
	pump(w);
	assert_told(w, 1, 0, 1);
	lease_drop(w->s, w->fd[0]); /* the other is still watched */
	close(fd);
	pump(w);
	assert_told(w, 1, 0, 2);
	assert_int_equal(watches(), 2);
	lease_drop(w->s, again);
	lease_drop(w->s, w->fd[1]);
	assert_int_equal(watches(), 0);
	assert_int_equal(truncate(w->path[0], 0), 0);
	pump(w);
	assert_told(w, 1, 0, 2);
}

/* As many as the table holds; of one open file, which is enough to fill it. */
static void test_cap(void **state)
{
	struct world *w = *state;
	struct rlimit old, more;
	int got = 0, fd, err = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	more = old;
	more.rlim_cur = old.rlim_max < 2048 ? old.rlim_max : 2048;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &more), 0);
	if (more.rlim_cur < 1100)
		skip();
	while (!err) {
		fd = fcntl(w->fd[0], F_DUPFD_CLOEXEC, 30);
		assert_true(fd >= 0);
		err = lease_take(w->s, fd);
		got += !err;
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(got, 1024);
	for (; got >= 0; got--, fd--) {
		lease_drop(w->s, fd);
		close(fd);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(lease_take(w->s, w->fd[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_writer_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_truncate_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_drop_and_take, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_busy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_holder_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inotify, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cap, set_up, tear_down),
	};

	leases_free(NULL);
	attach_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
