/* SPDX-License-Identifier: Apache-2.0 */
/* user/config_yaml, config_tree: the file's grammar, and what is said of a file that breaks it. */
#include <errno.h>

#include "config_text.h"
#include "config_yaml.h"

static void test_empty(void **state)
{
	(void)state;
	assert_taken("");
	assert_taken("# nothing\n");
	assert_taken("---\n");
	assert_taken("limits:\n  # sessions: 5\nloops:\n  rules:\n");
	assert_taken("{}");
	assert_int_equal(cfg.idents, 8192);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_refused("content: false\nprometheus:\n  lisen: \"\"\n", "c.yaml:3: key 'prometheus.lisen': unknown key\n");
	assert_refused("prometheus.listen: \"\"\n", "c.yaml:1: key 'prometheus.listen': unknown key\n");
	assert_refused("x: 1\ny: {z: 2}\n", "c.yaml:1: key 'x': unknown key\nc.yaml:2: key 'y': unknown key\n");
	assert_refused("content:\n  really: true\n", "c.yaml:1: key 'content': one value is wanted, not a map\n");
	assert_refused("<<: {}\n", "c.yaml:1: key '<<': unknown key\n");
	assert_refused("\"\": 1\n", "c.yaml:1: unknown key\n");
}

static void test_shape(void **state)
{
	(void)state;
	assert_refused("- a\n", "c.yaml:1: keys are wanted below it, not a list\n");
	assert_refused("a\n", "c.yaml:1: keys are wanted below it, not a value\n");
	assert_refused("limits: 5\n", "c.yaml:1: key 'limits': keys are wanted below it, not a value\n");
	assert_refused("limits:\n  sessions: [5]\n",
		       "c.yaml:2: key 'limits.sessions': one value is wanted, not a list\n");
	assert_refused("limits:\n  sessions:\n", "c.yaml:2: key 'limits.sessions': no value\n");
	assert_refused("control: {socket: ~}\n", "c.yaml:1: key 'control.socket': no value\n");
	assert_refused("webhook: {urls: \"http://a\"}\n", "c.yaml:1: key 'webhook.urls': not a list\n");
	assert_refused("webhook:\n  urls:\n  - http://a\n  - {b: c}\n",
		       "c.yaml:4: key 'webhook.urls': not a list of texts\n");
}

static void test_twice(void **state)
{
	(void)state;
	assert_refused("content: true\n\ncontent: false\n",
		       "c.yaml:3: key 'content' for the second time; first in line 1\n");
	assert_refused("limits:\n  tools: 100\n  \"tools\": 100\n",
		       "c.yaml:3: key 'tools' for the second time; first in line 2\n");
	assert_refused("loops: {rules: {cycle: {threshold: 4}, cycle: {threshold: 5}}}",
		       "c.yaml:1: key 'cycle' for the second time; first in line 1\n");
}

static void test_refused_yaml(void **state)
{
	static const char nul[] = "content: false\n# \0\n";
	struct config_args args = { 0 };

	(void)state;
	assert_refused("a: &x 1\n", "c.yaml:1: anchors and aliases are not taken\n");
	assert_refused("limits: &x {sessions: 99}\n", "c.yaml:1: anchors and aliases are not taken\n");
	assert_refused("content: *x\n", "c.yaml:1: anchors and aliases are not taken\n");
	assert_refused("content: !!bool true\n", "c.yaml:1: tags are not taken\n");
	assert_refused("content: true\n---\ncontent: false\n", "c.yaml:2: a second document\n");
	assert_refused("? [a]\n: 1\n", "c.yaml:1: a key is a word, not a list or map\n");
	assert_refused("control:\n  socket: \"/a\\0b\"\n", "c.yaml:2: a NUL in a text\n");
	assert_refused("limits:\n\tsessions: 5\n",
		       "c.yaml:2: found character that cannot start any token\n");
	assert_refused("content: [true\n", "c.yaml:2: did not find expected ',' or ']'\n");
	assert_int_equal(config_try_args(nul, sizeof(nul) - 1, NULL, &args), -EINVAL);
	assert_string_equal(said, "c.yaml:2: a NUL byte\n");
	assert_refused("content: \xff\n", "c.yaml:1: invalid leading UTF-8 octet\n");
}

static void test_caps(void **state)
{
	static char big[TREE_BYTES + 2];
	struct config_args args = { 0 };
	struct tree_error e;
	size_t n = 0;

	(void)state;
	memset(big, '[', 1000);
	assert_null(tree_parse((struct sv){ big, 1000 }, &e));
	assert_string_equal(e.why, "nested more than 16 deep");
	memset(big, '#', sizeof(big));
	assert_int_equal(config_try_args(big, TREE_BYTES, NULL, &args), 0);
	assert_int_equal(config_try_args(big, TREE_BYTES + 1, NULL, &args), -EINVAL);
	assert_string_equal(said, "c.yaml: not taken: c.yaml: longer than 1048576 bytes\n");
	for (int i = 0; i <= TREE_WIDTH; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, "k%d: 1\n", i);
	assert_null(tree_parse((struct sv){ big, n }, &e));
	assert_string_equal(e.why, "more than 512 entries in one list or map");
	assert_int_equal(e.line, TREE_WIDTH + 1);
	n = 0;
	for (int i = 0; i <= TREE_NODES; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, i % 256 ? ",1" : "%s[1", i ? "]," : "[");
	assert_null(tree_parse((struct sv){ big, n }, &e));
	assert_string_equal(e.why, "more than 16384 values in all");
}

/* All errors at once, but not without end. */
static void test_many(void **state)
{
	char text[4096] = "";
	unsigned int lines = 0;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "k%d: 1\n", i);
	assert_int_equal(config_try(text), -EINVAL);
	for (const char *p = said; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 20);
	assert_non_null(strstr(said, "c.yaml:19: key 'k18': unknown key\nc.yaml: more errors are not shown\n"));
}

static void test_untouched(void **state)
{
	static struct config before;

	(void)state;
	assert_taken("limits: {sessions: 77}\n");
	before = cfg;
	assert_int_equal(config_try("limits: {sessions: 78}\ncontent: maybe\n"), -EINVAL);
	assert_memory_equal(&before, &cfg, sizeof(cfg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	     cmocka_unit_test(test_unknown), cmocka_unit_test(test_shape),
		cmocka_unit_test(test_twice),	     cmocka_unit_test(test_refused_yaml),
		cmocka_unit_test(test_caps),	     cmocka_unit_test(test_many),    cmocka_unit_test(test_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
