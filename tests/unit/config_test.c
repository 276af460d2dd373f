/* SPDX-License-Identifier: Apache-2.0 */
/* user/config, config_args: what overrides what, secrets, reloads. */
#include <errno.h>
#include <sys/stat.h>

#include "config_key.h"
#include "config_text.h"

static struct config_args parsed;

static int try(const char *text, char **env, char **argv)
{
	int argc = 0;

	while (argv && argv[argc])
		argc++;
	parsed = (struct config_args){ 0 };
	if (argv && config_parse_args(argc, argv, &parsed))
		return -E2BIG;
	return config_try_args(text, strlen(text), env, &parsed);
}

#define ARGV(...) ((char *[]){ "mcpvigil run", __VA_ARGS__, NULL })
#define ENV(...) ((char *[]){ __VA_ARGS__, NULL })

static void test_order(void **state)
{
	const char *text = "limits: {tools: 100, tasks: 100, streams: 100}\nprometheus: {listen: \"\"}\n";

	(void)state;
	assert_int_equal(try(text, ENV("MCPVIGIL_LIMITS_TASKS=200", "MCPVIGIL_LIMITS_STREAMS=200", "PATH=/bin"),
			     ARGV("--limits-streams=300", "--content")), 0);
	assert_int_equal(cfg.facts.caps.exchanges, 16384);
	assert_int_equal(cfg.facts.caps.tools, 100);
	assert_int_equal(cfg.facts.caps.tasks, 200);
	assert_int_equal(cfg.facts.caps.streams, 300);
	assert_string_equal(cfg.prom.listen, "");
	assert_true(cfg.content);
	assert_int_equal(try("content: true", NULL, ARGV("--content=false")), 0);
	assert_false(cfg.content);
	assert_int_equal(try("", ENV("MCPVIGIL_CONTENT=true", "MCPVIGIL_CONTROL_SOCKET="), NULL), 0);
	assert_true(cfg.content);
	assert_string_equal(cfg.socket, "");
}

/* A later layer's list replaces the one before; within the command line a list grows. */
static void test_lists(void **state)
{
	const char *text = "alertmanager: {urls: [http://f1, http://f2]}\nloops: {poll_tools: [f]}\nlabels: {node: f}\n";

	(void)state;
	assert_int_equal(try(text, ENV("MCPVIGIL_LOOPS_POLL_TOOLS=a,b*", "MCPVIGIL_LABELS=node=e,dc=1"),
			     ARGV("--alertmanager", "http://c1", "--alertmanager-urls=http://c2", "--webhook=http://c3")), 0);
	assert_int_equal(cfg.alertmanagers, 2);
	assert_string_equal(cfg.alertmanager[0].url, "http://c1");
	assert_string_equal(cfg.alertmanager[1].url, "http://c2");
	assert_int_equal(cfg.webhooks, 1);
	assert_string_equal(cfg.webhook[0].url, "http://c3");
	assert_int_equal(cfg.n_poll_tools, 2);
	assert_string_equal(cfg.poll_tools[1], "b*");
	assert_int_equal(cfg.labels.n, 2);
	assert_string_equal(cfg.labels.v[0].value, "e");
	assert_int_equal(try(text, ENV("MCPVIGIL_LOOPS_POLL_TOOLS="), ARGV("--alertmanager=", "--labels", "a=b=c")), 0);
	assert_int_equal(cfg.n_poll_tools, 0);
	assert_int_equal(cfg.alertmanagers, 0);
	assert_int_equal(cfg.labels.n, 1);
	assert_string_equal(cfg.labels.v[0].value, "b=c");
	assert_int_equal(try("alerts: {rules: [{id: f, metric: new_tool}]}",
			     ENV("MCPVIGIL_ALERTS_RULES=[{id: e, metric: new_server}]"), NULL), 0);
	assert_int_equal(cfg.facts.alerts.rules, 1);
	assert_string_equal(cfg.facts.alerts.rule[0].id, "e");
	assert_int_equal(try("", NULL, ARGV("--loops-overrides", "- tool: x\n  off: [cycle]\n")), 0);
	assert_true(cfg.facts.loops.override[0].off[LOOP_CYCLE]);
}

static void test_env_refused(void **state)
{
	(void)state;
	assert_int_equal(try("", ENV("MCPVIGIL_CONTENT=maybe", "MCPVIGIL_LIMIT_TOOLS=5", "MCPVIGIL_ALERTS_RULES=[{id: e}]",
				     "MCPVIGIL_ALERTS_LEARN=5", "MCPVIGIL_LABELS=x"), NULL), -EINVAL);
	assert_string_equal(said, "MCPVIGIL_CONTENT: key 'content': neither true nor false\n"
				  "MCPVIGIL_LIMIT_TOOLS: no key of this name\n"
				  "MCPVIGIL_ALERTS_RULES:1: key 'alerts.rules[0]': it has no metric\n"
				  "MCPVIGIL_ALERTS_LEARN: key 'alerts.learn': not a time such as 500ms, 2s, 10m or 1h\n"
				  "MCPVIGIL_LABELS: key 'labels': not NAME=VALUE\n");
	/* Not ours: what Kubernetes says of services, and a test's. */
	assert_int_equal(try("", ENV("MCPVIGIL_SERVICE_HOST=1", "MCPVIGIL_METRICS_SERVICE_PORT_HTTP=1", "MCPVIGIL_PORT=tcp://x",
				     "MCPVIGIL_METRICS_PORT_9464_TCP_ADDR=x", "MCPVIGIL_TIER=tp", "MCPVIGIL_UPROBES=perf", "MCPVIGIL"), NULL), 0);
	assert_int_equal(try("", ENV("MCPVIGIL_PORTS=1"), NULL), -EINVAL);
}

static void test_flags_refused(void **state)
{
	(void)state;
	assert_int_equal(try("", NULL, ARGV("--limits-tools=5", "--content", "--content", "--labels=a=b", "--labels=a=c",
					    "--alertmanager=x", "--alerts-rules=[")), -EINVAL);
	assert_string_equal(said, "--limits-tools: key 'limits.tools': out of range, 16 to 1048576\n"
				  "--content: key 'content': given twice\n"
				  "--labels: key 'labels': label a for the second time\n"
				  "--alertmanager-urls: key 'alertmanager.urls': not an URL that begins with http:// or https://\n"
				  "--alerts-rules: key 'alerts.rules': did not find expected node content\n");
	assert_int_equal(try("", NULL, ARGV("--no-such-flag=1")), -E2BIG);
	assert_int_equal(try("", NULL, ARGV("argument")), -E2BIG);
}

static void test_many_flags(void **state)
{
	char *argv[CONFIG_ARGS + 3] = { "mcpvigil run" };

	(void)state;
	for (int i = 1; i <= CONFIG_ARGS + 1; i++)
		argv[i] = "--labels=a=b";
	assert_int_equal(config_parse_args(CONFIG_ARGS + 2, argv, &parsed), -EINVAL);
	assert_int_equal(config_parse_args(CONFIG_ARGS + 1, argv, &parsed), 0);
	assert_int_equal(parsed.n, CONFIG_ARGS);
}

static int load(int file_mode, int folder_mode)
{
	struct config_args args = { .file = file };
	struct buf errors;
	int err;

	folder_make();
	file_write(file, "key_file: \"\"\n", 13, file_mode);
	chmod(folder, (mode_t)folder_mode);
	buf_init(&errors, sizeof(said) - 1);
	err = config_read(&cfg, &args, NULL, &errors);
	memcpy(said, errors.n ? errors.p : "", errors.n);
	said[errors.n] = 0;
	buf_done(&errors);
	chmod(folder, 0700);
	folder_remove();
	return err;
}

static void test_file_modes(void **state)
{
	(void)state;
	assert_int_equal(load(0600, 0700), 0);
	assert_int_equal(load(0644, 0755), 0);
	assert_int_equal(load(0620, 0700), -EINVAL);
	assert_non_null(strstr(said, "c.yaml: not taken: "));
	assert_non_null(strstr(said, "c.yaml can be written by its group\n"));
	assert_int_equal(load(0602, 0700), -EINVAL);
	assert_non_null(strstr(said, "c.yaml can be written by everybody\n"));
	assert_int_equal(load(0600, 0777), -EINVAL);
	assert_non_null(strstr(said, folder));
	assert_null(strstr(said, "c.yaml can"));
}

static void test_no_file(void **state)
{
	struct config_args args = { .file = "/nonexistent/c.yaml" };
	struct buf errors;

	(void)state;
	buf_init(&errors, 4096);
	assert_int_equal(config_read(&cfg, &args, NULL, &errors), -EINVAL);
	buf_add_ch(&errors, 0);
	assert_string_equal(errors.p, "/nonexistent/c.yaml: not taken: /nonexistent: ENOENT\n");
	buf_done(&errors);
}

/* With "@" in @text replaced by a file that holds @secret. */
static int secret(const char *text, const char *word, size_t n, int mode)
{
	char path[96] = "/tmp/mcpvigil-secret.XXXXXX", all[256];
	const char *at = strchr(text, '@');
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	close(fd);
	file_write(path, word, n, mode);
	snprintf(all, sizeof(all), "%.*s%s%s", (int)(at - text), text, path, at + 1);
	err = config_try(all);
	unlink(path);
	return err;
}

static void test_secret(void **state)
{
	const char *text = "webhook: {secret_file: @}";
	char longest[128];

	(void)state;
	memset(longest, 'k', sizeof(longest));
	assert_int_equal(secret(text, "s3cret\n", 7, 0600), 0);
	assert_string_equal(cfg.webhook[0].secret, "s3cret");
	assert_string_equal(cfg.webhook[CONFIG_PEERS - 1].secret, "s3cret");
	assert_int_equal(secret(text, longest, 127, 0600), 0);
	assert_int_equal(strlen(cfg.webhook[0].secret), 127);
	assert_int_equal(secret(text, longest, 128, 0600), -EINVAL);
	assert_non_null(strstr(said, "longer than 127 bytes"));
	assert_int_equal(secret(text, "\n", 1, 0600), -EINVAL);
	assert_int_equal(secret(text, "s3c\nret", 7, 0600), -EINVAL);
	assert_null(strstr(said, "s3c"));
	assert_int_equal(secret(text, "s3c\0ret", 7, 0600), -EINVAL);
	assert_int_equal(secret(text, "s3cret", 6, 0622), -EINVAL);
	assert_non_null(strstr(said, "configuration: key 'webhook.secret_file': not taken: /tmp/mcpvigil-secret."));
	assert_int_equal(config_try("webhook: {secret_file: /nonexistent}"), -EINVAL);
	/* The key is made where there is none; where there is one, it has to be ours alone. */
	assert_taken("key_file: /nonexistent/key\n");
	assert_int_equal(secret("key_file: @", "x", 1, 0600), 0);
	assert_int_equal(secret("key_file: @", "x", 1, 0622), -EINVAL);
	assert_non_null(strstr(said, "configuration: key 'key_file': not taken: /tmp/mcpvigil-secret."));
}

static void refused(const char *text, const char *want)
{
	static struct config old;
	struct buf names;
	unsigned int commas = 0, n;

	assert_taken("");
	old = cfg;
	assert_taken(text);
	buf_init(&names, 4096);
	n = config_reload_refused(&old, &cfg, &names);
	buf_add_ch(&names, 0);
	assert_string_equal(names.p, want);
	for (const char *p = want; *p; p++)
		commas += *p == ',';
	assert_int_equal(n, *want ? commas + 1 : 0);
	buf_done(&names);
}

static void test_reload(void **state)
{
	(void)state;
	refused("", "");
	refused("loops: {round_gap: 1s, poll_tools: [a], read_tools: [b], overrides: [{tool: x}], rules: {cycle: {enabled: false, "
		"threshold: 77}}}\nalerts: {learn: 1s, rules: [{id: a, metric: new_tool}]}\n", "");
	refused("limits: {sessions: 17, alerts_active: 18}\ncontent: true\nloops: {round_gap: 1s}\nlabels: {a: b}\n"
		"alertmanager: {urls: [http://x]}\n",
		"limits.sessions, limits.alerts_active, content, alertmanager.urls, labels");
	refused("privileges: {drop: false}", "privileges.drop");
}

/* The file of the secret is the same, what is in it is not. */
static void test_reload_secret(void **state)
{
	static struct config old;
	struct buf names;

	(void)state;
	assert_taken("");
	old = cfg;
	snprintf(cfg.webhook[0].secret, sizeof(cfg.webhook[0].secret), "other");
	buf_init(&names, 256);
	assert_int_equal(config_reload_refused(&old, &cfg, &names), 1);
	assert_true(sv_eq(buf_sv(&names), SV("webhook.secret_file")));
	buf_done(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	   cmocka_unit_test(test_lists),      cmocka_unit_test(test_env_refused),
		cmocka_unit_test(test_flags_refused), cmocka_unit_test(test_many_flags), cmocka_unit_test(test_file_modes),
		cmocka_unit_test(test_no_file),	   cmocka_unit_test(test_secret),     cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reload_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
