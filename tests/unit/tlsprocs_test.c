/* SPDX-License-Identifier: Apache-2.0 */
/* probe/tlsprocs: who is looked at when, what is told of whom and how often, and that nobody is left behind. The processes are
 * real, what they map is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/procfs.h"
#include "probe/tlsprocs.h"
#include "tls_stack.h"
#include "tlsprocs_fakes.h"

/* --- The world -------------------------------------------------------------------------------------------------- */

static int on_tell(void *ctx, const struct ev_hooked *h)
{
	assert_ptr_equal(ctx, &w);
	if (w.deaf)
		return -EAGAIN;
	w.ntold++;
	w.told = *h;
	return 0;
}

/* Not a child of ours, which would be taken for one that looks into files. */
static pid_t process_new(void)
{
	pid_t *pid = mmap(NULL, sizeof(*pid), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork(), got;

	if (child == 0) {
		got = fork();
		if (got == 0) {
			for (;;)
				pause();
		}
		*pid = got;
		_exit(0);
	}
	waitpid(child, NULL, 0);
	got = *pid;
	munmap(pid, sizeof(*pid));
	return got;
}

static uint64_t start_of(pid_t pid)
{
	struct procfs_stat st;
	int dir = procfs_dir(pid);

	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	return st.start_ns + 12345; /* as the kernel has it to the nanosecond */
}

static void process_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	for (int dir = procfs_dir(pid); dir >= 0; dir = procfs_dir(pid)) {
		close(dir); /* whoever adopted it waits for it */
		usleep(1000);
	}
}

/* To the end of a sweep. */
static void sweep(void)
{
	tlsprocs_sweep(w.t);
	do
		tlsprocs_tick(w.t, clock_boot_ns());
	while (tlsprocs_busy(w.t));
}

static int set_up(void **state)
{
	const struct tlsfiles_opts o = { 0 };

	(void)state;
	memset(&w, 0, sizeof(w));
	w.state[1] = TLSFILE_NOTHING;
	w.state[2] = TLSFILE_PROBED;
	w.state[BUSY] = TLSFILE_NOTHING;
	w.state[4] = TLSFILE_OPAQUE;
	w.state[5] = TLSFILE_REFUSED;
	w.state[6] = TLSFILE_PROBED;
	w.pid = w.mapper = process_new();
	w.start = start_of(w.pid);
	w.t = tlsprocs_new(&o, on_tell, &w);
	if (!w.t)
		return -1;
	sweep(); /* as at the start */
	w.reads = 0;
	return 0;
}

static int tear_down(void **state)
{
	uint32_t refs = 0;

	(void)state;
	tlsprocs_free(w.t);
	process_end(w.pid);
	process_end(w.other);
	for (int i = 0; i < FILES; i++)
		refs += w.refs[i];
	return refs != 0;
}

static void maps(uint32_t n, const uint64_t *inos)
{
	w.nmaps = n;
	memcpy(w.maps, inos, n * sizeof(inos[0]));
}

#define MAPS(...) maps(sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, (const uint64_t[]){ __VA_ARGS__ })

static void look(enum hooks_reason why)
{
	tlsprocs_look(w.t, (uint32_t)w.pid, w.start, why);
}

static void assert_told(uint32_t n, enum hooked_state state, uint32_t stacks, const char *why)
{
	assert_int_equal(w.ntold, n);
	assert_int_equal(w.told.hdr.size, sizeof(w.told));
	assert_int_equal(w.told.hdr.kind, EV_HOOKED);
	assert_int_equal(w.told.hdr.pid, w.pid);
	assert_int_equal(w.told.start, w.start);
	assert_int_equal(w.told.state, state);
	assert_int_equal(w.told.stacks, stacks);
	assert_string_equal(w.told.why, why);
}

static uint32_t procs(void)
{
	struct hooks_stats s = { 0 };

	tlsprocs_stats(w.t, &s);
	assert_int_equal(s.known_files, 4);
	return s.procs;
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

/* Nothing, by and by; then TLS code that is loaded late; each once. */
static void test_exec(void **state)
{
	uint64_t now = clock_boot_ns();

	(void)state;
	MAPS(1);
	look(HOOKS_EXEC);
	assert_int_equal(w.ntold, 0); /* as it starts there is nothing yet */
	assert_true(tlsprocs_waiting(w.t));
	tlsprocs_tick(w.t, now + 49 * MS);
	assert_int_equal(w.reads, 1);
	tlsprocs_tick(w.t, clock_boot_ns() + 50 * MS);
	assert_int_equal(w.reads, 2);
	assert_told(1, HOOKED_NOTHING, 0, "");
	assert_int_equal(w.told.on, 0);
	MAPS(1, 2);
	tlsprocs_tick(w.t, clock_boot_ns() + 500 * MS);
	assert_told(2, HOOKED_YES, 1 << 2, "why 2");
	assert_int_equal(w.told.on, 1002);
	tlsprocs_tick(w.t, clock_boot_ns() + 3000 * MS);
	assert_int_equal(w.reads, 4);
	assert_int_equal(w.ntold, 2);
	assert_false(tlsprocs_waiting(w.t));
	tlsprocs_tick(w.t, clock_boot_ns() + 9000 * MS);
	assert_int_equal(w.reads, 4);
}

static void test_exec_probed(void **state)
{
	(void)state;
	MAPS(1, 2);
	look(HOOKS_EXEC);
	assert_told(1, HOOKED_YES, 1 << 2, "why 2");
	MAPS(2);
	look(HOOKS_EXEC); /* another program: it is told again */
	assert_told(2, HOOKED_YES, 1 << 2, "why 2");
	MAPS(1);
	look(HOOKS_EXEC);
	assert_int_equal(w.ntold, 2);
	look(HOOKS_HELLO);
	assert_told(3, HOOKED_NOTHING, 0, "");
	look(HOOKS_HELLO);
	assert_int_equal(w.ntold, 3);
}

/* What stands in the wrong place is taken off: in the files of that process which have the stack. */
static void test_odd(void **state)
{
	(void)state;
	MAPS(1, 2, 4);
	look(HOOKS_HELLO);
	assert_told(1, HOOKED_YES, 1 << 2, "why 2");
	tlsprocs_odd(w.t, (uint32_t)w.pid, w.start, 3, ODD_MEMORY);
	tlsprocs_odd(w.t, (uint32_t)w.pid, w.start + NSEC_PER_SEC, 2, ODD_MEMORY);
	tlsprocs_odd(w.t, (uint32_t)w.pid + 1, w.start, 2, ODD_MEMORY);
	tlsprocs_odd(w.t, (uint32_t)w.pid, w.start, 2 + 32, ODD_MEMORY);
	tlsprocs_odd(w.t, (uint32_t)w.pid, w.start, 2, ODD_RECORD);
	assert_int_equal(w.withdrawn, 1 << 2);
	assert_int_equal(w.what, ODD_RECORD);
}

/* The most telling file says why; what has probes says so, whatever else there is. */
static void test_why(void **state)
{
	(void)state;
	MAPS(1, 5, 4);
	look(HOOKS_HELLO);
	assert_told(1, HOOKED_REFUSED, 0, "why 4");
	MAPS(4, 5);
	look(HOOKS_HELLO);
	assert_int_equal(w.ntold, 1);
	MAPS(1, 5);
	look(HOOKS_HELLO);
	assert_told(2, HOOKED_REFUSED, 0, "why 5");
	MAPS(4, 6, 5, 2);
	look(HOOKS_HELLO);
	assert_told(3, HOOKED_YES, 1 << (6 % TLS_STACKS) | 1 << 2, "why 6");
}

/* Nothing is said while a file is being looked at. */
static void test_pending(void **state)
{
	(void)state;
	w.state[BUSY] = TLSFILE_RESOLVING;
	MAPS(1, BUSY);
	look(HOOKS_HELLO);
	assert_int_equal(w.ntold, 0);
	assert_int_equal(w.refs[BUSY], 1);
	w.state[BUSY] = TLSFILE_PROBED;
	w.fo.changed(w.fo.ctx, BUSY);
	assert_told(1, HOOKED_YES, 1 << BUSY, "why 3");
	w.fo.changed(w.fo.ctx, BUSY);
	w.fo.changed(w.fo.ctx, 2);
	assert_int_equal(w.ntold, 1);
	w.state[BUSY] = TLSFILE_NEW; /* it is being written */
	w.fo.changed(w.fo.ctx, BUSY);
	assert_told(2, HOOKED_REFUSED, 0, "why 3");
}

/* Files without TLS code are not held, and not asked for again while the same is mapped. */
static void test_cheap(void **state)
{
	(void)state;
	MAPS(1, 2, 7);
	w.state[7] = TLSFILE_NOTHING;
	look(HOOKS_HELLO);
	assert_int_equal(w.gets, 3);
	assert_int_equal(w.refs[1], 0);
	assert_int_equal(w.refs[2], 1);
	sweep();
	assert_int_equal(w.gets, 3);
	MAPS(7, 2, 1); /* elsewhere */
	sweep();
	assert_int_equal(w.gets, 3);
	MAPS(1, 2);
	sweep();
	assert_int_equal(w.gets, 5);
	look(HOOKS_HELLO); /* now it matters */
	assert_int_equal(w.gets, 7);
	w.state[2] = TLSFILE_NEW;
	sweep();
	assert_int_equal(w.gets, 9);
	assert_int_equal(w.refs[2], 1);
}

/* What the sweep finds has no exact start: it is told of once somebody knows that. */
static void test_sweep(void **state)
{
	(void)state;
	MAPS(2);
	sweep();
	assert_int_equal(w.refs[2], 1);
	assert_int_equal(w.ntold, 0);
	look(HOOKS_HELLO);
	assert_told(1, HOOKED_YES, 1 << 2, "why 2");
	w.reads = 0;
	tlsprocs_tick(w.t, clock_boot_ns());
	assert_int_equal(w.reads, 0);
	tlsprocs_tick(w.t, clock_boot_ns() + TLSPROCS_SWEEP_NS);
	assert_int_not_equal(w.reads, 0);
}

/* A file that was being written is asked for again from those that have it, and nobody else is looked at. */
static void test_again(void **state)
{
	(void)state;
	MAPS(2);
	w.mapper = w.pid;
	sweep();
	w.state[2] = TLSFILE_NEW;
	w.reads = w.gets = 0;
	tlsprocs_tick(w.t, clock_boot_ns());
	assert_int_equal(w.reads, 0);
	w.again = true;
	tlsprocs_tick(w.t, clock_boot_ns());
	while (tlsprocs_busy(w.t))
		tlsprocs_tick(w.t, clock_boot_ns());
	assert_int_equal(w.reads, 1);
	assert_int_equal(w.gets, 1);
	assert_int_equal(w.refs[2], 1);
	w.state[2] = TLSFILE_PROBED;
	w.again = true;
	tlsprocs_tick(w.t, clock_boot_ns());
	assert_int_equal(w.reads, 1);
	assert_false(tlsprocs_busy(w.t));
}

/* Nothing but the processes that look is left out. */
static void test_ourselves(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		for (;;)
			pause();
	}
	MAPS(2);
	w.mapper = child;
	sweep();
	assert_int_equal(w.refs[2], 0);
	w.mapper = getpid();
	sweep();
	w.mapper = getppid();
	sweep();
	assert_int_equal(w.refs[2], 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_end(void **state)
{
	uint32_t before;

	(void)state;
	MAPS(2);
	look(HOOKS_EXEC);
	sweep();
	before = procs();
	tlsprocs_look(w.t, (uint32_t)w.pid, w.start + 1, HOOKS_EXIT); /* of one that had the pid before */
	assert_int_equal(w.refs[2], 1);
	look(HOOKS_EXIT);
	assert_int_equal(w.refs[2], 0);
	assert_int_equal(procs(), before - 1);
	look(HOOKS_EXIT);
	w.reads = 0;
	tlsprocs_tick(w.t, clock_boot_ns() + 4000 * MS); /* its timers are nobody's */
	assert_int_equal(w.reads, 0);
	look(HOOKS_HELLO);
	assert_int_equal(w.refs[2], 1);
	process_end(w.pid);
	sweep();
	assert_int_equal(w.refs[2], 0);
	w.ntold = 0;
	look(HOOKS_HELLO);
	assert_int_equal(w.ntold, 0);
}

/* A swept one is known by its start as /proc has it. */
static void test_end_of_swept(void **state)
{
	(void)state;
	MAPS(2);
	sweep();
	tlsprocs_look(w.t, (uint32_t)w.pid, w.start + 30 * MS, HOOKS_EXIT);
	assert_int_equal(w.refs[2], 1);
	look(HOOKS_EXIT);
	assert_int_equal(w.refs[2], 0);
}

/* Another process has the pid by now. */
static void test_pid_used_again(void **state)
{
	(void)state;
	MAPS(2);
	tlsprocs_look(w.t, (uint32_t)w.pid, w.start - 30 * MS, HOOKS_HELLO);
	tlsprocs_look(w.t, (uint32_t)w.pid, w.start + 30 * MS, HOOKS_EXEC);
	assert_int_equal(w.reads, 0);
	assert_int_equal(w.ntold, 0);
}

/* What could not be told is told later, as it is then. */
static void test_deaf(void **state)
{
	(void)state;
	w.deaf = true;
	MAPS(4);
	look(HOOKS_HELLO);
	tlsprocs_tick(w.t, clock_boot_ns());
	assert_true(tlsprocs_waiting(w.t));
	MAPS(2);
	look(HOOKS_HELLO);
	w.deaf = false;
	tlsprocs_tick(w.t, clock_boot_ns());
	assert_told(1, HOOKED_YES, 1 << 2, "why 2");
	assert_false(tlsprocs_waiting(w.t));
	w.deaf = true;
	MAPS(4);
	look(HOOKS_HELLO);
	look(HOOKS_EXIT);
	assert_false(tlsprocs_waiting(w.t));
	w.deaf = false;
	tlsprocs_tick(w.t, clock_boot_ns());
	assert_int_equal(w.ntold, 1);
}

static void test_timers_full(void **state)
{
	uint64_t before = tlsprocs_full(w.t);

	(void)state;
	MAPS(1);
	assert_int_equal(before, 100);
	for (unsigned int i = 0; i < TLSPROCS_TIMERS / 3; i++)
		look(HOOKS_EXEC);
	assert_int_equal(tlsprocs_full(w.t), before);
	look(HOOKS_EXEC);
	assert_int_equal(tlsprocs_full(w.t), before + 3 - TLSPROCS_TIMERS % 3);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exec),  TEST(test_exec_probed), TEST(test_why), TEST(test_odd), TEST(test_pending),	   TEST(test_cheap),
		TEST(test_sweep), TEST(test_again), TEST(test_ourselves),	  TEST(test_end), TEST(test_end_of_swept), TEST(test_pid_used_again),
		TEST(test_deaf),  TEST(test_timers_full),
	};

	return cmocka_run_group_tests_name("tlsprocs", tests, NULL, NULL);
}
