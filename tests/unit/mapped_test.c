/* SPDX-License-Identifier: Apache-2.0 */
/* probe/mapped: lines of maps, however they are made and cut; each file once; no more than there is room for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "probe/mapped.h"

static struct mapped m;

static void clear(void)
{
	memset(&m, 0, sizeof(m));
}

static bool line(const char *text, struct mapped_file *ret)
{
	return mapped_line(text, strlen(text), ret);
}

static void test_line(void **state)
{
	struct mapped_file f;

	(void)state;
	assert_true(line("7f36a2c00000-7f36a2c5d000 r-xp 0001e000 103:02 1835106                   /usr/lib/libssl.so.3", &f));
	assert_int_equal(f.from, 0x7f36a2c00000);
	assert_int_equal(f.to, 0x7f36a2c5d000);
	assert_int_equal(f.dev, 0x103ull << 32 | 2);
	assert_int_equal(f.ino, 1835106);
	assert_string_equal(f.path, "/usr/lib/libssl.so.3");
	assert_true(line("00400000-00452000 --xs 00000000 fd:1a 18446744073709551615 /a b (deleted)", &f));
	assert_int_equal(f.from, 0x400000);
	assert_int_equal(f.ino, UINT64_MAX);
	assert_string_equal(f.path, "/a b (deleted)");
	assert_true(line("1000-2000 rwxp 0 0:0 1 /memfd:x (deleted)", &f));
}

/* Names are what their makers want them to be; the kernel writes a newline as \012. */
static void test_hostile_paths(void **state)
{
	char text[8192] = "1000-2000 r-xp 0 8:1 7 ";
	struct mapped_file f;

	(void)state;
	assert_true(line("1000-2000 r-xp 0 8:1 7 /tmp/a\\0123000-4000 r-xp 0 8:1 8 /b", &f));
	assert_int_equal(f.ino, 7);
	assert_string_equal(f.path, "/tmp/a\\0123000-4000 r-xp 0 8:1 8 /b");
	assert_true(line("1000-2000 r-xp 0 8:1 7 /\x1b[31m\x7f\xc3\xa9\t", &f));
	assert_string_equal(f.path, "/?[31m????");
	memset(text + strlen(text), 'x', 4096);
	text[23] = '/';
	assert_true(line(text, &f));
	assert_int_equal(strlen(f.path), sizeof(f.path) - 1);
	assert_int_equal(f.path[0], 'x');
	strncat(text, "end", 4);
	assert_true(line(text, &f));
	assert_string_equal(f.path + sizeof(f.path) - 4, "end");
}

static void test_no_file(void **state)
{
	static const char *const lines[] = {
		"",
		"7f36-7f37",
		"7f36-7f37 ",
		"7f36-7f37 r-x",
		"7f36-7f37 r-xp",
		"7f36-7f37 r-xp 0 8:1 7",
		"7f36-7f37 r-xp 0 8:1 7 ",
		"7f36-7f37 r-xp 0 8:1 /a",
		"7f36-7f37 r-xp 0 8:1 0 /a",
		"7f36-7f37 r--p 0 8:1 7 /a",
		"7f36-7f37 rw-p 0 8:1 7 /a",
		"7f36 r-xp 0 8:1 7 /a",
		"7f36-7f37 r-xp 0 81 7 /a",
		"7fff5000-7fff6000 r-xp 00000000 00:00 0                          [vdso]",
		"1000-2000 r-xp 00000000 00:0f 9                          anon_inode:[x]",
		"-------",
		"         ",
	};
	struct mapped_file f;

	(void)state;
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(line(lines[i], &f));
}

static const char text[] = "1000-2000 r--p 0 8:1 7 /a\n"
			   "2000-3000 r-xp 0 8:1 7 /a\n"
			   "3000-4000 r-xp 0 8:1 8 /b\n"
			   "4000-5000 r-xp 0 8:2 7 /c\n"
			   "5000-6000 r-xp 0 8:1 7 /a\n"
			   "7000-8000 r-xp 0 0:0 0 [vdso]\n";

static void assert_three(void)
{
	assert_int_equal(m.n, 3);
	assert_false(m.more);
	assert_int_equal(m.file[0].from, 0x2000);
	assert_string_equal(m.file[0].path, "/a");
	assert_string_equal(m.file[1].path, "/b");
	assert_string_equal(m.file[2].path, "/c");
}

/* Each file once, wherever the text is cut. */
static void test_cut(void **state)
{
	char buf[sizeof(text)];

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		size_t used, n = sizeof(text) - 1;

		clear();
		memcpy(buf, text, cut);
		used = mapped_text(&m, buf, cut);
		assert_true(used <= cut);
		assert_true(used == 0 || text[used - 1] == '\n');
		assert_null(memchr(text + used, '\n', cut - used));
		assert_int_equal(mapped_text(&m, text + used, n - used), n - used);
		assert_three();
	}
}

static void test_many(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 16 << 20);
	for (unsigned int i = 0; i < 3 * MAPPED_MAX; i++)
		buf_addf(&b, "%x000-%x001 r-xp 0 8:1 %u /lib/%u.so\n", i + 1, i + 1, i % MAPPED_MAX + 1, i);
	clear();
	assert_int_equal(mapped_text(&m, b.p, b.n), b.n);
	assert_int_equal(m.n, MAPPED_MAX);
	assert_false(m.more);
	assert_int_equal(m.file[MAPPED_MAX - 1].ino, MAPPED_MAX);
	buf_reset(&b);
	buf_addf(&b, "1000-2000 r-xp 0 8:1 1 /again\n");
	mapped_text(&m, b.p, b.n);
	assert_false(m.more);
	buf_addf(&b, "1000-2000 r-xp 0 8:2 1 /another\n");
	mapped_text(&m, b.p, b.n);
	assert_true(m.more);
	assert_int_equal(m.n, MAPPED_MAX);
	buf_done(&b);
}

/* A program with a mapping of a file of ours, and what is said of it. */
static void test_read(void **state)
{
	char path[] = "/tmp/mapped_test.XXXXXX";
	int fd = mkstemp(path), found = 0;
	void *p;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8192), 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	unlink(path);
	close(fd);
	if (p == MAP_FAILED) /* /tmp may be mounted noexec */
		skip();
	assert_int_equal(mapped_read((uint32_t)getpid(), &m), 0);
	for (uint32_t i = 0; i < m.n; i++) {
		if (strncmp(m.file[i].path, path, strlen(path)) == 0) {
			found++;
			assert_int_equal(m.file[i].from, (uintptr_t)p);
			assert_int_equal(m.file[i].to, (uintptr_t)p + 8192);
			assert_string_equal(m.file[i].path + strlen(path), " (deleted)");
		}
	}
	assert_int_equal(found, 1);
	munmap(p, 8192);
	assert_int_equal(mapped_read((uint32_t)getpid(), &m), 0);
	for (uint32_t i = 0; i < m.n; i++)
		assert_true(strncmp(m.file[i].path, path, strlen(path)) != 0);
}

static void test_gone(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	m.n = 5;
	mapped_read((uint32_t)pid, &m); /* nobody has waited for it: there is a file, with nothing in it */
	assert_int_equal(m.n, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	m.n = 5;
	assert_int_not_equal(mapped_read((uint32_t)pid, &m), 0);
	assert_int_equal(m.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line), cmocka_unit_test(test_hostile_paths), cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_cut),  cmocka_unit_test(test_many),	   cmocka_unit_test(test_read),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests_name("mapped", tests, NULL, NULL);
}
