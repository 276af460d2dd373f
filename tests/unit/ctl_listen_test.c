/* SPDX-License-Identifier: Apache-2.0 */
/* Where the control socket stands, and who may use it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_listen.h"

static char dir[64], sub[80], path[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/ctl_listen.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(sub, sizeof(sub), "%s/run", dir);
	snprintf(path, sizeof(path), "%s/ctl.sock", sub);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(sub);
	return rmdir(dir);
}

static mode_t mode_of(const char *what)
{
	struct stat st;

	assert_int_equal(lstat(what, &st), 0);
	return st.st_mode;
}

static void test_modes(void **state)
{
	mode_t mask = umask(0);
	int fd = ctl_listen(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(mode_of(path), S_IFSOCK | 0600);
	assert_int_equal(mode_of(sub), S_IFDIR | 0700);
	assert_int_equal(umask(mask), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void test_live_is_refused(void **state)
{
	int fd = ctl_listen(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ctl_listen(path), -EADDRINUSE);
	assert_int_equal(mode_of(path), S_IFSOCK | 0600);
	close(fd);
}

/* The socket of one that was killed stays behind. */
static void test_dead_is_replaced(void **state)
{
	int fd = ctl_listen(path);

	(void)state;
	close(fd);
	fd = ctl_listen(path);
	assert_true(fd >= 0);
	close(fd);
}

static void test_other_files_stay(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdir(sub, 0755), 0);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(ctl_listen(path), -EEXIST);
	assert_int_equal(mode_of(path), S_IFREG | 0644);
	unlink(path);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_int_equal(ctl_listen(path), -EEXIST);
	assert_int_equal(mode_of(sub), S_IFDIR | 0755);
}

static void test_one_starts_at_a_time(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdir(sub, 0700), 0);
	fd = open(sub, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(ctl_listen(path), -EAGAIN);
	close(fd);
	fd = ctl_listen(path);
	assert_true(fd >= 0);
	close(fd);
}

static void test_bad_paths(void **state)
{
	char lengthy[200];

	(void)state;
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_int_equal(ctl_listen(lengthy), -ENAMETOOLONG);
	assert_int_equal(ctl_listen(""), -ENAMETOOLONG);
	assert_int_equal(ctl_listen("/nowhere/at/all"), -ENOENT);
}

static void test_who(void **state)
{
	const struct ucred root = { .pid = 1, .uid = 0 }, us = { .uid = 1000 }, other = { .uid = 1001 };
	const struct ucred overflow = { .uid = 65534 }, none = { .uid = (uid_t)-1 };

	(void)state;
	assert_true(ctl_peer_ok(&root, 0));
	assert_true(ctl_peer_ok(&root, 1000));
	assert_true(ctl_peer_ok(&us, 1000));
	assert_false(ctl_peer_ok(&us, 0));
	assert_false(ctl_peer_ok(&other, 1000));
	assert_false(ctl_peer_ok(&overflow, 0));
	assert_false(ctl_peer_ok(&none, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_live_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dead_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_files_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_starts_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_paths, set_up, tear_down),
		cmocka_unit_test(test_who),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
