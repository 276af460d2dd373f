/* SPDX-License-Identifier: Apache-2.0 */
/* "lowerdir=/a:/b,upperdir=/c,workdir=/d"; from 6.5 also "lowerdir+=/a,datadir+=/b". Mountinfo writes blanks, commas and backslashes
 * as \ooo; what is left of an overlay's own escapes is "\:". */
#include "probe/layers.h"

#include <string.h>

static const struct sv keys[] = {
	{ "lowerdir=", 9 }, { "lowerdir+=", 10 }, { "datadir+=", 9 }, { "upperdir=", 9 },
};

/* The next byte of @s, which goes on behind it. */
static char byte_cut(struct sv *s)
{
	char c = s->p[0];
	size_t n = 1;

	if (c == '\\' && s->n >= 4 && s->p[1] >= '0' && s->p[1] <= '3' && s->p[2] >= '0' && s->p[2] <= '7' && s->p[3] >= '0' &&
	    s->p[3] <= '7') {
		c = (char)((s->p[1] - '0') << 6 | (s->p[2] - '0') << 3 | (s->p[3] - '0'));
		n = 4;
	}
	s->p += n;
	s->n -= n;
	return c;
}

/* A path from @s up to a colon. It is kept where it is absolute. */
static void path_take(struct layers *l, struct sv *s)
{
	uint32_t at = l->used, n = 0;

	while (s->n) {
		char c = byte_cut(s);

		if (c == ':')
			break;
		if (c == '\\' && s->n)
			c = byte_cut(s);
		if (at + n < LAYERS_TEXT)
			l->text[at + n] = c;
		n++;
	}
	if (!n || at == LAYERS_TEXT || l->text[at] != '/')
		return;
	if (at + n > LAYERS_TEXT || l->n == LAYERS_MAX) {
		l->more = true;
		return;
	}
	l->layer[l->n++] = (struct layer){ .at = at, .n = n };
	l->used = at + n;
}

void layers_take(struct layers *l, struct sv options)
{
	while (options.n) {
		const char *comma = memchr(options.p, ',', options.n);
		struct sv one = { options.p, comma ? (size_t)(comma - options.p) : options.n };

		options.p += one.n + (comma != NULL);
		options.n -= one.n + (comma != NULL);
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			struct sv paths = one;

			if (!sv_starts(one, keys[i]))
				continue;
			paths.p += keys[i].n;
			paths.n -= keys[i].n;
			while (paths.n)
				path_take(l, &paths);
		}
	}
}

/* Length of the mount point @point where @path lies at or below it, else -1. */
static int64_t below(struct sv path, struct sv point)
{
	size_t at = 0;

	if (point.n <= 1)
		return point.n && point.p[0] == '/' ? 0 : -1;
	while (point.n) {
		if (at == path.n || path.p[at] != byte_cut(&point))
			return -1;
		at++;
	}
	return at == path.n || path.p[at] == '/' ? (int64_t)at : -1;
}

/* Of two at one place the later one lies on top. */
void layers_cover(struct layers *l, struct sv point, bool remote)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct layer *y = &l->layer[i];
		int64_t n = below((struct sv){ l->text + y->at, y->n }, point);

		if (n < 0 || n + 1 < y->best)
			continue;
		y->best = (uint32_t)n + 1;
		y->remote = remote;
	}
}

bool layers_remote(const struct layers *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->layer[i].remote)
			return true;
	}
	return l->more;
}
