/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: stdio with a large buffer; records as they are, each beginning at a multiple of 8. */
#include "probe/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/record.h"

#define TAPE_BUF (1 << 20)
#define RECORD_MAX (64 << 10) /* CHUNK_BYTES and a head fit */

struct tape {
	FILE *f;
	int err;
	union {
		struct ev_hdr hdr;
		char bytes[RECORD_MAX];
	} rec;
};

static struct tape *tape_new(int fd, const char *mode)
{
	struct tape *t = calloc(1, sizeof(*t));

	if (t)
		t->f = fdopen(fd, mode);
	if (!t || !t->f) {
		free(t);
		close(fd);
		return NULL;
	}
	setvbuf(t->f, NULL, _IOFBF, TAPE_BUF);
	return t;
}

struct tape *tape_create(const char *path, int64_t wall_offset)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct tape_head head = { .magic = TAPE_MAGIC, .wall_offset = wall_offset };
	struct tape *t;

	_Static_assert(sizeof(TAPE_MAGIC) - 1 == sizeof(head.magic), "the magic fills its field");
	if (fd < 0)
		return NULL;
	t = tape_new(fd, "w");
	if (t && fwrite(&head, sizeof(head), 1, t->f) != 1)
		t->err = -errno;
	return t;
}

void tape_write(struct tape *t, const struct ev_hdr *h)
{
	static const char zero[8];
	size_t pad = -h->size & 7;

	if (t->err)
		return;
	if (fwrite(h, h->size, 1, t->f) != 1 || (pad && fwrite(zero, pad, 1, t->f) != 1))
		t->err = -errno;
}

struct tape *tape_open(const char *path, int64_t *ret_wall_offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tape_head head;
	struct tape *t;

	if (fd < 0)
		return NULL;
	t = tape_new(fd, "r");
	if (!t)
		return NULL;
	if (fread(&head, sizeof(head), 1, t->f) != 1 ||
	    memcmp(head.magic, TAPE_MAGIC, sizeof(head.magic)) != 0) {
		tape_close(t);
		errno = EBADMSG;
		return NULL;
	}
	*ret_wall_offset = head.wall_offset;
	return t;
}

const struct ev_hdr *tape_read(struct tape *t, bool *ret_truncated)
{
	size_t n = fread(t->rec.bytes, 1, sizeof(t->rec.hdr), t->f), rest;

	*ret_truncated = n != 0 && n != sizeof(t->rec.hdr);
	if (n != sizeof(t->rec.hdr))
		return NULL;
	*ret_truncated = true;
	if (t->rec.hdr.size < sizeof(t->rec.hdr) || t->rec.hdr.size > sizeof(t->rec) - 8)
		return NULL;
	rest = ((t->rec.hdr.size + 7u) & ~7u) - sizeof(t->rec.hdr);
	if (fread(t->rec.bytes + sizeof(t->rec.hdr), 1, rest, t->f) != rest)
		return NULL;
	if (!record_ok(&t->rec.hdr, t->rec.hdr.size))
		return NULL;
	*ret_truncated = false;
	return &t->rec.hdr;
}

int tape_close(struct tape *t)
{
	int err;

	if (!t)
		return 0;
	err = t->err;
	if (fclose(t->f) && !err)
		err = -errno;
	free(t);
	return err;
}

bool tape_is(const char *path)
{
	int64_t wall_offset;
	struct tape *t = tape_open(path, &wall_offset);

	if (!t)
		return false;
	tape_close(t);
	return true;
}
