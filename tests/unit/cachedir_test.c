/* SPDX-License-Identifier: Apache-2.0 */
/* probe/cachedir: whose directory it is, and what leads to it. What is in it: rescache_test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/cachedir.h"

static const char name0[] = "00000000abababababababababababababababababababababababababababab";
static char top[] = "/tmp/mcpvigil-cachedir-XXXXXX", dir[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/cache", top);
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static void test_open_directory(void **state)
{
	struct cachedir d;
	char link[64];

	(void)state;
	assert_int_equal(mkdir(dir, 0700) || chmod(dir, 0770), 0);
	assert_int_equal(cachedir_open(dir, &d), -EPERM);
	assert_int_equal(d.fd, -1);
	assert_int_equal(cachedir_write(&d, name0, SV("x")), -EBADF);
	assert_int_equal(chmod(dir, 0707), 0);
	assert_int_equal(cachedir_open(dir, &d), -EPERM);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(cachedir_open(dir, &d), 0);
	cachedir_close(&d);
	snprintf(link, sizeof(link), "%s/link", top);
	assert_int_equal(symlink(dir, link), 0);
	assert_true(cachedir_open(link, &d) < 0);
}

/* What leads to it is made as well, and is for everybody to pass through. */
static void test_open_deep(void **state)
{
	static const char *const parts[] = { "a", "a/b", "a/b/c" };
	mode_t old = umask(022);
	struct cachedir d;
	struct stat st;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/a/b/c", top);
	assert_int_equal(cachedir_open(path, &d), 0);
	cachedir_close(&d);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", top, parts[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, i < 2 ? 0755 : 0700);
	}
	umask(old);
	snprintf(path, sizeof(path), "%s/a/file", top);
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	snprintf(path, sizeof(path), "%s/a/file/b", top);
	assert_int_equal(cachedir_open(path, &d), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_open_directory), cmocka_unit_test(test_open_deep) };

	return cmocka_run_group_tests_name("cachedir", tests, set_up, tear_down);
}
