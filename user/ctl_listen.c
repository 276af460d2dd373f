/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's place in the file system. The directory is locked while we look: of two agents that start at
 * once, the second must not take the first one's socket, bound but not yet listening, for that of a dead one. */
#include "ctl_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

#define BACKLOG 16

bool ctl_peer_ok(const struct ucred *peer, uid_t own)
{
	return peer->uid == 0 || peer->uid == own;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* The directory of @path, made where missing, open and locked; -EAGAIN: somebody else has it. */
static int dir_lock(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *slash = strrchr(path, '/');
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* 0: nothing is there any more. */
static int clear(const struct sockaddr_un *a)
{
	struct stat st;
	int fd, err;

	if (lstat(a->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = unix_socket();
	if (fd < 0)
		return fd;
	/* EAGAIN: its queue is full, so somebody has it open. */
	err = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN ? -EADDRINUSE : -errno;
	close(fd);
	if (err != -ECONNREFUSED)
		return err;
	return unlink(a->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int bind_at(const struct sockaddr_un *a)
{
	mode_t mask = umask(0177);
	int fd = unix_socket(), err = 0;

	if (fd >= 0 && (bind(fd, (const struct sockaddr *)a, sizeof(*a)) || listen(fd, BACKLOG)))
		err = -errno;
	umask(mask);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void complain(const char *path, int err)
{
	if (err == -EADDRINUSE)
		log_err("already running: an agent answers at %s", path);
	else if (err == -EAGAIN)
		log_err("%s: another agent is starting there", path);
	else if (err == -EEXIST)
		log_err("%s: something that is no socket is there", path);
	else
		log_err("cannot listen at %s: %s", path, errstr(err));
}

int ctl_listen(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int lock, fd;

	if (!path[0] || strlen(path) >= sizeof(a.sun_path)) {
		complain(path, -ENAMETOOLONG);
		return -ENAMETOOLONG;
	}
	memcpy(a.sun_path, path, strlen(path));
	lock = dir_lock(path);
	if (lock < 0) {
		complain(path, lock);
		return lock;
	}
	fd = clear(&a);
	if (!fd)
		fd = bind_at(&a);
	close(lock);
	if (fd < 0)
		complain(path, fd);
	return fd;
}
