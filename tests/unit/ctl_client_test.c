/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side: what the agent says comes out where it belongs, and the exit status is the agent's. */
#include "ctl_world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "ctl_client.h"
#include "ctl_listen.h"

/* A command in a process of its own. */
struct asked {
	pid_t pid;
	int out, err, status; /* status -1: it runs */
	struct buf out_text, err_text;
};
static struct asked child;

static int ask_and_end(const char *path, const char *command)
{
	char *argv[] = { (char *)"mcpvigil x", (char *)"-o", (char *)"json", NULL };
	struct ctl_request r = { .command = command, .argc = strcmp(command, "trace") ? 1 : 3, .argv = argv };
	int n = ctl_ask(path, &r);

	return n < 0 ? 100 : n + (r.ended ? 10 : 0);
}

static void start(const char *path, const char *command)
{
	int out[2], err[2];

	assert_int_equal(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	child = (struct asked){ .out = out[0], .err = err[0], .status = -1 };
	buf_init(&child.out_text, 1 << 20);
	buf_init(&child.err_text, 1 << 20);
	child.pid = fork();
	if (!child.pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		close(out[0]);
		close(err[0]);
		_exit(ask_and_end(path, command));
	}
	close(out[1]);
	close(err[1]);
	fcntl(child.out, F_SETFL, O_NONBLOCK);
	fcntl(child.err, F_SETFL, O_NONBLOCK);
}

static void suck(int fd, struct buf *b)
{
	char chunk[4096];
	ssize_t n;

	while (fd >= 0) {
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0)
			return;
		buf_add(b, chunk, (size_t)n);
	}
}

static bool is_over(struct world *w)
{
	int status;

	(void)w;
	if (child.status < 0 && waitpid(child.pid, &status, WNOHANG) == child.pid)
		child.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
	suck(child.out, &child.out_text);
	suck(child.err, &child.err_text);
	return child.status >= 0;
}

static bool watches(struct world *w)
{
	return is_over(w) || text_has(&child.err_text, "watching");
}

static bool printed(struct world *w)
{
	return is_over(w) || lines_of(&child.out_text) >= 2;
}

static void forget(void)
{
	close(child.err);
	if (child.out >= 0)
		close(child.out);
	buf_done(&child.out_text);
	buf_done(&child.err_text);
}

static void test_doctor(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	start(w.path, "doctor");
	until(&w, is_over);
	assert_int_equal(child.status, 0);
	assert_true(text_has(&child.out_text, "all is well\n"));
	assert_int_equal(child.err_text.n, 0);
	forget();
	start(w.path, "dance");
	until(&w, is_over);
	assert_int_equal(child.status, 2);
	assert_int_equal(child.out_text.n, 0);
	text_is(&child.err_text, "mcpvigil: the agent does not know this command\n");
	forget();
	world_close(&w);
}

static void trace_until(int sig)
{
	const struct call c = { .method = (char *)"ping" };
	struct world w;

	world_open(&w, false, 0);
	start(w.path, "trace");
	until(&w, watches);
	sink_call(facts_sink(w.f), &c, NULL);
	sink_call(facts_sink(w.f), &c, NULL);
	until(&w, printed);
	kill(child.pid, sig);
	until(&w, is_over);
	assert_int_equal(child.status, 10);
	assert_int_equal(lines_of(&child.out_text), 2);
	assert_int_equal(lines_of(&child.err_text), 2);
	assert_memory_equal(child.err_text.p, "watching", 8);
	assert_true(text_has(&child.err_text, "\n{\"calls\":2,"));
	forget();
	world_close(&w);
}

static void test_trace(void **state)
{
	(void)state;
	trace_until(SIGINT);
	trace_until(SIGTERM);
}

/* trace | head: its end is no failure, and it does not wait for the next record. */
static void test_reader_leaves(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	start(w.path, "trace");
	until(&w, watches);
	close(child.out);
	child.out = -1;
	until(&w, is_over);
	assert_int_equal(child.status, 10);
	assert_int_equal(lines_of(&child.err_text), 1);
	forget();
	world_close(&w);
}

static void test_nobody_there(void **state)
{
	struct ctl_request r = { .command = "doctor" };
	char dir[] = "/tmp/ctl_client.XXXXXX", path[64];
	char huge[200];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(ctl_ask(path, &r), -ENOENT);
	close(ctl_listen(path));
	assert_int_equal(ctl_ask(path, &r), -ECONNREFUSED);
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(ctl_ask(huge, &r), -ENAMETOOLONG);
	unlink(path);
	rmdir(dir);
}

static void test_too_many_words(void **state)
{
	static char word[CTL_REQUEST_MAX];
	char *argv[] = { word, word, NULL };
	struct ctl_request r = { .command = "trace", .argc = 2, .argv = argv };
	struct world w;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	world_open(&w, false, 0);
	assert_int_equal(ctl_ask(w.path, &r), -E2BIG);
	world_close(&w);
}

/* An agent that says @bytes, in two parts cut at @cut, and leaves. */
static void say(const char *bytes, size_t n, size_t cut)
{
	char dir[] = "/tmp/ctl_client.XXXXXX", path[64];
	int fd, peer;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	fd = ctl_listen(path);
	fcntl(fd, F_SETFL, 0);
	start(path, "doctor");
	peer = accept(fd, NULL, NULL);
	assert_int_equal(send(peer, bytes, cut, MSG_NOSIGNAL), cut);
	usleep(1000);
	send(peer, bytes + cut, n - cut, MSG_NOSIGNAL);
	shutdown(peer, SHUT_WR);
	while (!is_over(NULL))
		usleep(500);
	close(peer);
	close(fd);
	unlink(path);
	rmdir(dir);
}

static void test_cut_answers(void **state)
{
	static const char bytes[] = "\1\1\0\0\3\0\0\0one\2\1\0\0\3\0\0\0two\1\1\0\0\0\0\0\0\1\1\0\0\2\0\0\0!\n"
				    "\3\1\0\0\1\0\0\0\7";

	(void)state;
	for (size_t cut = 0; cut < sizeof(bytes); cut++) {
		say(bytes, sizeof(bytes) - 1, cut);
		assert_int_equal(child.status, 7);
		text_is(&child.out_text, "one!\n");
		text_is(&child.err_text, "two");
		forget();
	}
}

static void test_strange_answers(void **state)
{
	(void)state;
	say("\1\1\0\0\3\0\0\0on", 10, 3);
	assert_int_equal(child.status, 1);
	text_is(&child.err_text, "mcpvigil: the agent went away\n");
	forget();
	say("", 0, 0);
	assert_int_equal(child.status, 1);
	forget();
	say("\1\2\0\0\3\0\0\0one", 11, 3);
	assert_int_equal(child.status, 1);
	text_is(&child.err_text, "mcpvigil: the agent is of another version\n");
	assert_int_equal(child.out_text.n, 0);
	forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doctor),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_reader_leaves),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_too_many_words),
		cmocka_unit_test(test_cut_answers),
		cmocka_unit_test(test_strange_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
