/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that only some runs need, loaded when one does: libcurl and libmicrohttpd bring twenty others along, whose
 * relocated pages are 7 MiB of every process that is linked to them. */
#ifndef MCPVIGIL_BASE_LIB_H
#define MCPVIGIL_BASE_LIB_H

#include <stddef.h>

struct lib_call {
	const char *name;
	void **call; /* where its address goes */
};

/* Load @soname for good and look all of @calls up. 0; -ENOENT after a line on standard error. */
int lib_load(const char *soname, const struct lib_call *calls, size_t n);

/* The table for a list X(function) and a struct @lib with a member of each name. */
#define LIB_MEMBER(f) typeof(f) *f;
#define LIB_CALL(f)   { #f, (void **)&lib.f },

#endif
