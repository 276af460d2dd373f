/* SPDX-License-Identifier: Apache-2.0 */
/* Small files in one directory.
 *
 * Whoever writes here decides where probes are put. The directory is opened once and looked at as what was opened; so is every
 * file in it. Where its path leads later makes no difference. */
#include "probe/cachedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROP 64 /* at a time: the directory is read for it */

static int check(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return 0;
}

static int open_checked(const struct cachedir *d, const char *name, int flags)
{
	int fd = openat(d->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	err = check(fd, S_IFREG);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* --- What is there ---------------------------------------------------------------------------------------------- */

static bool is_entry(const char *name)
{
	return strlen(name) == CACHEDIR_NAME && strspn(name, "0123456789abcdef") == CACHEDIR_NAME;
}

/* Call @cb for every name; a descriptor of its own, as reading moves a position. */
static int each(const struct cachedir *d, void (*cb)(void *ctx, const char *name), void *ctx)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		int err = -errno;

		if (fd >= 0)
			close(fd);
		return err;
	}
	for (e = readdir(dir); e; e = readdir(dir))
		cb(ctx, e->d_name);
	closedir(dir);
	return 0;
}

/* Files begun and never renamed were left by one who was killed. */
static void count(void *ctx, const char *name)
{
	struct cachedir *d = ctx;
	const char *dot = strchr(name, '.');

	if (is_entry(name))
		d->files++;
	else if (dot && dot != name && strncmp(dot, ".new.", 5) == 0)
		unlinkat(d->fd, name, 0);
}

struct oldest {
	const struct cachedir *d;
	unsigned int n;
	struct {
		int64_t time;
		char name[CACHEDIR_NAME + 1];
	} file[DROP]; /* the oldest first */
};

static void choose(void *ctx, const char *name)
{
	struct oldest *o = ctx;
	struct stat st;
	unsigned int at;
	int64_t time;

	if (!is_entry(name) || fstatat(o->d->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	time = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
	for (at = o->n; at > 0 && o->file[at - 1].time > time; at--) {
		if (at < DROP)
			o->file[at] = o->file[at - 1];
	}
	if (at == DROP)
		return;
	o->file[at].time = time;
	memcpy(o->file[at].name, name, sizeof(o->file[at].name));
	o->n += o->n < DROP;
}

static void drop_oldest(struct cachedir *d)
{
	struct oldest o = { .d = d };

	if (each(d, choose, &o))
		return;
	for (unsigned int i = 0; i < o.n; i++) {
		if (unlinkat(d->fd, o.file[i].name, 0) == 0) {
			d->files--;
			d->dropped++;
		}
	}
}

/* --- The directory ---------------------------------------------------------------------------------------------- */

/* Where one of them cannot be made, the last one cannot either. */
static void parents_make(const char *path)
{
	char part[PATH_MAX];

	for (const char *at = path; *at; at++) {
		if (*at != '/' || at == path || at - path >= PATH_MAX)
			continue;
		memcpy(part, path, (size_t)(at - path));
		part[at - path] = 0;
		mkdir(part, 0755);
	}
}

int cachedir_open(const char *path, struct cachedir *ret)
{
	int err = 0;

	*ret = (struct cachedir){ .fd = -1 };
	parents_make(path);
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->fd < 0)
		return -errno;
	err = check(ret->fd, S_IFDIR);
	if (!err)
		err = each(ret, count, ret);
	if (err)
		cachedir_close(ret);
	return err;
}

void cachedir_close(struct cachedir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

ssize_t cachedir_read(const struct cachedir *d, const char *name, char *ret, size_t max)
{
	int fd = open_checked(d, name, O_RDONLY);
	ssize_t got = 1;
	size_t n = 0;
	char more;

	if (fd < 0)
		return fd;
	while (got > 0 && n < max) {
		got = read(fd, ret + n, max - n);
		if (got > 0)
			n += (size_t)got;
	}
	if (got > 0)
		got = read(fd, &more, 1);
	if (got < 0)
		got = -errno;
	close(fd);
	return got < 0 ? got : got > 0 ? -EFBIG : (ssize_t)n;
}

static int write_all(int fd, struct sv text)
{
	ssize_t put;

	for (size_t at = 0; at < text.n; at += (size_t)put) {
		put = write(fd, text.p + at, text.n - at);
		if (put < 0)
			return -errno;
	}
	return 0;
}

int cachedir_write_open(struct cachedir *d, const char *name, struct sv text)
{
	char temp[CACHEDIR_NAME + 32];
	bool fresh = is_entry(name) && faccessat(d->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	int fd, err;

	if (fresh && d->files >= CACHEDIR_FILES)
		drop_oldest(d);
	if (fresh && d->files >= CACHEDIR_FILES)
		return -ENOSPC;
	snprintf(temp, sizeof(temp), "%.*s.new.%d", CACHEDIR_NAME, name, (int)getpid());
	unlinkat(d->fd, temp, 0); /* left by one with our number */
	fd = openat(d->fd, temp, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	if (!err && renameat(d->fd, temp, d->fd, name))
		err = -errno;
	if (!err) {
		d->files += fresh;
		return fd;
	}
	unlinkat(d->fd, temp, 0);
	close(fd);
	return err;
}

int cachedir_write(struct cachedir *d, const char *name, struct sv text)
{
	int fd = cachedir_write_open(d, name, text);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

int cachedir_add(int fd, struct sv text)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return st.st_nlink ? write_all(fd, text) : -ESTALE;
}
