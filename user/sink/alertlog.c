/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts as JSON lines in a file.
 *
 * A line is written as its alert comes. What cannot be written (no space, no directory) waits in a buffer of 64 KiB and
 * is tried again each few seconds. Whoever rotates, we or logrotate: each write goes to the file that has the name. */
#include "sink/alertlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "sink/alert_json.h"

#define WAITING_MAX 65536
#define LINE_MAX_BYTES 32768
#define RETRY_NS    (5 * NSEC_PER_SEC)

struct alertlog {
	struct alertlog_opts o;
	bool is_stdout;
	int fd; /* -1: to be opened */
	uint64_t seq, lines; /* of this run; waiting */
	uint64_t sent, failed, dropped;
	uint64_t retry; /* boot ns */
	bool failing;
	struct buf waiting, line;
};

void alertlog_opts_default(struct alertlog_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->max_bytes = 16UL << 20;
	o->keep = 5;
}

static int open_file(struct alertlog *s)
{
	struct stat st;
	int err;

	/* O_NONBLOCK: a FIFO without a reader would hold us up here. */
	s->fd = open(s->o.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
	if (s->fd < 0)
		return -errno;
	err = fstat(s->fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (err) {
		close(s->fd);
		s->fd = -1;
	}
	return err;
}

static void close_file(struct alertlog *s)
{
	if (s->fd >= 0 && !s->is_stdout)
		close(s->fd);
	s->fd = -1;
}

static void old_name(const struct alertlog *s, uint32_t i, char ret_s[300])
{
	if (i)
		snprintf(ret_s, 300, "%s.%u", s->o.path, i);
	else
		snprintf(ret_s, 300, "%s", s->o.path);
}

/* PATH -> PATH.1 -> ... -> PATH.<keep>, which goes. Old names may be missing. */
static int rotate(struct alertlog *s)
{
	char from[300], to[300];
	int err = 0;

	close_file(s);
	if (!s->o.keep)
		err = unlink(s->o.path);
	for (uint32_t i = s->o.keep; i > 0; i--) {
		old_name(s, i - 1, from);
		old_name(s, i, to);
		err = rename(from, to);
	}
	return err < 0 ? -errno : open_file(s);
}

/* The file that has the name now, with room for @n bytes more. */
static int ready_file(struct alertlog *s, size_t n)
{
	struct stat have, named;
	int err;

	if (s->is_stdout)
		return 0;
	if (s->fd >= 0 && (stat(s->o.path, &named) < 0 || fstat(s->fd, &have) < 0 || named.st_ino != have.st_ino ||
			   named.st_dev != have.st_dev))
		close_file(s);
	err = s->fd < 0 ? open_file(s) : 0;
	if (err)
		return err;
	if (fstat(s->fd, &have) == 0 && have.st_size > 0 && s->o.max_bytes &&
	    (uint64_t)have.st_size + n > s->o.max_bytes)
		return rotate(s);
	return 0;
}

/* All that waits, or nothing. */
static int write_waiting(struct alertlog *s)
{
	struct stat before;
	ssize_t n;
	int err = ready_file(s, s->waiting.n);

	if (err)
		return err;
	if (fstat(s->fd, &before) < 0)
		return -errno;
	n = write(s->fd, s->waiting.p, s->waiting.n);
	if (n == (ssize_t)s->waiting.n)
		return 0;
	err = n < 0 ? -errno : -ENOSPC;
	if (n > 0 && S_ISREG(before.st_mode) && ftruncate(s->fd, before.st_size) == 0)
		return err;
	if (n > 0) /* the rest of a line that was begun */
		buf_cut(&s->waiting, (size_t)n);
	return err;
}

static void try_write(struct alertlog *s)
{
	int err;

	if (!s->waiting.n)
		return;
	err = write_waiting(s);
	if (err) {
		s->failed++;
		s->retry = clock_boot_ns() + RETRY_NS;
		if (!s->failing)
			log_warn("cannot write alerts to %s: %s", s->o.path, errstr(err));
		s->failing = true;
		return;
	}
	if (s->failing)
		log_info("writing alerts to %s works again", s->o.path);
	s->failing = false;
	s->sent += s->lines;
	s->lines = 0;
	buf_reset(&s->waiting);
}

static void put_labels(struct jsonw *w, const struct alert_labels *l)
{
	if (!l || !l->n)
		return;
	jsonw_open(w, "labels", '{');
	for (unsigned int i = 0; i < l->n; i++)
		jsonw_cstr(w, l->v[i].name, l->v[i].value);
	jsonw_close(w, '}');
}

static int make_line(struct alertlog *s, const struct alert *a, const struct sink_peers *p)
{
	char ts[32];
	struct jsonw w;

	clock_rfc3339(a->ts + (uint64_t)s->o.wall_offset, ts);
	buf_reset(&s->line);
	jsonw_init(&w, &s->line);
	jsonw_open(&w, NULL, '{');
	jsonw_cstr(&w, "kind", "alert");
	jsonw_cstr(&w, "ts", ts);
	jsonw_u64(&w, "seq", s->seq + 1);
	alert_json_fields(&w, a, p, s->o.wall_offset);
	put_labels(&w, s->o.labels);
	jsonw_close(&w, '}');
	return w.bad ? -ENOSPC : buf_add_ch(&s->line, '\n');
}

static void on_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct alertlog *s = self;

	if (a->state != ALERT_FIRING && a->state != ALERT_RESOLVED)
		return;
	if (make_line(s, a, p) < 0 || buf_add_sv(&s->waiting, buf_sv(&s->line)) < 0) {
		s->dropped++;
		return;
	}
	s->seq++;
	s->lines++;
	if (!s->failing)
		try_write(s);
}

static void on_flush(void *self)
{
	struct alertlog *s = self;

	if (s->failing && clock_boot_ns() >= s->retry)
		try_write(s);
}

static void on_free(void *self)
{
	struct alertlog *s = self;

	if (!s)
		return;
	try_write(s);
	close_file(s);
	buf_done(&s->waiting);
	buf_done(&s->line);
	free(s);
}

const struct sink_ops alertlog_ops = {
	.alert = on_alert,
	.flush = on_flush,
	.free = on_free,
};

void alertlog_self(const void *self, struct self_sink *ret)
{
	const struct alertlog *s = self;

	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "log %.59s", s->o.path);
	ret->failing = s->failing;
	ret->sent = s->sent;
	ret->failed = s->failed;
	ret->dropped = s->dropped;
	ret->queued = s->lines;
}

void *alertlog_new(const struct alertlog_opts *o)
{
	struct alertlog *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	s->o = *o;
	s->is_stdout = strcmp(o->path, "-") == 0;
	s->fd = s->is_stdout ? STDOUT_FILENO : -1;
	buf_init(&s->waiting, WAITING_MAX);
	buf_init(&s->line, LINE_MAX_BYTES);
	err = ready_file(s, 0);
	if (!err)
		return s;
	on_free(s);
	errno = -err;
	return NULL;
}
