/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for people. One write(2) a message, so that lines of several threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sv.h"
#include "base/utf8.h"

#define PREFIX	       "mcpvigil: "
#define LINE_MAX_BYTES 4096

static enum log_level level_max = LOG_INFO;

void log_level_set(enum log_level max)
{
	level_max = max;
}

/* Never longer afterwards: a control or ill-formed sequence becomes one '?'. */
static size_t sanitize(char *p, size_t n)
{
	size_t to = 0, len;
	uint32_t cp;

	for (size_t i = 0; i < n; i += len) {
		len = utf8_next((struct sv){ p + i, n - i }, &cp);
		if (cp == UTF8_INVALID || utf8_control(cp)) {
			p[to++] = '?';
			continue;
		}
		memmove(p + to, p + i, len);
		to += len;
	}
	return to;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES] = PREFIX;
	const size_t head = sizeof(PREFIX) - 1;
	const size_t room = sizeof(line) - head - 1; /* a byte stays for the newline */
	va_list ap;
	size_t n;
	int r;

	if (level > level_max)
		return;
	va_start(ap, fmt);
	r = vsnprintf(line + head, room, fmt, ap);
	va_end(ap);
	if (r < 0)
		return;
	n = (size_t)r < room ? (size_t)r : room - 1;
	if (n > 0 && line[head + n - 1] == '\n') /* libbpf ends its messages with one */
		n--;
	n = head + sanitize(line + head, n);
	line[n++] = '\n';
	/* Nobody is left to tell where standard error is gone. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
