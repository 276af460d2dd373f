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
	char exe[4096], want[4096] = "", comm[16], small[4] = "abc";
	pid_t ppid = -1;
	uint64_t start = 0, now = clock_boot_ns();

	(void)state;
	assert_true(readlink("/proc/self/exe", want, sizeof(want) - 1) > 0);
	assert_int_equal(procfs_exe(getpid(), exe, sizeof(exe)), 0);
	assert_string_equal(exe, want);
	assert_int_equal(procfs_exe(getpid(), small, sizeof(small)), -ENAMETOOLONG);
	assert_string_equal(small, "abc");
	prctl(PR_SET_NAME, "a) b 1\n(c");
	assert_int_equal(procfs_comm(getpid(), comm), 0);
	assert_string_equal(comm, "a) b 1\n(c");
	assert_int_equal(procfs_stat(getpid(), &ppid, &start), 0);
	assert_int_equal(ppid, getppid());
	assert_true(start <= now && now - start < 3600 * NSEC_PER_SEC);
	assert_int_equal(start % 10000000, 0);
}

static void test_child_start(void **state)
{
	uint64_t before = clock_boot_ns(), after, start = 0;
	pid_t ppid = 0, pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	after = clock_boot_ns();
	assert_int_equal(procfs_stat(pid, &ppid, &start), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(ppid, getpid());
	assert_true(start + 10000000 > before && start <= after);
}

static void test_gone(void **state)
{
	char exe[64] = "x", comm[16] = "x";
	pid_t pid = fork(), ppid = -7;
	uint64_t start = 7;

	(void)state;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(procfs_exe(pid, exe, sizeof(exe)), -ENOENT);
	assert_int_equal(procfs_comm(pid, comm), -ENOENT);
	assert_int_equal(procfs_stat(pid, &ppid, &start), -ENOENT);
	assert_string_equal(exe, "x");
	assert_string_equal(comm, "x");
	assert_int_equal(ppid, -7);
	assert_int_equal(start, 7);
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
	assert_int_equal(procfs_exe(pid, exe, sizeof(exe)), 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
