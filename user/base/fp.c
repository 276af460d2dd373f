/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed fingerprints, and the key's file. */
#include "base/fp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hmac.h"
#include "base/trusted.h"

#define KEY_TEXT (2 * FP_KEY_BYTES) /* hex digits */

/* Derived from the key, constant afterwards. */
static uint8_t secret[HASH_SECRET_BYTES]; /* of the hash */
static struct hmac *outer;		  /* NULL: no memory, nothing goes out */
static pthread_mutex_t outer_lock = PTHREAD_MUTEX_INITIALIZER; /* sinks have threads */
static bool derived;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static int random_bytes(uint8_t *p, size_t n)
{
	ssize_t got;

	for (size_t at = 0; at < n; at += (size_t)got) {
		got = getrandom(p + at, n - at, 0);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got < 0)
			got = 0;
	}
	return 0;
}

/* The hash's secret is the HMAC of a counter, block by block. */
static void derive(const uint8_t key[FP_KEY_BYTES])
{
	uint8_t mac[HMAC_BYTES];
	char label[] = "fp secret 0";

	_Static_assert(HASH_SECRET_BYTES % HMAC_BYTES == 0, "whole blocks");
	hmac_free(outer);
	outer = hmac_new((struct sv){ (const char *)key, FP_KEY_BYTES });
	for (size_t at = 0; at < sizeof(secret); at += sizeof(mac)) {
		/* Where memory lacks, the fingerprints are good for this run only. */
		if (!outer || hmac_sum(outer, sv_of(label), mac))
			random_bytes(mac, sizeof(mac));
		memcpy(secret + at, mac, sizeof(mac));
		label[sizeof(label) - 2]++;
	}
	__atomic_store_n(&derived, true, __ATOMIC_RELEASE);
}

/* Only a system call filter refuses getrandom; the kernel left 16 random bytes at exec as well. */
static void make(void)
{
	uint8_t key[FP_KEY_BYTES] = { 0 };
	const void *left = (const void *)getauxval(AT_RANDOM);

	if (random_bytes(key, sizeof(key)) && left)
		memcpy(key, left, 16);
	derive(key);
}

void fp_key_set(const uint8_t key[FP_KEY_BYTES])
{
	derive(key);
}

static inline void ready(void)
{
	if (!__atomic_load_n(&derived, __ATOMIC_ACQUIRE))
		pthread_once(&made, make);
}

static struct fp fp_of(struct hash128 h)
{
	return (struct fp){ { h.w[0], h.w[0] | h.w[1] ? h.w[1] : 1 } };
}

struct fp fp_bytes(const void *p, size_t n)
{
	ready();
	return fp_of(hash128_bytes(p, n, secret));
}

void fp_begin(struct fp_stream *s)
{
	ready();
	hash128_begin(&s->hash, secret);
}

void fp_add(struct fp_stream *s, const void *p, size_t n)
{
	hash128_add(&s->hash, p, n);
}

struct fp fp_end(const struct fp_stream *s)
{
	return fp_of(hash128_end(&s->hash));
}

/* Multiply and fold, as wyhash does. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Both are hashes under the key already: nobody can choose what is multiplied here. */
struct fp fp_pair(const struct fp *a, const struct fp *b)
{
	uint64_t s[6];

	ready();
	memcpy(s, secret, sizeof(s));
	return fp_of((struct hash128){ {
		mix(a->w[0] ^ s[0], b->w[0] ^ s[1]) + mix(a->w[1] ^ s[2], b->w[1] ^ s[3]),
		mix(a->w[0] ^ s[4], b->w[1] ^ s[2]) ^ mix(a->w[1] ^ s[5], b->w[0] ^ s[3]),
	} });
}

void fp_hex(const struct fp *f, const char *scope, char ret_hex[33])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t mac[HMAC_BYTES];
	char data[64];
	int n, err;

	ready();
	/* The numbers as text: the same on every machine. */
	n = snprintf(data, sizeof(data), "%.24s %016llx%016llx", scope, (unsigned long long)f->w[1],
		     (unsigned long long)f->w[0]);
	pthread_mutex_lock(&outer_lock);
	err = outer ? hmac_sum(outer, (struct sv){ data, (size_t)n }, mac) : -ENOMEM;
	pthread_mutex_unlock(&outer_lock);
	ret_hex[0] = '\0';
	if (err)
		return;
	for (int i = 0; i < 16; i++) {
		ret_hex[2 * i] = digits[mac[i] >> 4];
		ret_hex[2 * i + 1] = digits[mac[i] & 15];
	}
	ret_hex[32] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A key's text: its hex digits, white space around them. */
static int key_parse(struct sv text, uint8_t ret_key[FP_KEY_BYTES])
{
	text = sv_trim(text);
	if (text.n != KEY_TEXT)
		return -EBADMSG;
	for (int i = 0; i < FP_KEY_BYTES; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		ret_key[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int key_read(const char *path, uint8_t ret_key[FP_KEY_BYTES])
{
	char text[KEY_TEXT + 16], why[TRUSTED_WHY];
	ssize_t n = trusted_read(path, text, sizeof(text), why);
	int err = n == -EFBIG ? -EBADMSG : n < 0 ? (int)n : key_parse((struct sv){ text, (size_t)n }, ret_key);

	explicit_bzero(text, sizeof(text));
	return err;
}

/* The folder of @path, made where it lacks (one level); an open descriptor or -errno. */
static int folder_open(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd = -ENOMEM;

	if (!folder)
		return fd;
	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(folder);
	return fd;
}

/* Write a new key to @fd; it is on the disk when this returns 0. */
static int key_write(int fd)
{
	uint8_t fresh[FP_KEY_BYTES];
	char text[KEY_TEXT + 2];
	int err = random_bytes(fresh, sizeof(fresh));

	if (err)
		return err;
	for (int i = 0; i < FP_KEY_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", fresh[i]);
	text[KEY_TEXT] = '\n';
	if (write(fd, text, KEY_TEXT + 1) != KEY_TEXT + 1)
		return -ENOSPC;
	return fsync(fd) ? -errno : 0;
}

/* Make @path under another name and link it: half a key is never seen, and of two that do so at a time the first one
 * wins. */
static int key_make(const char *path)
{
	int folder = folder_open(path), fd = -1, err = -ENOMEM;
	char *temp = NULL;

	if (folder < 0)
		return folder;
	if (asprintf(&temp, "%s.XXXXXX", path) < 0) {
		temp = NULL;
		goto out;
	}
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	err = key_write(fd);
	if (err == 0 && link(temp, path) && errno != EEXIST)
		err = -errno;
	unlink(temp);
	if (err == 0 && fsync(folder))
		err = -errno;
out:
	if (fd >= 0)
		close(fd);
	free(temp);
	close(folder);
	return err;
}

int fp_key_load(const char *path, uint8_t ret_key[FP_KEY_BYTES])
{
	int err = key_read(path, ret_key);

	if (err != -ENOENT)
		return err;
	err = key_make(path);
	return err ? err : key_read(path, ret_key);
}
