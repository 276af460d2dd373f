/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/logical: requests that are answered by asking for input, and come again with it. */
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

static void test_input(void **state)
{
	struct peers p;
	uint64_t start;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	start = p.now;
	channel_down(&p, question("1", "\"st1"));
	assert_string_equal(channel_last(&p)->logical, "l1");
	assert_int_equal(channel_last(&p)->part, PART_INPUT);
	channel_up(&p, again("2", "\"other")); /* not that one */
	channel_down(&p, words_result("2"));
	assert_null(channel_last(&p)->logical);
	channel_up(&p, again("3", "\"st1"));
	channel_down(&p, question("3", "\"st2"));
	assert_string_equal(channel_last(&p)->logical, "l1");
	assert_int_equal(channel_last(&p)->part, PART_INPUT);
	assert_said(&p, "logical", 0);
	channel_up(&p, again("4", "\"st2"));
	channel_down(&p, words_error("4", "-32602"));
	assert_string_equal(channel_last(&p)->logical, "l1");
	assert_int_equal(channel_last(&p)->part, PART_LAST);
	assert_said(&p, "logical l1 by request_state: tools/call rpc_error, requests 3, polls 0", 1);
	assert_string_equal(p.line[p.lines - 2], "call s1 client 4 tools/call rpc_error");
	assert_int_equal(p.total_ns, p.now + 150000 - start);
	channel_up(&p, again("5", "\"st2")); /* it is over */
	channel_down(&p, words_result("5"));
	assert_null(channel_last(&p)->logical);
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical", 1);
	peers_done(&p);
}

/* Without a state nothing tells which request goes on; another method, target or session does not. */
static void test_input_not_joined(void **state)
{
	struct rpc_msg r = again("2", "\"st1");
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, question("1", NULL));
	assert_null(channel_last(&p)->logical);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, question("1", "\"st1"));
	words_set(&r, RPC_F_NAME, "\"another");
	channel_up(&p, r);
	channel_down(&p, words_result("2"));
	assert_null(channel_last(&p)->logical);
	mcp_stdio_set(p.m, 3, 4, words_proc(300));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_welcome("0"));
	words_say(&p, words_line(&p, 3, CLIENT, 300), again("1", "\"st1"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_result("1"));
	assert_null(channel_last(&p)->logical);
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical l1 by request_state: tools/call unanswered, requests 1, polls 0, open", 1);
	assert_said(&p, "logical", 1);
	peers_done(&p);
}

static struct rpc_msg asks(const char *id, uint64_t args, bool input)
{
	struct rpc_msg r = words_request(id, "tools/call");

	words_marks(&r, args, 0);
	if (input)
		r.f[RPC_F_INPUT_RESPONSES].type = RPC_OBJECT;
	return r;
}

/* Without a state the same arguments come again, with the input; two that wait at a time cannot be told apart. */
static void test_input_by_arguments(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, asks("1", 7, false));
	channel_down(&p, question("1", NULL));
	assert_string_equal(channel_last(&p)->logical, "l1");
	channel_up(&p, asks("2", 7, false)); /* no input */
	channel_down(&p, words_result("2"));
	channel_up(&p, asks("3", 8, true)); /* other arguments */
	channel_down(&p, words_result("3"));
	assert_null(channel_last(&p)->logical);
	channel_up(&p, asks("4", 7, true));
	channel_down(&p, question("4", "\"st"));
	channel_up(&p, again("5", "\"st"));
	channel_down(&p, words_result("5"));
	assert_said(&p, "logical l1 by arguments: tools/call ok, requests 3, polls 0", 1);
	channel_up(&p, asks("6", 7, false));
	channel_up(&p, asks("7", 7, false));
	channel_down(&p, question("6", NULL));
	channel_down(&p, question("7", NULL));
	assert_said(&p, "logical l2 by arguments: tools/call unanswered, requests 1, polls 0, open", 1);
	assert_said(&p, "logical l3 by arguments: tools/call unanswered, requests 1, polls 0, open", 1);
	channel_up(&p, asks("8", 7, true));
	channel_down(&p, words_result("8"));
	assert_null(channel_last(&p)->logical);
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical", 3);
	peers_done(&p);
}

/* States longer than what is kept differ by the hash of the whole. */
static void test_long_state(void **state)
{
	static char text[RPC_VALUE_MAX + 1];
	struct rpc_msg a = question("1", "\"x"), r = again("2", "\"x");
	struct peers p;

	(void)state;
	memset(text, 's', RPC_VALUE_MAX);
	a.f[RPC_F_RESULT_STATE] = (struct rpc_value){ .type = RPC_STRING, .cut = true, .text = sv_of(text), .hash = 5 };
	r.f[RPC_F_REQUEST_STATE] = a.f[RPC_F_RESULT_STATE];
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, a);
	r.f[RPC_F_REQUEST_STATE].hash = 6;
	channel_up(&p, r);
	channel_down(&p, words_result("2"));
	assert_said(&p, "logical", 0);
	r.f[RPC_F_REQUEST_STATE].hash = 5;
	channel_up(&p, r);
	channel_down(&p, words_result("2"));
	assert_said(&p, "logical l1 by request_state: tools/call ok, requests 2, polls 0", 1);
	peers_done(&p);
}

static void test_input_given_up(void **state)
{
	struct rpc_msg n = words_note("notifications/cancelled");
	struct peers p;

	(void)state;
	words_set(&n, RPC_F_REQUEST_ID, "2");
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, question("1", "\"st1"));
	channel_up(&p, again("2", "\"st1"));
	channel_up(&p, n);
	peers_wait(&p, 1200);
	assert_said(&p, "logical l1 by request_state: tools/call cancelled, requests 2, polls 0", 1);
	channel_up(&p, words_request("3", "tools/call"));
	channel_down(&p, question("3", "\"st2"));
	channel_up(&p, again("4", "\"st2"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "logical l2 by request_state: tools/call unanswered, requests 2, polls 0, open", 1);
	assert_said(&p, "logical", 2);
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_input_not_joined),
		cmocka_unit_test(test_input_by_arguments),
		cmocka_unit_test(test_long_state),
		cmocka_unit_test(test_input_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
