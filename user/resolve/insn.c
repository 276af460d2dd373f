/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code by capstone.
 *
 * Its own list of registers that an instruction writes has had holes. So what an instruction is said to leave alone rests on a
 * short list of instructions that change their first operand and the flags, and nothing else; all others may do anything. */
#include "resolve/insn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <capstone/capstone.h>

struct insns {
	csh cs;
	cs_insn *one;
};

struct insns *insns_new(void)
{
	struct insns *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &d->cs) != CS_ERR_OK || cs_option(d->cs, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		goto fail;
	d->one = cs_malloc(d->cs);
	if (d->one)
		return d;
fail:
	insns_free(d);
	errno = ENOMEM;
	return NULL;
}

void insns_free(struct insns *d)
{
	if (!d)
		return;
	if (d->one)
		cs_free(d->one, 1);
	if (d->cs)
		cs_close(&d->cs);
	free(d);
}

/* --- What an instruction changes --------------------------------------------------------------------------------- */

#define PARTS(n, r64, r32, r16, r8) \
	[X86_REG_##r64] = 1U << (n), [X86_REG_##r32] = 1U << (n), [X86_REG_##r16] = 1U << (n), [X86_REG_##r8] = 1U << (n)

static const uint16_t register_bit[X86_REG_ENDING] = {
	PARTS(REG_AX, RAX, EAX, AX, AL),	[X86_REG_AH] = INSN_REG(AX),
	PARTS(REG_CX, RCX, ECX, CX, CL),	[X86_REG_CH] = INSN_REG(CX),
	PARTS(REG_DX, RDX, EDX, DX, DL),	[X86_REG_DH] = INSN_REG(DX),
	PARTS(REG_BX, RBX, EBX, BX, BL),	[X86_REG_BH] = INSN_REG(BX),
	PARTS(REG_SP, RSP, ESP, SP, SPL),	PARTS(REG_BP, RBP, EBP, BP, BPL),
	PARTS(REG_SI, RSI, ESI, SI, SIL),	PARTS(REG_DI, RDI, EDI, DI, DIL),
	PARTS(REG_R8, R8, R8D, R8W, R8B),	PARTS(REG_R9, R9, R9D, R9W, R9B),
	PARTS(REG_R10, R10, R10D, R10W, R10B),	PARTS(REG_R11, R11, R11D, R11W, R11B),
	PARTS(REG_R12, R12, R12D, R12W, R12B),	PARTS(REG_R13, R13, R13D, R13W, R13B),
	PARTS(REG_R14, R14, R14D, R14W, R14B),	PARTS(REG_R15, R15, R15D, R15W, R15B),
};

static bool is_vector(unsigned int reg)
{
	return (reg >= X86_REG_XMM0 && reg <= X86_REG_XMM15) || (reg >= X86_REG_YMM0 && reg <= X86_REG_YMM15);
}

/* @op: the first operand, or NULL. */
static void plain(const cs_x86_op *op, struct insn *ret)
{
	bool is_register = op && op->type == X86_OP_REG && (unsigned int)op->reg < X86_REG_ENDING;

	if (!op || (!is_register && op->type != X86_OP_MEM))
		return;
	if (is_register && !register_bit[op->reg] && !is_vector(op->reg))
		return; /* a segment, say */
	ret->kind = INSN_PLAIN;
	ret->writes = is_register ? register_bit[op->reg] : 0;
}

/* --- What an instruction loads ----------------------------------------------------------------------------------- */

static uint64_t cut(uint64_t v, unsigned int bytes)
{
	return bytes == 4 ? (uint32_t)v : v;
}

static bool is_general(const cs_x86_op *op)
{
	return op->type == X86_OP_REG && (unsigned int)op->reg < X86_REG_ENDING && register_bit[op->reg] && op->size >= 4;
}

static uint8_t number_of(const cs_x86_op *op)
{
	return (uint8_t)__builtin_ctz(register_bit[op->reg]);
}

/* Of a move into a register of @size bytes. */
static void moves(const cs_x86_op *from, unsigned int size, struct insn *ret)
{
	if (from->type == X86_OP_IMM) {
		ret->load = LOAD_VALUE;
		ret->value = cut((uint64_t)from->imm, size);
	} else if (is_general(from)) {
		ret->load = LOAD_COPY;
		ret->value = number_of(from);
	} else if (from->type == X86_OP_MEM && from->mem.index == X86_REG_INVALID) {
		ret->load = LOAD_MEMORY;
	}
}

/* Two operands, the first a whole register or its lower half. */
static void load_of(const cs_insn *in, const cs_x86_op op[2], struct insn *ret)
{
	ret->reg = number_of(&op[0]);
	if (in->id == X86_INS_MOV || in->id == X86_INS_MOVABS) {
		moves(&op[1], op[0].size, ret);
	} else if (in->id == X86_INS_LEA && op[1].mem.base == X86_REG_RIP && op[1].mem.index == X86_REG_INVALID) {
		ret->load = LOAD_VALUE;
		ret->value = cut(in->address + in->size + (uint64_t)op[1].mem.disp, op[0].size);
	} else if (in->id == X86_INS_ADD) {
		ret->load = LOAD_SUM;
	} else if (in->id == X86_INS_XOR && op[1].type == X86_OP_REG && op[1].reg == op[0].reg) {
		ret->load = LOAD_VALUE;
	}
}

/* What capstone says of memory is not left out where it says too much; what it misses, those that are known to store have. */
static void stores(const cs_insn *in, struct insn *ret)
{
	const cs_x86_op *op = &in->detail->x86.operands[0];
	unsigned int base;

	if (!in->detail->x86.op_count || op->type != X86_OP_MEM || in->id == X86_INS_CMP || in->id == X86_INS_TEST)
		return;
	if (ret->kind != INSN_PLAIN && !(op->access & CS_AC_WRITE))
		return;
	base = op->mem.base;
	ret->stores = true;
	ret->base = REG_NONE;
	if (base < X86_REG_ENDING && register_bit[base])
		ret->base = (uint8_t)__builtin_ctz(register_bit[base]);
}

/* Two operands, the first no register that is written. */
static void looks_at(const cs_insn *in, const cs_x86_op op[2], struct insn *ret)
{
	if (in->id == X86_INS_MOV && op[0].type == X86_OP_MEM && is_general(&op[1])) {
		ret->load = LOAD_STORE;
		ret->value = number_of(&op[1]);
	} else if (in->id == X86_INS_TEST && is_general(&op[0]) && op[1].type == X86_OP_REG && op[1].reg == op[0].reg) {
		ret->load = LOAD_TEST;
		ret->reg = number_of(&op[0]);
	}
}

static void jumps(const cs_x86 *x, struct insn *ret)
{
	const cs_x86_op *op = &x->operands[0];

	ret->reg = x->op_count == 1 && is_general(op) ? number_of(op) : REG_NONE;
	if (x->op_count == 1 && op->type == X86_OP_MEM && op->mem.index == X86_REG_INVALID)
		ret->load = LOAD_MEMORY;
}

static void pushes(const cs_insn *in, const cs_x86_op *op, struct insn *ret)
{
	if (in->id == X86_INS_PUSH && op->type == X86_OP_IMM) {
		ret->load = LOAD_PUSH;
		ret->value = (uint64_t)op->imm;
	} else if (in->id == X86_INS_POP && is_general(op)) {
		ret->load = LOAD_POP;
		ret->reg = number_of(op);
		ret->writes = (uint16_t)(1U << ret->reg | INSN_REG(SP));
	}
}

static void loads(const cs_insn *in, struct insn *ret)
{
	const cs_x86 *x = &in->detail->x86;

	if (ret->kind == INSN_JUMP)
		jumps(x, ret);
	else if (x->op_count == 1)
		pushes(in, &x->operands[0], ret);
	else if (ret->kind != INSN_PLAIN || x->op_count != 2)
		return;
	else if (in->id != X86_INS_TEST && in->id != X86_INS_CMP && is_general(&x->operands[0]))
		load_of(in, x->operands, ret);
	else
		looks_at(in, x->operands, ret);
}

/* --- What kind it is --------------------------------------------------------------------------------------------- */

/* As arch/x86/kernel/uprobes.c has it since 5.0: branches by a constant, and a push of one byte, or two with REX. */
static bool is_cheap(const cs_insn *in, unsigned int kind)
{
	const uint8_t *b = in->bytes;

	if (kind == INSN_PUSH)
		return (in->size == 1 && (b[0] & 0xf8) == 0x50) || (in->size == 2 && (b[0] & 0xf0) == 0x40 && (b[1] & 0xf8) == 0x50);
	if (kind == INSN_JUMP)
		return b[0] == 0xe9 || b[0] == 0xeb;
	if (kind == INSN_CALL)
		return b[0] == 0xe8;
	return kind == INSN_BRANCH && ((b[0] & 0xf0) == 0x70 || (b[0] == 0x0f && (b[1] & 0xf0) == 0x80));
}

static unsigned int kind_of_group(csh cs, const cs_insn *in)
{
	if (in->id == X86_INS_JMP)
		return INSN_JUMP;
	if (in->id == X86_INS_CALL)
		return INSN_CALL;
	/* Whatever else may go elsewhere: jcc, jrcxz, loop. */
	if (cs_insn_group(cs, in, CS_GRP_JUMP) || in->id == X86_INS_LOOP || in->id == X86_INS_LOOPE || in->id == X86_INS_LOOPNE)
		return INSN_BRANCH;
	return INSN_OTHER;
}

/* By instruction; all others are INSN_OTHER, or go elsewhere. */
#define IF_(name) [X86_INS_SET##name] = INSN_PLAIN, [X86_INS_CMOV##name] = INSN_PLAIN
static const uint8_t kinds[X86_INS_ENDING] = {
	IF_(A), IF_(AE), IF_(B), IF_(BE), IF_(E), IF_(G), IF_(GE), IF_(L), IF_(LE),
	IF_(NE), IF_(NO), IF_(NP), IF_(NS), IF_(O), IF_(P), IF_(S),
	[X86_INS_ENDBR64] = INSN_NOP, [X86_INS_NOP] = INSN_NOP,	    [X86_INS_CMP] = INSN_PLAIN,	   [X86_INS_TEST] = INSN_PLAIN,
	[X86_INS_MOV] = INSN_PLAIN,   [X86_INS_MOVABS] = INSN_PLAIN, [X86_INS_MOVSX] = INSN_PLAIN,  [X86_INS_MOVSXD] = INSN_PLAIN,
	[X86_INS_MOVZX] = INSN_PLAIN, [X86_INS_LEA] = INSN_PLAIN,    [X86_INS_ADD] = INSN_PLAIN,    [X86_INS_SUB] = INSN_PLAIN,
	[X86_INS_AND] = INSN_PLAIN,   [X86_INS_OR] = INSN_PLAIN,     [X86_INS_XOR] = INSN_PLAIN,    [X86_INS_PUSH] = INSN_PUSH,
	[X86_INS_RET] = INSN_RET,     [X86_INS_UD2] = INSN_TRAP,     [X86_INS_HLT] = INSN_TRAP,	   [X86_INS_INT3] = INSN_TRAP,
	[X86_INS_SHL] = INSN_PLAIN,   [X86_INS_SHR] = INSN_PLAIN,    [X86_INS_SAR] = INSN_PLAIN,   [X86_INS_INC] = INSN_PLAIN,
	[X86_INS_DEC] = INSN_PLAIN,   [X86_INS_NEG] = INSN_PLAIN,    [X86_INS_NOT] = INSN_PLAIN,   [X86_INS_ADC] = INSN_PLAIN,
	[X86_INS_SBB] = INSN_PLAIN,   [X86_INS_BSWAP] = INSN_PLAIN, [X86_INS_MOVAPS] = INSN_PLAIN, [X86_INS_MOVUPS] = INSN_PLAIN, [X86_INS_MOVDQA] = INSN_PLAIN,
	[X86_INS_MOVDQU] = INSN_PLAIN, [X86_INS_XORPS] = INSN_PLAIN, [X86_INS_PXOR] = INSN_PLAIN,  [X86_INS_MOVQ] = INSN_PLAIN,
};

static bool of_register(const cs_x86_op *op)
{
	return op && op->type == X86_OP_REG;
}

static bool compares(const cs_insn *in)
{
	return in->id == X86_INS_CMP || in->id == X86_INS_TEST;
}

/* Comparisons of strings put their result into ECX. */
static bool computes_vector(const cs_insn *in, const cs_x86_op *op)
{
	static const unsigned int strings[] = { X86_INS_PCMPESTRI, X86_INS_PCMPISTRI, X86_INS_VPCMPESTRI, X86_INS_VPCMPISTRI };

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (in->id == strings[i])
			return false;
	}
	return op && op->type == X86_OP_REG && is_vector(op->reg);
}

static void classify(csh cs, const cs_insn *in, struct insn *ret)
{
	const cs_x86_op *op = in->detail->x86.op_count ? &in->detail->x86.operands[0] : NULL;
	unsigned int kind = in->id < X86_INS_ENDING ? kinds[in->id] : INSN_OTHER;

	if ((kind == INSN_PLAIN && !compares(in)) || computes_vector(in, op)) {
		plain(op, ret);
		return;
	}
	if (kind == INSN_PUSH && !of_register(op))
		return;
	ret->kind = (uint8_t)(kind == INSN_OTHER ? kind_of_group(cs, in) : kind);
	if (kind == INSN_OTHER && op && op->type == X86_OP_IMM)
		ret->target = (uint64_t)op->imm;
	else if (kind == INSN_NOP || kind == INSN_PLAIN || kind == INSN_TRAP)
		ret->writes = 0;
}

bool insns_next(struct insns *d, struct sv *code, uint64_t *addr, struct insn *ret)
{
	const uint8_t *p = (const uint8_t *)code->p;
	size_t n = code->n;

	if (!n || !cs_disasm_iter(d->cs, &p, &n, addr, d->one))
		return false;
	*code = (struct sv){ (const char *)p, n };
	*ret = (struct insn){ .addr = d->one->address, .writes = INSN_ANY, .size = (uint8_t)d->one->size };
	classify(d->cs, d->one, ret);
	loads(d->one, ret);
	stores(d->one, ret);
	ret->cheap = is_cheap(d->one, ret->kind);
	return true;
}

void insns_text(struct insns *d, struct sv code, uint64_t addr, char *ret, size_t size)
{
	const uint8_t *p = (const uint8_t *)code.p;
	size_t n = code.n;

	if (n && cs_disasm_iter(d->cs, &p, &n, &addr, d->one))
		snprintf(ret, size, "%s%s%s", d->one->mnemonic, *d->one->op_str ? " " : "", d->one->op_str);
	else
		snprintf(ret, size, "?");
}
