/* SPDX-License-Identifier: Apache-2.0 */
/* base/procfs and base/err, on processes of our own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/procfs.h"
#include "base/sv.h"

static void test_self(void **state)
{
	char exe[4096], want[4096] = "", small[4] = "abc";
	int dir = procfs_dir(getpid());
	struct procfs_stat st;
	uint64_t now = clock_boot_ns();

	(void)state;
	assert_true(dir >= 0);
	assert_true(readlink("/proc/self/exe", want, sizeof(want) - 1) > 0);
	assert_int_equal(procfs_exe(dir, exe, sizeof(exe)), 0);
	assert_string_equal(exe, want);
	assert_int_equal(procfs_exe(dir, small, sizeof(small)), -ENAMETOOLONG);
	assert_string_equal(small, "abc");
	prctl(PR_SET_NAME, "a) b 1\n(c");
	assert_int_equal(procfs_stat(dir, &st), 0);
	assert_string_equal(st.comm, "a) b 1\n(c");
	assert_int_equal(st.ppid, getppid());
	assert_true(st.start_ns <= now && now - st.start_ns < 3600 * NSEC_PER_SEC);
	assert_int_equal(st.start_ns % 10000000, 0);
	prctl(PR_SET_NAME, ""); /* the shortest */
	assert_int_equal(procfs_stat(dir, &st), 0);
	assert_string_equal(st.comm, "");
	close(dir);
}

/* The owner of /proc/PID is root for what cannot be dumped; the effective uid is not. */
static void test_euid(void **state)
{
	uint32_t uid = 7, me = 7;
	int ready[2], dir;
	pid_t pid;
	char c;

	(void)state;
	dir = procfs_dir(getpid());
	assert_int_equal(procfs_euid(dir, &me), 0);
	assert_int_equal(me, geteuid());
	close(dir);
	if (geteuid() != 0)
		return;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "x\nUid:\t5\t6");
		if (setresuid(1234, 4321, 9) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	dir = procfs_dir(pid);
	assert_int_equal(procfs_euid(dir, &uid), 0);
	assert_int_equal(uid, 4321);
	close(dir);
	close(ready[0]);
	close(ready[1]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_child_start(void **state)
{
	uint64_t before = clock_boot_ns(), after;
	struct procfs_stat st;
	pid_t pid = fork();
	int dir;

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	after = clock_boot_ns();
	dir = procfs_dir(pid);
	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(st.ppid, getpid());
	assert_true(st.start_ns + 10000000 > before && st.start_ns <= after);
}

/* A descriptor does not outlive its process, whoever has the pid by then. */
static void test_gone(void **state)
{
	char exe[64] = "x", text[64] = "x";
	struct procfs_stat st = { .ppid = -7, .start_ns = 7, .comm = "x" };
	uint32_t uid = 7;
	pid_t pid = fork();
	int dir;

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	dir = procfs_dir(pid);
	assert_true(dir >= 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(procfs_dir(pid), -ENOENT);
	assert_true(procfs_exe(dir, exe, sizeof(exe)) < 0);
	assert_true(procfs_stat(dir, &st) < 0);
	assert_true(procfs_euid(dir, &uid) < 0);
	assert_true(procfs_cgroup(dir, text, sizeof(text)) < 0);
	assert_string_equal(exe, "x");
	assert_string_equal(st.comm, "x");
	assert_int_equal(st.ppid, -7);
	assert_int_equal(st.start_ns, 7);
	assert_int_equal(uid, 7);
	close(dir);
}

static int find_self(pid_t pid, void *ctx)
{
	*(int *)ctx += 1;
	return pid == getpid() ? 4711 : 0;
}

static int count(pid_t pid, void *ctx)
{
	*(int *)ctx += pid > 0;
	return 0;
}

static void test_each(void **state)
{
	int seen = 0, all = 0;

	(void)state;
	assert_int_equal(procfs_each(find_self, &seen), 4711);
	assert_int_equal(procfs_each(count, &all), 0);
	assert_true(seen >= 1 && all >= seen);
}

static void test_deleted_exe(void **state)
{
	char dir[] = "/tmp/procfs_test.XXXXXX", path[64], exe[128];
	int out[2];
	pid_t pid;
	int proc;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	snprintf(exe, sizeof(exe), "cp /bin/sleep %s", path);
	assert_int_equal(system(exe), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		execl(path, path, "60", NULL);
		_exit(1);
	}
	close(out[1]);
	assert_int_equal(read(out[0], exe, 1), 0); /* closed by the exec */
	close(out[0]);
	unlink(path);
	rmdir(dir);
	proc = procfs_dir(pid);
	assert_int_equal(procfs_exe(proc, exe, sizeof(exe)), 0);
	close(proc);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_string_equal(exe, path);
}

static void test_errstr(void **state)
{
	(void)state;
	assert_string_equal(errstr(-ENOENT), "ENOENT");
	assert_string_equal(errstr(ENOENT), "ENOENT");
	assert_string_equal(errstr(-524), "ENOTSUPP");
	assert_non_null(errstr(0));
	assert_string_equal(errstr(100000), "unknown error");
	assert_string_equal(errstr(INT_MIN), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),	    cmocka_unit_test(test_child_start),
		cmocka_unit_test(test_gone),	    cmocka_unit_test(test_each),
		cmocka_unit_test(test_deleted_exe), cmocka_unit_test(test_errstr),
		cmocka_unit_test(test_euid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
