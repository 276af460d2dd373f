/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo: "36 35 98:0 /root /mnt options [tags] - type source options". Blanks in its fields are escaped. */
#include "probe/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/sv.h"
#include "probe/layers.h"

#define LINES_MAX 16384

/* The first word of @s, which goes on behind it. */
static struct sv word_cut(struct sv *s)
{
	const char *space = s->n ? memchr(s->p, ' ', s->n) : NULL;
	struct sv w = { s->p, space ? (size_t)(space - s->p) : s->n };

	s->p += w.n + (space != NULL);
	s->n -= w.n + (space != NULL);
	return w;
}

bool mount_line(const char *line, size_t n, struct mount *ret, struct mount_text *ret_text)
{
	struct sv s = { line, n }, dev, type, point;
	uint64_t major, minor;
	const char *colon;

	if (num_u64(word_cut(&s), &ret->id))
		return false;
	word_cut(&s);
	dev = word_cut(&s);
	colon = dev.n ? memchr(dev.p, ':', dev.n) : NULL;
	if (!colon || num_u64((struct sv){ dev.p, (size_t)(colon - dev.p) }, &major) ||
	    num_u64((struct sv){ colon + 1, dev.n - (size_t)(colon - dev.p) - 1 }, &minor))
		return false;
	word_cut(&s);
	point = word_cut(&s);
	while (s.n && !sv_eq(word_cut(&s), SV("-")))
		;
	type = word_cut(&s);
	if (!type.n || type.n >= sizeof(ret->type))
		return false;
	ret->dev = major << 32 | minor;
	memcpy(ret->type, type.p, type.n);
	ret->type[type.n] = 0;
	if (!ret_text)
		return true;
	word_cut(&s);
	*ret_text = (struct mount_text){ point, word_cut(&s) };
	return true;
}

/* Call @cb for each mount that process @pid sees, until it returns what is not 0, which is returned. -errno. */
static int mounts_each(uint32_t pid, int (*cb)(void *ctx, const struct mount *m, const struct mount_text *text), void *ctx)
{
	char path[32], *line = NULL;
	size_t size = 0;
	int ret = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	for (int i = 0; i < LINES_MAX && !ret && getline(&line, &size, f) > 0; i++) {
		struct mount_text text;
		struct mount m;

		if (mount_line(line, strcspn(line, "\n"), &m, &text))
			ret = cb(ctx, &m, &text);
	}
	free(line);
	fclose(f);
	return ret;
}

struct wanted {
	uint64_t id, dev;
	struct mount *ret;
	struct layers *layers;
};

static int wanted_check(void *ctx, const struct mount *m, const struct mount_text *text)
{
	struct wanted *w = ctx;

	if (w->id ? m->id != w->id : m->dev != w->dev)
		return 0;
	if (w->ret)
		*w->ret = *m;
	if (w->layers)
		layers_take(w->layers, text->options);
	return 1;
}

int mount_find(uint32_t pid, uint64_t id, uint64_t dev, struct mount *ret)
{
	int found = mounts_each(pid, wanted_check, &(struct wanted){ .id = id, .dev = dev, .ret = ret });

	return found > 0 ? 0 : found ? found : -ENOENT;
}

static int cover(void *ctx, const struct mount *m, const struct mount_text *text)
{
	layers_cover(ctx, text->point, mount_is_remote(m->type));
	return 0;
}

int mount_overlay_remote(uint32_t pid, uint64_t id)
{
	struct layers *l = calloc(1, sizeof(*l));
	int err = l ? mounts_each(pid, wanted_check, &(struct wanted){ .id = id, .layers = l }) : -ENOMEM;

	if (err == 0)
		err = -ENOENT;
	if (err > 0)
		err = mounts_each(1, cover, l);
	if (!err)
		err = layers_remote(l);
	free(l);
	return err;
}

bool mount_of_fdinfo(const char *text, uint64_t *ret_id)
{
	const char *p = strstr(text, "\nmnt_id:\t");

	return p && !num_u64((struct sv){ p + 9, strcspn(p + 9, "\n") }, ret_id);
}

int mount_id(int fd, uint64_t *ret_id)
{
	char path[48], text[1024];
	ssize_t n;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	n = read(info, text, sizeof(text) - 1);
	close(info);
	if (n < 0)
		return -EIO;
	text[n] = 0;
	return mount_of_fdinfo(text, ret_id) ? 0 : -EBADMSG;
}

static const char *const remote[] = {
	"fuse", "fuseblk", "virtiofs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "kafs", "coda", "ncpfs", "ncp",
	"lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "panfs", "gfs", "gfs2", "ocfs2", "vboxsf", "vmhgfs", "prl_fs", "autofs",
};

bool mount_is_remote(const char *type)
{
	if (strncmp(type, "fuse.", 5) == 0)
		return true;
	for (unsigned int i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
		if (strcmp(type, remote[i]) == 0)
			return true;
	}
	return false;
}
