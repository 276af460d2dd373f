/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoint URIs. As much of RFC 3986 5.2 as servers use: absolute URI, absolute path, relative path, query alone.
 * Dot segments are left as they are. */
#include "mcp/endpoint.h"

#include "base/hash.h"

static size_t find(struct sv s, char c)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

struct sv endpoint_path(struct sv target)
{
	return (struct sv){ target.p, find(target, '?') };
}

bool endpoint_is(struct sv target)
{
	struct sv path = endpoint_path(target);

	return path.n < target.n &&
	       sv_ihas((struct sv){ target.p + path.n, target.n - path.n }, SV("session"));
}

static struct sv rest(struct sv s, size_t n)
{
	return (struct sv){ s.p + n, s.n - n };
}

/* "/a/b?q" -> "/a/" */
static struct sv dir_of(struct sv base)
{
	struct sv path = endpoint_path(base);

	while (path.n > 0 && path.p[path.n - 1] != '/')
		path.n--;
	return path;
}

void endpoint_resolve(struct sv base, struct sv uri, struct endpoint *ret_e)
{
	struct endpoint e = { .dir = { "", 0 } };
	size_t scheme = find(uri, ':');

	uri.n = find(uri, '#');
	if (scheme < uri.n && sv_starts(rest(uri, scheme), SV("://"))) {
		e.host = rest(uri, scheme + 3);
		e.path = rest(e.host, find(e.host, '/'));
		e.host.n -= e.path.n;
	} else if (sv_starts(uri, SV("/"))) {
		e.path = uri;
	} else if (sv_starts(uri, SV("?"))) {
		e.dir = endpoint_path(base);
		e.path = uri;
	} else {
		e.dir = dir_of(base);
		e.path = uri;
	}
	*ret_e = e;
}

struct session_key endpoint_key(struct sv host, const struct endpoint *e)
{
	struct session_parts parts;
	char target[4096];
	size_t n = e->dir.n + e->path.n;

	session_parts_init(&parts, SESSION_ENDPOINT);
	session_parts_text(&parts, e->host.n > 0 ? e->host : host);
	if (n > sizeof(target)) /* longer than any server's: by its end, where the session id is */
		session_parts_text(&parts, e->path);
	else {
		if (e->dir.n > 0)
			memcpy(target, e->dir.p, e->dir.n);
		if (e->path.n > 0)
			memcpy(target + e->dir.n, e->path.p, e->path.n);
		session_parts_text(&parts, (struct sv){ target, n });
	}
	return session_parts_key(&parts);
}
