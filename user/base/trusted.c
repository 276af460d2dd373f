/* SPDX-License-Identifier: Apache-2.0 */
/* Files that nobody but root and us can have put or changed.
 *
 * The path is walked by descriptor, one component at a time and links by hand, so that what was checked is what is
 * opened, whatever is renamed meanwhile. */
#include "base/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"

#define LINKS_MAX 40 /* as the kernel's own */

struct walk {
	char rest[2 * PATH_MAX]; /* still to go */
	char done[PATH_MAX];	 /* for messages */
	int dir;		 /* where we are */
	unsigned int links;
	char *why;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct walk *w, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, TRUSTED_WHY, fmt, ap);
	va_end(ap);
	return err;
}

/* @fd is w->done. */
static int check(struct walk *w, int fd, const struct stat *st)
{
	uid_t me = geteuid();
	struct statvfs fs;

	if (st->st_uid != 0 && st->st_uid != me)
		return refuse(w, -EPERM, "%.400s belongs to user %u", w->done, (unsigned int)st->st_uid);
	if (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))
		return 0;
	if (S_ISDIR(st->st_mode) && !fstatvfs(fd, &fs) && (fs.f_flag & ST_RDONLY))
		return 0;
	return refuse(w, -EPERM, "%.400s can be written by %s", w->done,
		      st->st_mode & S_IWOTH ? "everybody" : "its group");
}

static int enter(struct walk *w, int fd)
{
	if (w->dir >= 0)
		close(w->dir);
	w->dir = fd;
	return 0;
}

static int start(struct walk *w)
{
	struct stat st;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return refuse(w, -errno, "/: %s", errstr(errno));
	enter(w, fd);
	snprintf(w->done, sizeof(w->done), "/");
	return fstat(fd, &st) ? -errno : check(w, fd, &st);
}

/* Cut the next component off. */
static int next(struct walk *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");

	if (n == 0)
		return refuse(w, -EISDIR, "%.400s is no regular file", w->done);
	if (n > NAME_MAX)
		return refuse(w, -ENAMETOOLONG, "%.400s/%.50s...: ENAMETOOLONG", w->done, w->rest + skip);
	memcpy(name, w->rest + skip, n);
	name[n] = 0;
	memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
	n = strlen(w->done);
	snprintf(w->done + n, sizeof(w->done) - n, "%s%s", n > 1 ? "/" : "", name);
	return 0;
}

static int follow(struct walk *w, int fd)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	char *slash;

	if (n < 0 || ++w->links > LINKS_MAX)
		return refuse(w, n < 0 ? -errno : -ELOOP, "%.400s: %s", w->done, errstr(n < 0 ? errno : ELOOP));
	target[n] = 0;
	n = snprintf(rest, sizeof(rest), "%s%s", target, w->rest);
	if (n >= (ssize_t)sizeof(rest))
		return refuse(w, -ENAMETOOLONG, "%.400s: ENAMETOOLONG", w->done);
	memcpy(w->rest, rest, (size_t)n + 1);
	slash = strrchr(w->done, '/');
	slash[slash == w->done] = 0;
	return target[0] == '/' ? start(w) : 0;
}

/* What stands at the end of the path: opened for reading, and checked again as that. */
static int finish(struct walk *w, const char *name)
{
	int fd = openat(w->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0)
		return refuse(w, -errno, "%.400s: %s", w->done, errstr(errno));
	err = fstat(fd, &st) ? -errno : check(w, fd, &st);
	if (!err && !S_ISREG(st.st_mode))
		err = refuse(w, -EPERM, "%.400s is no regular file", w->done);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* One component: > 0 and @ret_fd set at the end, 0 to go on, or -errno. */
static int step(struct walk *w, const char *name, int *ret_fd)
{
	int fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0)
		return refuse(w, -errno, "%.400s: %s", w->done, errstr(errno));
	err = fstat(fd, &st) ? -errno : check(w, fd, &st);
	if (err)
		goto out;
	if (S_ISDIR(st.st_mode))
		return enter(w, fd);
	if (S_ISLNK(st.st_mode)) {
		err = follow(w, fd);
	} else if (strspn(w->rest, "/") != strlen(w->rest) || !S_ISREG(st.st_mode)) {
		err = refuse(w, -EPERM, "%.400s is no %s", w->done, w->rest[0] ? "directory" : "regular file");
	} else {
		*ret_fd = finish(w, name);
		err = *ret_fd < 0 ? *ret_fd : 1;
	}
out:
	close(fd);
	return err;
}

int trusted_open(const char *path, char why[TRUSTED_WHY])
{
	struct walk w = { .dir = -1, .why = why };
	char cwd[PATH_MAX] = "", name[NAME_MAX + 1];
	int err, fd = -1;

	snprintf(why, TRUSTED_WHY, "%.400s: not a path", path);
	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return -errno;
	if (!path[0] || snprintf(w.rest, sizeof(w.rest), "%s/%s", cwd, path) >= (int)sizeof(w.rest))
		return -ENAMETOOLONG;
	err = start(&w);
	while (!err) {
		err = next(&w, name);
		if (!err)
			err = step(&w, name, &fd);
	}
	if (w.dir >= 0)
		close(w.dir);
	return err < 0 ? err : fd;
}

ssize_t trusted_read(const char *path, char *ret, size_t max, char why[TRUSTED_WHY])
{
	int fd = trusted_open(path, why), err = 0;
	size_t n = 0;
	ssize_t got;
	char more;

	if (fd < 0)
		return fd;
	do {
		got = n < max ? read(fd, ret + n, max - n) : read(fd, &more, 1);
		if (got > 0 && n == max)
			err = -EFBIG;
		else if (got > 0)
			n += (size_t)got;
		else if (got < 0 && errno != EINTR)
			err = -errno;
	} while (!err && (got > 0 || (got < 0 && errno == EINTR)));
	close(fd);
	if (err == -EFBIG)
		snprintf(why, TRUSTED_WHY, "%.400s: longer than %zu bytes", path, max);
	else if (err)
		snprintf(why, TRUSTED_WHY, "%.400s: %s", path, errstr(err));
	return err ? err : (ssize_t)n;
}
