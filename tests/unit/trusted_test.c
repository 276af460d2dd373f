/* SPDX-License-Identifier: Apache-2.0 */
/* base/trusted: files with wrong modes, in folders with wrong modes, behind links. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trusted.h"

static char top[64], why[TRUSTED_WHY];

static const char *in(const char *name)
{
	static char path[4][256];
	static unsigned int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", top, name);
	return path[n];
}

static int setup(void **state)
{
	int fd;

	(void)state;
	snprintf(top, sizeof(top), "/tmp/mcpvigil-trusted.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(mkdir(in("d"), 0755), 0);
	fd = open(in("d/f"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "d/f", "d/l", "d/up", "e/l", "l", "l2", "loop", "fifo" };

	(void)state;
	chmod(in("d"), 0755);
	chmod(in("e"), 0755);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in(names[i]));
	rmdir(in("d"));
	rmdir(in("e"));
	return rmdir(top);
}

static int try(const char *path)
{
	char text[16] = "";
	ssize_t n = trusted_read(path, text, sizeof(text), why);

	if (n >= 0)
		assert_string_equal(text, "hello");
	return (int)n;
}

static void test_modes(void **state)
{
	static const struct {
		int file, folder;
		bool good;
	} rows[] = {
		{ 0600, 0700, true },  { 0644, 0755, true },  { 0444, 0555, true },   { 0600, 01777, true }, { 0600, 01775, true },
		{ 0620, 0700, false }, { 0602, 0700, false }, { 0600, 0770, false }, { 0600, 0707, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod(in("d/f"), (mode_t)rows[i].file), 0);
		assert_int_equal(chmod(in("d"), (mode_t)rows[i].folder), 0);
		assert_int_equal(try(in("d/f")), rows[i].good ? 5 : -EPERM);
	}
	assert_int_equal(chmod(in("d"), 0770), 0);
	assert_int_equal(try(in("d/f")), -EPERM);
	assert_non_null(strstr(why, "/d can be written by its group"));
	/* The top of the path counts as well as its end. */
	assert_int_equal(chmod(in("d"), 0755), 0);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(try(in("d/f")), -EPERM);
	assert_int_equal(chmod(top, 0700), 0);
	assert_int_equal(try(in("d/f")), 5);
}

static void test_owner(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(chown(in("d/f"), 65534, 0), 0);
	assert_int_equal(try(in("d/f")), -EPERM);
	assert_non_null(strstr(why, "/d/f belongs to user 65534"));
	assert_int_equal(chown(in("d/f"), 0, 0), 0);
	assert_int_equal(chown(in("d"), 65534, 0), 0);
	assert_int_equal(try(in("d/f")), -EPERM);
	assert_int_equal(chown(in("d"), 0, 0), 0);
	/* A link that somebody else may turn elsewhere. */
	assert_int_equal(symlink("d/f", in("l")), 0);
	assert_int_equal(try(in("l")), 5);
	assert_int_equal(lchown(in("l"), 65534, 0), 0);
	assert_int_equal(try(in("l")), -EPERM);
}

static void test_links(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("e"), 0755), 0);
	assert_int_equal(symlink("../d", in("e/l")), 0);
	assert_int_equal(symlink(in("d/f"), in("l")), 0);
	assert_int_equal(symlink("e/l", in("l2")), 0);
	assert_int_equal(symlink("loop", in("loop")), 0);
	assert_int_equal(symlink("..", in("d/up")), 0);
	assert_int_equal(try(in("e/l/f")), 5);
	assert_int_equal(try(in("l")), 5);
	assert_int_equal(try(in("l2/f")), 5);
	assert_int_equal(try(in("d/up/l2/up/d//./f")), 5);
	assert_int_equal(try(in("loop")), -ELOOP);
	/* The folder that a link lies in counts, and so does the one that it leads to. */
	assert_int_equal(chmod(in("e"), 0777), 0);
	assert_int_equal(try(in("e/l/f")), -EPERM);
	assert_int_equal(try(in("l2/f")), -EPERM);
	assert_int_equal(try(in("l")), 5);
	assert_int_equal(chmod(in("e"), 0755), 0);
	assert_int_equal(chmod(in("d"), 0777), 0);
	assert_int_equal(try(in("l2/f")), -EPERM);
	assert_int_equal(try(in("l")), -EPERM);
}

static void test_relative(void **state)
{
	char cwd[256];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(in("d")), 0);
	assert_int_equal(try("f"), 5);
	assert_int_equal(try("./../d/f"), 5);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(try("f"), -EPERM);
	assert_int_equal(chmod(top, 0700), 0);
	assert_int_equal(chdir(cwd), 0);
}

static void test_others(void **state)
{
	static char text[8192];

	(void)state;
	assert_int_equal(try(""), -ENAMETOOLONG);
	assert_int_equal(try(in("none")), -ENOENT);
	assert_int_equal(try(in("none/f")), -ENOENT);
	assert_int_equal(try(in("d/f/g")), -EPERM);
	assert_int_equal(try(in("d/f/")), 5); /* as open(2) would not have it, but it is the same file */
	assert_int_equal(try(in("d")), -EISDIR);
	assert_int_equal(try("/"), -EISDIR);
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_int_equal(try(in("fifo")), -EPERM);
	assert_non_null(strstr(why, "/fifo is no regular file"));
	assert_int_equal(try("/dev/zero"), -EPERM);
	memset(text, 'a', sizeof(text) - 1);
	text[0] = '/';
	text[300] = 0;
	assert_int_equal(try(text), -ENAMETOOLONG);
	text[300] = '/';
	assert_int_equal(try(text), -ENAMETOOLONG);
	for (size_t i = 1; i + 1 < sizeof(text); i += 2)
		text[i] = '/';
	assert_int_equal(try(text), -ENAMETOOLONG);
	text[5000] = 0;
	assert_int_equal(try(text), -ENOENT);
}

static void test_size(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(trusted_read(in("d/f"), text, 5, why), 5);
	assert_int_equal(trusted_read(in("d/f"), text, 4, why), -EFBIG);
	assert_non_null(strstr(why, "longer than 4 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_relative, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
