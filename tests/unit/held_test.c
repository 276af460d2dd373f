/* SPDX-License-Identifier: Apache-2.0 */
/* A message that is kept comes back whole: values, marks, tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mcp/held.h"

static struct held *kept;

static void keep(void *ctx, const struct rpc_msg *m)
{
	const struct mcp_msg msg = { .rpc = m, .stream = 7, .transcript = "name" };

	(void)ctx;
	held_free(kept);
	kept = held_new(&msg, 3, 4);
	assert_non_null(kept);
}

/* Every byte of the text is gone when the copy is looked at. */
static void feed(const char *text, bool marks)
{
	const struct rpc_opts opts = { .content_max = 100, .marks = marks, .msg = keep };
	struct rpc *r = rpc_new(&opts);
	char *copy = strdup(text);

	assert_true(r && copy);
	assert_int_equal(rpc_feed(r, sv_of(copy)), strlen(text));
	free(copy);
	rpc_free(r);
}

static void test_answer(void **state)
{
	struct mcp_msg msg;
	struct rpc_msg rpc;

	(void)state;
	feed("{\"id\":1,\"result\":{\"tools\":[{\"name\":\"a\"},{\"annotations\":{\"readOnlyHint\":true},\"name\":\"b\"}],\"content\":[{\"text\":\"hello\"}]}}", true);
	held_view(kept, &msg, &rpc);
	assert_true(msg.rpc == &rpc && msg.stream == 7 && !msg.transcript);
	assert_int_equal(rpc.kind, RPC_RESULT);
	assert_int_equal(rpc.n_tools, 2);
	assert_true(!rpc.tools[0].read_only && rpc.tools[1].read_only && rpc.tools[1].bytes > rpc.tools[0].bytes);
	assert_non_null(rpc.marks);
	assert_true(fp_is(&rpc.marks->result) && fp_is(&rpc.marks->masked) && !fp_is(&rpc.marks->args));
	assert_int_equal(rpc.marks->head_n, 5);
	assert_memory_equal(rpc.marks->head, "hello", 5);
	assert_int_equal(rpc.result.n, 100);
	assert_true(rpc.content_cut);
	assert_memory_equal(rpc.result.p, "{\"tools\":[", 10);
}

static void test_request(void **state)
{
	struct mcp_msg msg;
	struct rpc_msg rpc;

	(void)state;
	feed("{\"id\":\"x\",\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{\"n\":5}}}", true);
	held_view(kept, &msg, &rpc);
	assert_true(sv_eq(rpc.f[RPC_F_METHOD].text, SV("tools/call")) && sv_eq(rpc.f[RPC_F_NAME].text, SV("t")));
	assert_int_equal(rpc.marks->n_ints, 1);
	assert_int_equal(rpc.marks->ints[0].v, 5);
	assert_null(rpc.tools);
	assert_int_equal(rpc.n_tools, 0);
	feed("{\"id\":\"x\",\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{\"n\":5}}}", false);
	held_view(kept, &msg, &rpc);
	assert_null(rpc.marks);
	assert_true(sv_eq(rpc.f[RPC_F_NAME].text, SV("t")));
	held_free(kept);
	kept = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
