/* SPDX-License-Identifier: Apache-2.0 */
/* Which constants a register may hold, looked for backwards from where it is used, on all ways that lead there.
 *
 * Compilers merge the ends of a function's errors, so that one call serves several of them; and they keep a constant that is used
 * twice in a register. */
#include "resolve/xref.h"

#define WAYS_MAX 256

/* The System V ABI: a called function keeps these. */
#define KEPT_BY_CALLS \
	(INSN_REG(BX) | INSN_REG(SP) | INSN_REG(BP) | INSN_REG(R12) | INSN_REG(R13) | INSN_REG(R14) | INSN_REG(R15))

/* Register @reg before instruction @i. */
struct way {
	uint32_t i;
	unsigned int reg;
};

struct search {
	const struct body *b;
	struct values *ret;
	unsigned int n, done; /* ways found, and followed */
	struct way way[WAYS_MAX];
};

static void value_add(struct values *v, uint64_t value)
{
	if (values_has(v, value))
		return;
	if (v->n < VALUES_MAX)
		v->value[v->n++] = value;
	else
		v->unsure = true;
}

static void way_add(struct search *s, uint32_t i, unsigned int reg)
{
	for (unsigned int w = 0; w < s->n; w++) {
		if (s->way[w].i == i && s->way[w].reg == reg)
			return;
	}
	if (s->n < WAYS_MAX)
		s->way[s->n++] = (struct way){ i, reg };
	else
		s->ret->unsure = true;
}

/* The jumps to instruction @i. */
static bool jumps_to(struct search *s, uint32_t i, unsigned int reg)
{
	const struct edge *e = s->b->edge;
	uint32_t low = 0, high = s->b->nedge;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (e[mid].to < i)
			low = mid + 1;
		else
			high = mid;
	}
	for (high = low; high < s->b->nedge && e[high].to == i; high++)
		way_add(s, e[high].from, reg);
	return high > low;
}

static bool goes_on(const struct insn *in)
{
	return in->kind != INSN_JUMP && in->kind != INSN_RET && in->kind != INSN_TRAP;
}

/* What instruction @i leaves in *@reg; false: that is known now, or never will be. */
static bool before(struct search *s, uint32_t i, unsigned int *reg)
{
	const struct insn *in = &s->b->in[i];
	uint16_t writes = in->kind == INSN_CALL ? (uint16_t)~KEPT_BY_CALLS : in->writes;

	if (in->kind == INSN_BRANCH || in->kind == INSN_JUMP || in->kind == INSN_PUSH || in->load == LOAD_PUSH)
		return true;
	if (!(writes & (1U << *reg)))
		return true;
	if (in->load == LOAD_VALUE && in->reg == *reg) {
		value_add(s->ret, in->value);
	} else if (in->load == LOAD_COPY && in->reg == *reg) {
		*reg = (unsigned int)in->value;
		return true;
	} else if (in->load == LOAD_POP && in->reg == *reg && i && s->b->in[i - 1].load == LOAD_PUSH) {
		value_add(s->ret, s->b->in[i - 1].value);
	} else {
		s->ret->unsure = true;
	}
	return false;
}

static void follow(struct search *s, struct way w)
{
	for (;;) {
		bool jumped_to = jumps_to(s, w.i, w.reg), from_front = w.i && goes_on(&s->b->in[w.i - 1]);

		if (!w.i)
			s->ret->entry |= (uint16_t)(1U << w.reg);
		else if (!from_front && !jumped_to && s->b->in[w.i].kind != INSN_NOP)
			s->ret->unsure = true; /* something leads here that is not seen; to padding nothing does */
		if (!from_front)
			return;
		w.i--;
		if (!before(s, w.i, &w.reg))
			return;
	}
}

void values_of_reg(const struct body *b, uint32_t i, unsigned int reg, struct values *ret)
{
	struct search s = { .b = b, .ret = ret };

	*ret = (struct values){ 0 };
	way_add(&s, i, reg);
	while (s.done < s.n)
		follow(&s, s.way[s.done++]);
}

static const uint8_t args[] = { REG_DI, REG_SI, REG_DX, REG_CX, REG_R8, REG_R9 };

void values_of_arg(const struct body *b, uint32_t i, unsigned int arg, struct values *ret)
{
	values_of_reg(b, i, args[arg], ret);
}

bool values_has(const struct values *v, uint64_t value)
{
	for (unsigned int i = 0; i < v->n; i++) {
		if (v->value[i] == value)
			return true;
	}
	return false;
}

bool values_is(const struct values *v, uint64_t value)
{
	return v->n == 1 && !v->unsure && !v->entry && v->value[0] == value;
}

bool values_is_own(const struct values *v, unsigned int arg)
{
	return !v->n && !v->unsure && v->entry == 1U << args[arg];
}

bool call_leaves(const struct body *b, uint32_t i)
{
	const struct insn *in = &b->in[i];
	uint64_t at = in->target - b->f.addr;

	return in->kind == INSN_CALL || (in->kind == INSN_JUMP && (!in->target || at >= b->f.code.n));
}

bool call_with(const struct body *b, const struct addrs *to, unsigned int arg, uint32_t *i)
{
	for (; *i < b->n; ++*i) {
		struct values v;

		if (!call_leaves(b, *i))
			continue;
		values_of_arg(b, *i, arg, &v);
		for (unsigned int k = 0; k < v.n; k++) {
			if (addrs_has(to, v.value[k]))
				return true;
		}
	}
	return false;
}

bool hands(const struct body *b, unsigned int own, unsigned int arg)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct values v;

		if (!call_leaves(b, i))
			continue;
		values_of_arg(b, i, arg, &v);
		if (values_is_own(&v, own))
			return true;
	}
	return false;
}

bool keeps(const struct body *b, unsigned int own)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct values v;

		if ((b->in[i].load != LOAD_COPY && b->in[i].load != LOAD_STORE) || b->in[i].value != args[own])
			continue;
		values_of_arg(b, i, own, &v);
		if (values_is_own(&v, own))
			return true;
	}
	return false;
}

bool tests(const struct body *b, unsigned int own)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct values v;

		if (b->in[i].load != LOAD_TEST)
			continue;
		values_of_reg(b, i, b->in[i].reg, &v);
		if (values_is_own(&v, own))
			return true;
	}
	return false;
}
