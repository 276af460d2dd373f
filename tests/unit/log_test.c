/* SPDX-License-Identifier: Apache-2.0 */
/* base/log: one line, nothing raw in it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static char text[8192];

/* Standard error goes to a pipe while @say runs; what came out is in text. */
static void capture(void (*say)(void))
{
	int p[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	dup2(p[1], STDERR_FILENO);
	say();
	dup2(saved, STDERR_FILENO);
	n = read(p[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(saved);
	close(p[0]);
	close(p[1]);
}

static void say_levels(void)
{
	log_err("a");
	log_info("b %d", 7);
	log_dbg("c");
	log_level_set(LOG_ERR);
	log_warn("d");
	log_level_set(LOG_DBG);
	log_dbg("e");
	log_level_set(LOG_INFO);
}

static void test_levels(void **state)
{
	(void)state;
	capture(say_levels);
	assert_string_equal(text, "mcpvigil: a\nmcpvigil: b 7\nmcpvigil: e\n");
}

static void say_controls(void)
{
	log_info("%s\n", "x\x1b[31m\ny\x7f\xff\xe2\x80\xae\xc2\x9b+\xc3\xa9");
}

static void test_controls(void **state)
{
	(void)state;
	capture(say_controls);
	assert_string_equal(text, "mcpvigil: x?[31m?y????+\xc3\xa9\n");
}

static void say_long(void)
{
	static char s[10000];

	memset(s, 'a', sizeof(s) - 1);
	log_info("%s", s);
	log_info("%s", "");
}

static void test_long(void **state)
{
	const char tail[] = "a\nmcpvigil: \n";

	(void)state;
	capture(say_long);
	assert_in_range(strlen(text), 4000, 4120);
	assert_string_equal(text + strlen(text) - strlen(tail), tail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
