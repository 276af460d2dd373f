/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts in a file: lines, rotation, files that others move, disks that are full. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sink/alertlog.h"

#define S NSEC_PER_SEC

static const struct alert_labels node = { .v = { { "cluster", "c1" } }, .n = 1 };

struct place {
	char dir[64], path[128];
	char text[65536];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/alertlog_test.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/alerts.jsonl", p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char path[160];

	unlink(p->path);
	for (int i = 0; i < 9; i++) {
		snprintf(path, sizeof(path), "%s.%d", p->path, i);
		unlink(path);
	}
	rmdir(p->dir);
	free(p);
	return 0;
}

static struct alertlog_opts opts(const struct place *p)
{
	struct alertlog_opts o;

	alertlog_opts_default(&o);
	snprintf(o.path, sizeof(o.path), "%s", p->path);
	o.wall_offset = 1700000000000000000;
	return o;
}

/* Of PATH, or of PATH.@i; "" where there is none. */
static const char *text_of(struct place *p, int i)
{
	char path[160];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), i ? "%s.%d" : "%s", p->path, i);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, p->text, sizeof(p->text) - 1);
		close(fd);
	}
	p->text[n > 0 ? n : 0] = '\0';
	return p->text;
}

static void tell(void *s, uint64_t count)
{
	struct alert a = { .rule = "cycle", .state = ALERT_FIRING, .severity = ALERT_HIGH, .ts = S, .count = count };

	alertlog_ops.alert(s, &a, NULL);
}

#define LINE(seq, count)                                                                                  \
	"{\"kind\":\"alert\",\"ts\":\"2023-11-14T22:13:21.000000000Z\",\"seq\":" #seq                      \
	",\"severity\":\"high\",\"rule\":\"cycle\",\"state\":\"firing\",\"count\":" #count "}\n"

static void test_line(void **state)
{
	struct place *p = *state;
	struct alertlog_opts o = opts(p);
	struct who who = { .id = { .pid = 7 }, .comm = "claude", .exe = "/usr/bin/claude" };
	struct alert a = { .rule = "cycle", .state = ALERT_RESOLVED, .severity = ALERT_NOTICE, .notified = 2,
			   .ts = 3 * S, .since = S, .ended = 2 * S, .count = 3, .session = "s1", .call = 0,
			   .has_call = true, .tool = "read\n", .server = "fs", .client = "Claude", .calls = 6,
			   .bytes = 5, .busy_ns = 4, .evidence = "{\"period\":2}", .summary = "In circles.",
			   .advice = "Stop it.", .route = { .transport = TRANSPORT_STDIO, .client.pid = 7 } };
	struct stat st;
	void *s;

	o.labels = &node;
	s = alertlog_new(&o);
	assert_non_null(s);
	alertlog_ops.alert(s, &a, &(struct sink_peers){ &who, NULL });
	a.state = ALERT_PENDING;
	alertlog_ops.alert(s, &a, NULL);
	assert_string_equal(text_of(p, 0),
		"{\"kind\":\"alert\",\"ts\":\"2023-11-14T22:13:23.000000000Z\",\"seq\":1,\"severity\":\"notice\","
		"\"rule\":\"cycle\",\"state\":\"resolved\",\"session\":\"s1\",\"call\":0,"
		"\"since\":\"2023-11-14T22:13:21.000000000Z\",\"ended\":\"2023-11-14T22:13:22.000000000Z\","
		"\"count\":3,\"notified\":2,\"tool\":\"read\\u000a\",\"transport\":\"stdio\","
		"\"client\":{\"name\":\"Claude\",\"pid\":7,\"comm\":\"claude\",\"exe\":\"/usr/bin/claude\"},"
		"\"server\":{\"name\":\"fs\"},\"cost\":{\"calls\":6,\"bytes\":5,\"busy_ns\":4},"
		"\"evidence\":{\"period\":2},\"summary\":\"In circles.\",\"advice\":\"Stop it.\","
		"\"labels\":{\"cluster\":\"c1\"}}\n");
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	alertlog_ops.free(s);
}

static void test_rotates(void **state)
{
	struct place *p = *state;
	struct alertlog_opts o = opts(p);
	void *s;

	o.max_bytes = 2 * strlen(LINE(1, 1));
	o.keep = 2;
	s = alertlog_new(&o);
	for (uint64_t i = 1; i <= 7; i++)
		tell(s, i);
	assert_string_equal(text_of(p, 0), LINE(7, 7));
	assert_string_equal(text_of(p, 1), LINE(5, 5) LINE(6, 6));
	assert_string_equal(text_of(p, 2), LINE(3, 3) LINE(4, 4));
	assert_string_equal(text_of(p, 3), "");
	alertlog_ops.free(s);
	o.keep = 0;
	s = alertlog_new(&o);
	tell(s, 1);
	tell(s, 2);
	tell(s, 3);
	assert_string_equal(text_of(p, 0), LINE(2, 2) LINE(3, 3));
	assert_string_equal(text_of(p, 1), LINE(5, 5) LINE(6, 6)); /* not ours any more */
	alertlog_ops.free(s);
}

static void test_moved_by_others(void **state)
{
	struct place *p = *state;
	struct alertlog_opts o = opts(p);
	void *s = alertlog_new(&o);
	char to[160];

	tell(s, 1);
	snprintf(to, sizeof(to), "%s.1", p->path);
	assert_int_equal(rename(p->path, to), 0);
	tell(s, 2);
	assert_string_equal(text_of(p, 0), LINE(2, 2));
	assert_string_equal(text_of(p, 1), LINE(1, 1));
	assert_int_equal(unlink(p->path), 0);
	tell(s, 3);
	assert_string_equal(text_of(p, 0), LINE(3, 3));
	assert_int_equal(rename(p->path, to), 0);
	close(open(p->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); /* as logrotate's "create" does */
	tell(s, 4);
	assert_string_equal(text_of(p, 0), LINE(4, 4));
	alertlog_ops.free(s);
	s = alertlog_new(&o); /* another run goes on in the same file */
	tell(s, 5);
	assert_string_equal(text_of(p, 0), LINE(4, 4) LINE(1, 5));
	alertlog_ops.free(s);
}

/* RLIMIT_FSIZE makes a write short and the next one fail, as a full disk does. */
static void test_no_space(void **state)
{
	struct place *p = *state;
	struct alertlog_opts o = opts(p);
	void *s = alertlog_new(&o);
	struct rlimit old, small;
	struct self_sink self;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = strlen(LINE(1, 1)) + 10;
	tell(s, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	tell(s, 2);
	tell(s, 3);
	alertlog_self(s, &self);
	assert_true(self.failing);
	assert_int_equal(self.failed, 1);
	assert_int_equal(self.queued, 2);
	assert_string_equal(text_of(p, 0), LINE(1, 1)); /* no half line */
	for (uint64_t i = 0; i < 2000; i++)
		tell(s, 1);
	alertlog_self(s, &self);
	assert_true(self.dropped > 1000); /* what waits is bounded */
	assert_int_equal(self.queued + self.dropped, 2002);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	alertlog_ops.free(s); /* the last try */
	text_of(p, 0);
	assert_memory_equal(p->text, LINE(1, 1) LINE(2, 2) LINE(3, 3), strlen(LINE(1, 1) LINE(2, 2) LINE(3, 3)));
}

static void test_no_directory(void **state)
{
	struct place *p = *state;
	struct alertlog_opts o = opts(p);
	struct self_sink self;
	void *s;

	snprintf(o.path, sizeof(o.path), "%s/no/alerts", p->dir);
	errno = 0;
	assert_null(alertlog_new(&o));
	assert_int_equal(errno, ENOENT);
	snprintf(o.path, sizeof(o.path), "%s", p->dir);
	assert_null(alertlog_new(&o));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	snprintf(o.path, sizeof(o.path), "%s", p->path);
	assert_null(alertlog_new(&o)); /* and does not wait for its reader */
	assert_int_equal(unlink(p->path), 0);
	s = alertlog_new(&o);
	assert_non_null(s);
	unlink(p->path);
	rmdir(p->dir);
	tell(s, 1);
	alertlog_self(s, &self);
	assert_true(self.failing);
	assert_int_equal(self.queued, 1);
	mkdir(p->dir, 0700);
	alertlog_ops.free(s);
	assert_string_equal(text_of(p, 0), LINE(1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
