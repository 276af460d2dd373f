/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/map_files names the mapped file itself, whatever became of its path, in whichever mount namespace. It is opened as a
 * name first (O_PATH), which asks no file system for anything; what it is and where it lies is looked at then; only after that is it
 * opened for reading. */
#include "probe/openfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/err.h"

#define MOUNTS_MAX 16384
#define SIZE_MAX_FILE (1ull << 30) /* see resolver.h */

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
	"fuse", "fuseblk", "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "coda", "ncpfs", "lustre", "gpfs", "ocfs2",
	"gfs2", "orangefs", "beegfs", "virtiofs", "vboxsf", "vmhgfs",
};

bool openfile_type_is_remote(const char *type, size_t n)
{
	if (n > 5 && strncmp(type, "fuse.", 5) == 0)
		return true;
	for (unsigned int i = 0; i < sizeof(remote_types) / sizeof(remote_types[0]); i++)
		if (strlen(remote_types[i]) == n && memcmp(remote_types[i], type, n) == 0)
			return true;
	return false;
}

/* A line of mountinfo: "36 35 98:0 /root /mnt options - type source options". @ret_type of the mount of @dev. */
bool openfile_mount_line(const char *line, uint64_t dev, const char **ret_type, size_t *ret_n)
{
	unsigned int major, minor;
	const char *p = strchr(line, ' ');
	char *end;

	p = p ? strchr(p + 1, ' ') : NULL;
	if (!p)
		return false;
	major = (unsigned int)strtoul(p + 1, &end, 10);
	if (*end != ':')
		return false;
	minor = (unsigned int)strtoul(end + 1, &end, 10);
	p = strstr(end, " - ");
	if (!p || dev != ((uint64_t)major << 32 | minor))
		return false;
	*ret_type = p + 3;
	*ret_n = strcspn(p + 3, " \n");
	return true;
}

/* What the kernel calls the file system, as it asks nobody for it: a FUSE server may let statfs wait for ever. */
static bool mount_is_remote(uint32_t pid, uint64_t dev)
{
	char path[32], *line = NULL;
	size_t size = 0;
	bool remote = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	f = fopen(path, "re");
	for (int i = 0; f && i < MOUNTS_MAX && getline(&line, &size, f) > 0 && !remote; i++) {
		const char *type;
		size_t n;

		remote = openfile_mount_line(line, dev, &type, &n) && openfile_type_is_remote(type, n);
	}
	free(line);
	if (f)
		fclose(f);
	return remote;
}

/* May it be read? @return 0 or -errno with the reason. */
static int check(int name, bool remote, struct stat *ret_st, char why[OPENFILE_WHY])
{
	struct statfs fs;

	if (fstatfs(name, &fs) || (!remote && openfile_is_remote((uint64_t)fs.f_type))) {
		snprintf(why, OPENFILE_WHY, "its file system is served by a program or another host");
		return -EREMOTE;
	}
	if (fstat(name, ret_st))
		return -errno;
	if (!S_ISREG(ret_st->st_mode)) {
		snprintf(why, OPENFILE_WHY, "no regular file");
		return -EINVAL;
	}
	if ((uint64_t)ret_st->st_size > SIZE_MAX_FILE) {
		snprintf(why, OPENFILE_WHY, "larger than 1 GiB");
		return -EFBIG;
	}
	return 0;
}

void openfile_path(uint32_t pid, const struct mapped_file *f, char *ret, size_t size)
{
	snprintf(ret, size, "/proc/%u/map_files/%llx-%llx", pid, (unsigned long long)f->from,
		 (unsigned long long)f->to);
}

int openfile_mapped(uint32_t pid, const struct mapped_file *f, bool remote, struct stat *ret_st, char why[OPENFILE_WHY])
{
	char path[96];
	int name, fd, err;

	why[0] = 0;
	if (!remote && mount_is_remote(pid, f->dev)) {
		snprintf(why, OPENFILE_WHY, "its file system is served by a program or another host");
		return -EREMOTE;
	}
	openfile_path(pid, f, path, sizeof(path));
	name = open(path, O_PATH | O_CLOEXEC);
	if (name < 0) {
		err = -errno;
		snprintf(why, OPENFILE_WHY, "it cannot be opened: %s", errstr(err));
		return err;
	}
	err = check(name, remote, ret_st, why);
	if (err) {
		close(name);
		return err;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	if (err)
		snprintf(why, OPENFILE_WHY, "it cannot be opened: %s", errstr(err));
	close(name);
	return err ? err : fd;
}
