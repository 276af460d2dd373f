/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files that other processes map, without opening what is no file, or asking a file system that could make us wait.
 * Where that is not known for sure (an overlay on such a file system is no other than any overlay), the caller may wait. */
#ifndef MCPVIGIL_PROBE_OPENFILE_H
#define MCPVIGIL_PROBE_OPENFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "probe/mapped.h"

enum openfile_fs {
	OPENFILE_UNKNOWN, /* mounted nowhere in sight: perhaps no more, as what is unmounted lazily stays mapped */
	OPENFILE_LOCAL,
	OPENFILE_REMOTE, /* served by a program or another host */
};

#define OPENFILE_MOUNTS 64

/* File systems by device, as maps has it. */
struct openfile_mounts {
	uint32_t n;
	struct {
		uint64_t dev;
		enum openfile_fs fs;
	} of[OPENFILE_MOUNTS];
};

/* Ask for @dev. What finds no room stays unknown. */
void openfile_mount_want(struct openfile_mounts *m, uint64_t dev);
/* What the asked for are: by the mounts of the process @dir (procfs_dir), our own, and those of process 1. */
void openfile_mounts_read(struct openfile_mounts *m, int dir);
enum openfile_fs openfile_mount(const struct openfile_mounts *m, uint64_t dev);

/* The file behind @f, which the process @dir maps: a descriptor for reading, or -errno. @remote allows OPENFILE_REMOTE.
 * -EREMOTE: it is that; -EXDEV: OPENFILE_UNKNOWN; nothing was asked of it then. -EINVAL: no regular file. -EFBIG: above 1 GiB.
 * -ESTALE: something else is mapped there meanwhile. */
int openfile_mapped(int dir, const struct mapped_file *f, enum openfile_fs fs, bool remote, struct stat *ret_st);
/* The same of a path from @dir. */
int openfile_at(int dir, const char *path, bool remote, struct stat *ret_st);
/* What the file is by now, which was opened before. 0 or -errno. */
int openfile_stat(int dir, const struct mapped_file *f, struct stat *ret_st);
/* For people. */
const char *openfile_why(int err);

/* Is a file system of that magic number (statfs) served by a program or another host? */
bool openfile_is_remote(uint64_t magic);
/* ... of that name (mountinfo)? */
bool openfile_type_is_remote(const char *type, size_t n);
/* Read a line of mountinfo: its device and type. */
bool openfile_mount_line(const char *line, uint64_t *ret_dev, const char **ret_type, size_t *ret_n);

#endif
