/* SPDX-License-Identifier: Apache-2.0 */
/* The values of one message. */
#include "proto/rpc_text.h"

#include <endian.h>

#include "base/hash.h"

#define LIVE_MAX   (RPC_F_N * RPC_VALUE_MAX)
#define KEEP_BYTES 4096 /* of the buffer, between messages */

void rpc_text_init(struct rpc_text *t)
{
	*t = (struct rpc_text){ .seed = hash_bytes("rpc_text", 8) };
	/* Twice what can be live, so that moving the live ones pays for itself. */
	buf_init(&t->bytes, 2 * LIVE_MAX);
}

void rpc_text_done(struct rpc_text *t)
{
	buf_done(&t->bytes);
}

void rpc_text_reset(struct rpc_text *t)
{
	memset(t->v, 0, sizeof(t->v));
	buf_reset(&t->bytes);
	if (t->bytes.cap > KEEP_BYTES)
		buf_done(&t->bytes);
}

/* Multiply and fold, as wyhash does; one input is secret. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static void hash_lane(struct rpc_text *t)
{
	t->hash = mix(t->hash ^ t->lane, t->seed | 1);
	t->lane = 0;
}

static void hash_byte(struct rpc_text *t, char c)
{
	t->lane |= (uint64_t)(uint8_t)c << (t->hashed % 8 * 8);
	if (++t->hashed % 8 == 0)
		hash_lane(t);
}

/* The same for any split of the same bytes. */
static void hash_add(struct rpc_text *t, struct sv s)
{
	for (; s.n > 0 && t->hashed % 8; s.n--)
		hash_byte(t, *s.p++);
	for (; s.n >= 8; s.p += 8, s.n -= 8) {
		memcpy(&t->lane, s.p, 8);
		t->lane = le64toh(t->lane);
		t->hashed += 8;
		hash_lane(t);
	}
	for (; s.n > 0; s.n--)
		hash_byte(t, *s.p++);
}

/* Move the live values to the front of a new buffer. */
static void compact(struct rpc_text *t)
{
	struct buf b;

	buf_init(&b, t->bytes.max);
	for (unsigned int f = 0; f < RPC_F_N; f++) {
		size_t at = b.n;

		if (buf_add(&b, t->bytes.p + t->v[f].at, t->v[f].n)) {
			buf_done(&b);
			return; /* the old one stays, full; values are cut */
		}
		t->v[f].at = (uint32_t)at;
	}
	buf_done(&t->bytes);
	t->bytes = b;
}

void rpc_text_begin(struct rpc_text *t, uint8_t field)
{
	t->v[field].n = 0;
	if (t->bytes.max - t->bytes.n < RPC_VALUE_MAX)
		compact(t);
	t->v[field].at = (uint32_t)t->bytes.n;
	t->open = field;
	t->cut = false;
	t->hash = t->seed;
	t->lane = 0;
	t->hashed = 0;
}

void rpc_text_add(struct rpc_text *t, struct sv s)
{
	size_t room = RPC_VALUE_MAX - t->v[t->open].n, n = s.n < room ? s.n : room;

	if (!t->cut && buf_add(&t->bytes, s.p, n) == 0) {
		t->v[t->open].n += (uint32_t)n;
		s.p += n;
		s.n -= n;
	}
	if (s.n == 0)
		return;
	if (!t->cut)
		hash_add(t, rpc_text_get(t, t->open));
	t->cut = true;
	hash_add(t, s);
}

void rpc_text_end(struct rpc_text *t, struct rpc_value *ret_v)
{
	ret_v->cut = t->cut;
	ret_v->hash = t->cut ? mix(t->hash ^ t->lane, t->seed ^ t->hashed) : 0;
}

struct sv rpc_text_get(const struct rpc_text *t, uint8_t field)
{
	if (t->v[field].n == 0)
		return (struct sv){ "", 0 };
	return (struct sv){ t->bytes.p + t->v[field].at, t->v[field].n };
}
