/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of code, decoded and cut. */
#include "resolve/region.h"

#include <errno.h>
#include <stdlib.h>

#define FUNC_ALIGN	  16
#define REGION_BEHIND	  (64 << 10) /* bytes behind the address that is asked for */
#define STARTS_BEHIND	  4
#define POINTER_BACK	  32 /* instructions between the load of a pointer and the jump to it */

enum mark {
	M_CALLED = START_CALLED,
	M_POINTED = START_POINTED,
	M_ENDED = 4,   /* nothing goes on to here */
	M_ASIDE = 8,   /* here after a call, which may not come back */
	M_PADDED = 16, /* what stands in front of it does nothing */
	M_PAD = 32,    /* does nothing */
	M_TARGET = 64, /* a jump goes here */
	M_LOST = 128,  /* goes to parts of its function that are not seen */
	M_TABLE = 256, /* ... to which data may point */
};

#define M_STARTS (M_CALLED | M_POINTED)
#define M_FRONT	 (M_ENDED | M_ASIDE)

int region_init(struct region *r)
{
	r->in = malloc(REGION_INSNS * sizeof(r->in[0]));
	r->edge = malloc(REGION_INSNS * sizeof(r->edge[0]));
	r->mark = malloc(REGION_INSNS * sizeof(r->mark[0]));
	r->cross = malloc((REGION_INSNS + 1) * sizeof(r->cross[0]));
	return r->in && r->edge && r->mark && r->cross ? 0 : -ENOMEM;
}

void region_free(struct region *r)
{
	free(r->in);
	free(r->edge);
	free(r->mark);
	free(r->cross);
}

/* --- Decoding ---------------------------------------------------------------------------------------------------- */

/* Between functions linkers and compilers put bytes that are no code, up to where the next one may begin. */
static size_t filling(struct sv code, uint64_t addr)
{
	size_t n = (size_t)(-addr % FUNC_ALIGN);

	if (!n || n > code.n || (code.p[0] != 0 && (uint8_t)code.p[0] != 0xcc))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (code.p[i] != code.p[0])
			return 0;
	}
	return n;
}

static bool ends(const struct insn *in)
{
	return in->kind == INSN_RET || in->kind == INSN_JUMP || in->kind == INSN_TRAP;
}

/* M_LOST where the computed jump @i goes by a table of parts of its own function; M_TABLE, too, where that may be a table of
 * addresses, and not of distances, to which one adds. By a pointer without an index goes the last call of a function. */
static uint16_t by_table(const struct region *r, uint32_t i)
{
	unsigned int reg = r->in[i].reg;

	if (r->in[i].load == LOAD_MEMORY)
		return 0;
	for (uint32_t k = i; reg != REG_NONE && k-- && i - k <= POINTER_BACK;) {
		const struct insn *in = &r->in[k];

		if (in->kind == INSN_PLAIN && (in->writes & (1U << reg)))
			return in->reg != reg || (in->load != LOAD_MEMORY && in->load != LOAD_SUM) ? M_LOST | M_TABLE :
			       in->load == LOAD_SUM						   ? M_LOST :
												     0;
	}
	return M_LOST | M_TABLE;
}

/* What is known of instruction @i by those in front of it. */
static uint16_t mark_of(const struct region *r, uint32_t i, unsigned int starts)
{
	const struct insn *last = i ? &r->in[i - 1] : NULL;
	uint16_t m = (uint16_t)starts, before = i ? r->mark[i - 1] : 0;

	if (r->in[i].kind == INSN_NOP && r->in[i].addr % FUNC_ALIGN)
		m |= M_PAD;
	if (r->in[i].kind == INSN_JUMP && !r->in[i].target)
		m |= by_table(r, i);
	if (!last)
		return m | M_ENDED;
	if (before & M_PAD)
		return m | M_PADDED | (before & M_FRONT);
	if (ends(last))
		return m | M_ENDED | (last->addr + last->size != r->in[i].addr ? M_PADDED : 0);
	return last->kind == INSN_CALL ? m | M_ASIDE : m;
}

/* endbr64, which is where what is not known beforehand may go. */
static bool is_landing(struct sv code)
{
	return code.n >= 4 && memcmp(code.p, "\xf3\x0f\x1e\xfa", 4) == 0;
}

static bool is_enough(const struct region *r, uint64_t at, unsigned int *behind)
{
	const struct insn *in = &r->in[r->n - 1];
	uint16_t m = r->mark[r->n - 1];

	if (in->addr > at && (m & M_STARTS) && (m & M_ENDED) && in->addr % FUNC_ALIGN == 0)
		++*behind;
	return *behind == STARTS_BEHIND || (in->addr > at && in->addr - at > REGION_BEHIND);
}

static int by_to(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static bool index_of(const struct region *r, uint64_t addr, uint32_t *ret)
{
	uint32_t low = 0, high = r->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (r->in[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	*ret = low;
	return low < r->n && r->in[low].addr == addr;
}

/* A jump to the start of a function is that of a call which is the last thing another one does. */
static void edge_add(struct region *r, uint32_t from, uint32_t to)
{
	uint32_t low = from < to ? from : to, high = from < to ? to : from;

	r->edge[r->nedge++] = (struct edge){ to, from };
	r->mark[to] |= M_TARGET;
	if (r->mark[to] & M_STARTS)
		return;
	if (to > from && r->in[from].kind == INSN_JUMP && (r->mark[to] & M_ENDED) && r->in[to].addr % FUNC_ALIGN == 0)
		high--;
	r->cross[low + 1]++;
	r->cross[high + 1]--;
}

static void edges(struct region *r)
{
	int32_t depth = 0;

	memset(r->cross, 0, (r->n + 1) * sizeof(r->cross[0]));
	r->nedge = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t to;

		if ((r->in[i].kind == INSN_JUMP || r->in[i].kind == INSN_BRANCH) && index_of(r, r->in[i].target, &to))
			edge_add(r, i, to);
	}
	for (uint32_t i = 0; i < r->n; i++) {
		depth += r->cross[i];
		r->cross[i] = depth;
	}
	qsort(r->edge, r->nedge, sizeof(r->edge[0]), by_to);
}

int region_decode(struct region *r, uint64_t from, uint64_t at)
{
	struct sv code = elf_code(r->l->elf, from);
	unsigned int behind = 0;
	uint64_t addr = from;

	r->n = 0;
	r->open = true;
	if (r->total > REGION_TOTAL)
		return -ENOSPC;
	while (r->n < REGION_INSNS) {
		unsigned int landing = is_landing(code) ? START_POINTED : 0;
		size_t fill;

		if (!insns_next(r->l->insns, &code, &addr, &r->in[r->n]))
			break;
		r->mark[r->n] = mark_of(r, r->n, r->start(r->ctx, r->in[r->n].addr) | landing);
		r->n++;
		if (is_enough(r, at, &behind))
			break;
		r->open = !ends(&r->in[r->n - 1]);
		fill = r->open ? 0 : filling(code, addr);
		code = (struct sv){ code.p + fill, code.n - fill };
		addr += fill;
	}
	r->total += r->n;
	if (!r->n || r->in[r->n - 1].addr + r->in[r->n - 1].size <= at)
		return -ENOENT;
	edges(r);
	return 0;
}

/* --- Cutting ----------------------------------------------------------------------------------------------------- */

enum cut {
	CUT_NOT,
	CUT_UNSURE,
	CUT_SURE,
};

/* @lost: M_LOST, M_TABLE of all between here and the last start.
 *
 * A start that is aligned, with nothing that leads to it from the front, is one whatever jumps over it, as those into parts that
 * compilers put aside do. A loop may be aligned behind a call, but something jumps to it. */
static enum cut cut_at(const struct region *r, uint32_t i, unsigned int lost)
{
	bool aligned = r->in[i].addr % FUNC_ALIGN == 0, front = r->mark[i] & M_FRONT;
	unsigned int m = r->mark[i];

	if ((lost & M_TABLE) && !(m & M_CALLED))
		m &= ~(unsigned int)M_POINTED;
	if ((m & M_STARTS) && front && aligned)
		return CUT_SURE;
	if ((m & M_PAD) || r->cross[i] || !front)
		return CUT_NOT;
	if (m & M_STARTS)
		return CUT_SURE;
	if (!aligned || (!(m & M_ENDED) && (!(m & M_PADDED) || (m & M_TARGET))))
		return CUT_NOT;
	return lost ? CUT_UNSURE : CUT_SURE;
}

/* Does the stretch end where code does? */
static bool is_closed(const struct region *r, enum cut end)
{
	return end == CUT_SURE || (end == CUT_NOT && !r->open);
}

static bool covers(const struct region *r, uint64_t at)
{
	return r->n && at >= r->in[0].addr && at < r->in[r->n - 1].addr + r->in[r->n - 1].size;
}

int region_piece(const struct region *r, uint64_t at, struct piece *ret)
{
	unsigned int lost = M_LOST | M_TABLE; /* what is in front of the first is not known */
	enum cut begin = CUT_NOT, end = CUT_NOT;
	uint32_t i;

	*ret = (struct piece){ 0 };
	if (!covers(r, at))
		return -ENOENT;
	for (i = 0; i < r->n && end == CUT_NOT; i++) {
		enum cut c = i || r->in[0].addr % FUNC_ALIGN == 0 ? cut_at(r, i, lost) : CUT_UNSURE;

		if (c != CUT_NOT && r->in[i].addr > at) {
			end = c;
			ret->end = i;
		} else if (c != CUT_NOT) {
			begin = c;
			lost = 0;
			ret->begin = i;
			ret->starts = r->mark[i] & M_STARTS;
		}
		lost |= r->mark[i] & (M_LOST | M_TABLE);
	}
	if (end == CUT_NOT)
		ret->end = r->n;
	while (ret->end > ret->begin + 1 && (r->mark[ret->end - 1] & M_PAD))
		ret->end--;
	if (at >= r->in[ret->end - 1].addr + r->in[ret->end - 1].size)
		return -ENOENT; /* padding */
	return begin == CUT_SURE && is_closed(r, end) ? 0 : -ENOTUNIQ;
}
