/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/maps, read piece by piece. It changes meanwhile: a file may be missed, or seen twice. */
#include "probe/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

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

static void mapped_clear(struct mapped *m)
{
	m->n = 0;
	m->more = false;
	memset(m->index, 0, sizeof(m->index));
}

/* Device and inode are somebody's choice: the hash is seeded, or all of them could be made to fall on one place. */
static void mapped_add(struct mapped *m, const struct mapped_file *f)
{
	const uint64_t key[] = { f->dev, f->ino };
	uint64_t at = hash_bytes(key, sizeof(key)) % (2 * MAPPED_MAX);

	for (; m->index[at]; at = (at + 1) % (2 * MAPPED_MAX)) {
		const struct mapped_file *other = &m->file[m->index[at] - 1];

		if (other->ino == f->ino && other->dev == f->dev)
			return;
	}
	if (m->n == MAPPED_MAX) {
		m->more = true;
		return;
	}
	m->file[m->n++] = *f;
	m->index[at] = (uint16_t)m->n;
}

size_t mapped_text(struct mapped *m, const char *text, size_t n)
{
	size_t at = 0;

	for (;;) {
		const char *end = memchr(text + at, '\n', n - at);
		struct mapped_file f;

		if (!end)
			return at;
		if (mapped_line(text + at, (size_t)(end - text) - at, &f))
			mapped_add(m, &f);
		at = (size_t)(end - text) + 1;
	}
}

static int read_all(int fd, struct mapped *m)
{
	size_t have = 0, total = 0, used;
	ssize_t n;

	do {
		n = read(fd, m->text + have, sizeof(m->text) - have);
		if (n <= 0)
			break;
		have += (size_t)n;
		total += (size_t)n;
		used = mapped_text(m, m->text, have);
		if (!used && have == sizeof(m->text))
			return -EBADMSG;
		memmove(m->text, m->text + used, have - used);
		have -= used;
	} while (total < MAPPED_BYTES);
	m->more |= n > 0;
	return n < 0 ? -errno : 0;
}

int mapped_read(uint32_t pid, struct mapped *ret)
{
	char path[32];
	int fd, err;

	mapped_clear(ret);
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = read_all(fd, ret);
	close(fd);
	return err;
}
