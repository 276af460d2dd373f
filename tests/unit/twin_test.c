/* SPDX-License-Identifier: Apache-2.0 */
/* probe/twin: a probe that was put on through one name of a real file shows under each, and in no other file. Needs root and perf
 * uprobes for what it is about. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/twin.h"
#include "resolve/resolve.h"

#define SKIP 77
#define PAGE 4096

static char dir[] = "/tmp/twin_test.XXXXXX";

/* Points of a file of nothing but nops; one lies across two pages. */
static const struct tls_found found = {
	.n = 2,
	.point = {
		{ .offset = PAGE + 16, .func = PAGE, .nbytes = 16 },
		{ .offset = 2 * PAGE - 3, .func = PAGE, .nbytes = 16 },
	},
};

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void file_make(const char *name, size_t size)
{
	static char nops[4 * PAGE];
	char path[128];
	int fd;

	memset(nops, 0x90, sizeof(nops));
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	if (fd < 0 || write(fd, nops, size) != (ssize_t)size)
		_exit(SKIP);
	close(fd);
}

static int file_open(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int probe(const char *name, uint64_t offset)
{
	struct perf_event_attr a = { .size = sizeof(a), .config2 = offset, .sample_period = 1 };
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	char path[128], type[16] = "";

	if (f && fgets(type, sizeof(type), f))
		a.type = (uint32_t)strtoul(type, NULL, 10);
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	a.config1 = (uint64_t)(uintptr_t)path;
	return a.type ? (int)syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC) : -1;
}

static int overlay(const char *name)
{
	char parts[3][128], options[480];
	static const char *const suffix[] = { "up", "work", "" };

	for (int i = 0; i < 3; i++) {
		snprintf(parts[i], sizeof(parts[i]), "%s/%s%s", dir, name, suffix[i]);
		mkdir(parts[i], 0700);
	}
	snprintf(options, sizeof(options), "lowerdir=%s/low,upperdir=%s,workdir=%s", dir, parts[0], parts[1]);
	return mount(name, parts[2], "overlay", 0, options);
}

#define STEP(ok)                        \
	do {                            \
		step++;                 \
		if (!(ok))              \
			return step;    \
	} while (0)

static int overlays(void)
{
	int step = 0, first, second, a, b, low, other;
	char path[128];

	snprintf(path, sizeof(path), "%s/low", dir);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", dir, "tmpfs", 0, NULL) ||
	    mkdir(path, 0700))
		return SKIP;
	file_make("low/lib", 4 * PAGE);
	file_make("low/same", 4 * PAGE);
	if (overlay("a") || overlay("b"))
		return SKIP;
	a = file_open("a/lib");
	b = file_open("b/lib");
	low = file_open("low/lib");
	other = file_open("a/same");
	STEP(a >= 0 && b >= 0 && low >= 0 && other >= 0);
	STEP(!twin_probed(a, &found) && !twin_probed(b, &found));
	first = probe("a/lib", found.point[0].offset);
	if (first < 0)
		return SKIP;
	STEP(!twin_probed(b, &found)); /* one of two points */
	second = probe("b/lib", found.point[1].offset);
	STEP(second >= 0);
	STEP(twin_probed(a, &found));
	STEP(twin_probed(b, &found));
	STEP(twin_probed(low, &found));
	STEP(!twin_probed(other, &found));
	close(first);
	STEP(!twin_probed(b, &found));
	close(second);
	return 0;
}

static void test_overlays(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(overlays());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIP)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A file that is shorter than it was, and points that no file has: no, and no signal. */
static void test_short(void **state)
{
	struct tls_found none = { 0 }, odd = found;
	char path[128];
	int fd;

	(void)state;
	file_make("short", PAGE + 20);
	fd = file_open("short");
	assert_false(twin_probed(fd, &found));
	assert_false(twin_probed(fd, &none));
	odd.point[0].nbytes = TLS_BYTES + 1;
	assert_false(twin_probed(fd, &odd));
	odd.point[0].nbytes = 4;
	odd.point[0].offset = UINT64_MAX - 2;
	assert_false(twin_probed(fd, &odd));
	close(fd);
	assert_false(twin_probed(fd, &found));
	snprintf(path, sizeof(path), "%s/short", dir);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_overlays), cmocka_unit_test(test_short) };

	return cmocka_run_group_tests_name("twin", tests, set_up, tear_down);
}
