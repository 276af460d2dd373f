/* SPDX-License-Identifier: Apache-2.0 */
/* Transcripts: JSON-RPC messages of past sessions, one JSON object a line.
 *
 * The text is read whole, since order is by time over all sessions and gzip cannot be sought in; the
 * messages stay views into it. */
#include "transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "proto/coding.h"
#include "transcript_line.h"

#define READ_BYTES 262144

void transcript_reject(struct transcript *t, uint32_t line, const char *why)
{
	t->malformed++;
	if (t->malformed <= TRANSCRIPT_REPORTS_MAX)
		log_err("%s:%u: skipped: %s", t->path, line, why);
}

static void take_text(void *ctx, struct sv bytes)
{
	struct transcript *t = ctx;

	if (!t->err && buf_add(&t->text, bytes.p, bytes.n) < 0)
		t->err = t->text.n + bytes.n > TRANSCRIPT_TEXT_MAX ? -EFBIG : -ENOMEM;
}

/* All of @fd into t->text. */
static int read_fd(struct transcript *t, int fd, char *chunk)
{
	const struct coding_opts opts = { .out_max = TRANSCRIPT_TEXT_MAX, .out = take_text, .ctx = t };
	struct coding *gz = NULL;
	int err = 0;

	for (bool first = true; !err; first = false) {
		ssize_t n = read(fd, chunk, READ_BYTES);
		struct sv in = { chunk, n > 0 ? (size_t)n : 0 };

		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		if (first && sv_starts(in, SV("\x1f\x8b"))) {
			gz = coding_new(SV("gzip"), &opts);
			err = gz ? 0 : -errno;
		}
		if (gz)
			err = coding_feed(gz, in);
		else if (!err)
			take_text(t, in);
		err = err ? err : t->err;
	}
	if (gz && !err && !coding_ended(gz))
		err = -EBADMSG;
	coding_free(gz);
	return err == -E2BIG ? -EFBIG : err;
}

static int read_text(struct transcript *t)
{
	char *chunk = malloc(READ_BYTES);
	int fd = chunk ? open(t->path, O_RDONLY | O_CLOEXEC) : -1;
	int err = fd < 0 ? -errno : read_fd(t, fd, chunk);

	if (fd >= 0)
		close(fd);
	free(chunk);
	return err;
}

/* The entry of @names called @name, found or new; NULL with errno. */
static struct transcript_session *named(struct table *names, struct sv name)
{
	struct table_node *node = table_peek(names, name.p, name.n);
	struct transcript_session *s;

	if (node)
		return table_entry(node, struct transcript_session, node);
	if (names->n == TRANSCRIPT_SESSIONS_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	s = calloc(1, sizeof(*s) + name.n + 1);
	if (!s)
		return NULL;
	memcpy(s->name, name.p, name.n);
	s->index = (uint32_t)names->n;
	table_add(names, &s->node, s->name, name.n);
	return s;
}

static int add_msg(struct transcript *t, const struct transcript_line *l, uint32_t line)
{
	struct transcript_session *s, *agent = NULL;

	if (t->n == TRANSCRIPT_MSGS_MAX)
		return -ENOSPC;
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 1024;
		struct transcript_msg *msg = reallocarray(t->msg, room, sizeof(*msg));

		if (!msg)
			return -ENOMEM;
		t->msg = msg;
		t->room = room;
	}
	s = named(&t->sessions, l->session);
	if (s && l->agent.n)
		agent = named(&t->agents, l->agent);
	if (!s || (l->agent.n && !agent))
		return -errno;
	t->msg[t->n++] = (struct transcript_msg){
		.ts = l->ts + TRANSCRIPT_BIAS_NS,
		.session = s,
		.agent = agent ? agent->index + 1 : 0,
		.json = l->msg,
		.line = line,
		.from = l->from,
	};
	return 0;
}

static int parse_text(struct transcript *t)
{
	struct sv rest = buf_sv(&t->text);
	struct transcript_line *l = malloc(sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	for (uint32_t line = 1; rest.n && !err; line++) {
		const char *nl = memchr(rest.p, '\n', rest.n);
		struct sv text = { rest.p, nl ? (size_t)(nl - rest.p) : rest.n };
		size_t taken = text.n + (nl != NULL);
		const char *why = NULL;

		rest.p += taken;
		rest.n -= taken;
		text = sv_trim(text);
		if (!text.n)
			continue;
		why = transcript_line_parse(text, l);
		if (why)
			transcript_reject(t, line, why);
		else
			err = add_msg(t, l, line);
	}
	free(l);
	return err;
}

static int by_time(const void *a, const void *b)
{
	const struct transcript_msg *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* From the back: the first message met of a session is its last. */
static int mark_last(struct transcript *t)
{
	bool *met = calloc(t->sessions.n + 1, sizeof(*met));

	if (!met)
		return -ENOMEM;
	for (size_t i = t->n; i-- > 0;) {
		t->msg[i].last = !met[t->msg[i].session->index];
		met[t->msg[i].session->index] = true;
	}
	free(met);
	return 0;
}

int transcript_load(struct transcript *t, const char *path)
{
	int err;

	*t = (struct transcript){ .path = path };
	buf_init(&t->text, TRANSCRIPT_TEXT_MAX);
	err = table_init(&t->sessions, TRANSCRIPT_SESSIONS_MAX);
	if (!err)
		err = table_init(&t->agents, TRANSCRIPT_SESSIONS_MAX);
	if (!err)
		err = read_text(t);
	if (!err)
		err = parse_text(t);
	if (!err && t->n) {
		qsort(t->msg, t->n, sizeof(*t->msg), by_time);
		err = mark_last(t);
	}
	if (err == -EFBIG)
		log_err("%s: longer than %lu GiB", path, TRANSCRIPT_TEXT_MAX >> 30);
	else if (err == -EBADMSG)
		log_err("%s: broken or truncated gzip", path);
	else if (err == -ENOSPC)
		log_err("%s: more than %u messages or %u sessions", path, TRANSCRIPT_MSGS_MAX,
			TRANSCRIPT_SESSIONS_MAX);
	else if (err)
		log_err("cannot read %s: %s", path, errstr(err));
	return err;
}

static void names_done(struct table *names)
{
	struct table_node *next;

	for (struct table_node *n = names->oldest; n; n = next) {
		next = n->newer;
		free(table_entry(n, struct transcript_session, node));
	}
	table_done(names);
}

void transcript_done(struct transcript *t)
{
	names_done(&t->sessions);
	names_done(&t->agents);
	free(t->msg);
	buf_done(&t->text);
	*t = (struct transcript){ 0 };
}
