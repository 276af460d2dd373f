/* SPDX-License-Identifier: Apache-2.0 */
/* TLS code without names of functions, by what stays in it when those are stripped: its sources' file names, which its errors and
 * panics carry. Told so that a person knows why nothing is seen; nothing is probed by it. */
#include "resolve/finder.h"

/* Does a path with @text in it stand there? With nothing in front, it is somebody's list of such names: ours, say. */
static bool path_in(struct sv in, struct sv text)
{
	struct sv left = in;

	while (left.n) {
		const char *at = memmem(left.p, left.n, text.p, text.n);

		if (!at)
			return false;
		if (at > in.p && at[-1] > ' ' && at[-1] <= '~')
			return true;
		left = (struct sv){ at + 1, left.n - (size_t)(at + 1 - left.p) };
	}
	return false;
}

static bool holds(const struct elf *e, struct sv text)
{
	for (unsigned int i = 0; i < e->nsec; i++) {
		const struct elf_sec *s = &e->sec[i];

		if (s->alloc && !s->exec && path_in(s->bytes, text))
			return true;
	}
	/* Without sections, constants may stand between code. */
	for (unsigned int i = 0; !e->nsec && i < e->nseg; i++) {
		if (path_in((struct sv){ e->file.p + e->seg[i].offset, (size_t)e->seg[i].size }, text))
			return true;
	}
	return false;
}

bool rustls_is_in(struct look *l)
{
	if (l->rustls == NOT_LOOKED)
		l->rustls = holds(l->elf, SV("rustls-0.")) ? RUSTLS : NO_RUSTLS;
	return l->rustls == RUSTLS;
}

void unread_find(struct look *l)
{
	if (!l->found->n && !*l->found->why && rustls_is_in(l))
		found_why(l, "rustls, neither on AWS-LC nor on ring: not read yet");
}
