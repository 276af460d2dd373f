/* SPDX-License-Identifier: Apache-2.0 */
/* model/exit and sink/process_json: how a process ended, and a process in a record. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/exit.h"
#include "sink/process_json.h"

static void evidence_is(const struct who *w, const char *want)
{
	struct buf b, small;

	buf_init(&b, 256);
	assert_int_equal(exit_evidence(w, &b), 0);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	buf_done(&b);
	buf_init(&small, 1);
	assert_true(exit_evidence(w, &small) < 0);
	buf_done(&small);
}

static void test_evidence(void **state)
{
	struct who w = { .exit_code = 256 };

	(void)state;
	evidence_is(&w, "{}");
	w.exited = true;
	evidence_is(&w, "{\"exit_code\":1}");
	w.exit_code = 0;
	evidence_is(&w, "{\"exit_code\":0}");
	w.exit_code = 255 << 8;
	evidence_is(&w, "{\"exit_code\":255}");
	w.exit_code = SIGKILL;
	evidence_is(&w, "{\"signal\":\"SIGKILL\"}");
	w.oom = true;
	evidence_is(&w, "{\"signal\":\"SIGKILL\",\"oom\":true}");
	w.oom = false;
	w.exit_code = SIGSEGV | 0x80;
	evidence_is(&w, "{\"signal\":\"SIGSEGV\"}");
	w.exit_code = 35;
	evidence_is(&w, "{\"signal\":\"SIG35\"}");
	w.exit_code = -1; /* nothing that the kernel says */
	evidence_is(&w, "{\"exit_code\":255}");
}

/* The figures are those of wait(). */
static void test_real(void **state)
{
	struct who w = { .exited = true };
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(42);
	assert_int_equal(waitpid(pid, &w.exit_code, 0), pid);
	evidence_is(&w, "{\"exit_code\":42}");
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &w.exit_code, 0), pid);
	evidence_is(&w, "{\"signal\":\"SIGKILL\"}");
}

static void test_at_start(void **state)
{
	const struct who failed = { .id = { 1000, 5, 0 }, .stdio = true, .exited = true, .exit_code = 256,
				    .exit_ts = 1000 + 10000000000ULL };
	struct who w = failed;

	(void)state;
	assert_true(exit_at_start(&w));
	w.exit_ts++;
	assert_false(exit_at_start(&w));
	w = failed;
	w.stdio = false;
	assert_false(exit_at_start(&w));
	w = failed;
	w.exit_code = 0;
	assert_false(exit_at_start(&w));
	w.exit_code = SIGSEGV;
	assert_true(exit_at_start(&w));
	w.exited = false;
	assert_false(exit_at_start(&w));
}

static void process_is(const struct who *w, const char *want)
{
	struct proc_id id = { .pid = 4242 };
	struct jsonw j;
	struct buf b;

	buf_init(&b, 8192);
	jsonw_init(&j, &b);
	jsonw_open(&j, NULL, '{');
	process_json(&j, &id, w);
	jsonw_close(&j, '}');
	assert_false(j.bad);
	assert_int_equal(buf_add_ch(&b, 0), 0);
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static void test_process(void **state)
{
	struct who_more m = { .parents = 0 };
	struct who w = { .uid = 5 };

	(void)state;
	process_is(NULL, "{\"pid\":4242}");
	process_is(&w, "{\"pid\":4242}");
	w.has_uid = true;
	w.more = &m;
	memcpy(w.comm, "0123456789abcde", 16);
	memcpy(w.exe, "/bin/x", 7);
	process_is(&w, "{\"pid\":4242,\"comm\":\"0123456789abcde\",\"exe\":\"/bin/x\",\"uid\":5}");
	w.uid = 0;
	w.exited = true;
	w.exit_code = SIGKILL;
	w.oom = true;
	memcpy(m.cgroup_path, "/lxc/\x1b[2J", 10);
	memcpy(m.runtime, "lxc", 4);
	memcpy(m.container, "\x1b[2J", 5);
	memcpy(m.pod_uid, "u", 2);
	m.parents = 2;
	m.parent[0] = (struct who_parent){ .pid = 7, .comm = "sh\n" };
	m.parent[1] = (struct who_parent){ .pid = 8 };
	process_is(&w, "{\"pid\":4242,\"comm\":\"0123456789abcde\",\"exe\":\"/bin/x\",\"uid\":0,"
		       "\"container\":{\"id\":\"\\u001b[2J\",\"runtime\":\"lxc\"},\"pod_uid\":\"u\","
		       "\"cgroup\":\"/lxc/\\u001b[2J\",\"parents\":[{\"pid\":7,\"comm\":\"sh\\u000a\"},{\"pid\":8}],"
		       "\"signal\":\"SIGKILL\",\"oom\":true}");
	m = (struct who_more){ .container = "c" };
	w.exit_code = 0;
	process_is(&w, "{\"pid\":4242,\"comm\":\"0123456789abcde\",\"exe\":\"/bin/x\",\"uid\":0,"
		       "\"container\":{\"id\":\"c\"},\"exit_code\":0}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_at_start),
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
