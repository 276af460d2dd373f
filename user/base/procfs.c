/* SPDX-License-Identifier: Apache-2.0 */
/* Text of /proc. */
#include "base/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/sv.h"

#define COMM_MAX 15 /* TASK_COMM_LEN without its NUL */

int procfs_dir(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The first @size bytes of file @name; its length or -errno. One read: such files are made whole at the first one. */
static ssize_t read_text(int dir, const char *name, char *ret_text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret_text, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

int procfs_exe(int dir, char *ret_path, size_t size)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	char target[PATH_MAX];
	ssize_t r;
	size_t n;

	r = readlinkat(dir, "exe", target, sizeof(target));
	if (r < 0)
		return -errno;
	n = (size_t)r;
	if (n > tail && memcmp(target + n - tail, deleted, tail) == 0)
		n -= tail;
	if (n >= size || n == sizeof(target))
		return -ENAMETOOLONG;
	memcpy(ret_path, target, n);
	ret_path[n] = '\0';
	return 0;
}

/* Word @i, from 0, of @s; empty where there are not that many. */
static struct sv word(struct sv s, unsigned int i)
{
	const char *space;

	for (;;) {
		space = s.n ? memchr(s.p, ' ', s.n) : NULL;
		if (i == 0 || !space)
			break;
		i--;
		s.n -= (size_t)(space + 1 - s.p);
		s.p = space + 1;
	}
	if (i > 0)
		return (struct sv){ s.p, 0 };
	if (space)
		s.n = (size_t)(space - s.p);
	return s;
}

int procfs_stat(int dir, struct procfs_stat *ret)
{
	char text[1024];
	ssize_t n = read_text(dir, "stat", text, sizeof(text));
	long hz = sysconf(_SC_CLK_TCK);
	const char *comm, *comm_end;
	uint64_t ppid, ticks;
	struct sv rest;
	size_t len;

	if (n < 0)
		return (int)n;
	/* The name may hold spaces and brackets; the last bracket ends it. proc(5): then come the
	 * state, which is field 3, ppid, field 4, and starttime, field 22. */
	comm = memchr(text, '(', (size_t)n);
	comm_end = memrchr(text, ')', (size_t)n);
	if (!comm || !comm_end || comm_end <= comm || hz <= 0)
		return -EBADMSG;
	rest = sv_trim((struct sv){ comm_end + 1, (size_t)(text + n - comm_end - 1) });
	if (num_u64(word(rest, 1), &ppid) != 0 || num_u64(word(rest, 19), &ticks) != 0)
		return -EBADMSG;
	len = (size_t)(comm_end - comm - 1);
	if (len > COMM_MAX) /* workqueue threads show up to 64 */
		len = COMM_MAX;
	memset(ret->comm, 0, sizeof(ret->comm));
	memcpy(ret->comm, comm + 1, len);
	ret->ppid = (pid_t)ppid;
	ret->start_ns = ticks * (NSEC_PER_SEC / (uint64_t)hz);
	return 0;
}

/* "Uid:", then real, effective, saved and file system uid. The owner of the files would be cheaper, and is root for
 * every process that is not dumpable. */
int procfs_euid(int dir, uint32_t *ret_uid)
{
	char text[4096];
	ssize_t n = read_text(dir, "status", text, sizeof(text));
	uint64_t effective;
	const char *line, *end;

	if (n < 0)
		return (int)n;
	line = memmem(text, (size_t)n, "\nUid:\t", 6); /* the name's newlines are escaped in this file */
	if (!line)
		return -EBADMSG;
	line = memchr(line + 6, '\t', (size_t)(text + n - line - 6)); /* behind the real one */
	end = line ? memchr(line + 1, '\t', (size_t)(text + n - line - 1)) : NULL;
	if (!end || num_u64((struct sv){ line + 1, (size_t)(end - line - 1) }, &effective) != 0 ||
	    effective > UINT32_MAX)
		return -EBADMSG;
	*ret_uid = (uint32_t)effective;
	return 0;
}

ssize_t procfs_cgroup(int dir, char *ret_text, size_t size)
{
	return read_text(dir, "cgroup", ret_text, size);
}

int procfs_each(int (*cb)(pid_t pid, void *ctx), void *ctx)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	uint64_t pid;
	int err = 0;

	if (!dir)
		return -errno;
	while (err == 0) {
		errno = 0;
		d = readdir(dir);
		if (!d) {
			err = -errno;
			break;
		}
		if (num_u64(sv_of(d->d_name), &pid) == 0 && pid > 0 && pid <= INT_MAX)
			err = cb((pid_t)pid, ctx);
	}
	closedir(dir);
	return err;
}
