/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor prints of a running agent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sink/self.h"

static void test_text(void **state)
{
	static struct self_stats s = {
		.version = "1.2", .capturing = true, .tier = "new", .ring_bytes = 8 << 20, .ring_used = 4096,
		.records = 5, .progs = 3, .tables = 1, .sinks = 2, .rules = 2, .sessions = 3, .in_flight = 4,
		.alerts_firing = 1, .alerts_pending = 2, .config_reloads = 6, .config_failures = 7,
		.prog = { { "write", "tp_btf/sys_exit", true, true, 0, 10, 2500 }, { "old", "tracepoint", false, false, 2, 0, 0 },
			  { "ssl_read_in", "uprobe (multi)", false, true, 0, 0, 0 } },
		.tls_why = "the reason",
		.table = { { "sessions", 3, 4096, 9 } },
		.sink = { { "webhook \033[31m", true, 1, 2, 3, 4 }, { "alert log", false, 5, 0, 0, 0 } },
		.rule = { { "A1", 1 }, { "A2", 0 } },
	};
	static const char head[] =
		"version     1.2\ncapture     on\n"
		"config      its file was refused: the one before is in force, reloaded 6 times, refused 7 times\n"
		"rings       4.0K of 8.0M in use, 5 records so far\nMCP         3 sessions, 4 requests in flight\n"
		"\nalerts      1 firing, 2 pending\n  A1                              1\n"
		"\noutputs\n  webhook \\x1b[31m  FAILING; 1 sent, 2 failed, 3 dropped, 4 waiting\n"
		"  alert log  works; 5 sent, 0 failed, 0 dropped, 0 waiting\n"
		"\ntables\n  sessions                        3 of 4096, 9 evicted\n"
		"\ntier        new\n"
		"  write            tp_btf/sys_exit                      attached, 0 runs missed, 10 runs of 250ns\n"
		"  old              tracepoint                           not for this kernel, 2 runs missed\n"
		"  ssl_read_in      uprobe (multi)                       loaded, 0 runs missed\n"
		"  TLS connections are not read: the reason\n"
		"\nlosses since it started\n  ring_full                       8  records lost: the ring buffer had no room\n";
	struct buf b;

	(void)state;
	s.lost[C_RING_FULL] = 8;
	buf_init(&b, 65536);
	self_show(&s, &b);
	assert_true(b.n > sizeof(head));
	b.p[sizeof(head) - 1] = '\0';
	assert_string_equal(b.p, head);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_text) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
