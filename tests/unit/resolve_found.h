/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of finders ask of a result. */
#ifndef MCPVIGIL_TESTS_RESOLVE_FOUND_H
#define MCPVIGIL_TESTS_RESOLVE_FOUND_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolve_image.h"

/* The stack for which function @fn at @addr was found; -1: it was not. */
static inline int image_stack_at(const struct tls_found *found, unsigned int fn, uint64_t addr)
{
	for (uint32_t i = 0; i < found->n; i++) {
		if (found->point[i].fn == fn && found->point[i].func - TEXT_OFF + TEXT_ADDR == addr)
			return found->point[i].stack;
	}
	return -1;
}

/* The name of a source of rustls, as its panics carry it. */
static inline void image_rustls(struct image *im)
{
	static const char path[] = "b/rustls-0.23.4/src/conn.rs";

	image_section(im, ".rodata", image_data(im, path, sizeof(path)), sizeof(path));
}

static inline void assert_nothing_found(const struct tls_found *found, const char *why)
{
	assert_int_equal(found->n, 0);
	assert_string_equal(found->why, why);
	assert_string_equal(found->evidence, "");
}

#endif
