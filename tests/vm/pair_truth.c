/* SPDX-License-Identifier: Apache-2.0 */
/* What really happened, one line each, one write a line. Beside the fields of
 * tests/e2e/README.md a call tells the sizes of its own messages, so that check.c needs no join. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

static const char *role = "client";
static int fd = -1;

void truth_role(bool server)
{
	const char *path = getenv("TRUTH");

	role = server ? "server" : "client";
	if (!path)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		die(path);
}

static const char *late_file(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", getenv("PAIR_LATE"), name);
	return path;
}

bool truth_is_late(void)
{
	return getenv("PAIR_LATE");
}

void truth_wait(void)
{
	int mark = open(late_file("early"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (mark < 0)
		die(late_file("early"));
	close(mark);
	while (access(late_file("go"), F_OK))
		usleep(10000);
}

static bool watched(void)
{
	static bool yes;

	yes = yes || !truth_is_late() || !access(late_file("go"), F_OK);
	return yes;
}

static void line(struct text *t)
{
	text_str(t, "}\n");
	if (fd >= 0 && watched() && write(fd, t->p, t->n) != (ssize_t)t->n)
		die("truth");
	t->n = 0;
}

static void begin(struct text *t, const char *kind)
{
	text_fmt(t, "{\"t\":\"%s\",\"peer\":\"%s\",\"pid\":%d", kind, role, (int)getpid());
}

void truth_msg(const char *dir, const char *kind, struct pick id, struct pick method, size_t bytes)
{
	static struct text t;

	begin(&t, "msg");
	text_fmt(&t, ",\"dir\":\"%s\",\"kind\":\"%s\"", dir, kind);
	if (id.p)
		text_fmt(&t, ",\"id\":%.*s", (int)id.n, id.p);
	if (method.p)
		text_fmt(&t, ",\"method\":%.*s", (int)method.n, method.p);
	text_fmt(&t, ",\"bytes\":%zu", bytes);
	line(&t);
}

void truth_call(const struct asked *a)
{
	static struct text t;

	begin(&t, "call");
	text_fmt(&t, ",\"id\":%s,\"method\":\"%s\"", a->id, a->method);
	if (a->name_field)
		text_fmt(&t, ",\"%s\":\"%s\"", a->name_field, a->name);
	text_fmt(&t, ",\"outcome\":\"%s\",\"request_bytes\":%zu", a->outcome, a->request_bytes);
	if (a->response_bytes)
		text_fmt(&t, ",\"response_bytes\":%zu", a->response_bytes);
	if (a->error_code)
		text_fmt(&t, ",\"error_code\":%d", a->error_code);
	if (a->key[0])
		text_fmt(&t, ",\"key\":\"%s\"", a->key);
	if (a->end)
		text_fmt(&t, ",\"dur_ns\":%llu", (unsigned long long)(a->end - a->begin));
	line(&t);
}

void truth_handler(struct pick tool, struct pick key, uint64_t dur_ns)
{
	static struct text t;

	begin(&t, "handler");
	text_fmt(&t, ",\"tool\":%.*s,\"key\":%.*s,\"dur_ns\":%llu", (int)tool.n, tool.p, (int)key.n,
		 key.p, (unsigned long long)dur_ns);
	line(&t);
}
