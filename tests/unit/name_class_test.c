/* SPDX-License-Identifier: Apache-2.0 */
/* Words of tool names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/name_class.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		uint8_t class;
	} cases[] = {
		{ "job_status", NAME_POLL },
		{ "getJobStatus", NAME_POLL | NAME_READ },
		{ "HTTPPing", NAME_POLL },
		{ "ping2", NAME_POLL },
		{ "read_output", NAME_POLL | NAME_READ },
		{ "output_read", NAME_READ },
		{ "task_result", NAME_POLL },
		{ "result", 0 },
		{ "get_user_details", NAME_READ }, /* no tail in details */
		{ "mapping", 0 },
		{ "shipping_cost", 0 },
		{ "statusquo", 0 },
		{ "list_tables", NAME_READ },
		{ "API-retrieve-a-page", NAME_READ },
		{ "notion.search", NAME_READ },
		{ "Glob", NAME_READ },
		{ "gettysburg", 0 },
		{ "resource_list", NAME_READ },
		{ "execute_sql", 0 },
		{ "execute-tool", 0 },
		{ "query_sql", 0 },
		{ "run_query", 0 },
		{ "create_resource", NAME_WRITE },
		{ "add_resource", NAME_WRITE },
		{ "find_and_replace", NAME_WRITE },
		{ "get_post", NAME_READ },
		{ "insertRow", NAME_WRITE },
		{ "browser_press_key", NAME_GESTURE },
		{ "scrollDown", NAME_GESTURE },
		{ "task", NAME_SPAWN },
		{ "Task", NAME_SPAWN },
		{ "create_task", NAME_WRITE },
		{ "run_agent", NAME_SPAWN },
		{ "spawn_worker", NAME_SPAWN },
		{ "list_agents", NAME_READ },
		{ "", 0 },
		{ "___", 0 },
		{ "\xff\xfe", 0 },
		{ "averyverylongwordthatisnoneofours_status", NAME_POLL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (name_class(sv_of(cases[i].name)) != cases[i].class)
			fail_msg("%s: %d, not %d", cases[i].name, name_class(sv_of(cases[i].name)),
				 cases[i].class);
}

/* Each word of the list is found: it is sorted. */
static void test_each_word(void **state)
{
	static const struct {
		const char *words;
		uint8_t class;
	} cases[] = {
		{ "await health healthcheck heartbeat ping poll polling progress sleep status tail wait waiting",
		  NAME_POLL },
		{ "describe fetch find get glob grep list lookup queries query read resource resources retrieve search",
		  NAME_READ },
		{ "add append apply create delete edit insert move patch post put remove rename replace save send "
		  "set store update upload write",
		  NAME_WRITE },
		{ "click drag hover keypress press scroll swipe tap", NAME_GESTURE },
		{ "agent delegate spawn subagent subagents task", NAME_SPAWN },
		{ "agents dispatch execute launch raw run sql start", 0 },
	};
	char word[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (const char *p = cases[i].words; *p;) {
			size_t n = strcspn(p, " ");

			memcpy(word, p, n);
			word[n] = '\0';
			if (name_class(sv_of(word)) != cases[i].class)
				fail_msg("%s: %d", word, name_class(sv_of(word)));
			p += n + (p[n] == ' ');
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_each_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
