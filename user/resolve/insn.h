/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code, one instruction after the other. x86-64. */
#ifndef MCPVIGIL_RESOLVE_INSN_H
#define MCPVIGIL_RESOLVE_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

enum insn_kind {
	INSN_OTHER,  /* nothing is known of what it does */
	INSN_PLAIN,  /* computes, loads or stores, changes @writes alone, and goes on behind itself */
	INSN_NOP,    /* nothing at all; endbr64 too */
	INSN_PUSH,   /* of a register */
	INSN_RET,
	INSN_JUMP,   /* to @target, as all of these; 0: that is computed */
	INSN_BRANCH, /* there, or on behind itself */
	INSN_CALL,
	INSN_TRAP, /* nothing goes on behind it */
};

/* What an instruction puts into @reg, as far as that is known. */
enum insn_load {
	LOAD_NONE,
	LOAD_VALUE, /* @value */
	LOAD_COPY,  /* of register @value */
	LOAD_MEMORY, /* what stands at an address that has no index; a computed jump may go there, too */
	LOAD_SUM,   /* itself and something else */
	LOAD_POP,   /* what was pushed last */
	LOAD_STORE, /* nothing: register @value is stored; @reg is nothing */
	LOAD_TEST,  /* nothing: whether @reg is 0 is tested */
	LOAD_PUSH,  /* pushes @value; @reg is nothing */
};

enum insn_reg { /* as instructions number them */
	REG_AX,
	REG_CX,
	REG_DX,
	REG_BX,
	REG_SP,
	REG_BP,
	REG_SI,
	REG_DI,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_R12,
	REG_R13,
	REG_R14,
	REG_R15,
	REG_NONE,
};

#define INSN_REG(name) (1U << REG_##name)
#define INSN_ANY       0xffffU

struct insn {
	uint64_t addr, target, value;
	uint16_t writes; /* INSN_REG of each general register that it may change, in part or whole */
	uint8_t size;
	uint8_t kind; /* enum insn_kind */
	uint8_t load; /* enum insn_load */
	uint8_t reg;  /* enum insn_reg; of a computed jump, where it finds its target, or REG_NONE */
	bool stores; /* into memory at register @base */
	uint8_t base; /* REG_NONE: at an address, or by two registers */
	bool cheap;   /* the kernel carries it out itself when it is probed, and does not step over a copy of it */
};

struct insns;

/* NULL with ENOMEM. */
struct insns *insns_new(void);
/* Takes NULL. */
void insns_free(struct insns *d);
/* Decode the front of @code, which runs at *@addr, and move both behind it. false at its end, or where that is no instruction. */
bool insns_next(struct insns *d, struct sv *code, uint64_t *addr, struct insn *ret);
/* The instruction at the front of @code as text for people; "?" where there is none. */
void insns_text(struct insns *d, struct sv code, uint64_t addr, char *ret, size_t size);

#endif
