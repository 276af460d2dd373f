/* SPDX-License-Identifier: Apache-2.0 */
/* ident/: who is behind a (pid, start), from records and from /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/procfs.h"
#include "ident/who.h"

static struct ev_exec exec_of(uint32_t pid, uint64_t start, const char *comm, const char *path)
{
	struct ev_exec e = { .hdr = { sizeof(e), EV_EXEC, 0, start + 1, pid, pid, 77 },
			     .start = start, .ppid = 1 };

	strncpy(e.comm, comm, sizeof(e.comm) - 1);
	strncpy(e.path, path, sizeof(e.path) - 1);
	e.path_len = strlen(path);
	return e;
}

static void from_records(void **state)
{
	struct idents *t = idents_new(16, false);
	struct ev_exec a = exec_of(10, 100, "sh", "/bin/sh"), b = exec_of(10, 100, "node", "/bin/node");
	struct ev_exec again = exec_of(10, 900, "other", "/bin/other");
	struct proc_id first = { .pid = 10, .start = 100 }, later = { .pid = 10, .start = 900 };
	struct proc_id none = { .pid = 11, .start = 100 }, zero = {};

	(void)state;
	idents_exec(t, &a);
	assert_string_equal(idents_get(t, &first)->comm, "sh");
	idents_exec(t, &b);
	idents_see(t, &b.hdr, 100);
	assert_string_equal(idents_get(t, &first)->comm, "node");
	assert_string_equal(idents_get(t, &first)->exe, "/bin/node");
	assert_int_equal(idents_get(t, &first)->cgroup, 77);
	/* The pid is used again: another process. */
	idents_exec(t, &again);
	assert_string_equal(idents_get(t, &first)->comm, "node");
	assert_string_equal(idents_get(t, &later)->comm, "other");
	assert_null(idents_get(t, &none));
	assert_null(idents_get(t, &zero));
	idents_free(t);
}

static void least_recent_goes(void **state)
{
	struct idents *t = idents_new(8, false);
	struct proc_id id = { .pid = 1, .start = 1 };

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		struct ev_exec e = exec_of(i, i, "x", "/x");

		idents_exec(t, &e);
		assert_non_null(idents_get(t, &id)); /* asked for all the time */
	}
	id = (struct proc_id){ .pid = 50, .start = 50 };
	assert_null(idents_get(t, &id));
	idents_free(t);
}

/* A live process is asked once it says something; one that only has its pid is not believed. */
static void from_proc(void **state)
{
	struct idents *t = idents_new(8, true);
	struct ev_hdr h = { .pid = getpid() };
	struct proc_id me = { .pid = getpid() }, fake = { .pid = getpid(), .start = 12345 };
	char comm[16];
	pid_t ppid;

	(void)state;
	assert_int_equal(procfs_stat(getpid(), &ppid, &me.start), 0);
	assert_int_equal(procfs_comm(getpid(), comm), 0);
	idents_see(t, &h, me.start);
	assert_string_equal(idents_get(t, &me)->comm, comm);
	assert_int_equal(idents_get(t, &me)->ppid, ppid);
	assert_int_equal(idents_get(t, &me)->exe[0], '/');
	idents_see(t, &h, fake.start);
	assert_string_equal(idents_get(t, &fake)->comm, "");
	idents_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_records),
		cmocka_unit_test(least_recent_goes),
		cmocka_unit_test(from_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
