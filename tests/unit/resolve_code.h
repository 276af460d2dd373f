/* SPDX-License-Identifier: Apache-2.0 */
/* Code of x86-64 in an image of resolve_image.h, function by function, and errors as TLS libraries raise them. */
#ifndef MCPVIGIL_TESTS_RESOLVE_CODE_H
#define MCPVIGIL_TESTS_RESOLVE_CODE_H

#include "resolve_image.h"

#define EMIT(im, ...) code_emit(im, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline uint64_t code_here(const struct image *im)
{
	return TEXT_ADDR + im->text;
}

static inline void code_emit(struct image *im, const uint8_t *code, size_t n)
{
	memcpy(im->b + TEXT_OFF + im->text, code, n);
	im->text += n;
}

static inline void code_u32(struct image *im, uint64_t v)
{
	uint32_t x = (uint32_t)v;

	code_emit(im, (const uint8_t *)&x, 4);
}

/* The bytes of an instruction whose last four are a distance, and where that leads. */
#define TO(im, to, ...)                                              \
	do {                                                         \
		EMIT(im, __VA_ARGS__);                               \
		code_u32(im, (to) - (code_here(im) + 4));            \
	} while (0)
#define CALL(im, to)	TO(im, to, 0xe8)
#define JMP(im, to)	TO(im, to, 0xe9)
#define LEA_RCX(im, to) TO(im, to, 0x48, 0x8d, 0x0d)
#define LEA_RDX(im, to) TO(im, to, 0x48, 0x8d, 0x15)
#define LEA_RDI(im, to) TO(im, to, 0x48, 0x8d, 0x3d)
#define MOV_EDI(im, v)	(EMIT(im, 0xbf), code_u32(im, v))
#define MOV_ESI(im, v)	(EMIT(im, 0xbe), code_u32(im, v))
#define MOV_EDX(im, v)	(EMIT(im, 0xba), code_u32(im, v))

/* Ends a function: up to the next 16th address comes @pad. */
static inline void code_end(struct image *im, uint8_t pad)
{
	while (im->text % 16)
		im->b[TEXT_OFF + im->text++] = pad;
}

/* ERR_put_error(@lib, @function, @reason, @file, line) */
struct put {
	uint64_t callee, file;
	uint32_t lib;
};

static inline void code_put(struct image *im, const struct put *p, uint32_t function, uint32_t reason)
{
	LEA_RCX(im, p->file);
	MOV_EDI(im, p->lib);
	MOV_ESI(im, function);
	MOV_EDX(im, reason);
	CALL(im, p->callee);
}

#endif
