/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/maps. Read in large pieces: the kernel holds the process's map lock for each. */
#include "probe/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *hex(const char *p, const char *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (; p < end; p++) {
		int d = *p >= '0' && *p <= '9' ? *p - '0' : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 : -1;

		if (d < 0)
			break;
		v = v << 4 | (unsigned int)d;
	}
	*ret = v;
	return p;
}

static const char *past(const char *p, const char *end, char c)
{
	return p < end && *p == c ? p + 1 : end;
}

static void path_copy(struct mapped_file *f, const char *p, size_t n)
{
	if (n >= sizeof(f->path)) {
		p += n - (sizeof(f->path) - 1);
		n = sizeof(f->path) - 1;
	}
	for (size_t i = 0; i < n; i++)
		f->path[i] = p[i] > 0x20 && p[i] < 0x7f ? p[i] : '?';
	f->path[n] = 0;
}

bool mapped_line(const char *line, size_t n, struct mapped_file *ret)
{
	const char *p = line, *end = line + n;
	uint64_t off, major, minor, ino = 0;

	p = past(hex(p, end, &ret->from), end, '-');
	p = past(hex(p, end, &ret->to), end, ' ');
	if (end - p < 5 || p[2] != 'x')
		return false;
	p = past(hex(p + 5, end, &off), end, ' ');
	p = past(hex(p, end, &major), end, ':');
	p = past(hex(p, end, &minor), end, ' ');
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		ino = ino * 10 + (uint64_t)(*p - '0');
	while (p < end && *p == ' ')
		p++;
	if (!ino || p == end || *p != '/')
		return false;
	ret->dev = major << 32 | minor;
	ret->ino = ino;
	path_copy(ret, p, (size_t)(end - p));
	return true;
}

static void mapped_add(struct mapped *m, const struct mapped_file *f)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->file[i].ino == f->ino && m->file[i].dev == f->dev)
			return;
	if (m->n == MAPPED_MAX)
		m->more = true;
	else
		m->file[m->n++] = *f;
}

/* The whole lines of @text; @return bytes of them. */
static size_t lines_read(const char *text, size_t n, struct mapped *ret)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(text + at, '\n', n - at);
		struct mapped_file f;

		if (!end)
			return at;
		if (mapped_line(text + at, (size_t)(end - text) - at, &f))
			mapped_add(ret, &f);
		at = (size_t)(end - text) + 1;
	}
}

int mapped_read(uint32_t pid, struct mapped *ret)
{
	static char text[64 << 10];
	size_t have = 0, total = 0;
	char path[32];
	ssize_t n;
	int fd;

	ret->n = 0;
	ret->more = false;
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		size_t used;

		n = read(fd, text + have, sizeof(text) - have);
		if (n <= 0)
			break;
		have += (size_t)n;
		total += (size_t)n;
		used = lines_read(text, have, ret);
		if (!used && have == sizeof(text))
			used = have; /* no path is that long */
		memmove(text, text + used, have - used);
		have -= used;
	} while (total < MAPPED_BYTES);
	ret->more |= n > 0;
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}
