/* SPDX-License-Identifier: Apache-2.0 */
/* What a run saw, counted. */
#include "sink/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "sink/label.h"

static void summary_call(void *self, const struct call *c, const struct sink_peers *p)
{
	struct summary *s = self;

	(void)p;
	s->calls++;
	if (c->outcome < CALL_OUTCOMES)
		s->by_outcome[c->outcome]++;
	s->lost_bytes += c->lost_bytes;
}

static void summary_note(void *self, const struct note *n, const struct sink_peers *p)
{
	struct summary *s = self;

	(void)p;
	s->notifications++;
	s->lost_bytes += n->lost_bytes;
}

static void summary_loss(void *self, const struct loss *l)
{
	struct summary *s = self;
	const char *name = l->name;
	unsigned int i = 0;

	while (i < s->losses && strcmp(s->loss[i].name, name) != 0)
		i++;
	/* The last row is kept for all that come too late to have their own. */
	if (i == s->losses && i >= SUMMARY_LOSSES - 1) {
		i = SUMMARY_LOSSES - 1;
		name = "other";
	}
	if (i == s->losses) {
		snprintf(s->loss[i].name, sizeof(s->loss[i].name), "%s", name);
		s->losses++;
	}
	s->loss[i].count += l->count;
}

const struct sink_ops summary_ops = {
	.call = summary_call,
	.note = summary_note,
	.loss = summary_loss,
};

static void seconds_text(uint64_t ns, char ret_s[32])
{
	snprintf(ret_s, 32, "%llu.%03llu", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / NSEC_PER_MSEC);
}

int summary_json(const struct summary *s, uint64_t ns, struct buf *out)
{
	struct jsonw w;
	char seconds[32];

	jsonw_init(&w, out);
	jsonw_open(&w, NULL, '{');
	jsonw_u64(&w, "calls", s->calls);
	jsonw_u64(&w, "notifications", s->notifications);
	jsonw_open(&w, "by_outcome", '{');
	for (uint8_t i = 0; i < CALL_OUTCOMES; i++) {
		if (s->by_outcome[i])
			jsonw_u64(&w, label_outcome(i), s->by_outcome[i]);
	}
	jsonw_close(&w, '}');
	jsonw_u64(&w, "lost_bytes", s->lost_bytes);
	jsonw_open(&w, "losses", '{');
	for (unsigned int i = 0; i < s->losses; i++)
		jsonw_u64(&w, s->loss[i].name, s->loss[i].count);
	jsonw_close(&w, '}');
	seconds_text(ns, seconds);
	jsonw_raw(&w, "seconds", sv_of(seconds));
	jsonw_close(&w, '}');
	return buf_add_ch(out, '\n');
}

int summary_text(const struct summary *s, uint64_t ns, struct buf *out)
{
	const char *sep = " (";
	char shown[32];

	buf_addf(out, "%" PRIu64 " call%s", s->calls, s->calls == 1 ? "" : "s");
	for (uint8_t i = 0; i < CALL_OUTCOMES; i++) {
		if (s->by_outcome[i]) {
			buf_addf(out, "%s%" PRIu64 " %s", sep, s->by_outcome[i], label_outcome(i));
			sep = ", ";
		}
	}
	seconds_text(ns, shown);
	buf_addf(out, "%s, %" PRIu64 " notification%s in %s s; ", s->calls ? ")" : "",
		 s->notifications, s->notifications == 1 ? "" : "s", shown);
	if (!s->lost_bytes && !s->losses)
		return buf_add_str(out, "nothing lost\n");
	num_show_bytes(s->lost_bytes, shown);
	buf_addf(out, "lost of these: %s", shown);
	for (unsigned int i = 0; i < s->losses; i++)
		buf_addf(out, ", %s %" PRIu64, s->loss[i].name, s->loss[i].count);
	return buf_add_ch(out, '\n');
}

void summary_print(const struct summary *s, uint64_t ns, bool json)
{
	struct buf line;

	buf_init(&line, 16384);
	if (json)
		summary_json(s, ns, &line);
	else
		summary_text(s, ns, &line);
	/* Nobody is left to tell where standard error is gone. */
	if (line.n && write(STDERR_FILENO, line.p, line.n) < 0)
		line.n = 0;
	buf_done(&line);
}
