/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC over WebSocket: each text message is one JSON text. What is none of it is dismissed, under its one name. */
#include "flow/pump_ws.h"

#include <stdlib.h>

/* Both directions are another protocol, from here on. */
static void dismiss(struct pump *p, uint8_t dir)
{
	pump_find(&p->d[dir], PUMP_F_UPGRADE, 1, 0);
	for (int i = 0; i < 2; i++) {
		pump_body_end(&p->d[i].part, false);
		pump_ws_free(&p->d[i]);
		p->d[i].mode = PUMP_OFF;
		if (p->d[i].verdict == PUMP_UNDECIDED)
			pump_set_verdict(&p->d[i], PUMP_NOTHING);
	}
}

static bool begin(struct pump_dir *d)
{
	d->ws = calloc(1, sizeof(*d->ws));
	if (!d->ws)
		return false;
	buf_done(&d->head);
	d->mode = PUMP_WS;
	d->part.x = NULL;
	d->ws->frames.masks = d->dir == d->p->req_dir;
	d->ws->packed.d = d;
	return true;
}

/* A client waits for the answer: what it sent meanwhile was no frame. */
static bool client_waits(const struct pump_dir *o)
{
	if (o->mode == PUMP_HTTP)
		return pump_http_waits(o);
	return o->mode == PUMP_SNIFF && !o->started;
}

void pump_ws_upgrade(struct pump_dir *d)
{
	struct pump_dir *o = &d->p->d[!d->dir];

	pump_xchg_abort(d->p);
	d->p->http = false;
	if (!client_waits(o) || !begin(d) || !begin(o))
		dismiss(d->p, d->dir);
}

static void message_begin(struct pump_dir *d, const struct websocket_part *part)
{
	struct pump_ws *w = d->ws;

	w->at = !part->packed ? &d->part : w->broken ? NULL : &w->packed;
	if (part->packed && !w->broken && !w->packed.body.coding && !pump_body_unpack(w->at)) {
		w->broken = true;
		w->at = NULL;
	}
	/* Whatever is compressed has to be unpacked, since the next message builds on it. */
	if (w->at && (part->text || part->packed))
		pump_body_text(w->at, part->text);
	else
		w->at = NULL;
}

/* RFC 7692 7.2.2: the last four bytes of a compressed message are left out. Positions are those of the bytes around it. */
static bool unpack_rest(struct pump_dir *d, size_t n)
{
	uint64_t pos = d->pos;
	bool ok;

	d->pos = pos + n - 4;
	ok = pump_body_feed(&d->ws->packed, SV("\0\0\xff\xff"));
	d->pos = pos;
	return ok;
}

/* While a text is open nobody knows what it will be. */
static void count(struct pump_dir *d, size_t n)
{
	bool open = d->ws->at && d->ws->at->text.open;

	d->quiet += n;
	if (d->verdict == PUMP_UNDECIDED && !open && d->quiet > d->p->opts.undecided_max)
		dismiss(d->p, d->dir);
}

size_t pump_ws_feed(struct pump_dir *d, struct sv in)
{
	struct pump_ws *w = d->ws;
	struct websocket_part part;
	ssize_t n = websocket_next(&w->frames, in, &part);
	bool ok = true;

	if (n < 0) {
		dismiss(d->p, d->dir);
		return 0;
	}
	if (part.begin)
		message_begin(d, &part);
	if (part.data.n && w->at)
		ok = pump_body_feed(w->at, part.data);
	if (part.end && ok && w->at == &w->packed)
		ok = unpack_rest(d, (size_t)n);
	if (!ok) {
		w->broken = true;
		pump_body_end(&w->packed, false);
		w->at = NULL;
	}
	if (part.end && w->at)
		pump_body_text_end(w->at);
	if (part.end)
		w->at = NULL;
	count(d, (size_t)n);
	return (size_t)n;
}

void pump_ws_gap(struct pump_dir *d, uint64_t len)
{
	struct pump_ws *w = d->ws;

	d->part.lost += len;
	if (!websocket_skip(&w->frames, len)) {
		dismiss(d->p, d->dir);
		return;
	}
	if (w->at == &w->packed)
		w->broken = true;
	if (w->at)
		pump_body_gap(w->at);
	w->at = NULL;
}

uint64_t pump_ws_needs(const struct pump_dir *d)
{
	const struct pump_text *t = d->ws->at ? &d->ws->at->text : NULL;

	return t && t->open && t->beg < d->pos ? t->beg : d->pos;
}

void pump_ws_free(struct pump_dir *d)
{
	if (d->ws)
		pump_body_end(&d->ws->packed, false);
	free(d->ws);
	d->ws = NULL;
}
