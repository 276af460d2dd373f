/* SPDX-License-Identifier: Apache-2.0 */
/* Compare what the agent printed with what the pairs know.
 *
 *   check [-xl] [-c CHANNEL] [-t STACK] NAME TRACE SUMMARY TRUTH...
 *
 * Prints "PASS NAME", or "FAIL NAME: the first difference (of N)" and exits 1. Every call and
 * notification of the truth must be in the trace exactly once, with its sizes, outcome, names
 * and both processes, its duration within what both ends measured, and no byte lost. -x: and
 * nothing else may be there. -l: others may have lost bytes. -c: every call came on that
 * channel. -t: every call was inside TLS, by that stack. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pick.h"

struct want {
	struct pick line, id, method;
	bool server; /* who asked */
	bool seen;
	unsigned int pair;
};
struct wants {
	struct want *v;
	unsigned int n, cap;
};
struct peers {
	uint64_t client, server;
};
struct state {
	struct wants calls, notes, handlers;
	struct peers *pair;
	unsigned int pairs, calls_seen, notes_seen, bad;
	bool only, lossy;
	const char *channel, *tls;
	char first[300];
};

static void die(const char *what)
{
	printf("FAIL %s: %m\n", what);
	exit(1);
}

static void bad(struct state *s, const char *fmt, ...)
{
	va_list ap;

	if (s->bad++)
		return;
	va_start(ap, fmt);
	vsnprintf(s->first, sizeof(s->first), fmt, ap);
	va_end(ap);
}

static struct pick load(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	if (!st.st_size)
		return (struct pick){ "", 0 };
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return (struct pick){ p, (size_t)st.st_size };
}

/* Take the next line off @in; false at its end. */
static bool next_line(struct pick *in, struct pick *line)
{
	const char *nl = in->n ? memchr(in->p, '\n', in->n) : NULL;

	if (!nl)
		return false;
	*line = (struct pick){ in->p, (size_t)(nl - in->p) };
	in->n -= line->n + 1;
	in->p = nl + 1;
	return true;
}

static bool same(struct pick a, struct pick b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

static void add(struct wants *w, struct want x)
{
	if (w->n == w->cap) {
		w->cap = w->cap * 2 + 256;
		w->v = realloc(w->v, w->cap * sizeof(*w->v));
		if (!w->v)
			die("memory");
	}
	w->v[w->n++] = x;
}

static void load_truth(struct state *s, const char *path)
{
	struct pick in = load(path), line;
	struct peers *p = &s->pair[s->pairs];
	struct want w;

	while (next_line(&in, &line)) {
		w = (struct want){ .line = line,
				   .id = pick(line, "id"),
				   .method = pick(line, "method"),
				   .server = pick_is(pick(line, "peer"), "server"),
				   .pair = s->pairs };
		*(w.server ? &p->server : &p->client) = pick_num(line, "pid");
		if (pick_is(pick(line, "t"), "call"))
			add(&s->calls, w);
		else if (pick_is(pick(line, "t"), "handler"))
			add(&s->handlers, w);
		else if (pick_is(pick(line, "kind"), "notification") &&
			 pick_is(pick(line, "dir"), "out"))
			add(&s->notes, w);
	}
	if (!p->client || !p->server)
		bad(s, "%s has not both peers", path);
	s->pairs++;
}

/* The truth file that a record belongs to; -1: none. */
static int pair_of(struct state *s, struct pick rec)
{
	uint64_t client = pick_num(pick(rec, "client"), "pid"),
		 server = pick_num(pick(rec, "server"), "pid");
	unsigned int i;

	for (i = 0; i < s->pairs; i++) {
		if (s->pair[i].client == client && s->pair[i].server == server)
			return (int)i;
	}
	/* One of them is ours and the other is not: a record that is wrong. */
	for (i = 0; i < s->pairs; i++) {
		if (s->pair[i].client == client || s->pair[i].server == server) {
			bad(s, "wrong ends: client %lu server %lu, want %lu %lu", client, server,
			    s->pair[i].client, s->pair[i].server);
			return (int)i;
		}
	}
	return -1;
}

static uint64_t handler_ns(struct state *s, const struct want *w)
{
	struct pick key = pick(w->line, "key");
	unsigned int i;

	for (i = 0; key.p && i < s->handlers.n; i++) {
		if (s->handlers.v[i].pair == w->pair &&
		    same(pick(s->handlers.v[i].line, "key"), key))
			return pick_num(s->handlers.v[i].line, "dur_ns");
	}
	return 0;
}

/* Two fields that must both be there and equal, or both be missing. */
static void equal(struct state *s, const struct want *w, struct pick rec, const char *field)
{
	struct pick a = pick(w->line, field), b = pick(rec, field);

	if (!same(a, b))
		bad(s, "%.*s %.*s: %s %.*s, want %.*s", (int)w->method.n, w->method.p, (int)w->id.n,
		    w->id.p, field, b.p ? (int)b.n : 4, b.p ? b.p : "none", a.p ? (int)a.n : 4,
		    a.p ? a.p : "none");
}

static void compare_time(struct state *s, const struct want *w, struct pick rec)
{
	uint64_t ns = pick_num(rec, "duration_ns"), low = handler_ns(s, w),
		 high = pick_num(w->line, "dur_ns");

	if (!pick(w->line, "response_bytes").p || !high)
		return;
	if (!pick(rec, "duration_ns").p || ns < low || ns > high)
		bad(s, "%.*s %.*s: duration %lu, want %lu to %lu", (int)w->method.n, w->method.p,
		    (int)w->id.n, w->id.p, ns, low, high);
}

static void compare_call(struct state *s, struct want *w, struct pick rec)
{
	static const char *const fields[] = { "method",	       "tool",		"prompt",
					      "resource",      "outcome",	"error_code",
					      "request_bytes", "response_bytes" };
	size_t i;

	if (w->seen)
		bad(s, "%.*s %.*s: twice", (int)w->method.n, w->method.p, (int)w->id.n, w->id.p);
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		equal(s, w, rec, fields[i]);
	compare_time(s, w, rec);
	if (pick(rec, "lost_bytes").p || pick(rec, "order").p)
		bad(s, "%.*s %.*s: marked: lost_bytes %lu", (int)w->method.n, w->method.p,
		    (int)w->id.n, w->id.p, pick_num(rec, "lost_bytes"));
	if (s->channel && !pick_is(pick(rec, "channel"), s->channel))
		bad(s, "%.*s %.*s: not on %s", (int)w->method.n, w->method.p, (int)w->id.n, w->id.p,
		    s->channel);
	if (s->tls && !pick_is(pick(rec, "tls"), s->tls))
		bad(s, "%.*s %.*s: not in TLS by %s", (int)w->method.n, w->method.p, (int)w->id.n, w->id.p,
		    s->tls);
}

/* @w is what the record tells of: the same id, or for a notification one like it that is not seen. */
static bool fits(const struct want *w, struct pick rec, bool call)
{
	if (w->server != pick_is(pick(rec, "from"), "server"))
		return false;
	if (call)
		return same(w->id, pick(rec, "id"));
	return !w->seen && same(w->method, pick(rec, "method")) &&
	       same(pick(w->line, "bytes"), pick(rec, "bytes"));
}

static void record(struct state *s, struct pick rec, bool call)
{
	struct wants *list = call ? &s->calls : &s->notes;
	int pair = pair_of(s, rec);
	struct want *w;

	if (pair < 0) {
		if (s->only)
			bad(s, "stray record: %.*s", rec.n > 200 ? 200 : (int)rec.n, rec.p);
		return;
	}
	*(call ? &s->calls_seen : &s->notes_seen) += 1;
	for (w = list->v; w < list->v + list->n; w++) {
		if (w->pair != (unsigned int)pair || !fits(w, rec, call))
			continue;
		if (call)
			compare_call(s, w, rec);
		w->seen = true;
		return;
	}
	bad(s, "never happened: %.*s", rec.n > 200 ? 200 : (int)rec.n, rec.p);
}

static void missing(struct state *s, const struct wants *list, const char *what)
{
	unsigned int i, n = 0;

	for (i = 0; i < list->n; i++)
		n += !list->v[i].seen;
	for (i = 0; n && i < list->n && list->v[i].seen; i++)
		;
	if (n)
		bad(s, "%u of %u %s not seen, first %.*s", n, list->n, what,
		    list->v[i].line.n > 160 ? 160 : (int)list->v[i].line.n, list->v[i].line.p);
	s->bad += n ? n - 1 : 0;
}

/* The last line of the agent's standard error. */
static struct pick summary(struct state *s, const char *path)
{
	struct pick in = load(path), line, last = { NULL, 0 };

	while (next_line(&in, &line)) {
		if (line.n && *line.p == '{')
			last = line;
	}
	if (!pick(last, "calls").p)
		bad(s, "no summary");
	else if (!s->lossy && pick_num(last, "lost_bytes"))
		bad(s, "lost %lu bytes, losses %.*s", pick_num(last, "lost_bytes"),
		    (int)pick(last, "losses").n, pick(last, "losses").p);
	return pick(last, "losses");
}

static void load_trace(struct state *s, const char *path)
{
	struct pick in = load(path), line;

	while (next_line(&in, &line)) {
		if (pick_is(pick(line, "kind"), "call"))
			record(s, line, true);
		else if (pick_is(pick(line, "kind"), "notification"))
			record(s, line, false);
	}
}

int main(int c, char **v)
{
	struct state s = {};
	struct pick losses;
	int o, i;

	for (o = getopt(c, v, "xlc:t:"); o != -1; o = getopt(c, v, "xlc:t:")) {
		if (o == 'x')
			s.only = true;
		else if (o == 'l')
			s.lossy = true;
		else if (o == 'c')
			s.channel = optarg;
		else if (o == 't')
			s.tls = optarg;
	}
	v += optind - 1;
	c -= optind - 1;
	if (c < 5) {
		fprintf(stderr, "usage: check [-xl] [-c CHANNEL] [-t STACK] NAME TRACE SUMMARY TRUTH...\n");
		return 2;
	}
	s.pair = calloc((size_t)c, sizeof(*s.pair));
	if (!s.pair)
		die("memory");
	for (i = 4; i < c; i++)
		load_truth(&s, v[i]);
	load_trace(&s, v[2]);
	missing(&s, &s.calls, "calls");
	missing(&s, &s.notes, "notifications");
	losses = summary(&s, v[3]);
	if (s.bad)
		printf("FAIL %s: %s (of %u differences)\n", v[1], s.first, s.bad);
	else
		printf("PASS %s: %u calls, %u notifications%s%.*s\n", v[1], s.calls_seen,
		       s.notes_seen, losses.n > 2 ? ", losses " : "",
		       losses.n > 2 ? (int)losses.n : 0, losses.p);
	return !!s.bad;
}
