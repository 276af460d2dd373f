/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints: pieces as the whole, other keys and scopes, the outer form; the key's file, good and bad. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fp.h"
#include "base/hmac.h"

static const uint8_t key_a[FP_KEY_BYTES] = { 1, 2, 3 }, key_b[FP_KEY_BYTES] = { 1, 2, 4 };

static void test_pieces(void **state)
{
	static char text[3000];
	struct fp_stream s;
	struct fp want, got;

	(void)state;
	fp_key_set(key_a);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * i % 251);
	for (size_t n = 0; n <= sizeof(text); n += 1 + n / 7) {
		want = fp_bytes(text, n);
		assert_true(fp_is(&want));
		for (size_t step = 1; step < 700; step = step * 3 + 1) {
			fp_begin(&s);
			for (size_t at = 0; at < n; at += step)
				fp_add(&s, text + at, n - at < step ? n - at : step);
			got = fp_end(&s);
			assert_true(fp_eq(&got, &want));
		}
	}
}

static void test_pairs(void **state)
{
	struct fp a = fp_bytes("a", 1), b = fp_bytes("b", 1), zero = { 0 };
	struct fp ab = fp_pair(&a, &b), ba = fp_pair(&b, &a), aa = fp_pair(&a, &a), az = fp_pair(&a, &zero);

	(void)state;
	assert_false(fp_eq(&ab, &ba) || fp_eq(&ab, &aa) || fp_eq(&ab, &az) || fp_eq(&ab, &a) || fp_eq(&ab, &b));
	ba = fp_pair(&a, &b);
	assert_true(fp_is(&ab) && fp_eq(&ab, &ba));
}

static void show(const uint8_t *key, const char *scope, char ret[33])
{
	struct fp f;

	fp_key_set(key);
	f = fp_bytes("hello", 5);
	fp_hex(&f, scope, ret);
	assert_int_equal(strlen(ret), 32);
	assert_int_equal(strspn(ret, "0123456789abcdef"), 32);
}

/* Recordings of today are compared with those of tomorrow: the same key gives the same text for good. */
static void test_outer(void **state)
{
	char a[33], b[33];

	(void)state;
	show(key_a, "args", a);
	assert_string_equal(a, "a9f0c34e44d2ea6c5fbdf87a126008a3");
	show(key_a, "result", b);
	assert_string_not_equal(a, b);
	show(key_b, "args", b);
	assert_string_not_equal(a, b);
	show(key_a, "args", b);
	assert_string_equal(a, b);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void test_hmac(void **state)
{
	static const uint8_t one[] = { 0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b,
				       0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7 };
	static const uint8_t two[] = { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
				       0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43 };
	static const uint8_t six[] = { 0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5, 0xb7, 0x7f,
				       0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28, 0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f, 0x0e, 0xe3, 0x7f, 0x54 };
	char key[131];
	uint8_t mac[HMAC_BYTES];
	struct hmac *h;

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(hmac_sha256((struct sv){ key, 20 }, SV("Hi There"), mac), 0);
	assert_memory_equal(mac, one, sizeof(mac));
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(hmac_sha256((struct sv){ key, sizeof(key) },
				     SV("Test Using Larger Than Block-Size Key - Hash Key First"), mac), 0);
	assert_memory_equal(mac, six, sizeof(mac));
	h = hmac_new(SV("Jefe"));
	assert_non_null(h);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(hmac_sum(h, SV("something else"), mac), 0);
		assert_int_equal(hmac_sum(h, SV("what do ya want for nothing?"), mac), 0);
		assert_memory_equal(mac, two, sizeof(mac));
	}
	hmac_free(h);
	hmac_free(NULL);
	assert_int_equal(hmac_sha256((struct sv){ NULL, 0 }, (struct sv){ NULL, 0 }, mac), 0);
}

/* FIPS 180-2, appendix B.2, cut at every position; and it starts again after each sum. */
static void test_sha256(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static const uint8_t want[] = { 0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
					0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1 };
	struct sha256 *s = sha256_new();
	uint8_t digest[SHA256_BYTES];

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_int_equal(sha256_add(s, text, i), 0);
		assert_int_equal(sha256_add(s, text + i, sizeof(text) - 1 - i), 0);
		assert_int_equal(sha256_end(s, digest), 0);
		assert_memory_equal(digest, want, sizeof(want));
	}
	sha256_free(s);
	sha256_free(NULL);
}

/* A folder of its own, and a path in it. */
struct place {
	char folder[64], path[128];
};

static void place_make(struct place *p, const char *name)
{
	snprintf(p->folder, sizeof(p->folder), "/tmp/fp_test.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/%s", p->folder, name);
}

static void place_drop(struct place *p)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r %s", p->folder);
	assert_int_equal(system(command), 0);
}

static void file_make(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_file(void **state)
{
	uint8_t first[FP_KEY_BYTES], again[FP_KEY_BYTES], zero[FP_KEY_BYTES] = { 0 };
	mode_t before = umask(0);
	struct place p;
	struct stat st;

	(void)state;
	place_make(&p, "new/fp.key");
	assert_int_equal(fp_key_load(p.path, first), 0);
	assert_memory_not_equal(first, zero, sizeof(zero));
	assert_int_equal(fp_key_load(p.path, again), 0);
	assert_memory_equal(first, again, sizeof(first));
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, 2 * FP_KEY_BYTES + 1);
	assert_int_equal(st.st_nlink, 1); /* no other name is left */
	assert_int_equal(unlink(p.path), 0);
	p.path[strlen(p.path) - strlen("/fp.key")] = '\0';
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(rmdir(p.path), 0); /* nothing else was in it */
	umask(before);
	place_drop(&p);
}

static void test_bad_files(void **state)
{
	static const char good[] = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\n";
	char text[100];
	uint8_t key[FP_KEY_BYTES];
	struct place p;

	(void)state;
	place_make(&p, "k");
	file_make(p.path, good, 0644);
	assert_int_equal(fp_key_load(p.path, key), 0);
	assert_true(key[0] == 0 && key[1] == 0x11 && key[31] == 0xff && key[10] == 0xaa);
	file_make(p.path, good, 0620);
	assert_int_equal(fp_key_load(p.path, key), -EPERM);
	file_make(p.path, good, 0602);
	assert_int_equal(fp_key_load(p.path, key), -EPERM);
	file_make(p.path, "", 0600);
	assert_int_equal(fp_key_load(p.path, key), -EBADMSG);
	file_make(p.path, "00112233", 0600);
	assert_int_equal(fp_key_load(p.path, key), -EBADMSG);
	snprintf(text, sizeof(text), "%.64s0", good);
	file_make(p.path, text, 0600);
	assert_int_equal(fp_key_load(p.path, key), -EBADMSG);
	snprintf(text, sizeof(text), "%.63sg", good);
	file_make(p.path, text, 0600);
	assert_int_equal(fp_key_load(p.path, key), -EBADMSG);
	assert_int_equal(unlink(p.path), 0);
	assert_int_equal(symlink("/etc/hostname", p.path), 0);
	assert_int_equal(fp_key_load(p.path, key), -EBADMSG); /* ours to follow, but no key */
	assert_int_equal(unlink(p.path), 0);
	assert_int_equal(mkfifo(p.path, 0600), 0);
	assert_int_equal(fp_key_load(p.path, key), -EPERM);
	assert_int_equal(unlink(p.path), 0);
	assert_int_equal(mkdir(p.path, 0700), 0);
	assert_int_equal(fp_key_load(p.path, key), -EISDIR);
	if (geteuid() == 0) {
		assert_int_equal(rmdir(p.path), 0);
		file_make(p.path, good, 0600);
		assert_int_equal(chown(p.path, 12345, 0), 0);
		assert_int_equal(fp_key_load(p.path, key), -EPERM);
	}
	snprintf(p.path, sizeof(p.path), "%s/x/y/z", p.folder);
	assert_int_equal(fp_key_load(p.path, key), -ENOENT);
	place_drop(&p);
}

/* Several at a time: one key. */
static void test_race(void **state)
{
	uint8_t key[FP_KEY_BYTES], got[FP_KEY_BYTES];
	struct place p;
	int pipes[2], status;

	(void)state;
	for (int round = 0; round < 20; round++) {
		place_make(&p, "sub/k");
		assert_int_equal(pipe(pipes), 0);
		for (int i = 0; i < 4; i++) {
			if (fork() == 0)
				_exit(fp_key_load(p.path, key) || write(pipes[1], key, sizeof(key)) != sizeof(key));
		}
		for (int i = 0; i < 4; i++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		assert_int_equal(fp_key_load(p.path, key), 0);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(read(pipes[0], got, sizeof(got)), sizeof(got));
			assert_memory_equal(got, key, sizeof(key));
		}
		close(pipes[0]);
		close(pipes[1]);
		place_drop(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces), cmocka_unit_test(test_pairs), cmocka_unit_test(test_outer),
		cmocka_unit_test(test_hmac),   cmocka_unit_test(test_file),  cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_race),   cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
