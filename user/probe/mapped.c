/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/maps, a page at a time: the kernel gives no more at once. */
#include "probe/mapped.h"

#include <errno.h>
#include <fcntl.h>
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
		f->path[i] = p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '?';
	f->path[n] = 0;
}

/* "7f0-7f8 r-xp 00001000 fe:00 1234    /path": what follows the inode is the path to its end, spaces and all; a newline in it
 * is \012. Without a file there is no path, or a name that begins otherwise. */
bool mapped_line(const char *line, size_t n, struct mapped_file *ret)
{
	const char *p = line, *end = line + n;
	uint64_t off, major, minor, ino = 0;

	p = past(hex(p, end, &ret->from), end, '-');
	p = past(hex(p, end, &ret->to), end, ' ');
	if (end - p < 5 || p[4] != ' ')
		return false;
	ret->code = p[2] == 'x';
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

/* Mappings of one file follow one another, mostly. */
static bool mapped_add(void *ctx, const struct mapped_file *f)
{
	struct mapped *m = ctx;

	if (!f->code)
		return true;
	for (uint32_t i = m->n; i-- > 0;)
		if (m->file[i].ino == f->ino && m->file[i].dev == f->dev)
			return true;
	if (m->n == MAPPED_MAX)
		m->more = true;
	else
		m->file[m->n++] = *f;
	return !m->more;
}

/* Gets each mapping of a file; false: enough. */
typedef bool (*line_fn)(void *ctx, const struct mapped_file *f);

/* The whole lines of @text; @return bytes of them. */
static size_t lines_read(const char *text, size_t n, bool *more, line_fn fn, void *ctx)
{
	size_t at = 0;

	while (*more) {
		const char *end = memchr(text + at, '\n', n - at);
		struct mapped_file f;

		if (!end)
			break;
		if (mapped_line(text + at, (size_t)(end - text) - at, &f))
			*more = fn(ctx, &f);
		at = (size_t)(end - text) + 1;
	}
	return at;
}

/* @return 0, 1 where the text goes on behind MAPPED_BYTES, or -errno. */
static int lines_each(int fd, char text[MAPPED_TEXT], line_fn fn, void *ctx)
{
	size_t have = 0, total = 0;
	bool more = true;
	ssize_t n = 1;

	while (n > 0 && more && total < MAPPED_BYTES) {
		size_t used;

		n = read(fd, text + have, MAPPED_TEXT - have);
		if (n <= 0)
			break;
		have += (size_t)n;
		total += (size_t)n;
		used = lines_read(text, have, &more, fn, ctx);
		if (!used && have == MAPPED_TEXT)
			used = have; /* no path is that long */
		memmove(text, text + used, have - used);
		have -= used;
	}
	return n < 0 ? -errno : n > 0 && more;
}

int mapped_read(int dir, struct mapped *ret)
{
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC), err;

	ret->n = 0;
	ret->more = false;
	if (fd < 0)
		return -errno;
	err = lines_each(fd, ret->text, mapped_add, ret);
	ret->more |= err > 0;
	close(fd);
	return err < 0 ? err : 0;
}

static bool is_it(void *ctx, const struct mapped_file *f)
{
	struct mapped_file *own = ctx;

	if (f->from != own->from)
		return true;
	*own = *f;
	return false;
}

int mapped_own(uint64_t from, struct mapped_file *ret)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), err;
	char text[MAPPED_TEXT];

	if (fd < 0)
		return -errno;
	*ret = (struct mapped_file){ .from = from };
	err = lines_each(fd, text, is_it, ret);
	close(fd);
	return err < 0 ? err : ret->ino ? 0 : -ENOENT;
}
