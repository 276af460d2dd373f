/* SPDX-License-Identifier: Apache-2.0 */
/* Go's table of functions (pclntab), which no program of Go's can do without: stripping leaves it. */
#ifndef MCPVIGIL_RESOLVE_GOTAB_H
#define MCPVIGIL_RESOLVE_GOTAB_H

#include "resolve/elf.h"

struct gotab {
	const struct elf *elf;
	uint64_t addr;	    /* of the table */
	uint64_t text;	    /* to which addresses in it are relative */
	uint64_t nfunc;
	struct sv table;
	uint64_t names, funcs; /* offsets in it */
};

struct gofunc {
	uint64_t addr, size; /* with the padding behind it */
	struct sv name;	     /* "crypto/tls.(*Conn).Read" */
};

/* 0; -ENOENT: no Go program; -ENOTSUP: made by Go before 1.18; -EBADMSG: no table that makes sense; -ESRCH: there is one, but not
 * where its code begins. */
int gotab_open(const struct elf *e, struct gotab *ret);
/* Function @i < nfunc; false where its entry makes no sense. */
bool gotab_func(const struct gotab *t, uint64_t i, struct gofunc *ret);
/* "go1.26.8", or empty where the program does not say. */
struct sv go_version(const struct elf *e);

#endif
