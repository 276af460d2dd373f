/* SPDX-License-Identifier: Apache-2.0 */
/* probe/resolver: children that a file has taken over, by what they use and say. Each must end, and nothing of it is believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolver_fakes.h"
#include "resolver_world.h"

/* --- Time and memory --------------------------------------------------------------------------------------------- */

static void test_cpu_limit(void **state)
{
	(void)state;
	w.o.cpu_s = 1;
	world_restart();
	assert_int_equal(look_with(spins), -ETIMEDOUT);
	assert_int_equal(world_stats().timed_out, 1);
	assert_int_equal(world_stats().died, 0);
}

static void test_wall_limit(void **state)
{
	(void)state;
	w.o.cpu_s = 60;
	w.o.wall_ms = 50;
	world_restart();
	assert_int_equal(look_with(spins), -ETIMEDOUT);
	assert_int_equal(world_stats().timed_out, 1);
}

/* Its own alarm ends it where nobody calls resolver_tick. */
static void test_alarm(void **state)
{
	(void)state;
	w.o.cpu_s = 60;
	w.o.wall_ms = 50;
	world_restart();
	evloop_tick(w.loop, 1000000, on_tick, NULL);
	assert_int_equal(look_with(spins), -ETIMEDOUT);
}

/* Not tried again for a minute; another file is. */
static void test_not_again(void **state)
{
	int fd = file_new("a", 'a');

	(void)state;
	resolver_resolve = crashes;
	assert_int_equal(look(fd)->err, -ECHILD);
	resolver_resolve = finds;
	assert_int_equal(look(fd)->err, -ECHILD);
	assert_int_equal(world_stats().cached, 1);
	assert_int_equal(look_with(finds), 0);
	assert_int_equal(world_stats().died, 1);
	close(fd);
}

/* What it could have, in MiB, as the evidence. */
static int eats(int fd, struct tls_found *ret)
{
	unsigned int n = 0;
	char *p;

	(void)fd;
	for (p = malloc(1 << 20); p; p = malloc(1 << 20)) {
		memset(p, 1, 1 << 20);
		n++;
	}
	ret->n = 0;
	snprintf(ret->evidence, sizeof(ret->evidence), "%u", n);
	return 0;
}

static void test_memory_limit(void **state)
{
	unsigned long n;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	w.o.mem_bytes = 32 << 20;
	world_restart();
	assert_int_equal(look_with(eats), 0);
	n = strtoul(w.said[0].f.evidence, NULL, 10);
	assert_true(n >= 24 && n <= 32);
}

/* --- What it says ------------------------------------------------------------------------------------------------ */

static int aborts(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	abort();
}

static int leaves(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	_exit(0);
}

static int garbage(int fd, struct tls_found *ret)
{
	(void)fd;
	memset(ret, 0xff, sizeof(*ret));
	return 0;
}

static int strange_error(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	return -EPERM;
}

static int says(size_t n)
{
	static char bytes[4096];

	for (; n; n -= n < sizeof(bytes) ? n : sizeof(bytes))
		n = write(1, bytes, n < sizeof(bytes) ? n : sizeof(bytes)) > 0 ? n : 0;
	return 0;
}

static int says_little(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	says(100);
	_exit(0);
}

/* The head of a good one, with no point in it. */
static int says_half(int fd, struct tls_found *ret)
{
	const struct resolved r = { .size = FILE_SIZE };

	(void)fd;
	(void)ret;
	if (write(1, &r, sizeof(r) / 2) != sizeof(r) / 2)
		abort();
	_exit(0);
}

static int says_more(int fd, struct tls_found *ret)
{
	says(1);
	return finds(fd, ret);
}

static int says_all_and_dies(int fd, struct tls_found *ret)
{
	struct resolved r = { .size = FILE_SIZE };

	finds(fd, &r.f);
	(void)ret;
	says(0);
	if (write(1, &r, sizeof(r)) == sizeof(r))
		abort();
	return 0;
}

static int says_twice(int fd, struct tls_found *ret)
{
	struct resolved r = { .size = FILE_SIZE };

	finds(fd, &r.f);
	if (write(1, &r, sizeof(r)) != sizeof(r))
		abort();
	return finds(fd, ret);
}

static int says_for_ever(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	for (;;)
		says(1 << 20);
	return 0;
}

static int lies_of_bytes(int fd, struct tls_found *ret)
{
	finds(fd, ret);
	ret->point[0].bytes[0]++;
	return 0;
}

static int lies_of_hash(int fd, struct tls_found *ret)
{
	finds(fd, ret);
	ret->point[0].hash++;
	return 0;
}

static int lies_of_offset(int fd, struct tls_found *ret)
{
	finds(fd, ret);
	ret->point[0].offset = FILE_SIZE - 1;
	return 0;
}

static void test_what_it_says(void **state)
{
	static int (*const hostile[])(int, struct tls_found *) = {
		crashes, aborts, leaves, garbage, strange_error, says_little, says_half, says_more, says_all_and_dies,
		says_twice, says_for_ever, lies_of_bytes, lies_of_hash, lies_of_offset,
	};
	const unsigned int n = sizeof(hostile) / sizeof(hostile[0]);

	(void)state;
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(look_with(hostile[i]), -ECHILD);
	assert_int_equal(world_stats().died, n);
	assert_int_equal(look_with(finds), 0);
}

/* --- What it looks at -------------------------------------------------------------------------------------------- */

/* Waits until the file (descriptor 0) is another one, and then looks at what it was given. */
static int looks_late(int fd, struct tls_found *ret)
{
	char now = 'a';

	while (now == 'a') {
		if (pread(0, &now, 1, 4) != 1)
			now = 'a'; /* it is being written */
	}
	return finds(fd, ret);
}

/* The file is changed when its digest has been said: what is found is of the content that was hashed. */
static void test_hashed_is_parsed(void **state)
{
	int fd = file_new("a", 'a'), ends[2], status;
	struct child_args a = { .fd = fd, .size = FILE_SIZE, .wall_ms = 60000, .cpu_s = 60, .mem_bytes = 1 << 28,
				.sha = sha256_new() };
	uint8_t want[SHA256_BYTES], bytes[FILE_SIZE];
	struct answer answer;
	pid_t pid, self = getpid();

	(void)state;
	resolver_resolve = looks_late;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		resolver_child(&a, ends[1], self);
	close(ends[1]);
	assert_int_equal(read(ends[0], answer.digest, sizeof(answer.digest)), sizeof(answer.digest));
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	close(file_new("a", 'b'));
	assert_int_equal(read(ends[0], &answer.resolved, sizeof(answer.resolved)), sizeof(answer.resolved));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(sha256_add(a.sha, bytes, sizeof(bytes)) || sha256_end(a.sha, want), 0);
	assert_memory_equal(answer.digest, want, sizeof(want));
	assert_int_equal(answer.resolved.err, 0);
	assert_string_equal(answer.resolved.f.evidence, "filled with a");
	sha256_free(a.sha);
	close(ends[0]);
	close(fd);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
	const struct CMUnitTest tests[] = {
		CASE(test_cpu_limit),	 CASE(test_wall_limit),	  CASE(test_alarm),	       CASE(test_not_again),
		CASE(test_memory_limit), CASE(test_what_it_says), CASE(test_hashed_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
