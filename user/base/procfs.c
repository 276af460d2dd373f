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

static void path_of(char ret_path[64], pid_t pid, const char *name)
{
	snprintf(ret_path, 64, "/proc/%d/%s", (int)pid, name);
}

/* The first @size bytes of a file of /proc/@pid; its length or -errno. One read: such files are made
 * whole at the first one. */
static ssize_t read_text(pid_t pid, const char *name, char *ret_text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	path_of(path, pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, ret_text, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

int procfs_exe(pid_t pid, char *ret_path, size_t size)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	char path[64], target[PATH_MAX];
	ssize_t r;
	size_t n;

	path_of(path, pid, "exe");
	r = readlink(path, target, sizeof(target));
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

int procfs_comm(pid_t pid, char ret_comm[16])
{
	char text[64];
	ssize_t r = read_text(pid, "comm", text, sizeof(text));
	size_t n;

	if (r < 0)
		return (int)r;
	n = (size_t)r;
	if (n > 0 && text[n - 1] == '\n') /* only the last: a name may hold newlines itself */
		n--;
	if (n > COMM_MAX) /* workqueue threads show up to 64 */
		n = COMM_MAX;
	memset(ret_comm, 0, 16);
	memcpy(ret_comm, text, n);
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

int procfs_stat(pid_t pid, pid_t *ret_ppid, uint64_t *ret_start_ns)
{
	char text[1024];
	ssize_t n = read_text(pid, "stat", text, sizeof(text));
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t ppid, ticks;
	const char *comm_end;
	struct sv rest;

	if (n < 0)
		return (int)n;
	/* The name may hold spaces and brackets; the last bracket ends it. proc(5): then come the
	 * state, which is field 3, ppid, field 4, and starttime, field 22. */
	comm_end = memrchr(text, ')', (size_t)n);
	if (!comm_end || hz <= 0)
		return -EBADMSG;
	rest = sv_trim((struct sv){ comm_end + 1, (size_t)(text + n - comm_end - 1) });
	if (num_u64(word(rest, 1), &ppid) != 0 || num_u64(word(rest, 19), &ticks) != 0)
		return -EBADMSG;
	*ret_ppid = (pid_t)ppid;
	*ret_start_ns = ticks * (NSEC_PER_SEC / (uint64_t)hz);
	return 0;
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
