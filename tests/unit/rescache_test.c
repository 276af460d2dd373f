/* SPDX-License-Identifier: Apache-2.0 */
/* probe/rescache, probe/cachedir: kept and found again, by whom it may be written, damaged, full. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "event_tls.h"
#include "probe/cachedir.h"
#include "probe/rescache.h"

static char top[32], dir[48];

static int set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/mcpvigil-cache-XXXXXX");
	log_level_set(LOG_ERR);
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/cache", top);
	return 0;
}

static unsigned int entries(void)
{
	DIR *d = opendir(dir);
	unsigned int n = 0;

	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static struct resolved sample(uint64_t offset)
{
	struct resolved r = { .size = 1000 };

	r.f.n = 1;
	r.f.point[0] = (struct tls_point){ offset, 0, 5, TLS_F_SSL_READ, TLS_OPENSSL, 1, { 0x55 } };
	snprintf(r.f.evidence, sizeof(r.f.evidence), "sample %llu", (unsigned long long)offset);
	return r;
}

static void digest_of(uint32_t i, uint8_t ret[SHA256_BYTES])
{
	memset(ret, 0xab, SHA256_BYTES);
	memcpy(ret, &i, sizeof(i));
}

static struct file_id id_of(uint64_t i)
{
	return (struct file_id){ 1, i, 1000, UINT64_MAX, 4 };
}

static const char name0[] = "00000000abababababababababababababababababababababababababababab";

static void path_of(const char *name, char ret[160])
{
	snprintf(ret, 160, "%s/%s", dir, name);
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	char path[160];
	int fd;

	path_of(name, path);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void get_file(const char *name, char ret[4096])
{
	char path[160];
	ssize_t n;
	int fd;

	path_of(name, path);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, ret, 4095);
	assert_true(n >= 0);
	ret[n] = 0;
	close(fd);
}

static void expect(struct rescache *c, uint32_t i, const struct resolved *want)
{
	uint8_t digest[SHA256_BYTES];
	struct resolved r;

	digest_of(i, digest);
	assert_int_equal(rescache_get(c, digest, &r), want ? 0 : -ENOENT);
	if (want)
		assert_memory_equal(&r, want, sizeof(r));
}

/* In memory; on disk, found by the next one; with the modes they must have. */
static void test_kept(void **state)
{
	const struct resolved a = sample(10), b = sample(20), error = { .size = 1000, .err = -ENOEXEC },
			      late = { .size = 1000, .err = -ENOMEM };
	uint8_t digest[4][SHA256_BYTES];
	struct rescache *c = rescache_new(dir);
	struct stat st;
	char path[160];

	(void)state;
	assert_non_null(c);
	for (uint32_t i = 0; i < 4; i++)
		digest_of(i, digest[i]);
	expect(c, 0, NULL);
	rescache_put(c, digest[0], &a);
	rescache_put(c, digest[1], &error);
	rescache_put(c, digest[2], &late);
	expect(c, 0, &a);
	expect(c, 1, &error);
	expect(c, 2, NULL);
	rescache_put(c, digest[0], &b);
	expect(c, 0, &b);
	rescache_free(c);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	path_of(name0, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(entries(), 3); /* and hints */
	c = rescache_new(dir);
	expect(c, 0, &b);
	expect(c, 1, &error);
	expect(c, 2, NULL);
	rescache_free(c);
}

static void test_memory_only(void **state)
{
	const struct resolved a = sample(10);
	uint8_t digest[SHA256_BYTES], got[SHA256_BYTES];
	struct file_id id = id_of(1);
	struct rescache *c = rescache_new(NULL);
	struct rescache_stats stats;

	(void)state;
	digest_of(0, digest);
	rescache_put(c, digest, &a);
	rescache_learn(c, &id, digest);
	expect(c, 0, &a);
	assert_int_equal(rescache_hint(c, &id, got), 0);
	rescache_stats(c, &stats);
	assert_int_equal(stats.failed + stats.damaged + stats.dropped, 0);
	rescache_free(c);
}

/* Each is taken as missing, and written anew. */
static void test_damaged_result(void **state)
{
	const struct resolved a = sample(10);
	uint8_t digest[SHA256_BYTES];
	char good[4096], path[160], elsewhere[48], hole[4096];
	struct rescache_stats stats;
	struct rescache *c = rescache_new(dir);

	(void)state;
	digest_of(0, digest);
	rescache_put(c, digest, &a);
	rescache_free(c);
	get_file(name0, good);
	path_of(name0, path);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", top);
	for (int i = 0; i < 6; i++) {
		snprintf(hole, sizeof(hole), "%s", good);
		hole[strlen(good) / 2] = '\t';
		put_file(name0, i == 0 ? "" : i == 1 ? hole : good, i == 2 ? 0620 : i == 3 ? 0602 : 0600);
		if (i == 4)
			assert_int_equal(rename(path, elsewhere) || symlink(elsewhere, path), 0);
		if (i == 5)
			assert_int_equal(unlink(path) || mkfifo(path, 0600), 0);
		c = rescache_new(dir);
		expect(c, 0, NULL);
		rescache_stats(c, &stats);
		assert_int_equal(stats.damaged, 1);
		rescache_put(c, digest, &a);
		rescache_free(c);
		c = rescache_new(dir);
		expect(c, 0, &a);
		rescache_free(c);
	}
}

/* Another user's file, in root's eyes as well; skipped where we cannot make one. */
static void test_foreign(void **state)
{
	const struct resolved a = sample(10);
	uint8_t digest[SHA256_BYTES];
	char path[160];
	struct rescache *c = rescache_new(dir);

	(void)state;
	digest_of(0, digest);
	rescache_put(c, digest, &a);
	rescache_free(c);
	path_of(name0, path);
	if (chown(path, 65534, 65534)) {
		skip();
		return;
	}
	c = rescache_new(dir);
	expect(c, 0, NULL);
	rescache_free(c);
	assert_int_equal(chown(dir, 65534, 65534), 0);
	c = rescache_new(dir);
	rescache_put(c, digest, &a);
	expect(c, 0, &a); /* from memory */
	rescache_free(c);
	c = rescache_new(dir);
	expect(c, 0, NULL);
	rescache_free(c);
}

static void test_hints(void **state)
{
	const struct file_id a = id_of(1), b = id_of(2);
	uint8_t digest[2][SHA256_BYTES], got[SHA256_BYTES];
	struct rescache *c = rescache_new(dir);
	struct file_id other;

	(void)state;
	digest_of(0, digest[0]);
	digest_of(1, digest[1]);
	assert_int_equal(rescache_hint(c, &a, got), -ENOENT);
	rescache_learn(c, &a, digest[0]);
	rescache_learn(c, &a, digest[1]);
	rescache_learn(c, &a, digest[1]);
	rescache_fail(c, &b, -ECHILD, clock_boot_ns() + 1000 * NSEC_PER_SEC);
	assert_int_equal(rescache_hint(c, &b, got), -ECHILD);
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(rescache_hint(c, &a, got), 0);
		assert_memory_equal(got, digest[1], sizeof(got));
		/* Every field counts. */
		for (int i = 0; i < 5; i++) {
			other = a;
			((uint64_t *)&other)[i]++;
			assert_int_equal(rescache_hint(c, &other, got), i == 1 && !turn ? -ECHILD : -ENOENT);
		}
		rescache_free(c);
		c = rescache_new(dir);
	}
	rescache_fail(c, &b, -ECHILD, clock_boot_ns() - 1);
	assert_int_equal(rescache_hint(c, &b, got), -ENOENT);
	rescache_learn(c, &b, digest[0]);
	assert_int_equal(rescache_hint(c, &b, got), 0);
	rescache_forget(c, &b);
	assert_int_equal(rescache_hint(c, &b, got), -ENOENT);
	rescache_free(c);
}

static ino_t hints_inode(void)
{
	struct stat st;
	char path[160];

	path_of("hints", path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* A line is added to the file that is there: it is neither opened again nor written anew, unless somebody took it away. */
static void test_hints_added(void **state)
{
	struct rescache *c = rescache_new(dir);
	uint8_t digest[SHA256_BYTES], got[SHA256_BYTES];
	const struct file_id ids[] = { id_of(1), id_of(2), id_of(3) };
	ino_t inode = hints_inode();
	char path[160];

	(void)state;
	digest_of(0, digest);
	path_of("hints", path);
	assert_int_equal(chmod(path, 0), 0);
	rescache_learn(c, &ids[0], digest);
	rescache_learn(c, &ids[1], digest);
	assert_int_equal(hints_inode(), inode);
	assert_int_equal(chmod(path, 0600), 0);
	rescache_free(c);
	c = rescache_new(dir);
	assert_int_equal(rescache_hint(c, &ids[0], got), 0);
	assert_int_equal(rescache_hint(c, &ids[1], got), 0);
	rescache_learn(c, &ids[2], digest); /* one that is there from before is written anew, once */
	assert_int_equal(unlink(path), 0);
	rescache_learn(c, &(struct file_id){ .ino = 4 }, digest);
	rescache_free(c);
	c = rescache_new(dir);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rescache_hint(c, &ids[i], got), 0);
	assert_int_equal(rescache_hint(c, &(struct file_id){ .ino = 4 }, got), 0);
	rescache_free(c);
}

#define DIGEST0 "00000000abababababababababababababababababababababababababababab"
#define LINE(ino) "1 " ino " 1000 18446744073709551615 4 " DIGEST0 "\n"

/* Lines that are whole are used; the file is written anew without the others. */
static void test_damaged_hints(void **state)
{
	static const char bad[] = "mcpvigil hints 1\n" LINE("1") "1 2 3 4\n" LINE("-2") "\n" LINE("3 3") LINE("2") "1 9 10";
	const struct file_id one = id_of(1), two = id_of(2), three = id_of(3);
	uint8_t got[SHA256_BYTES];
	struct rescache_stats stats;
	struct rescache *c;
	char text[4096];

	(void)state;
	rescache_free(rescache_new(dir));
	put_file("hints", bad, 0600);
	c = rescache_new(dir);
	rescache_stats(c, &stats);
	assert_int_equal(stats.damaged, 5);
	assert_int_equal(rescache_hint(c, &one, got), 0);
	assert_int_equal(rescache_hint(c, &two, got), 0);
	assert_int_equal(rescache_hint(c, &three, got), -ENOENT);
	rescache_free(c);
	get_file("hints", text);
	assert_string_equal(text, "mcpvigil hints 1\n" LINE("1") LINE("2"));
	put_file("hints", "mcpvigil hints 2\n" LINE("1"), 0600);
	c = rescache_new(dir);
	assert_int_equal(rescache_hint(c, &one, got), -ENOENT);
	rescache_free(c);
	get_file("hints", text);
	assert_string_equal(text, "mcpvigil hints 1\n");
	put_file("hints", "mcpvigil hints 1\n" LINE("1"), 0666);
	c = rescache_new(dir);
	assert_int_equal(rescache_hint(c, &one, got), -ENOENT);
	rescache_free(c);
}

/* As many as there may be, over and over: the newest are known, in memory and on disk, and the file stays small. */
static void test_many_hints(void **state)
{
	uint8_t digest[SHA256_BYTES];
	struct rescache *c = rescache_new(dir);
	struct file_id id;
	struct stat st;
	char path[160];

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		id = id_of(i);
		digest_of(i, digest);
		rescache_learn(c, &id, digest);
	}
	path_of("hints", path);
	for (int turn = 0; turn < 2; turn++) {
		id = id_of(20000 - 4096);
		assert_int_equal(rescache_hint(c, &id, digest), 0);
		id = id_of(20000 - 4097);
		assert_int_equal(rescache_hint(c, &id, digest), -ENOENT);
		rescache_free(c);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size < 1 << 20);
		c = rescache_new(dir);
	}
	rescache_free(c);
}

/* Dropped in the order of their times, in both places. */
static void test_full(void **state)
{
	uint8_t digest[SHA256_BYTES];
	struct rescache_stats stats;
	struct rescache *c;
	struct cachedir d;
	char name[CACHEDIR_NAME + 1], path[160];

	(void)state;
	assert_int_equal(cachedir_open(dir, &d), 0);
	for (int i = 0; i < CACHEDIR_FILES; i++) {
		const struct timespec times[2] = { { 1000000 - i, 0 }, { 1000000 - i, 0 } };

		snprintf(name, sizeof(name), "%064d", i);
		assert_int_equal(cachedir_write(&d, name, SV("x")), 0);
		path_of(name, path);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	assert_int_equal(d.files, CACHEDIR_FILES);
	assert_int_equal(cachedir_write(&d, name, SV("y")), 0); /* there already: nothing is dropped, and it is new */
	assert_int_equal(d.dropped, 0);
	cachedir_close(&d);
	put_file("left.new.1", "x", 0600);
	c = rescache_new(dir);
	digest_of(7, digest);
	rescache_put(c, digest, &(struct resolved){ .size = 5 });
	rescache_stats(c, &stats);
	assert_int_equal(stats.dropped, 64);
	assert_int_equal(stats.failed, 0);
	assert_int_equal(entries(), CACHEDIR_FILES - 64 + 2); /* this one, and hints; not what was left */
	for (int i = CACHEDIR_FILES - 66; i < CACHEDIR_FILES; i++) {
		snprintf(name, sizeof(name), "%064d", i);
		path_of(name, path);
		assert_int_equal(access(path, F_OK) == 0, i < CACHEDIR_FILES - 65 || i == CACHEDIR_FILES - 1);
	}
	rescache_free(c);
}

/* 12 KB each: memory stays within its bound, and the disk has the rest. */
static void test_large_results(void **state)
{
	uint8_t digest[SHA256_BYTES];
	struct rescache *c = rescache_new(NULL);
	struct resolved r = { .size = UINT64_MAX };
	unsigned int known = 0;

	(void)state;
	r.f.n = TLS_POINTS_MAX;
	for (unsigned int i = 0; i < TLS_POINTS_MAX; i++)
		r.f.point[i] = (struct tls_point){ UINT64_MAX - 100 - i, UINT64_MAX - 200, UINT64_MAX, 14, 6, 16, { 0 } };
	for (uint32_t i = 0; i < 1000; i++) {
		digest_of(i, digest);
		rescache_put(c, digest, &r);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		struct resolved back;

		digest_of(i, digest);
		known += !rescache_get(c, digest, &back);
	}
	assert_true(known > 300 && known < 500);
	expect(c, 999, &r);
	rescache_free(c);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_kept),	  CASE(test_memory_only), CASE(test_damaged_result), CASE(test_foreign),
		CASE(test_hints_added), CASE(test_hints),	  CASE(test_damaged_hints),  CASE(test_many_hints),
		CASE(test_full),	  CASE(test_large_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
