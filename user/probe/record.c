/* SPDX-License-Identifier: Apache-2.0 */
/* Is this a whole record? */
#include "probe/record.h"

#include <stdint.h>
#include <string.h>

#include "event_tls.h"

static bool chan_ok(uint8_t chan, uint8_t end)
{
	return chan >= CHAN_PIPE && chan <= CHAN_TLS && end <= END_WRITE;
}

static bool data_ok(const struct ev_data *d)
{
	return d->have <= d->hdr.size - sizeof(*d) && d->have <= d->want &&
	       d->pos <= UINT64_MAX - d->want && chan_ok(d->chan, d->end);
}

/* Bytes that a record of @kind has at least; the head's for kinds that are not known here. */
static size_t record_size(uint16_t kind)
{
	switch (kind) {
	case EV_DATA:
		return sizeof(struct ev_data);
	case EV_OPEN:
		return sizeof(struct ev_open);
	case EV_CLOSE:
		return sizeof(struct ev_close);
	case EV_EXEC:
		return sizeof(struct ev_exec);
	case EV_EXIT:
		return sizeof(struct ev_exit);
	case EV_HELLO:
		return sizeof(struct ev_hello);
	case EV_JOIN:
		return sizeof(struct ev_join);
	case EV_HOOKED:
		return sizeof(struct ev_hooked);
	case EV_ODD:
		return sizeof(struct ev_odd);
	default:
		return sizeof(struct ev_hdr);
	}
}

static bool hooked_ok(const struct ev_hooked *k)
{
	return memchr(k->why, 0, sizeof(k->why)) != NULL;
}

bool record_ok(const struct ev_hdr *h, size_t size)
{
	const struct ev_open *o = (const struct ev_open *)h;

	if (size < sizeof(*h) || h->size > size || h->size < record_size(h->kind))
		return false;
	switch (h->kind) {
	case EV_DATA:
		return data_ok((const struct ev_data *)h);
	case EV_OPEN:
		return chan_ok(o->chan, o->end);
	case EV_EXEC:
		return ((const struct ev_exec *)h)->path_len < EV_PATH_MAX;
	case EV_JOIN:
		return ((const struct ev_join *)h)->end <= END_WRITE;
	case EV_HELLO:
		return ((const struct ev_hello *)h)->end <= END_WRITE;
	case EV_ODD:
		return ((const struct ev_odd *)h)->end <= END_WRITE;
	case EV_HOOKED:
		return hooked_ok((const struct ev_hooked *)h);
	default:
		return true;
	}
}
