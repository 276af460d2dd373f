/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/logical: several requests that are one call. */
#include "mcp_channel.h"
#include "mcp_web.h"

static struct rpc_msg question(const char *id, const char *request_state)
{
	struct rpc_msg a = words_result(id);

	words_set(&a, RPC_F_RESULT_TYPE, "\"input_required");
	if (request_state)
		words_set(&a, RPC_F_RESULT_STATE, request_state);
	return a;
}

static struct rpc_msg again(const char *id, const char *request_state)
{
	struct rpc_msg r = words_request(id, "tools/call");

	words_set(&r, RPC_F_REQUEST_STATE, request_state);
	return r;
}

static struct rpc_msg modern_task(const char *id, const char *task)
{
	struct rpc_msg a = words_result(id);

	words_set(&a, RPC_F_RESULT_TYPE, "\"task");
	words_set(&a, RPC_F_RESULT_TASK_ID, task);
	words_set(&a, RPC_F_RESULT_STATUS, "\"working");
	return a;
}

static struct rpc_msg poll(const char *id, const char *method, const char *task)
{
	struct rpc_msg r = words_request(id, method);

	words_set(&r, RPC_F_TASK_ID, task);
	return r;
}

static struct rpc_msg status(const char *id, const char *word)
{
	struct rpc_msg a = words_result(id);

	words_set(&a, RPC_F_RESULT_STATUS, word);
	return a;
}

static void task_begin(struct peers *p, struct rpc_msg answer)
{
	channel_begin(p, NULL);
	channel_up(p, words_request("1", "tools/call"));
	channel_down(p, answer);
	assert_string_equal(channel_last(p)->logical, "l1");
	assert_int_equal(channel_last(p)->part, PART_TASK);
	assert_int_equal(channel_last(p)->outcome, CALL_OK);
}

static void test_task(void **state)
{
	struct rpc_msg a = status("3", "\"completed");
	struct peers p;

	(void)state;
	task_begin(&p, modern_task("1", "\"t1"));
	channel_up(&p, poll("2", "tasks/get", "\"t1"));
	channel_down(&p, status("2", "\"working"));
	assert_string_equal(channel_last(&p)->logical, "l1");
	assert_int_equal(channel_last(&p)->part, PART_POLL);
	channel_up(&p, poll("9", "tasks/get", "\"t2")); /* somebody else's */
	channel_down(&p, status("9", "\"completed"));
	assert_null(channel_last(&p)->logical);
	words_set(&a, RPC_F_RESULT_INNER_ERROR, "true");
	channel_up(&p, poll("3", "tasks/get", "\"t1"));
	channel_down(&p, a);
	assert_int_equal(channel_last(&p)->outcome, CALL_OK); /* of the poll */
	assert_said(&p, "logical l1 by task: tools/call tool_error, requests 3, polls 2", 1);
	channel_up(&p, poll("4", "tasks/get", "\"t1"));
	channel_down(&p, status("4", "\"completed"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical", 1);
	peers_done(&p);
}

static void test_task_error(void **state)
{
	struct rpc_msg a = status("2", "\"failed");
	struct peers p;

	(void)state;
	task_begin(&p, modern_task("1", "\"t1"));
	words_set(&a, RPC_F_RESULT_INNER_CODE, "-32000");
	channel_up(&p, poll("2", "tasks/get", "\"t1"));
	channel_down(&p, a);
	assert_said(&p, "logical l1 by task: tools/call rpc_error, requests 2, polls 1", 1);
	assert_int_equal(p.code, -32000);
	peers_done(&p);
}

static struct rpc_msg legacy_task(const char *id, const char *task)
{
	struct rpc_msg a = words_result(id);

	words_set(&a, RPC_F_RESULT_TASK_ID1, task);
	return a;
}

/* The core's tasks/get says that it failed, tasks/result how. The time is that of the first of both. */
static void test_legacy_task(void **state)
{
	struct rpc_msg a = words_result("3");
	struct peers p;
	uint64_t start, end;

	(void)state;
	task_begin(&p, legacy_task("1", "\"t1"));
	start = channel_last(&p)->start;
	channel_up(&p, poll("2", "tasks/get", "\"t1"));
	channel_down(&p, status("2", "\"failed"));
	end = p.now + 150000;
	peers_wait(&p, 5000);
	assert_said(&p, "logical", 0);
	words_set(&a, RPC_F_IS_ERROR, "true");
	channel_up(&p, poll("3", "tasks/result", "\"t1"));
	channel_down(&p, a);
	assert_said(&p, "logical l1 by task: tools/call tool_error, requests 3, polls 2", 1);
	assert_int_equal(p.total_ns, end - start);
	peers_done(&p);
}

static void test_legacy_task_blocking(void **state)
{
	struct peers p;

	(void)state;
	task_begin(&p, legacy_task("1", "\"t1"));
	channel_up(&p, poll("2", "tasks/result", "\"t1"));
	channel_down(&p, words_error("2", "-32603"));
	assert_said(&p, "logical l1 by task: tools/call rpc_error, requests 2, polls 1", 1);
	peers_done(&p);
}

/* Nobody fetches the result: what the status says. */
static void test_legacy_task_unfetched(void **state)
{
	struct rpc_msg n = words_note("notifications/tasks/status");
	struct peers p;

	(void)state;
	task_begin(&p, legacy_task("1", "\"t1"));
	words_set(&n, RPC_F_TASK_ID, "\"t1");
	words_set(&n, RPC_F_STATUS, "\"working");
	channel_down(&p, n);
	words_set(&n, RPC_F_STATUS, "\"completed");
	channel_down(&p, n);
	peers_wait(&p, 59000);
	assert_said(&p, "logical", 0);
	peers_wait(&p, 2000);
	assert_said(&p, "logical l1 by task: tools/call ok, requests 1, polls 0", 1);
	channel_up(&p, words_request("2", "tools/call")); /* ... nor when the session ends first */
	channel_down(&p, legacy_task("2", "\"t2"));
	words_set(&n, RPC_F_TASK_ID, "\"t2");
	channel_down(&p, n);
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical l2 by task: tools/call ok, requests 1, polls 0", 1);
	peers_done(&p);
}

static void test_task_cancelled(void **state)
{
	struct peers p;

	(void)state;
	task_begin(&p, legacy_task("1", "\"t1"));
	channel_up(&p, poll("2", "tasks/cancel", "\"t1"));
	channel_down(&p, status("2", "\"cancelled"));
	assert_said(&p, "logical l1 by task: tools/call cancelled, requests 2, polls 1", 1);
	peers_done(&p);
}

static void test_task_by_note(void **state)
{
	struct rpc_msg n = words_note("notifications/tasks");
	struct peers p;

	(void)state;
	task_begin(&p, modern_task("1", "\"t1"));
	words_set(&n, RPC_F_TASK_ID, "\"t1");
	words_set(&n, RPC_F_STATUS, "\"completed");
	words_set(&n, RPC_F_NOTE_ERROR, "true");
	channel_up(&p, n); /* not who runs it */
	assert_said(&p, "logical", 0);
	channel_down(&p, n);
	assert_said(&p, "logical l1 by task: tools/call tool_error, requests 1, polls 0", 1);
	peers_done(&p);
}

/* A question, then a task, then the result: one call. */
static void test_input_then_task(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, question("1", "\"st1"));
	channel_up(&p, again("2", "\"st1"));
	channel_down(&p, modern_task("2", "\"t1"));
	assert_int_equal(channel_last(&p)->part, PART_TASK);
	channel_up(&p, poll("3", "tasks/get", "\"t1"));
	channel_down(&p, status("3", "\"completed"));
	assert_said(&p, "logical l1 by task: tools/call ok, requests 3, polls 1", 1);
	peers_done(&p);
}

/* The same task id once more: who asks about it means the later one. */
static void test_task_id_again(void **state)
{
	struct peers p;

	(void)state;
	task_begin(&p, modern_task("1", "\"t1"));
	channel_up(&p, words_request("2", "tools/call"));
	channel_down(&p, modern_task("2", "\"t1"));
	assert_said(&p, "logical l1 by task: tools/call unanswered, requests 1, polls 0, open", 1);
	channel_up(&p, poll("3", "tasks/get", "\"t1"));
	channel_down(&p, status("3", "\"completed"));
	assert_said(&p, "logical l2 by task: tools/call ok, requests 2, polls 1", 1);
	peers_done(&p);
}

static void test_open_at_end(void **state)
{
	struct peers p;

	(void)state;
	task_begin(&p, modern_task("1", "\"t1"));
	channel_up(&p, poll("2", "tasks/get", "\"t1"));
	mcp_stream_end(p.m, UP, p.now, "eof");
	mcp_stream_end(p.m, DOWN, p.now, "eof");
	assert_said(&p, "logical l1 by task: tools/call unanswered, requests 2, polls 1, open", 1);
	assert_string_equal(p.line[p.lines - 1], "end s1 eof 3 0 server=srv");
	peers_done(&p);
}

/* In the modern era there is no session: the task is the server's, whoever asks. */
static void test_task_of_endpoint(void **state)
{
	struct rpc_msg r = words_modern("2", "tasks/get");
	struct mcp_http x;
	struct web w;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_modern("1", "tools/call"));
	web_tell(&w, &x, modern_task("1", "\"t1"));
	words_set(&r, RPC_F_TASK_ID, "\"t1");
	w.client = 11;
	x = web_post(&w, "/other");
	web_ask(&w, &x, r);
	web_tell(&w, &x, status("2", "\"completed"));
	assert_said(&w.p, "logical", 0);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, r);
	web_tell(&w, &x, status("2", "\"completed"));
	assert_said(&w.p, "call s3 client 2 tasks/get ok", 1);
	assert_said(&w.p, "logical l1 by task: tools/call ok, requests 2, polls 1", 1);
	web_done(&w);
}

static void test_caps(void **state)
{
	const struct mcp_caps caps = { 64, 1000, 64, 64, 64, 64 };
	struct mcp_stats st;
	struct peers p;
	char id[16], task[16];

	(void)state;
	channel_begin(&p, &caps);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%u", i + 1);
		snprintf(task, sizeof(task), "\"t%u", i);
		channel_up(&p, words_request(id, "tools/call"));
		channel_down(&p, modern_task(id, task));
	}
	mcp_stats(p.m, &st);
	assert_int_equal(st.tasks_evicted, 100 - 16); /* its share */
	assert_said(&p, "logical l1 by task: tools/call unanswered, requests 1, polls 0, open", 1);
	assert_said(&p, "logical", 84);
	channel_up(&p, poll("500", "tasks/get", "\"t99"));
	channel_down(&p, status("500", "\"completed"));
	assert_said(&p, "logical l100 by task: tools/call ok, requests 2, polls 1", 1);
	peers_done(&p);
}

/* All together they have no more than the cap; who was not asked about for longest goes first. */
static void test_caps_of_all(void **state)
{
	const struct mcp_caps caps = { 64, 1000, 64, 64, 64, 64 };
	struct mcp_stats st;
	struct mcp_http x;
	struct web w = { .client = 10 };
	char id[16], task[16];

	(void)state;
	peers_init(&w.p, &caps);
	for (unsigned int i = 0; i < 70; i++) {
		snprintf(id, sizeof(id), "S%u", i % 7);
		snprintf(task, sizeof(task), "\"t%u", i);
		x = web_in_session(&w, id);
		web_ask(&w, &x, words_request("1", "tools/call"));
		web_tell(&w, &x, modern_task("1", task));
		x = web_in_session(&w, "S0");
		web_ask(&w, &x, poll("2", "tasks/get", "\"t0"));
		web_tell(&w, &x, status("2", "\"working"));
	}
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.tasks_evicted, 6);
	assert_said(&w.p, "logical l7 by task: tools/call unanswered, requests 1, polls 0, open", 1);
	assert_said(&w.p, "logical", 6);
	x = web_in_session(&w, "S0");
	web_ask(&w, &x, poll("2", "tasks/get", "\"t0"));
	web_tell(&w, &x, status("2", "\"completed"));
	assert_said(&w.p, "logical l1 by task: tools/call ok, requests 72, polls 71", 1);
	web_done(&w);
}

/* What tasks/result says counts only where it can be the task's own end. */
static void test_result_of_ended(void **state)
{
	static const char *const words[] = { "\"completed", "\"failed" };
	struct peers p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		task_begin(&p, legacy_task("1", "\"t1"));
		channel_up(&p, poll("2", "tasks/get", "\"t1"));
		channel_down(&p, status("2", words[i]));
		channel_up(&p, poll("3", "tasks/result", "\"t1"));
		channel_down(&p, words_error("3", "-32602")); /* no such task any more, or the task's error */
		assert_said(&p, i ? "logical l1 by task: tools/call rpc_error, requests 3" :
				    "logical l1 by task: tools/call ok, requests 3", 1);
		peers_done(&p);
	}
	task_begin(&p, legacy_task("1", "\"t1"));
	channel_up(&p, poll("2", "tasks/result", "\"t1"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical l1 by task: tools/call unanswered, requests 2, polls 1, open", 1);
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_task_error),
		cmocka_unit_test(test_legacy_task),
		cmocka_unit_test(test_legacy_task_blocking),
		cmocka_unit_test(test_legacy_task_unfetched),
		cmocka_unit_test(test_task_cancelled),
		cmocka_unit_test(test_task_by_note),
		cmocka_unit_test(test_input_then_task),
		cmocka_unit_test(test_task_id_again),
		cmocka_unit_test(test_open_at_end),
		cmocka_unit_test(test_task_of_endpoint),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_caps_of_all),
		cmocka_unit_test(test_result_of_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
