/* SPDX-License-Identifier: Apache-2.0 */
/* ident/: who is behind a (pid, start), from records and from /proc. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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

static void exec_many(struct idents *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i <= to; i++) {
		struct ev_exec e = exec_of(i, i, "x", "/x");

		idents_exec(t, &e);
	}
}

static void least_recent_goes(void **state)
{
	struct idents *t = idents_new(8, false);
	struct proc_id id = { .pid = 1, .start = 1 };
	struct ev_hdr h = { .pid = 500 };
	struct idents_stats st;

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		exec_many(t, i, i);
		assert_non_null(idents_get(t, &id)); /* asked for all the time */
	}
	id = (struct proc_id){ .pid = 50, .start = 50 };
	assert_null(idents_get(t, &id));
	idents_stats(t, &st);
	assert_int_equal(st.evicted, 0); /* none had said a word */
	idents_see(t, &h, 500);
	exec_many(t, 101, 104);
	idents_stats(t, &st);
	assert_int_equal(st.evicted, 1);
	idents_free(t);
}

/* No storm of other processes pushes out those that speak MCP. */
static void peers_stay(void **state)
{
	struct idents *t = idents_new(8, false);
	struct proc_id id = { .pid = 1, .start = 1 }, second = { .pid = 2, .start = 2 };
	struct idents_stats st;

	(void)state;
	exec_many(t, 1, 2);
	assert_non_null(idents_peer(t, &id, false));
	assert_non_null(idents_peer(t, &second, false));
	exec_many(t, 10, 1000);
	assert_string_equal(idents_get(t, &id)->exe, "/x");
	assert_string_equal(idents_get(t, &second)->exe, "/x");
	/* Among themselves, the least recently used goes. */
	for (uint32_t i = 2000; i < 2003; i++) {
		struct proc_id other = { .pid = i, .start = i };
		struct ev_hdr h = { .pid = i };

		idents_see(t, &h, i);
		assert_non_null(idents_get(t, &second));
		assert_non_null(idents_peer(t, &other, false));
	}
	assert_null(idents_get(t, &id));
	assert_non_null(idents_get(t, &second));
	for (uint32_t i = 2003; i < 2007; i++) {
		struct proc_id other = { .pid = i, .start = i };
		struct ev_hdr h = { .pid = i };

		idents_see(t, &h, i);
		assert_non_null(idents_peer(t, &other, false));
	}
	idents_stats(t, &st);
	assert_int_equal(st.evicted, 3); /* 2000, 2001, 2002: they had said something */
	idents_free(t);
}

static struct ev_exit exit_of(uint32_t pid, uint64_t start, uint32_t code, uint16_t flags)
{
	return (struct ev_exit){ .hdr = { sizeof(struct ev_exit), EV_EXIT, flags, start + 5, pid, pid, 77 },
				 .start = start, .code = code, .uid = 33 };
}

static void ends(void **state)
{
	struct idents *t = idents_new(16, false);
	struct ev_exec a = exec_of(10, 100, "sh", "/bin/sh"), b = exec_of(11, 100, "sh", "/bin/sh");
	struct ev_exit old = exit_of(10, 100, 9, EV_F_OOM), new = exit_of(11, 100, 256, EV_F_UID);
	struct ev_exit other = exit_of(10, 99, 9, 0), again = exit_of(10, 100, 15, EV_F_UID);
	const struct who *w;

	(void)state;
	a.in_chan = CHAN_PIPE;
	idents_exec(t, &a);
	idents_exec(t, &b);
	assert_null(idents_exit(t, &other));
	w = idents_exit(t, &old);
	assert_non_null(w);
	assert_true(w->exited && w->oom && w->stdio && !w->has_uid);
	assert_int_equal(w->exit_code, 9);
	assert_int_equal(w->exit_ts, 105);
	assert_string_equal(w->exe, "/bin/sh");
	assert_null(idents_exit(t, &again)); /* two last threads at once */
	assert_int_equal(w->exit_code, 9);
	w = idents_exit(t, &new);
	assert_true(w->exited && !w->oom && !w->stdio && w->has_uid);
	assert_int_equal(w->uid, 33);
	idents_free(t);
}

static uint64_t agent_of(struct idents *t, uint32_t pid)
{
	struct proc_id id = { .pid = pid, .start = pid };

	return idents_peer(t, &id, true)->agent;
}

static void agents(void **state)
{
	struct idents *t = idents_new(64, false);
	struct proc_id server = { .pid = 11, .start = 11 };
	struct ev_exit e;
	struct ev_exec x;

	(void)state;
	exec_many(t, 10, 30);
	assert_int_equal(idents_peer(t, &server, false)->agent, 0);
	assert_int_equal(agent_of(t, 10), 1);
	assert_int_equal(agent_of(t, 10), 1);
	assert_int_equal(agent_of(t, 12), 2); /* both alive */
	e = exit_of(10, 10, 0, 0); /* at 15 */
	idents_exit(t, &e);
	assert_int_equal(agent_of(t, 10), 1); /* its last words */
	assert_int_equal(agent_of(t, 14), 3);
	assert_int_equal(agent_of(t, 15), 1); /* started again */
	assert_int_equal(agent_of(t, 16), 4);
	/* Gone before its first word was decoded. */
	e = exit_of(17, 17, 0, 0);
	idents_exit(t, &e);
	assert_int_equal(agent_of(t, 17), 5);
	assert_int_equal(agent_of(t, 22), 5);
	/* Another program, another parent. */
	e = exit_of(12, 12, 0, 0);
	idents_exit(t, &e);
	x = exec_of(40, 40, "y", "/y");
	idents_exec(t, &x);
	assert_int_equal(agent_of(t, 40), 6);
	x = exec_of(41, 41, "x", "/x");
	x.ppid = 2;
	idents_exec(t, &x);
	assert_int_equal(agent_of(t, 41), 7);
	/* It becomes another program: no agent until it speaks, and its number is free from then on. */
	x = exec_of(40, 40, "x", "/x");
	x.hdr.ts = 50;
	idents_exec(t, &x);
	assert_int_equal(agent_of(t, 40), 2); /* after 12 */
	for (uint32_t i = 49; i <= 50; i++) {
		x = exec_of(i, i, "y", "/y");
		idents_exec(t, &x);
		assert_int_equal(agent_of(t, i), i == 49 ? 8 : 6);
	}
	/* What program it was is not known: nothing is handed on. */
	for (uint32_t i = 60; i < 80; i += 10) {
		struct ev_hdr h = { .pid = i };

		idents_see(t, &h, i);
		assert_int_equal(agent_of(t, i), i == 60 ? 9 : 10);
		e = exit_of(i, i, 0, 0);
		idents_exit(t, &e);
	}
	idents_free(t);
}

/* A live process is asked once it says something; one that only has its pid is not believed. */
static void from_proc(void **state)
{
	struct idents *t = idents_new(8, true);
	struct ev_hdr h = { .pid = getpid() };
	struct proc_id me = { .pid = getpid() }, fake = { .pid = getpid(), .start = 12345 };
	struct ev_exec e = exec_of(getpid(), 0, "script", "/script");
	int dir = procfs_dir(getpid());
	struct procfs_stat st;
	const struct who *w;

	(void)state;
	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	me.start = st.start_ns;
	idents_see(t, &h, me.start);
	w = idents_get(t, &me);
	assert_string_equal(w->comm, st.comm);
	assert_int_equal(w->ppid, st.ppid);
	assert_int_equal(w->exe[0], '/');
	assert_null(w->more);
	assert_false(w->has_uid);
	assert_ptr_equal(idents_peer(t, &me, true), w);
	assert_true(w->has_uid);
	assert_int_equal(w->uid, geteuid());
	assert_non_null(w->more);
	assert_int_equal(w->more->cgroup_path[0], '/');
	if (getppid() > 2)
		assert_int_equal(w->more->parent[0].pid, getppid());
	for (unsigned int i = 0; i < w->more->parents; i++)
		assert_true(w->more->parent[i].pid > 2);
	assert_int_equal(w->agent, 1);
	e.start = me.start;
	idents_exec(t, &e);
	assert_string_equal(w->exe, "/script");
	idents_see(t, &h, me.start); /* asked again */
	assert_string_equal(w->comm, st.comm);
	assert_string_not_equal(w->exe, "/script");
	idents_see(t, &h, fake.start);
	w = idents_peer(t, &fake, true);
	assert_string_equal(w->comm, "");
	assert_string_equal(w->exe, "");
	assert_string_equal(w->more->cgroup_path, "");
	assert_int_equal(w->more->parents, 0);
	assert_false(w->has_uid);
	assert_int_equal(w->agent, 2);
	idents_free(t);
}

struct data {
	struct ev_data d;
	char text[64];
};

static struct data data_of(uint32_t pid, const char *text)
{
	struct data x = { .d = { .hdr = { .kind = EV_DATA, .pid = pid }, .have = strlen(text) } };

	memcpy(x.d.data, text, x.d.have);
	return x;
}

/* What may be MCP is worth a long look at once: its process may be gone when the message is whole. */
static void looked_at_once(void **state)
{
	static const struct {
		const char *text;
		bool more;
	} cases[] = {
		{ "{\"jsonrpc\":\"2.0\"", true },
		{ "{\"id\":1,\"jsonrpc\":\"2.0\"}\n", true },
		{ "POST /mcp HTTP/1.1\r\n", true },
		{ "HTTP/1.1 200 OK\r\n", true },
		{ "{\"json\":1}", false },
		{ "GET / HTTP/1.1\r\n", false },
		{ "", false },
	};
	struct data x = data_of(0, "\"jsonrpc\"");

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct idents *t = idents_new(8, true);
		struct proc_id id = { .pid = 0x7ffffff0, .start = 1 };
		struct data first = data_of(id.pid, "banner"), d = data_of(id.pid, cases[i].text);

		idents_see(t, &first.d.hdr, id.start);
		assert_null(idents_get(t, &id)->more);
		idents_see(t, &d.d.hdr, id.start);
		assert_int_equal(idents_get(t, &id)->more != NULL, cases[i].more);
		idents_free(t);
	}
	x.d.have = 0; /* what follows is another record */
	x.d.hdr.pid = 5;
	{
		struct idents *t = idents_new(8, true);
		struct proc_id id = { .pid = 5, .start = 1 };

		idents_see(t, &x.d.hdr, 1);
		assert_null(idents_get(t, &id)->more);
		idents_free(t);
	}
}

static pid_t sleeper(const char *name, int ready[2])
{
	pid_t pid = fork();
	char c;

	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	return pid;
}

static uint64_t start_of(pid_t pid)
{
	int dir = procfs_dir(pid);
	struct procfs_stat st;

	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	return st.start_ns;
}

/* A process that is gone when we come: what its exec said, and its parents, who live. */
static void gone_already(void **state)
{
	struct idents *t = idents_new(8, true);
	int ready[2];
	pid_t pid;
	struct proc_id id;
	struct ev_exec e;
	struct ev_hdr h;
	const struct who *w;

	(void)state;
	prctl(PR_SET_NAME, "parent\n)");
	assert_int_equal(pipe(ready), 0);
	pid = sleeper("child", ready);
	id = (struct proc_id){ .pid = pid, .start = start_of(pid) };
	kill(pid, SIGKILL);
	for (int zombie = 1; zombie >= 0; zombie--) { /* then without a trace */
		siginfo_t info;

		assert_int_equal(waitid(P_PID, pid, &info, zombie ? WEXITED | WNOWAIT : WEXITED), 0);
		e = exec_of(pid, id.start, "node", "/usr/bin/node");
		e.hdr.cgroup = 0;
		e.ppid = getpid();
		idents_exec(t, &e);
		h = (struct ev_hdr){ .pid = pid };
		idents_see(t, &h, id.start);
		w = idents_peer(t, &id, true);
		assert_string_equal(w->exe, "/usr/bin/node");
		assert_int_equal(w->ppid, getpid());
		assert_int_equal(w->more->parent[0].pid, getpid());
		assert_string_equal(w->more->parent[0].comm, "parent\n)");
	}
	assert_string_equal(w->comm, "node");
	/* The parent's pid belongs to somebody younger: no parent. */
	id = (struct proc_id){ .pid = 0x7ffffff0, .start = start_of(getpid()) - 20000000 };
	e.hdr.pid = id.pid;
	e.start = id.start;
	idents_exec(t, &e);
	w = idents_peer(t, &id, true);
	assert_int_equal(w->more->parents, 0);
	idents_free(t);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_records),	  cmocka_unit_test(least_recent_goes),
		cmocka_unit_test(peers_stay),	  cmocka_unit_test(ends),
		cmocka_unit_test(agents),	  cmocka_unit_test(from_proc),
		cmocka_unit_test(looked_at_once), cmocka_unit_test(gone_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
