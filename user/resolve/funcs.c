/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of stripped code. What is called directly is a start, unless what looks like the call is no instruction: one address
 * in ten thousand. So the code around an address is decoded, from a start some functions in front, and cut where one function
 * ends and another begins:
 *
 *   - nothing goes on from the instruction in front, padding left out;
 *   - it is called directly, or data points to it, or it is aligned as functions are;
 *   - no jump leads from one side to the other, but for those to a start itself, as a function's last call is one.
 *
 * Where that leaves a doubt, there is no answer. */
#include "resolve/xref.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "resolve/region.h"

struct text {
	uint64_t addr, size;
	uint64_t *called, *pointed; /* a bit for each address */
};

struct funcs {
	const struct look *l;
	struct region region; /* room to decode in */
	unsigned int ntext, n;
	struct text text[ELF_SEGS_MAX];
	struct body body[BODIES_MAX];
};

#define BODY_INSNS  (16 << 10) /* to follow values in a function takes the square of its length */
#define STARTS_BACK 8	   /* starts in front of an address, from which it is decoded */
#define BACK_MAX (64 << 10) /* bytes in front of it */

/* --- Direct calls ------------------------------------------------------------------------------------------------ */

static struct text *text_of(const struct funcs *s, uint64_t addr)
{
	for (unsigned int i = 0; i < s->ntext; i++) {
		const struct text *t = &s->text[i];

		if (addr >= t->addr && addr - t->addr < t->size)
			return (struct text *)(uintptr_t)t;
	}
	return NULL;
}

static bool has(const uint64_t *bits, uint64_t at)
{
	return bits[at / 64] >> (at % 64) & 1;
}

static unsigned int start_of(const struct text *t, uint64_t at)
{
	return (has(t->called, at) ? START_CALLED : 0) | (has(t->pointed, at) ? START_POINTED : 0);
}

bool funcs_called(const struct funcs *s, uint64_t addr)
{
	const struct text *t = text_of(s, addr);

	return t && has(t->called, addr - t->addr);
}

static void calls_in(struct text *t, const char *code)
{
	const char *end = code + t->size;

	for (const char *p = code; end - p >= 5;) {
		uint64_t to;
		int32_t v;

		p = memchr(p, 0xe8, (size_t)(end - p - 4));
		if (!p)
			return;
		memcpy(&v, ++p, sizeof(v));
		to = (uint64_t)(p - code) + sizeof(v) + (uint64_t)(int64_t)v;
		if (to < t->size)
			t->called[to / 64] |= 1ULL << (to % 64);
	}
}

static void pointed(struct funcs *s, uint64_t to)
{
	struct text *t = text_of(s, to);

	if (t)
		t->pointed[(to - t->addr) / 64] |= 1ULL << ((to - t->addr) % 64);
}

/* Pointers of data to code: in place, and as the loader makes them. */
static void pointers(struct funcs *s, const struct elf *e)
{
	Elf64_Rela r;
	uint64_t v;

	for (size_t i = 0; e->rela.n - i >= sizeof(r); i += sizeof(r)) {
		memcpy(&r, e->rela.p + i, sizeof(r));
		if (ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE)
			pointed(s, (uint64_t)r.r_addend);
	}
	for (unsigned int i = 0; i < e->nseg; i++) {
		const struct elf_seg *g = &e->seg[i];
		const char *p = e->file.p + g->offset;

		for (uint64_t at = -g->addr % 8; !g->exec && at + 8 <= g->size; at += 8) {
			memcpy(&v, p + at, 8);
			if (v)
				pointed(s, v);
		}
		elf_release(e, g);
	}
}

static int text_add(struct funcs *s, const struct elf *e, const struct elf_seg *g)
{
	struct text *t = &s->text[s->ntext++];

	*t = (struct text){ g->addr, g->size, calloc(g->size / 64 + 1, 8), calloc(g->size / 64 + 1, 8) };
	if (!t->called || !t->pointed)
		return -ENOMEM;
	calls_in(t, e->file.p + g->offset);
	elf_release(e, g);
	return 0;
}

static unsigned int start_at(void *ctx, uint64_t addr)
{
	const struct text *t = text_of(ctx, addr);

	return t ? start_of(t, addr - t->addr) : 0;
}

int funcs_new(const struct look *l, struct funcs **ret)
{
	struct funcs *s = calloc(1, sizeof(*s));
	int err = s ? region_init(&s->region) : -ENOMEM;

	for (unsigned int i = 0; !err && i < l->elf->nseg; i++) {
		if (l->elf->seg[i].exec)
			err = text_add(s, l->elf, &l->elf->seg[i]);
	}
	if (!err && !s->ntext)
		err = -ENOEXEC;
	if (err) {
		funcs_free(s);
		return err;
	}
	pointers(s, l->elf);
	s->region.l = s->l = l;
	s->region.start = start_at;
	s->region.ctx = s;
	*ret = s;
	return 0;
}

void funcs_free(struct funcs *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < s->ntext; i++) {
		free(s->text[i].called);
		free(s->text[i].pointed);
	}
	for (unsigned int i = 0; i < s->n; i++) {
		free((void *)(uintptr_t)s->body[i].in);
		free((void *)(uintptr_t)s->body[i].edge);
	}
	region_free(&s->region);
	free(s);
}

/* --- The function of an address ---------------------------------------------------------------------------------- */

/* Starts, so it seems, at @at and in front of it, the nearest first. */
static unsigned int starts_before(const struct text *t, uint64_t at, uint64_t ret[STARTS_BACK])
{
	unsigned int n = 0;

	for (uint64_t a = at; n < STARTS_BACK && at - a < BACK_MAX; a--) {
		if (start_of(t, a - t->addr))
			ret[n++] = a;
		if (a == t->addr)
			break;
	}
	return n;
}

static int body_keep(struct funcs *s, const struct piece *p, struct body *ret)
{
	static const char *const by[] = { "alignment", "direct calls", "pointers", "direct calls" };
	const struct region *r = &s->region;
	uint64_t addr = r->in[p->begin].addr, size = r->in[p->end - 1].addr + r->in[p->end - 1].size - addr;
	struct edge *e;
	struct insn *in;

	if (p->end - p->begin > BODY_INSNS)
		return -ENOSPC;
	in = malloc((p->end - p->begin) * sizeof(*in));
	e = calloc(r->nedge + 1, sizeof(*e));
	*ret = (struct body){ .by = by[p->starts], .n = p->end - p->begin, .in = in, .edge = e };
	if (!in || !e || !func_at(s->l, addr, size, &ret->f)) {
		free(in);
		free(e);
		return -ENOMEM;
	}
	memcpy(in, &r->in[p->begin], (p->end - p->begin) * sizeof(*in));
	for (uint32_t i = 0; i < r->nedge; i++) {
		struct edge x = { r->edge[i].to - p->begin, r->edge[i].from - p->begin };

		if (x.to < ret->n && x.from < ret->n)
			e[ret->nedge++] = x;
	}
	return 0;
}

/* Decode from some functions in front, or nearer where that cannot be decoded. */
static int look_around(struct funcs *s, uint64_t at, struct body *ret)
{
	const struct text *t = text_of(s, at);
	uint64_t from[STARTS_BACK];
	unsigned int n = t ? starts_before(t, at, from) : 0;
	struct piece p;
	int err = -ENOENT;

	if (!region_piece(&s->region, at, &p)) /* the last one decoded is often the next one's, too */
		return body_keep(s, &p, ret);
	for (; n; n /= 2) {
		err = region_decode(&s->region, from[n - 1], at);
		if (!err)
			err = region_piece(&s->region, at, &p);
		if (!err)
			return body_keep(s, &p, ret);
	}
	return err;
}

bool body_index(const struct body *b, uint64_t addr, uint32_t *ret)
{
	uint32_t low = 0, high = b->n;

	if (addr < b->f.addr || addr - b->f.addr >= b->f.code.n)
		return false;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (b->in[mid].addr <= addr)
			low = mid;
		else
			high = mid;
	}
	*ret = low;
	return addr - b->in[low].addr < b->in[low].size;
}

const struct body *funcs_at(struct funcs *s, uint64_t at)
{
	struct body b;
	uint32_t i;
	int err;

	for (unsigned int k = 0; k < s->n; k++) {
		if (body_index(&s->body[k], at, &i))
			return &s->body[k];
	}
	err = s->n == BODIES_MAX ? -ENOSPC : look_around(s, at, &b);
	if (err) {
		errno = -err;
		return NULL;
	}
	s->body[s->n] = b;
	return &s->body[s->n++];
}

/* --- Functions by what they refer to ------------------------------------------------------------------------------ */

static bool loads(const struct body *b, const struct xref *r)
{
	uint32_t i;

	return body_index(b, r->at, &i) && b->in[i].load == LOAD_VALUE && b->in[i].value == r->to;
}

static void bodies_add(struct bodies *ret, const struct body *b)
{
	unsigned int i = 0;

	while (i < ret->n && ret->body[i]->f.addr < b->f.addr)
		i++;
	if (i < ret->n && ret->body[i] == b)
		return;
	memmove(&ret->body[i + 1], &ret->body[i], (ret->n - i) * sizeof(ret->body[0]));
	ret->body[i] = b;
	ret->n++;
}

void funcs_holding(struct funcs *s, const struct xrefs *refs, struct bodies *ret)
{
	ret->n = ret->unsure = 0;
	for (unsigned int i = 0; i < refs->n; i++) {
		const struct body *b = funcs_at(s, refs->ref[i].at);

		if (b && loads(b, &refs->ref[i]))
			bodies_add(ret, b);
		else if (!b)
			ret->unsure++;
	}
}
