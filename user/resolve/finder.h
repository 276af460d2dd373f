/* SPDX-License-Identifier: Apache-2.0 */
/* What the finders of TLS stacks share: the file, a decoder, what was found so far. A finder is a function here and a row in
 * resolve.c; a stack that is known by its functions' names is a row in api.c. Private to resolve/. */
#ifndef MCPVIGIL_RESOLVE_FINDER_H
#define MCPVIGIL_RESOLVE_FINDER_H

#include "resolve/elf.h"
#include "resolve/insn.h"
#include "resolve/resolve.h"

struct look {
	const struct elf *elf;
	struct insns *insns;
	struct tls_found *found;
	enum { NOT_LOOKED, RUSTLS, NO_RUSTLS } rustls;
};

/* A function of the file, and the bytes from its start to its end. */
struct func {
	uint64_t addr;
	struct sv code;
};

void api_find(struct look *l);	  /* by the names of functions: OpenSSL and what has its API */
void go_find(struct look *l);	  /* Go's crypto/tls by Go's own function table */
void boring_find(struct look *l); /* BoringSSL without symbols, by the errors of its functions */
void ossl_find(struct look *l);	  /* OpenSSL without symbols, by the same */
void awslc_find(struct look *l);  /* AWS-LC's AEAD functions, below rustls, by their names, or */
void awslc_bare_find(struct look *l); /* ... by their errors */
void ring_find(struct look *l);	  /* ring's AEAD functions, below rustls, by their names, or */
void ring_bare_find(struct look *l); /* ... by what its panics say */
void unread_find(struct look *l); /* code that no finder reads yet, by what it says of itself */

/* Does it hold rustls, by the names of its sources? Without it nobody is interested in what ciphers there are. */
bool rustls_is_in(struct look *l);

/* The @size bytes of code at @addr; false where the file does not hold all of them. */
bool func_at(const struct look *l, uint64_t addr, uint64_t size, struct func *ret);

/* Add the probe @fn of @stack at @addr, which is an instruction of @f. The same once again is left out. 0; -ENOSPC; -ERANGE too
 * far inside its function. */
int point_add(struct look *l, const struct func *f, uint64_t addr, uint8_t fn, uint8_t stack);

/* Take away all but the first @n points. */
void points_drop(struct look *l, uint32_t n);
/* Is there a point of @stack? */
bool found_stack(const struct look *l, uint8_t stack);

/* Where to probe a function of the C ABI, so that its arguments are in their registers and its return address on top of the
 * stack. 0: its code cannot be decoded. */
uint64_t entry_of_c(struct look *l, const struct func *f);
/* The same for Go's ABI: its arguments are in registers, and R14 is the goroutine. */
uint64_t entry_of_go(struct look *l, const struct func *f);
/* Does a probe at @addr cost little (see struct insn)? */
bool entry_is_cheap(struct look *l, const struct func *f, uint64_t addr);

/* The function that @f calls, or jumps to, before anything has changed a register of @keep (INSN_REG); 0: none is sure. Alone:
 * there is no other way out of @f. First: the others lead to addresses that stand in the code, too. */
uint64_t inner_alone(struct look *l, const struct func *f, unsigned int keep);
uint64_t inner_first(struct look *l, const struct func *f, unsigned int keep);
/* The function at @addr, up to the next that has a name. */
bool inner_func(struct look *l, uint64_t addr, struct func *ret);

/* "OpenSSL 3.0.19", or empty where the file does not say. */
struct sv openssl_version(const struct elf *e);

/* Add to what is said of the file; cut where there is no room. */
__attribute__((format(printf, 2, 3))) void found_evidence(struct look *l, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void found_why(struct look *l, const char *fmt, ...);

#endif
