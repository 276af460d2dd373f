/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/map_files names the mapped file itself, whatever became of its path, in whichever mount namespace. It is opened as a
 * name first (O_PATH), which asks no file system for anything and pins the mount; what it is and what it lies on is looked at then;
 * only after that is it opened for reading. Following the path instead would ask every file system on the way, and could end at
 * another file.
 *
 * Whatever may be somebody's FUSE file system is left alone: one that nobody's list of mounts has (its descriptor was passed on, or
 * the mount is gone), an overlay that lies on one, or that a user of a namespace of his own may have mounted over one. */
#include "probe/openfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "probe/mounts.h"

#define BYTES_MAX (1ULL << 30) /* see resolver_look */
#define DEV_NS	  (60 * NSEC_PER_SEC)
#define SERVED	  "its file system is served by a program or another host"
#define UNSEEN	  "its file system is mounted nowhere that can be seen"

/* The device of the mount that the kernel keeps to itself: memory that a program made a file of. */
static uint64_t memory_dev(void)
{
	static uint64_t dev;
	struct stat st;
	int fd;

	if (dev)
		return dev;
	fd = memfd_create("mcpvigil", MFD_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0)
		dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	if (fd >= 0)
		close(fd);
	return dev;
}

/* The mount with @id, or one of @dev, in sight of @pid, of process 1, or in ours. A process in a chroot, or in a namespace of its
 * own, may have a file from outside. 0 or -ENOENT. */
static int mount_seen(uint32_t pid, uint64_t id, uint64_t dev, struct mount *ret)
{
	if (!mount_find(pid, id, dev, ret) || !mount_find(1, id, dev, ret) || !mount_find((uint32_t)getpid(), id, dev, ret))
		return 0;
	return -ENOENT;
}

const char *openfile_barred(struct openfile_devs *d, uint32_t pid, uint64_t dev, uint64_t now)
{
	unsigned int at = OPENFILE_DEVS, oldest = 0;
	struct mount m;

	for (unsigned int i = 0; i < OPENFILE_DEVS; i++) {
		if (d->dev[i].until && d->dev[i].dev == dev)
			at = i;
		if (d->dev[i].until < d->dev[oldest].until)
			oldest = i;
	}
	if (at < OPENFILE_DEVS && now < d->dev[at].until)
		return d->dev[at].why;
	if (mount_seen(pid, 0, dev, &m))
		return dev == memory_dev() ? NULL : UNSEEN;
	at = at < OPENFILE_DEVS ? at : oldest;
	d->dev[at].dev = dev;
	d->dev[at].until = now + DEV_NS;
	d->dev[at].why = mount_is_remote(m.type) ? SERVED : NULL;
	return d->dev[at].why;
}

static void map_path(uint32_t pid, const struct mapped_file *f, char ret[96])
{
	snprintf(ret, 96, "/proc/%u/map_files/%llx-%llx", pid, (unsigned long long)f->from, (unsigned long long)f->to);
}

/* From the state that the kernel has in memory. */
static int id_of(int fd, const char *path, struct file_id *ret)
{
	struct statx st;

	if (statx(fd, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st))
		return -errno;
	if (!S_ISREG(st.stx_mode))
		return -EINVAL;
	*ret = (struct file_id){
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.ino = st.stx_ino,
		.size = st.stx_size,
		.mtime = (uint64_t)st.stx_mtime.tv_sec * NSEC_PER_SEC + st.stx_mtime.tv_nsec,
		.ctime = (uint64_t)st.stx_ctime.tv_sec * NSEC_PER_SEC + st.stx_ctime.tv_nsec,
	};
	return 0;
}

/* Without the capability for map_files the program alone has a name that leads to it. */
static void exe_path(uint32_t pid, char ret[96])
{
	snprintf(ret, 96, "/proc/%u/exe", pid);
}

int openfile_id(uint32_t pid, const struct mapped_file *f, struct file_id *ret)
{
	char path[96];
	int err;

	map_path(pid, f, path);
	err = id_of(AT_FDCWD, path, ret);
	if (err != -EPERM && err != -EACCES)
		return err;
	exe_path(pid, path);
	return !id_of(AT_FDCWD, path, ret) && ret->ino == f->ino ? 0 : err;
}

/* Did whoever made the mounts of @pid need no privilege of ours? */
static bool foreign_user_ns(uint32_t pid)
{
	struct stat own, its;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/ns/user", pid);
	return stat(path, &its) || stat("/proc/self/ns/user", &own) || own.st_dev != its.st_dev || own.st_ino != its.st_ino;
}

/* An overlay asks the file systems below it. One that process 1 sees as well was mounted by nobody but root. */
static const char *overlay_waits(uint32_t pid, const struct mount *m)
{
	struct mount other;
	int remote;

	if (foreign_user_ns(pid) && mount_find(1, 0, m->dev, &other))
		return "an overlay mounted by a user, who may have put anything below it";
	remote = mount_overlay_remote(pid, m->id);
	if (remote == -ENOENT)
		remote = mount_overlay_remote(1, m->id);
	return remote > 0 ? SERVED : NULL;
}

/* Does whoever opens the file behind @name, which is only named, wait for nobody? NULL, or why not. */
static const char *waits(uint32_t pid, int name, const struct file_id *id)
{
	struct mount m;
	uint64_t mnt;

	if (mount_id(name, &mnt))
		return "it is not known what its file system is";
	if (mount_seen(pid, mnt, 0, &m))
		return ((uint64_t)major(id->dev) << 32 | minor(id->dev)) == memory_dev() ? NULL : UNSEEN;
	if (strcmp(m.type, "overlay") == 0)
		return overlay_waits(pid, &m);
	return mount_is_remote(m.type) ? SERVED : NULL;
}

/* What is behind @name, and may it be read? 0 or -errno with the reason. */
static int check(uint32_t pid, int name, bool remote, struct file_id *ret, char why[OPENFILE_WHY])
{
	int err = id_of(name, "", ret);
	const char *reason;

	if (err) {
		snprintf(why, OPENFILE_WHY, "%s", err == -EINVAL ? "no regular file" : errstr(err));
		return err;
	}
	reason = remote ? NULL : waits(pid, name, ret);
	if (reason) {
		snprintf(why, OPENFILE_WHY, "%s", reason);
		return -EREMOTE;
	}
	if (ret->size > BYTES_MAX) {
		snprintf(why, OPENFILE_WHY, "larger than 1 GiB");
		return -EFBIG;
	}
	return 0;
}

static int name_open(uint32_t pid, const struct mapped_file *f)
{
	char path[96];
	struct file_id id;
	int fd, err;

	map_path(pid, f, path);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 || (errno != EPERM && errno != EACCES))
		return fd < 0 ? -errno : fd;
	err = -errno;
	exe_path(pid, path);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && !id_of(fd, "", &id) && id.ino == f->ino)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

int openfile_open(uint32_t pid, const struct mapped_file *f, bool remote, struct file_id *ret, char why[OPENFILE_WHY])
{
	int name = name_open(pid, f), fd = -1, err = name < 0 ? name : 0;
	char path[32];

	why[0] = 0;
	if (!err)
		err = check(pid, name, remote, ret, why);
	if (!err) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", name);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		err = fd < 0 ? -errno : 0;
	}
	if (err && !why[0])
		snprintf(why, OPENFILE_WHY, "it cannot be opened: %s", errstr(err));
	if (name >= 0)
		close(name);
	return err ? err : fd;
}
