/* SPDX-License-Identifier: Apache-2.0 */
/* Stripped code, by what it refers to: strings, the code that loads their addresses, the functions that this code is in, and the
 * constants that they give to calls. Nothing here goes by byte patterns or distances, and each answer may be that it is not sure.
 * Private to resolve/. */
#ifndef MCPVIGIL_RESOLVE_XREF_H
#define MCPVIGIL_RESOLVE_XREF_H

#include "resolve/finder.h"

#define ADDRS_MAX  64
#define XREFS_MAX  1024
#define BODIES_MAX 256
#define VALUES_MAX 16
/* A source file whose name fewer functions refer to is not in the program: its name is. */
#define XREF_FUNCS_MIN 6

/* --- Strings (strings.c) --------------------------------------------------------------------------------------- */

struct addrs {
	unsigned int n;
	bool many; /* there are more, which are left out */
	uint64_t addr[ADDRS_MAX];
};

/* Where the strings begin in loaded segments that end in @text, or are that: printable, and NUL behind. Added to @ret. */
void strings_ending(const struct elf *e, struct sv text, struct addrs *ret);
/* Those that are @text, or end in it where a linker may have put the two together, in the segments of @near. */
void strings_near(const struct elf *e, struct sv text, const struct addrs *near, struct addrs *ret);
bool addrs_has(const struct addrs *a, uint64_t addr);
/* Those already there are left out. */
void addrs_add(struct addrs *a, uint64_t addr);

/* --- References (xref.c) --------------------------------------------------------------------------------------- */

struct xref {
	uint64_t at; /* of the operand, in the midst of what may be an instruction */
	uint64_t to;
};

struct xrefs {
	unsigned int n;
	bool many; /* there are more, which are left out */
	struct xref ref[XREFS_MAX];
};

/* Where code may load one of @to, in one pass over all code: relative to the instruction, or as a constant. Whether these bytes
 * are an instruction funcs_holding() tells. In order of @at; what @ret held is lost. */
void xrefs_find(const struct elf *e, const struct addrs *to, struct xrefs *ret);
/* Where a direct call or jump of @opcode (0xe8, 0xe9) to @to may stand: addresses of instructions. */
void callers_find(const struct elf *e, uint64_t to, uint8_t opcode, struct addrs *ret);

/* --- Functions (funcs.c) --------------------------------------------------------------------------------------- */

/* A function, decoded from its start to its end. */
struct body {
	struct func f;
	const char *by; /* how its start is known, for people */
	uint32_t n;
	const struct insn *in;
	uint32_t nedge;
	const struct edge *edge; /* its direct jumps to its own instructions */
};

struct edge {
	uint32_t to, from; /* numbers of instructions; in this order */
};

struct funcs;

/* Which addresses are called directly, in one pass over all code. 0, or -errno: -ENOMEM, -ENOEXEC no code. */
int funcs_new(const struct look *l, struct funcs **ret);
/* Takes NULL. */
void funcs_free(struct funcs *s);
/* The function with the instruction that holds @at, which lives as long as @s. NULL with errno: ENOENT not in a function, or not
 * in an instruction that is reached from its start; ENOTUNIQ where it begins is not sure; ENOSPC it is too long, or
 * too much was looked at; ENOMEM. */
const struct body *funcs_at(struct funcs *s, uint64_t at);
/* Is @addr the target of a direct call (of bytes that may be one)? */
bool funcs_called(const struct funcs *s, uint64_t addr);

/* Functions, and how many references are in none that is sure. */
struct bodies {
	unsigned int n, unsure;
	const struct body *body[BODIES_MAX];
};

/* The functions in which an instruction loads what @refs says, each once, by address. */
void funcs_holding(struct funcs *s, const struct xrefs *refs, struct bodies *ret);
/* The number of the instruction of @b that holds @addr; false: none does. */
bool body_index(const struct body *b, uint64_t addr, uint32_t *ret);

/* --- Constants (values.c) -------------------------------------------------------------------------------------- */

struct values {
	unsigned int n;
	bool unsure;	/* it may hold others, too */
	uint16_t entry; /* INSN_REG of each register whose value at the function's start it may be */
	uint64_t value[VALUES_MAX];
};

/* What argument @arg (0...5, C ABI) or @reg (enum insn_reg) may hold as instruction @i of @b begins, on all ways that lead there
 * from the start. 32 bits of a register are what the instructions before wrote into it. */
void values_of_arg(const struct body *b, uint32_t i, unsigned int arg, struct values *ret);
void values_of_reg(const struct body *b, uint32_t i, unsigned int reg, struct values *ret);
bool values_has(const struct values *v, uint64_t value);
/* Is it @value, for sure? The function's own argument @arg? */
bool values_is(const struct values *v, uint64_t value);
bool values_is_own(const struct values *v, unsigned int arg);

/* Is instruction @i a call, or a jump out of @b? */
bool call_leaves(const struct body *b, uint32_t i);
/* Is @b's own argument @own argument @arg of one of these? */
bool hands(const struct body *b, unsigned int own, unsigned int arg);
/* Does it keep its own argument @own for later, or test whether it is NULL? */
bool keeps(const struct body *b, unsigned int own);
bool tests(const struct body *b, unsigned int own);
/* The next call of @b (or jump out of it) from instruction *@i on whose argument @arg may be one of @to; its number is in *@i.
 * false: there is none. */
bool call_with(const struct body *b, const struct addrs *to, unsigned int arg, uint32_t *i);

/* --- Errors by number (puterr.c) ------------------------------------------------------------------------------- */

/* ERR_put_error(lib, 0, reason, file, line), as BoringSSL and what stems from it raise errors. The name of the file stays when
 * symbols are stripped, and reasons are numbers of the API. */
struct puterr {
	const struct addrs *files; /* the names of the file */
	unsigned int file;	   /* which argument that is: 3, or 2 where link-time optimisation took away what is always 0 */
	unsigned int n;
	uint64_t lib;
	const struct reason {
		uint16_t value, bit;
	} *reasons;
};

/* The bits of those that @b raises. */
uint16_t puterr_raised(const struct puterr *e, const struct body *b);

#endif
