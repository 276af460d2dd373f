/* SPDX-License-Identifier: Apache-2.0 */
/* What never leaves the host unless it is asked for: userinfo and query of URIs.
 *
 *	scheme://user:secret@host:port/path?query#fragment  ->  scheme://host:port/path#fragment
 *
 * Passwords that should have been percent-encoded are common in connection strings. One that
 * holds '/', '?' or '#' ends the authority early by RFC 3986 3.2; what is left then looks like
 * "user:half", a host with a port that is no number, and everything to the last '@' goes. */
#include "sink/redact.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/sv.h"

/* Offset behind "scheme://" or a leading "//"; 0 where there is no authority. Backslashes count as
 * slashes: browsers and several URL libraries read them so. */
static size_t authority_start(struct sv s)
{
	size_t i = 0;

	while (i < s.n && !strchr(":/?#\\", s.p[i]))
		i++;
	if (i < s.n && s.p[i] == ':')
		i++;
	else if (i)
		return 0;
	if (i + 2 > s.n || !strchr("/\\", s.p[i]) || !strchr("/\\", s.p[i + 1]))
		return 0;
	return i + 2;
}

/* Whether "host:port" has a port that is no number. */
static bool port_is_odd(struct sv host)
{
	const char *bracket = host.n ? memrchr(host.p, ']', host.n) : NULL;
	size_t i = bracket ? (size_t)(bracket - host.p) : 0;

	while (i < host.n && host.p[i] != ':')
		i++;
	for (i++; i < host.n; i++) {
		if (host.p[i] < '0' || host.p[i] > '9')
			return true;
	}
	return false;
}

/* Offset behind the userinfo of the authority that begins at @from; @from where there is none. */
static size_t userinfo_end(struct sv s, size_t from)
{
	struct sv auth = { s.p + from, 0 };
	const char *at;

	while (from + auth.n < s.n && !strchr("/?#\\", auth.p[auth.n]))
		auth.n++;
	at = auth.n ? memrchr(auth.p, '@', auth.n) : NULL;
	if (!at && port_is_odd(auth))
		at = memrchr(auth.p, '@', s.n - from);
	return at ? (size_t)(at - s.p) + 1 : from;
}

char *redact_uri(const char *uri)
{
	struct sv s = sv_of(uri);
	size_t from = authority_start(s), host = userinfo_end(s, from), n = 0;
	char *out = malloc(s.n + 1);
	bool query = false, fragment = false;

	if (!out)
		return NULL;
	if (from == 0)
		host = 0;
	memcpy(out, s.p, from);
	n = from;
	for (size_t i = host; i < s.n; i++) {
		if (s.p[i] == '?')
			query = true;
		else if (s.p[i] == '#' && !fragment)
			query = false, fragment = true;
		if (!query)
			out[n++] = s.p[i];
	}
	out[n] = '\0';
	return out;
}
