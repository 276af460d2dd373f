/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a function's first instructions to probe.
 *
 * A probed instruction is stepped over in a copy, at the price of one more trap, which in virtual machines is ten times that of
 * all the rest; a push of a register and a branch the kernel carries out itself. endbr64 and nops, with which many functions
 * begin, are stepped, and a probe on a nop of five bytes is turned into a call that overwrites what lies below the stack pointer
 * (Linux 6.18). So the probe goes behind them, to the first cheap instruction before which nothing has touched what it wants to
 * see; where there is none, to the first that is no nop.
 *
 * All of this holds on the straight way in. A jump back from inside the function to where the probe stands would have it fire
 * again, with other arguments: then it goes to the function's first byte, where nobody but a caller goes. */
#include "resolve/finder.h"

#define WAY_MAX	  16 /* instructions, on the way to the probe */
#define GROWTH_MAX 64 /* ... of the block that grows the stack */

/* The System V ABI's arguments, and the return address. */
#define C_KEEP                                                                                                       \
	(INSN_REG(SP) | INSN_REG(DI) | INSN_REG(SI) | INSN_REG(DX) | INSN_REG(CX) | INSN_REG(R8) | INSN_REG(R9))
/* All that Go's prologues leave alone: R12 and R13 are scratch registers (cmd/compile/abi-internal.md). */
#define GO_KEEP (INSN_ANY & ~(INSN_REG(R12) | INSN_REG(R13)))

/* Does nothing inside @f go to an address behind its start, up to @to? false also where it is long, or cannot be decoded. */
static bool entered_at_start(struct look *l, const struct func *f, uint64_t to)
{
	struct sv code = f->code;
	uint64_t addr = f->addr;
	struct insn i;

	if (code.n > TLS_FUNC_BYTES)
		return false;
	while (insns_next(l->insns, &code, &addr, &i)) {
		if (i.target > f->addr && i.target <= to)
			return false;
	}
	return code.n == 0;
}

/* May the probe stand behind @i, and see what it would see in front? */
static bool passes(const struct insn *i, unsigned int keep)
{
	return i->kind == INSN_NOP || (i->kind == INSN_PLAIN && !(i->writes & keep));
}

uint64_t entry_of_c(struct look *l, const struct func *f)
{
	uint64_t addr = f->addr, best = 0;
	struct sv code = f->code;
	struct insn i;

	for (unsigned int n = 0; n < WAY_MAX && insns_next(l->insns, &code, &addr, &i); n++) {
		if ((!best && i.kind != INSN_NOP) || i.cheap)
			best = i.addr;
		if (i.cheap || !passes(&i, C_KEEP))
			break;
	}
	return best == f->addr || entered_at_start(l, f, best) ? best : best ? f->addr : 0;
}

bool entry_is_cheap(struct look *l, const struct func *f, uint64_t addr)
{
	struct sv code = { f->code.p + (addr - f->addr), f->code.n - (size_t)(addr - f->addr) };
	struct insn i;

	return insns_next(l->insns, &code, &addr, &i) && i.cheap;
}

/* Is this the block that lets the stack grow and starts the function again? Arguments are spilled, runtime.morestack is called,
 * they are loaded. */
static bool grows_stack(struct look *l, const struct func *f, uint64_t addr)
{
	bool called = false;
	struct sv code;
	struct insn i;

	if (addr <= f->addr || addr - f->addr >= f->code.n)
		return false;
	code = (struct sv){ f->code.p + (addr - f->addr), f->code.n - (size_t)(addr - f->addr) };
	for (unsigned int n = 0; n < GROWTH_MAX && insns_next(l->insns, &code, &addr, &i); n++) {
		if (i.kind == INSN_JUMP)
			return called && i.target == f->addr;
		if (i.kind == INSN_CALL)
			called = true;
		else if (i.kind != INSN_PLAIN && i.kind != INSN_NOP)
			return false;
	}
	return false;
}

/* A Go function looks first whether the stack has room for its frame; if not, that is copied to a larger one, and the function
 * begins anew. Behind the check it goes on once, and up to there nothing has moved: not even the stack pointer. What stands there
 * is a push from Go 1.21 on.
 *
 * A function without the check (few frames are so small) is probed at its start. So is one whose check has another form; then the
 * probe may fire twice for one call, which does no harm: the same goroutine and arguments, and no return between them. */
uint64_t entry_of_go(struct look *l, const struct func *f)
{
	uint64_t addr = f->addr, best = f->addr;
	struct sv code = f->code;
	struct insn i;

	for (unsigned int n = 0; n < WAY_MAX && insns_next(l->insns, &code, &addr, &i); n++) {
		if (i.kind == INSN_BRANCH && grows_stack(l, f, i.target))
			best = addr;
		else if (!passes(&i, GO_KEEP))
			break;
	}
	return best == f->addr || entered_at_start(l, f, best) ? best : f->addr;
}
