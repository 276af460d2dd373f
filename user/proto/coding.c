/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings by zlib, brotli and zstd. Layers are a list, decoded without recursion: one
 * step of a layer fills its output block, which becomes the next layer's input; a layer that has
 * nothing more to say hands back to the one before it. */
#include "proto/coding.h"

#include <brotli/decode.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK 16384
/* Brotli's ring buffer is its window plus slack; the default window of encoders is 4 MiB. */
#define BROTLI_MEM_MAX (9u << 20)

enum kind { K_IDENTITY, K_GZIP, K_DEFLATE, K_BR, K_ZSTD };

struct layer {
	enum kind kind;
	bool started, ended, over; /* over: whatever follows is no part of it */
	int err;		   /* of the last step, until its output is passed on */
	bool inside;		   /* zstd: in a frame */
	bool full;		   /* the last step filled the block: there may be more */
	/* Held back: deflate until zlib and raw can be told apart, zstd's magic number. */
	uint8_t head[4], head_n;
	struct sv in;	/* what is left to take */
	uint64_t total; /* bytes that came out */
	size_t brotli_mem;
	union {
		z_stream z;
		BrotliDecoderState *br;
		ZSTD_DStream *zs;
	};
	char *block;
};

struct coding {
	struct coding_opts opts;
	int err;
	uint64_t wire; /* bytes taken by the outer layer */
	size_t n;
	struct layer l[CODING_LAYERS];
};

static int kind_of(struct sv name)
{
	static const struct {
		struct sv name;
		enum kind kind;
	} kinds[] = {
		{ { "identity", 8 }, K_IDENTITY }, { { "", 0 }, K_IDENTITY },
		{ { "gzip", 4 }, K_GZIP },	   { { "x-gzip", 6 }, K_GZIP },
		{ { "deflate", 7 }, K_DEFLATE },   { { "br", 2 }, K_BR },
		{ { "zstd", 4 }, K_ZSTD },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (sv_ieq(name, kinds[i].name))
			return (int)kinds[i].kind;
	return -EPROTONOSUPPORT;
}

/* The last name of a list, cut off it. Codings are listed in the order they were applied (RFC
 * 9110 8.4). */
static struct sv last_name(struct sv *list)
{
	size_t i = list->n;
	struct sv name;

	while (i > 0 && list->p[i - 1] != ',')
		i--;
	name = sv_trim((struct sv){ list->p + i, list->n - i });
	list->n = i ? i - 1 : 0;
	return name;
}

/* Fill @c->l, the outer coding first. */
static int parse(struct coding *c, struct sv list)
{
	while (list.n) {
		int kind = kind_of(last_name(&list));

		if (kind < 0)
			return kind;
		if (kind == K_IDENTITY)
			continue;
		if (c->n == CODING_LAYERS)
			return -EPROTONOSUPPORT;
		c->l[c->n++].kind = (enum kind)kind;
	}
	return 0;
}

bool coding_is_identity(struct sv encodings)
{
	struct coding c = { 0 };

	return parse(&c, encodings) == 0 && c.n == 0;
}

struct coding *coding_new(struct sv encodings, const struct coding_opts *opts)
{
	struct coding *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return NULL;
	c->opts = *opts;
	err = parse(c, encodings);
	if (err) {
		free(c);
		errno = -err;
		return NULL;
	}
	return c;
}

static void layer_done(struct layer *l)
{
	free(l->block);
	if (!l->started)
		return;
	if (l->kind == K_BR)
		BrotliDecoderDestroyInstance(l->br);
	else if (l->kind == K_ZSTD)
		ZSTD_freeDStream(l->zs);
	else
		inflateEnd(&l->z);
}

void coding_free(struct coding *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		layer_done(&c->l[i]);
	free(c);
}

/* The size stands in front of each piece, 16 bytes for alignment. */
static void *brotli_alloc(void *opaque, size_t n)
{
	struct layer *l = opaque;
	size_t *p;

	if (n > BROTLI_MEM_MAX || l->brotli_mem + n > BROTLI_MEM_MAX)
		return NULL;
	p = malloc(n + 16);
	if (!p)
		return NULL;
	*p = n;
	l->brotli_mem += n;
	return (char *)p + 16;
}

static void brotli_free(void *opaque, void *mem)
{
	struct layer *l = opaque;
	size_t *p;

	if (!mem)
		return;
	p = (size_t *)(void *)((char *)mem - 16);
	l->brotli_mem -= *p;
	free(p);
}

/* RFC 9110 8.4.1.2: "deflate" is the zlib format; some senders leave its two-byte head (RFC 1950
 * 2.2) out. */
static int deflate_bits(const uint8_t head[2])
{
	bool zlib = (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 &&
		    (head[0] * 256u + head[1]) % 31 == 0 && !(head[1] & 0x20);

	return zlib ? 15 : -15;
}

/* Move bytes from the input to @l->head, until it has @n. */
static void hold_back(struct layer *l, uint8_t n)
{
	while (l->head_n < n && l->in.n) {
		l->head[l->head_n++] = (uint8_t)l->in.p[0];
		l->in.p++;
		l->in.n--;
	}
}

static int layer_start(struct layer *l)
{
	bool ok;

	l->block = malloc(BLOCK);
	if (!l->block)
		return -ENOMEM;
	if (l->kind == K_BR) {
		l->br = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, l);
		ok = l->br != NULL;
	} else if (l->kind == K_ZSTD) {
		l->zs = ZSTD_createDStream();
		ok = l->zs != NULL;
		if (ok)
			ZSTD_DCtx_setParameter(l->zs, ZSTD_d_windowLogMax, CODING_WINDOW_LOG);
	} else {
		ok = inflateInit2(&l->z, l->kind == K_GZIP ? 15 + 16 : deflate_bits(l->head)) ==
		     Z_OK;
	}
	if (!ok) {
		free(l->block);
		l->block = NULL;
		return -ENOMEM;
	}
	l->started = true;
	return 0;
}

static int inflate_some(struct layer *l, struct sv *in, size_t *ret_n)
{
	uInt want = in->n > 1u << 30 ? 1u << 30 : (uInt)in->n;
	int rc;

	l->z.next_in = (Bytef *)(uintptr_t)in->p;
	l->z.avail_in = want;
	l->z.next_out = (Bytef *)l->block + *ret_n;
	l->z.avail_out = (uInt)(BLOCK - *ret_n);
	rc = inflate(&l->z, Z_NO_FLUSH);
	in->p += want - l->z.avail_in;
	in->n -= want - l->z.avail_in;
	*ret_n = BLOCK - l->z.avail_out;
	l->ended = rc == Z_STREAM_END;
	if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
		return 0;
	return rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int step_zlib(struct layer *l, size_t *ret_n)
{
	struct sv head = { (const char *)l->head, l->head_n };
	int err = 0;

	if (l->ended) {
		/* RFC 1952 2.2: members may follow each other; anything else is padding. */
		l->over |= l->kind != K_GZIP || l->in.p[0] != 0x1f;
		if (l->over) {
			l->in.n = 0;
			return 0;
		}
		if (inflateReset(&l->z) != Z_OK)
			return -EBADMSG;
		l->ended = false;
	}
	if (head.n) {
		err = inflate_some(l, &head, ret_n);
		l->head_n = 0;
	}
	return err || l->ended ? err : inflate_some(l, &l->in, ret_n);
}

/* RFC 8878 3.1: a frame, or one to skip. The library would also take frames of zstd before 1.0, by
 * decoders that nobody looks after. */
static bool is_zstd(const uint8_t m[4])
{
	if (m[0] == 0x28)
		return m[1] == 0xb5 && m[2] == 0x2f && m[3] == 0xfd;
	return m[0] >> 4 == 5 && m[1] == 0x2a && m[2] == 0x4d && m[3] == 0x18;
}

/* A frame handed over whole takes another path in zstd 1.5, with stricter checks. The magic number
 * by itself keeps to the path that frames in pieces take, whatever the pieces are. */
static int zstd_begin(struct layer *l)
{
	ZSTD_inBuffer in = { l->head, sizeof(l->head), 0 };
	ZSTD_outBuffer out = { l->block, BLOCK, 0 };

	l->ended = false;
	hold_back(l, sizeof(l->head));
	if (l->head_n < sizeof(l->head))
		return 0;
	if (!is_zstd(l->head) || ZSTD_isError(ZSTD_decompressStream(l->zs, &out, &in)))
		return -EBADMSG;
	l->head_n = 0;
	l->inside = true;
	return 0;
}

static int step_zstd(struct layer *l, size_t *ret_n)
{
	ZSTD_inBuffer in = { l->in.p, l->in.n, 0 };
	ZSTD_outBuffer out = { l->block, BLOCK, 0 };
	size_t rc;

	if (!l->inside)
		return zstd_begin(l);
	rc = ZSTD_decompressStream(l->zs, &out, &in);
	l->in.p += in.pos;
	l->in.n -= in.pos;
	*ret_n = out.pos;
	l->ended = rc == 0;
	l->inside = !l->ended;
	return ZSTD_isError(rc) ? -EBADMSG : 0;
}

static int step_brotli(struct layer *l, size_t *ret_n)
{
	const uint8_t *in = (const uint8_t *)l->in.p;
	uint8_t *out = (uint8_t *)l->block;
	size_t room = BLOCK;
	BrotliDecoderResult rc;

	if (l->ended) {
		l->in.n = 0;
		return 0;
	}
	rc = BrotliDecoderDecompressStream(l->br, &l->in.n, &in, &room, &out, NULL);
	l->in.p = (const char *)in;
	*ret_n = BLOCK - room;
	l->ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
	return rc == BROTLI_DECODER_RESULT_ERROR ? -EBADMSG : 0;
}

/* One block of output at most. */
static int layer_step(struct layer *l, size_t *ret_n)
{
	int err;

	*ret_n = 0;
	if (!l->started) {
		if (l->kind == K_DEFLATE)
			hold_back(l, 2);
		if (l->kind == K_DEFLATE && l->head_n < 2)
			return 0;
		err = layer_start(l);
		if (err)
			return err;
	}
	if (l->ended && l->in.n == 0) {
		l->full = false;
		return 0;
	}
	if (l->kind == K_BR)
		err = step_brotli(l, ret_n);
	else if (l->kind == K_ZSTD)
		err = step_zstd(l, ret_n);
	else
		err = step_zlib(l, ret_n);
	l->full = *ret_n == BLOCK;
	l->total += *ret_n;
	return err;
}

static int check_limits(const struct coding *c, const struct layer *l)
{
	if (c->opts.out_max && l->total > c->opts.out_max)
		return -E2BIG;
	if (c->opts.ratio && l->total > CODING_RATIO_FROM && l->total / c->opts.ratio > c->wire)
		return -E2BIG;
	return 0;
}

/* Run the layers until the input of all of them is used up. */
static int run(struct coding *c)
{
	size_t i = 0;

	for (;;) {
		struct layer *l = &c->l[i];
		size_t n, before = l->in.n;
		int err;

		if (l->err)
			return l->err;
		if (l->in.n == 0 && !l->full) {
			if (i == 0)
				return 0;
			i--;
			continue;
		}
		l->err = layer_step(l, &n);
		if (i == 0)
			c->wire += before - l->in.n;
		err = check_limits(c, l);
		if (err)
			return err;
		if (n == 0 && l->in.n == before)
			l->in.n = 0; /* no progress: nothing here can be decoded */
		if (n && i + 1 == c->n)
			c->opts.out(c->opts.ctx, (struct sv){ l->block, n });
		else if (n)
			c->l[++i].in = (struct sv){ l->block, n };
	}
}

int coding_feed(struct coding *c, struct sv in)
{
	if (c->err || in.n == 0)
		return c->err;
	if (c->n == 0) {
		c->wire += in.n;
		if (c->opts.out_max && c->wire > c->opts.out_max)
			c->err = -E2BIG;
		else
			c->opts.out(c->opts.ctx, in);
		return c->err;
	}
	c->l[0].in = in;
	c->err = run(c);
	return c->err;
}

bool coding_ended(const struct coding *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->l[i].ended)
			return false;
	return true;
}
