/* SPDX-License-Identifier: Apache-2.0 */
/* model/: names and addresses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/call.h"

static void test_outcomes_all_named(void **state)
{
	(void)state;
	for (int i = 0; i < CALL_OUTCOMES; i++)
		assert_non_null(call_outcome_names[i]);
	assert_string_equal(call_outcome_names[CALL_OK], "ok");
	assert_string_equal(call_outcome_names[CALL_ORPHAN], "orphan");
}

/* A leak shows under the address sanitizer. */
static void test_free_owns_strings(void **state)
{
	struct call *c = call_new();
	struct note *n = calloc(1, sizeof(*n));
	char **strings[] = { &c->id,
			     &c->method,
			     &c->tool,
			     &c->prompt,
			     &c->resource,
			     &c->session,
			     &c->protocol_version,
			     &c->trace_id,
			     &c->parent_span_id,
			     &c->params,
			     &c->result,
			     &c->error };

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		assert_null(*strings[i]);
		*strings[i] = strdup("x");
	}
	n->method = strdup("m");
	n->session = strdup("s");
	n->params = strdup("{}");
	call_free(c);
	call_free(NULL);
	note_free(n);
	note_free(NULL);
}

static void test_addresses(void **state)
{
	static const struct {
		struct net_addr a;
		const char *want;
	} rows[] = {
		{ { .family = 0, .port = 80 }, "" },
		{ { .family = AF_UNIX, .port = 80 }, "" },
		{ { .family = AF_INET, .port = 80, .ip = { 127, 0, 0, 1 } }, "127.0.0.1:80" },
		{ { .family = AF_INET6, .port = 65535, .ip = { [15] = 1 } }, "[::1]:65535" },
		{ { .family = AF_INET6, .port = 0 }, "[::]:0" },
		{ { .family = AF_INET6,
		    .port = 3000,
		    .ip = { [10] = 0xff, [11] = 0xff, 10, 1, 2, 3 } },
		  "10.1.2.3:3000" },
		{ { .family = AF_INET6,
		    .port = 1,
		    .ip = { 0x20, 1, 0xd, 0xb8, [10] = 0xff, [11] = 0xff, 10, 1, 2, 3 } },
		  "[2001:db8::ffff:a01:203]:1" },
	};
	char s[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		net_addr_show(&rows[i].a, s);
		assert_string_equal(s, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes_all_named),
		cmocka_unit_test(test_free_owns_strings),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
