/* SPDX-License-Identifier: Apache-2.0 */
/* probe/resolver: what is known, what is looked at, what waits; nothing is left over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sys/mman.h>
#include <time.h>

#include "resolver_fakes.h"
#include "resolver_world.h"

/* Wait until its time stamps are old enough to be learnt by. */
static void file_ages(int fd)
{
	struct timespec now;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	do {
		clock_gettime(CLOCK_REALTIME, &now);
	} while ((now.tv_sec - st.st_ctim.tv_sec) * 1000000000LL + now.tv_nsec - st.st_ctim.tv_nsec < 40000000);
}

static void expect_found(const struct said *s, const char *evidence)
{
	assert_int_equal(s->err, 0);
	assert_int_equal(s->f.n, 1);
	assert_int_equal(s->f.point[0].offset, 4200);
	assert_int_equal(s->f.point[0].func, 4100);
	assert_string_equal(s->f.evidence, evidence);
}

static void with_cache(void)
{
	w.o.cache_dir = w.cache;
	world_restart();
}

/* Looked at once; from memory, and by the next resolver from disk, without a child: one would crash. */
static void test_cached(void **state)
{
	int fd = file_new("a", 'a');
	struct resolver_stats s;

	(void)state;
	with_cache();
	file_ages(fd);
	resolver_resolve = finds;
	expect_found(look(fd), "filled with a");
	s = world_stats();
	assert_int_equal(s.files, 1);
	assert_int_equal(s.cached, 0);
	assert_true(s.ns_max > 0 && s.ns_sum == s.ns_max);
	resolver_resolve = crashes;
	expect_found(look(fd), "filled with a");
	world_restart();
	expect_found(look(fd), "filled with a");
	s = world_stats();
	assert_int_equal(s.files, 1);
	assert_int_equal(s.cached, 1);
	assert_int_equal(s.ns_sum, 0);
	close(fd);
}

/* The same content under another name is hashed, and not parsed. Nor is it where there is no disk. */
static void test_same_content(void **state)
{
	int a = file_new("a", 'a'), b = file_new("b", 'a'), c = file_new("c", 'c');

	(void)state;
	resolver_resolve = finds;
	expect_found(look(a), "filled with a");
	resolver_resolve = crashes;
	expect_found(look(b), "filled with a");
	assert_int_equal(world_stats().cached, 1);
	assert_int_equal(look(c)->err, -ECHILD);
	close(a);
	close(b);
	close(c);
}

static int finds_nothing(int fd, struct tls_found *ret)
{
	(void)fd;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static int no_elf(int fd, struct tls_found *ret)
{
	finds_nothing(fd, ret);
	return -ENOEXEC;
}

static void test_nothing_is_cached(void **state)
{
	int a = file_new("a", 'a'), b = file_new("b", 'b');

	(void)state;
	with_cache();
	resolver_resolve = finds_nothing;
	assert_int_equal(look(a)->f.n, 0);
	resolver_resolve = no_elf;
	assert_int_equal(look(b)->err, -ENOEXEC);
	resolver_resolve = crashes;
	world_restart();
	assert_int_equal(look(a)->err, 0);
	assert_int_equal(w.said[0].f.n, 0);
	assert_int_equal(look(b)->err, -ENOEXEC);
	close(a);
	close(b);
}

/* Another content of the same length, in place, the time of modification put back. */
static void test_changed(void **state)
{
	int fd = file_new("a", 'a'), again;
	struct timespec times[2];
	struct stat st;
	char path[80];

	(void)state;
	with_cache();
	file_ages(fd);
	resolver_resolve = finds;
	expect_found(look(fd), "filled with a");
	assert_int_equal(fstat(fd, &st), 0);
	again = file_new("a", 'b');
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	snprintf(path, sizeof(path), "%s/a", w.dir);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	expect_found(look(fd), "filled with b");
	assert_int_equal(world_stats().cached, 0);
	close(fd);
	close(again);
}

/* A hint, true once, leads to points that are not this file's: it is looked at anew, and known from then on. */
static void test_hint_lies(void **state)
{
	int fd = file_new("a", 'a'), rw;
	char path[80], *page;

	(void)state;
	with_cache();
	snprintf(path, sizeof(path), "%s/a", w.dir);
	rw = open(path, O_RDWR | O_CLOEXEC);
	page = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, rw, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	page[4] = 'a'; /* its times change here, and not below */
	page[4196] = 'a';
	file_ages(fd);
	resolver_resolve = finds;
	expect_found(look(fd), "filled with a");
	page[4] = 'z';
	expect_found(look(fd), "filled with a"); /* no byte that was analysed is another one */
	assert_int_equal(world_stats().cached, 1);
	page[4196] = 'z';
	expect_found(look(fd), "filled with z");
	assert_int_equal(world_stats().cached, 1);
	resolver_resolve = crashes;
	expect_found(look(fd), "filled with z");
	world_restart();
	expect_found(look(fd), "filled with z");
	munmap(page, FILE_SIZE);
	close(rw);
	close(fd);
}

/* Every line of the hints file says that each file has the first one's content, and its result is forged to fit. */
static void test_forged_hints(void **state)
{
	int a = file_new("a", 'a'), b = file_new("b", 'b');
	char path[96], text[1024], *line, *digest;
	ssize_t n;
	int fd;

	(void)state;
	with_cache();
	file_ages(b);
	resolver_resolve = finds;
	expect_found(look(a), "filled with a");
	expect_found(look(b), "filled with b");
	snprintf(path, sizeof(path), "%s/hints", w.cache);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	line = strchr(text, '\n') + 1;	   /* of a */
	digest = strchr(line, '\n') - 64;
	line = strchr(line, '\n') + 1;	   /* of b */
	memcpy(strchr(line, '\n') - 64, digest, 64);
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	close(fd);
	world_restart();
	expect_found(look(b), "filled with b");
	assert_int_equal(world_stats().cached, 1); /* by its digest */
	resolver_resolve = crashes;
	expect_found(look(b), "filled with b");
	close(a);
	close(b);
}

/* A result on disk that does not fit the file of that digest is written anew. */
static void test_wrong_result(void **state)
{
	int fd = file_new("a", 'a');
	char command[160];

	(void)state;
	with_cache();
	resolver_resolve = finds;
	file_ages(fd);
	look(fd);
	snprintf(command, sizeof(command), "sed -i 's/ 4200 4100 / 100 0 /' %s/[0-9a-f]*[0-9a-f]", w.cache);
	assert_int_equal(system(command), 0);
	world_restart();
	expect_found(look(fd), "filled with a");
	assert_int_equal(world_stats().cached, 0);
	world_restart();
	resolver_resolve = crashes;
	expect_found(look(fd), "filled with a");
	close(fd);
}

static void test_refused(void **state)
{
	char path[80];
	int ends[2], fd, text = file_new("text", 'a');

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(resolver_look(w.r, ends[0], 1), -EINVAL);
	close(ends[0]);
	close(ends[1]);
	fd = open(w.dir, O_RDONLY | O_CLOEXEC);
	assert_int_equal(resolver_look(w.r, fd, 1), -EINVAL);
	close(fd);
	assert_int_equal(resolver_look(w.r, fd, 1), -EBADF);
	snprintf(path, sizeof(path), "%s/fifo", w.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(resolver_look(w.r, fd, 1), -EINVAL);
	close(fd);
	snprintf(path, sizeof(path), "%s/text", w.dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (10LL << 30)), 0);
	assert_int_equal(resolver_look(w.r, text, 1), -EFBIG);
	assert_int_equal(ftruncate(fd, (1LL << 30) + 1), 0);
	assert_int_equal(resolver_look(w.r, text, 1), -EFBIG);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(w.n, 0);
	assert_int_equal(pwrite(fd, "#!/b", 4, 0), 4);
	assert_int_equal(look(text)->err, -ENOEXEC);
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(look(text)->err, -ENOEXEC);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(look(text)->err, -ENOEXEC);
	close(fd);
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_int_equal(resolver_look(w.r, fd, 1), -EBADF);
	close(fd);
	close(text);
	assert_int_equal(world_stats().ns_sum, 0);
}

/* Two are looked at, so many wait; then -ENOBUFS, and all the others are told of in their order. */
static void test_queue_full(void **state)
{
	struct resolver_stats s;
	char name[16];
	int fd[8];

	(void)state;
	w.o.queue_max = 4;
	world_restart();
	resolver_resolve = finds;
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "%d", i);
		fd[i] = file_new(name, (char)('0' + i));
		assert_int_equal(resolver_look(w.r, fd[i], (uint64_t)i), i < 6 ? 0 : -ENOBUFS);
		close(fd[i]);
	}
	w.want = 6;
	assert_int_equal(evloop_run(w.loop), 0);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "filled with %d", (int)w.said[i].tag);
		expect_found(&w.said[i], name);
	}
	s = world_stats();
	assert_int_equal(s.files, 6);
	assert_int_equal(s.refused, 2);
}

/* The same file ten times at once: one child. */
static void test_together(void **state)
{
	int fd = file_new("a", 'a');
	uint64_t tags = 0;

	(void)state;
	file_ages(fd);
	resolver_resolve = finds;
	for (int i = 0; i < 10; i++)
		assert_int_equal(resolver_look(w.r, fd, (uint64_t)i), 0);
	assert_int_equal(w.n, 0);
	w.want = 10;
	assert_int_equal(evloop_run(w.loop), 0);
	for (int i = 0; i < 10; i++) {
		expect_found(&w.said[i], "filled with a");
		tags |= 1ULL << w.said[i].tag;
	}
	assert_int_equal(tags, 1023);
	assert_int_equal(world_stats().cached, 9);
	close(fd);
	fd = file_new("b", 'b');
	resolver_resolve = crashes;
	w.n = 0;
	for (int i = 0; i < 10; i++)
		assert_int_equal(resolver_look(w.r, fd, (uint64_t)i), 0);
	assert_int_equal(evloop_run(w.loop), 0);
	assert_int_equal(world_stats().died, 1);
	close(fd);
}

static unsigned int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* 200 files, every third of them a child's death: no descriptor more than before, and no child (world_down). */
static void test_nothing_left(void **state)
{
	unsigned int before;
	char name[16];

	(void)state;
	with_cache();
	before = descriptors();
	for (int i = 0; i < 200; i++) {
		int fd;

		snprintf(name, sizeof(name), "%d", i);
		fd = file_new(name, (char)i);
		resolver_resolve = i % 3 ? finds : crashes;
		assert_int_equal(look(fd)->err, i % 3 && i >= ' ' && i < 127 ? 0 : -ECHILD);
		close(fd);
	}
	assert_int_equal(descriptors(), before);
	assert_int_equal(world_stats().files, 200);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Freed while two work and others wait: all are gone, nobody is called. */
static void test_freed_early(void **state)
{
	unsigned int before = descriptors();

	(void)state;
	resolver_resolve = spins;
	for (int i = 0; i < 5; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof(name), "%d", i);
		fd = file_new(name, (char)i);
		assert_int_equal(resolver_look(w.r, fd, 1), 0);
		close(fd);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* there are children */
	world_restart();
	assert_int_equal(w.n, 0);
	assert_int_equal(descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Written, through an ordinary descriptor, while the child is at it: whatever was found, it is not said of this file. */
static void test_written_meanwhile(void **state)
{
	int fd = file_new("a", 'a'), again;

	(void)state;
	file_ages(fd);
	resolver_resolve = finds;
	w.want = 1;
	assert_int_equal(resolver_look(w.r, fd, 1), 0);
	again = file_new("a", 'b');
	assert_int_equal(evloop_run(w.loop), 0);
	assert_int_equal(w.said[0].err, -ESTALE);
	assert_int_equal(w.said[0].f.n, 0);
	expect_found(look(fd), "filled with b");
	close(fd);
	close(again);
}

/* From done() the next one is looked at. */
static void look_again(void *ctx, uint64_t tag, int err, const struct tls_found *f)
{
	int *fd = ctx;

	assert_int_equal(err, 0);
	assert_int_equal(f->n, 1);
	w.n++;
	if (tag == 20)
		evloop_stop(w.loop);
	else
		assert_int_equal(resolver_look(w.r, fd[tag % 2], tag + 1), 0);
}

static void test_again_from_done(void **state)
{
	int fd[2] = { file_new("a", 'a'), file_new("b", 'b') };

	(void)state;
	w.o.done = look_again;
	w.o.ctx = fd;
	world_restart();
	file_ages(fd[1]);
	resolver_resolve = finds;
	assert_int_equal(resolver_look(w.r, fd[0], 0), 0);
	assert_int_equal(resolver_look(w.r, fd[0], 11), 0);
	assert_int_equal(evloop_run(w.loop), 0);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
	const struct CMUnitTest tests[] = {
		CASE(test_cached),	 CASE(test_same_content), CASE(test_nothing_is_cached), CASE(test_changed),
		CASE(test_hint_lies),	 CASE(test_forged_hints), CASE(test_wrong_result),	CASE(test_refused),
		CASE(test_queue_full),	 CASE(test_together),	  CASE(test_nothing_left),	CASE(test_freed_early),
		CASE(test_written_meanwhile), CASE(test_again_from_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
