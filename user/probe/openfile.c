/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/map_files names the mapped file itself, whatever became of its path, in whichever mount namespace. It is opened as a
 * name first (O_PATH), which asks no file system for anything; what it is and where it lies is looked at then; only after that is
 * it opened for reading.
 *
 * Where it lies the device number says, through mountinfo: statfs, which is there for it, is a question to the file system's
 * server. Whether it is the file that maps spoke of only maps can say, as stat and maps number the files of overlay and btrfs each in
 * its own way: it is mapped here as well, and looked up in ours. A process that maps now this, now that at one address would
 * have one file probed, or left alone, for the other. */
#include "probe/openfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/err.h"

#define MOUNTS_MAX 65536
#define FILE_MAX (1ull << 30) /* see resolver.h */

/* linux/magic.h, and of file systems that keep theirs to themselves. */
static const uint64_t remote_magic[] = {
	0x65735546, /* FUSE */
	0x6969,	    /* NFS */
	0xff534d42, /* CIFS */
	0xfe534d42, /* SMB2 */
	0x517b,	    /* SMB */
	0x01021997, /* 9P */
	0x00c36400, /* Ceph */
	0x5346414f, /* AFS */
	0x6b414653, /* kAFS */
	0x73757245, /* Coda */
	0x564c,	    /* NCP */
	0x0bd00bd0, /* Lustre */
	0x47504653, /* GPFS */
	0x7461636f, /* OCFS2 */
	0x01161970, /* GFS2 */
	0x20030528, /* OrangeFS */
	0xaad7aaea, /* PanFS */
	0xa501fcf5, /* VxFS */
	0x786f4256, /* VirtualBox shared folders */
	0xbacbacbc, /* VMware shared folders */
};

bool openfile_is_remote(uint64_t magic)
{
	for (unsigned int i = 0; i < sizeof(remote_magic) / sizeof(remote_magic[0]); i++)
		if (remote_magic[i] == (magic & 0xffffffff))
			return true;
	return false;
}

static const char *const remote_types[] = {
	"fuse", "fuseblk", "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "coda", "ncpfs", "lustre", "gpfs",
	"ocfs2", "gfs2", "orangefs", "pvfs2", "panfs", "beegfs", "virtiofs", "vboxsf", "vmhgfs", "prl_fs",
};

bool openfile_type_is_remote(const char *type, size_t n)
{
	if ((n > 5 && strncmp(type, "fuse.", 5) == 0) || (n > 8 && strncmp(type, "fuseblk.", 8) == 0))
		return true;
	for (unsigned int i = 0; i < sizeof(remote_types) / sizeof(remote_types[0]); i++)
		if (strlen(remote_types[i]) == n && memcmp(remote_types[i], type, n) == 0)
			return true;
	return false;
}

/* "36 35 98:0 /root /mnt options - type source options": whatever spaces there are in names are escaped. */
bool openfile_mount_line(const char *line, uint64_t *ret_dev, const char **ret_type, size_t *ret_n)
{
	const char *p = strchr(line, ' ');
	uint32_t major, minor;
	char *end;

	p = p ? strchr(p + 1, ' ') : NULL;
	if (!p)
		return false;
	major = (uint32_t)strtoul(p + 1, &end, 10);
	if (*end != ':')
		return false;
	minor = (uint32_t)strtoul(end + 1, &end, 10);
	p = strstr(end, " - ");
	if (!p)
		return false;
	*ret_dev = (uint64_t)major << 32 | minor;
	*ret_type = p + 3;
	*ret_n = strcspn(p + 3, " \n");
	return true;
}

void openfile_mount_want(struct openfile_mounts *m, uint64_t dev)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->of[i].dev == dev)
			return;
	if (m->n == OPENFILE_MOUNTS)
		return;
	m->of[m->n].dev = dev;
	m->of[m->n++].fs = OPENFILE_UNKNOWN;
}

/* @return those that are still unknown. */
static uint32_t learn(struct openfile_mounts *m, uint64_t dev, enum openfile_fs fs)
{
	uint32_t unknown = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		if (m->of[i].dev == dev)
			m->of[i].fs = fs;
		unknown += m->of[i].fs == OPENFILE_UNKNOWN;
	}
	return unknown;
}

static uint32_t mounts_read(struct openfile_mounts *m, int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	uint32_t unknown = m->n;
	char *line = NULL;
	size_t size = 0;

	if (!f && fd >= 0)
		close(fd);
	for (int i = 0; f && unknown && i < MOUNTS_MAX && getline(&line, &size, f) > 0; i++) {
		const char *type;
		uint64_t dev;
		size_t n;

		if (openfile_mount_line(line, &dev, &type, &n))
			unknown = learn(m, dev, openfile_type_is_remote(type, n) ? OPENFILE_REMOTE : OPENFILE_LOCAL);
	}
	free(line);
	if (f)
		fclose(f);
	return unknown;
}

/* The kernel's own mount of what memfd_create makes, which nobody has in sight. */
static void memory_learn(struct openfile_mounts *m)
{
	int fd = memfd_create("mcpvigil", MFD_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		learn(m, (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev), OPENFILE_LOCAL);
	close(fd);
}

/* A process in a chroot sees what is mounted below it alone, one in a namespace of its own what it was given. */
void openfile_mounts_read(struct openfile_mounts *m, int dir)
{
	memory_learn(m);
	if (mounts_read(m, dir, "mountinfo") && mounts_read(m, AT_FDCWD, "/proc/self/mountinfo"))
		mounts_read(m, AT_FDCWD, "/proc/1/mountinfo");
}

enum openfile_fs openfile_mount(const struct openfile_mounts *m, uint64_t dev)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->of[i].dev == dev)
			return m->of[i].fs;
	return OPENFILE_UNKNOWN;
}

const char *openfile_why(int err)
{
	switch (err) {
	case -EREMOTE:
		return "its file system is served by a program or another host";
	case -EXDEV:
		return "its file system is mounted nowhere in sight";
	case -EINVAL:
		return "no regular file";
	case -EFBIG:
		return "larger than 1 GiB";
	case -ETIMEDOUT:
		return "its file system does not answer";
	default:
		return errstr(err);
	}
}

static int check(int name, bool remote, struct stat *ret_st)
{
	struct statfs fs;

	if (!remote && fstatfs(name, &fs))
		return -errno;
	if (!remote && openfile_is_remote((uint64_t)fs.f_type))
		return -EREMOTE;
	if (fstat(name, ret_st))
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	return (uint64_t)ret_st->st_size > FILE_MAX ? -EFBIG : 0;
}

int openfile_at(int dir, const char *path, bool remote, struct stat *ret_st)
{
	int name = openat(dir, path, O_PATH | O_CLOEXEC), fd, err;
	char again[32];

	if (name < 0)
		return -errno;
	err = check(name, remote, ret_st);
	if (!err) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", name);
		fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		err = fd < 0 ? -errno : 0;
	}
	close(name);
	return err ? err : fd;
}

static void path_of(const struct mapped_file *f, char ret[64])
{
	snprintf(ret, 64, "map_files/%llx-%llx", (unsigned long long)f->from, (unsigned long long)f->to);
}

/* Is it the file that maps spoke of? Nothing of the mapping is ever read. */
static int same_file(int fd, const struct mapped_file *f)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0);
	struct mapped_file own;
	int err;

	if (at == MAP_FAILED)
		return -errno;
	err = mapped_own((uint64_t)(uintptr_t)at, &own);
	munmap(at, page);
	if (err)
		return err;
	return own.dev == f->dev && own.ino == f->ino ? 0 : -ESTALE;
}

int openfile_mapped(int dir, const struct mapped_file *f, enum openfile_fs fs, bool remote, struct stat *ret_st)
{
	char path[64];
	int fd, err;

	if (fs == OPENFILE_REMOTE && !remote)
		return -EREMOTE;
	if (fs == OPENFILE_UNKNOWN)
		return -EXDEV;
	path_of(f, path);
	fd = openfile_at(dir, path, remote, ret_st);
	err = fd < 0 ? fd : same_file(fd, f);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

int openfile_stat(int dir, const struct mapped_file *f, struct stat *ret_st)
{
	char path[64];

	path_of(f, path);
	return fstatat(dir, path, ret_st, 0) ? -errno : 0;
}
