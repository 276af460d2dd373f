/* SPDX-License-Identifier: Apache-2.0 */
/* The function in which others do their work.
 *
 * OpenSSL's SSL_read and SSL_read_ex are a few instructions around one function that has the second's arguments and its result,
 * and so are its three forms of SSL_write. The short ones begin with a change of the stack pointer, which is stepped over when it
 * is probed, the long one with a push. Where the code leaves no doubt that all calls pass there with their arguments as they
 * were, it is probed in their place. */
#include "resolve/finder.h"

#include <elf.h>

#define OUTER_MAX 1024 /* bytes of a function that is a few instructions around a call */

/* Where a function leads. */
struct exits {
	uint64_t first;	      /* its first call or jump out, if the straight way in leads there */
	unsigned int n;	      /* calls, and jumps and branches out of it */
	unsigned int changed; /* INSN_REG of what may differ by then from what was passed */
	bool computed;	      /* one of them leads to where a register or memory says */
};

static bool inside(const struct func *f, uint64_t addr)
{
	return addr >= f->addr && addr - f->addr < f->code.n;
}

/* @i stands before the first call: what of the arguments is left behind it. */
static unsigned int changes(const struct insn *i)
{
	switch (i->kind) {
	case INSN_PUSH:
	case INSN_BRANCH: /* who goes there does not come by */
		return 0;
	case INSN_PLAIN:
	case INSN_NOP:
		return i->writes;
	default:
		return INSN_ANY;
	}
}

static bool exits_of(struct look *l, const struct func *f, struct exits *ret)
{
	struct sv code = f->code;
	uint64_t addr = f->addr;
	struct insn i;

	*ret = (struct exits){ 0 };
	if (code.n > OUTER_MAX)
		return false;
	while (insns_next(l->insns, &code, &addr, &i)) {
		bool jumps = i.kind == INSN_CALL || i.kind == INSN_JUMP || i.kind == INSN_BRANCH;
		bool out = jumps && (i.kind == INSN_CALL || !inside(f, i.target));

		ret->n += out;
		ret->computed |= jumps && !i.target;
		if (ret->first)
			continue;
		if (out && i.kind != INSN_BRANCH)
			ret->first = i.target;
		else
			ret->changed |= changes(&i);
	}
	return code.n == 0;
}

uint64_t inner_alone(struct look *l, const struct func *f, unsigned int keep)
{
	struct exits e;

	return exits_of(l, f, &e) && e.n == 1 && !(e.changed & keep) ? e.first : 0;
}

uint64_t inner_first(struct look *l, const struct func *f, unsigned int keep)
{
	struct exits e;

	return exits_of(l, f, &e) && !e.computed && !(e.changed & keep) ? e.first : 0;
}

/* --- Its extent ------------------------------------------------------------------------------------------------- */

struct next {
	uint64_t after, addr;
};

static void on_function(void *ctx, const struct elf_sym *s)
{
	struct next *n = ctx;

	if (s->addr > n->after && s->addr < n->addr)
		n->addr = s->addr;
}

bool inner_func(struct look *l, uint64_t addr, struct func *ret)
{
	struct next n = { .after = addr, .addr = UINT64_MAX };
	size_t size = elf_code(l->elf, addr).n;

	elf_functions(l->elf, SHT_DYNSYM, on_function, &n);
	elf_functions(l->elf, SHT_SYMTAB, on_function, &n);
	return func_at(l, addr, n.addr - addr < size ? n.addr - addr : size, ret);
}
