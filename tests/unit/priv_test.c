/* SPDX-License-Identifier: Apache-2.0 */
/* user/priv: what still works after privileges were given up, what does not, and what kills. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "priv.h"

/* In a child of its own: its exit status, or 1000 and the signal. */
static int in_child(const struct priv_need *need, int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (priv_drop(need))
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static const struct priv_need nothing;

#define STEP(ok)                        \
	do {                            \
		step++;                 \
		if (!(ok))              \
			return step;    \
	} while (0)

static void *resolve(void *ctx)
{
	struct addrinfo *ai = NULL;

	*(int *)ctx = getaddrinfo("localhost", "80", NULL, &ai);
	if (ai)
		freeaddrinfo(ai);
	return NULL;
}

static int works(void)
{
	int step = 0, pair[2], fd, rc = 1;
	struct addrinfo *ai = NULL;
	pthread_t t;
	char c;

	STEP(epoll_create1(EPOLL_CLOEXEC) >= 0);
	STEP(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	STEP(write(pair[0], "x", 1) == 1 && read(pair[1], &c, 1) == 1);
	STEP(socket(AF_INET, SOCK_STREAM, 0) >= 0 && socket(AF_INET6, SOCK_STREAM, 0) >= 0);
	STEP(pthread_create(&t, NULL, resolve, &rc) == 0 && pthread_join(t, NULL) == 0 && rc == 0);
	/* No such name, or no name server: an answer, either way. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	rc = getaddrinfo("no.such.host.invalid", "80", NULL, &ai);
	STEP(rc == EAI_NONAME || rc == EAI_AGAIN || rc == EAI_FAIL || rc == EAI_NODATA);
	fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	STEP(fd >= 0 && read(fd, &c, 1) == 1);
	STEP(readlink("/proc/self/exe", &c, 1) == 1);
	STEP(malloc(64 << 20) != NULL);
	STEP(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	STEP(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY), 0) != MAP_FAILED);
	STEP(isatty(fd) == 0 && errno == ENOTTY);
	return 0;
}

static void test_works(void **state)
{
	(void)state;
	assert_int_equal(in_child(&nothing, works), 0);
}

#define STEP_ENOSYS(call)                       \
	do {                                    \
		errno = 0;                      \
		STEP((call) && errno == ENOSYS); \
	} while (0)

static int refused_memory(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int run = PROT_READ | PROT_EXEC;
	int step = 0;

	STEP(page != MAP_FAILED);
	STEP_ENOSYS(mprotect(page, 4096, run) < 0);
	STEP_ENOSYS(mmap(NULL, 4096, run, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	return 0;
}

static int refused(void)
{
	int step = 0;

	STEP_ENOSYS(fork() < 0);
	STEP_ENOSYS(socket(AF_PACKET, SOCK_RAW, 0) < 0);
	STEP_ENOSYS(socket(AF_NETLINK, SOCK_RAW, 12) < 0);
	STEP_ENOSYS(open("/tmp/mcpvigil-priv", O_WRONLY | O_CREAT, 0600) < 0);
	STEP_ENOSYS(openat(AT_FDCWD, "/dev/null", O_RDWR) < 0);
	STEP_ENOSYS(mkdir("/tmp/mcpvigil-priv", 0700) < 0);
	STEP_ENOSYS(syscall(SYS_bpf, 5, NULL, 0) < 0); /* BPF_PROG_LOAD */
	STEP_ENOSYS(syscall(SYS_bpf, 15, NULL, 0) < 0);
	STEP_ENOSYS(open_by_handle_at(AT_FDCWD, &(struct file_handle){ 0 }, O_RDONLY) < 0);
	STEP(open_by_handle_at(AT_FDCWD, &(struct file_handle){ 0 }, O_PATH) < 0 && errno != ENOSYS);
	STEP_ENOSYS(kill(getppid(), 0) < 0);
	STEP_ENOSYS(syscall(SYS_tgkill, getppid(), getppid(), 0) < 0);
	STEP_ENOSYS(prctl(PR_SET_DUMPABLE, 1) < 0);
	STEP_ENOSYS(setuid(0) < 0);
	STEP_ENOSYS(syscall(SYS_io_uring_setup, 1, NULL) < 0);
	STEP(prctl(PR_CAPBSET_READ, 0) >= 0);
	return 0;
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(&nothing, refused), 0);
	assert_int_equal(in_child(&nothing, refused_memory), 0);
}

static int written(void)
{
	static char path[] = "/tmp/mcpvigil-priv.XXXXXX";
	int step = 0, fd = mkstemp(path);

	STEP(fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0);
	STEP(rename(path, "/tmp/mcpvigil-priv.1") == 0);
	STEP(unlink("/tmp/mcpvigil-priv.1") == 0);
	return 0;
}

static void test_written(void **state)
{
	(void)state;
	assert_int_equal(in_child(&(struct priv_need){ .writes = true }, written), 0);
	assert_int_equal(in_child(&nothing, written), 1);
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return 1;
}

static int trace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	return 1;
}

static int write_other(void)
{
	struct iovec v = { "x", 1 };

	process_vm_writev(getppid(), &v, 1, &v, 1, 0);
	return 1;
}

static int enter(void)
{
	unshare(CLONE_NEWUSER);
	return 1;
}

static void test_kills(void **state)
{
	(void)state;
	assert_int_equal(in_child(&nothing, run_program), 1000 + SIGSYS);
	assert_int_equal(in_child(&nothing, trace), 1000 + SIGSYS);
	assert_int_equal(in_child(&nothing, write_other), 1000 + SIGSYS);
	assert_int_equal(in_child(&nothing, enter), 1000 + SIGSYS);
	assert_int_equal(in_child(&nothing, (int (*)(void))(void *)abort), 1000 + SIGABRT);
}

static int asked;

static int bpf_fails(void *ctx)
{
	asked++;
	return *(int *)ctx;
}

static int bpf_info(void)
{
	return asked == 1 && syscall(SYS_bpf, 15, NULL, 0) < 0 && errno != ENOSYS ? 0 : 1;
}

static char shown[4096];

static void show(void)
{
	struct buf b;

	buf_init(&b, sizeof(shown) - 1);
	priv_show(&b);
	memcpy(shown, b.p, b.n);
	shown[b.n] = 0;
	buf_done(&b);
}

static int shows_least(void)
{
	show();
	return strncmp(shown, "capabilities 2 of ", 18) == 0 &&
	       strstr(shown, "\n  sys_ptrace           which program") &&
	       strstr(shown, "\n  dac_read_search      the cgroup of") &&
	       strstr(shown, "\nno_new_privs yes\nseccomp      filter\n") ? 0 : 1;
}

static int shows_bpf_too(void)
{
	show();
	return strncmp(shown, "capabilities 3 of ", 18) == 0 && strstr(shown, "\n  bpf ") ? 0 : 1;
}

static int shows_none(void)
{
	show();
	return strncmp(shown, "capabilities 0 of ", 18) == 0 &&
	       strstr(shown, "no_new_privs yes\nseccomp      filter\n") ? 0 : 1;
}

static void test_shown(void **state)
{
	int err = 0;
	struct priv_need need = { .bpf_works = bpf_fails, .ctx = &err };

	(void)state;
	assert_int_equal(in_child(&need, bpf_info), 0);
	show();
	if (strncmp(shown, "capabilities 0 ", 15) == 0) {
		assert_int_equal(in_child(&nothing, shows_none), 0);
		skip(); /* the rest takes capabilities to give up */
	}
	assert_non_null(strstr(shown, "\nseccomp      "));
	assert_int_equal(in_child(&nothing, shows_least), 0);
	assert_int_equal(in_child(&need, shows_least), 0);
	err = -EPERM;
	assert_int_equal(in_child(&need, shows_bpf_too), 0);
}

static void *wait_long(void *ctx)
{
	char c;

	return read(*(int *)ctx, &c, 1) < 0 ? ctx : NULL;
}

static int never(void)
{
	return 0;
}

/* A thread that is there already would keep all. */
static void test_threads(void **state)
{
	int pipe_fds[2], status = 0;
	pthread_t t;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (pipe(pipe_fds) || pthread_create(&t, NULL, wait_long, &pipe_fds[0]))
			_exit(2);
		_exit(priv_drop(&nothing) == -EBUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(in_child(&nothing, never), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_works), cmocka_unit_test(test_refused), cmocka_unit_test(test_written),
		cmocka_unit_test(test_kills), cmocka_unit_test(test_shown),   cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
