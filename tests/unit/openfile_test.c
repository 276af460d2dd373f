/* SPDX-License-Identifier: Apache-2.0 */
/* probe/openfile, probe/mounts: the mapped file itself is opened, whatever its path leads to by now; what is no file, and what
 * could make us wait, is not. Needs root for all but the text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/mounts.h"
#include "probe/openfile.h"

#define SIZE 8192
#define SKIP 77

static struct mapped m;
static char dir[] = "/tmp/openfile_test.XXXXXX", path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/libssl.so", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* --- Text ------------------------------------------------------------------------------------------------------- */

static bool line(const char *text, struct mount *ret)
{
	return mount_line(text, strlen(text), ret, NULL);
}

static void test_mount_line(void **state)
{
	static const char *const bad[] = {
		"", "36", "36 35", "36 35 98:0", "36 35 980 / /mnt rw - ext4 /dev/sda rw", "x 35 98:0 / /mnt rw - ext4 s rw",
		"36 35 98:x / /mnt rw - ext4 s rw", "36 35 :1 / /mnt rw - ext4 s rw", "36 35 98:0 / /mnt rw ext4 s rw",
		"36 35 98:0 / /mnt rw -", "36 35 98:0 / /mnt rw - ",
		"36 35 98:0 / /mnt rw - a_type_that_is_longer_than_any_that_there_is s rw",
	};
	struct mount mnt;

	(void)state;
	assert_true(line("36 35 98:12 /mnt1 /mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue", &mnt));
	assert_int_equal(mnt.id, 36);
	assert_int_equal(mnt.dev, 98ull << 32 | 12);
	assert_string_equal(mnt.type, "ext3");
	assert_true(line("36 35 0:51 / /a\\040-\\040fuse\\040x rw - tmpfs - rw", &mnt)); /* a mount point " - fuse x" */
	assert_string_equal(mnt.type, "tmpfs");
	assert_true(line("36 35 0:51 / / rw - fuse.sshfs", &mnt));
	assert_string_equal(mnt.type, "fuse.sshfs");
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(line(bad[i], &mnt));
}

static void assert_text(const char *text, const char *point, const char *options)
{
	struct mount_text t;
	struct mount mnt;

	assert_true(mount_line(text, strlen(text), &mnt, &t));
	assert_true(sv_eq(t.point, (struct sv){ point, strlen(point) }));
	assert_true(sv_eq(t.options, (struct sv){ options, strlen(options) }));
}

static void test_mount_text(void **state)
{
	(void)state;
	assert_text("36 35 0:51 /r /a\\040b rw,noatime shared:1 - overlay none rw,lowerdir=/x", "/a\\040b", "rw,lowerdir=/x");
	assert_text("36 35 0:51 / / rw - tmpfs none", "/", "");
	assert_text("36 35 0:51 / / rw - tmpfs", "/", "");
}

static void test_types(void **state)
{
	static const char *const remote[] = { "fuse", "fuseblk", "fuse.sshfs", "virtiofs", "nfs", "nfs4", "cifs", "smb3", "9p",
					      "ceph", "afs", "coda", "gfs2", "ocfs2", "lustre", "ncpfs" };
	static const char *const local[] = { "ext4", "xfs", "btrfs", "overlay", "tmpfs", "squashfs", "fusectl", "zfs", "nfsd", "" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		assert_true(mount_is_remote(remote[i]));
	for (unsigned int i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_false(mount_is_remote(local[i]));
}

static void test_fdinfo(void **state)
{
	uint64_t id = 0;
	int fd = open("/", O_PATH | O_CLOEXEC);
	struct mount mnt;

	(void)state;
	assert_true(mount_of_fdinfo("pos:\t0\nflags:\t012000000\nmnt_id:\t29\nino:\t2\n", &id));
	assert_int_equal(id, 29);
	assert_false(mount_of_fdinfo("pos:\t0\nflags:\t02\n", &id));
	assert_false(mount_of_fdinfo("", &id));
	assert_false(mount_of_fdinfo("pos:\t0\nmnt_id:\t-1\n", &id));
	assert_int_equal(mount_id(fd, &id), 0);
	assert_int_equal(mount_find((uint32_t)getpid(), id, 0, &mnt), 0);
	assert_int_equal(mnt.id, id);
	assert_int_equal(mount_find((uint32_t)getpid(), 0, mnt.dev, &mnt), 0);
	assert_int_equal(mount_find((uint32_t)getpid(), UINT32_MAX, 0, &mnt), -ENOENT);
	close(fd);
	assert_int_equal(mount_id(fd, &id), -ENOENT);
}

/* --- Files ------------------------------------------------------------------------------------------------------ */

/* Our mapping of the file behind @fd. */
static struct mapped_file map(int fd)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mapped_read((uint32_t)getpid(), &m), 0);
	for (uint32_t i = 0; i < m.n; i++) {
		if (m.file[i].from == (uintptr_t)p)
			return m.file[i];
	}
	fail();
	return m.file[0];
}

static void unmap(const struct mapped_file *f)
{
	munmap((void *)(uintptr_t)f->from, SIZE);
}

static int file_new(char fill)
{
	char bytes[SIZE];
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	memset(bytes, fill, sizeof(bytes));
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	return fd;
}

static bool opens(const struct mapped_file *f, char fill)
{
	char why[OPENFILE_WHY], c = 0;
	struct file_id id, named;
	struct stat st;
	int fd = openfile_open((uint32_t)getpid(), f, false, &id, why);

	if (fd < 0)
		return false;
	assert_string_equal(why, "");
	assert_int_equal(openfile_id((uint32_t)getpid(), f, &named), 0);
	assert_memory_equal(&id, &named, sizeof(id));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, id.ino);
	assert_int_equal(st.st_dev, id.dev);
	assert_int_equal(st.st_size, id.size);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pread(fd, &c, 1, 0), 1);
	close(fd);
	return c == fill;
}

/* Whatever the path leads to by now: nothing, another file, a link, a FIFO, whose opening would wait. */
static void test_itself(void **state)
{
	struct mapped_file f;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = file_new('a');
	f = map(fd);
	close(fd);
	assert_true(opens(&f, 'a'));
	unlink(path);
	assert_true(opens(&f, 'a'));
	fd = file_new('b');
	close(fd);
	assert_true(opens(&f, 'a'));
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(opens(&f, 'a'));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(opens(&f, 'a'));
	unlink(path);
	unmap(&f);
}

static int open_error(const struct mapped_file *f, char why[OPENFILE_WHY])
{
	struct file_id id;
	int fd = openfile_open((uint32_t)getpid(), f, false, &id, why);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void test_no_file(void **state)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char why[OPENFILE_WHY];
	struct mapped_file f;
	struct file_id id;

	(void)state;
	if (geteuid() != 0)
		skip();
	f = map(fd);
	assert_int_equal(openfile_id((uint32_t)getpid(), &f, &id), -EINVAL);
	assert_int_equal(open_error(&f, why), -EINVAL);
	assert_string_equal(why, "no regular file");
	unmap(&f);
	close(fd);
	assert_int_equal(openfile_id((uint32_t)getpid(), &f, &id), -ENOENT);
	assert_int_equal(open_error(&f, why), -ENOENT);
}

static void test_large(void **state)
{
	char why[OPENFILE_WHY];
	struct mapped_file f;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = file_new('a');
	f = map(fd);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	assert_int_equal(open_error(&f, why), 0);
	assert_int_equal(ftruncate(fd, (1 << 30) + 1), 0);
	assert_int_equal(open_error(&f, why), -EFBIG);
	unlink(path);
	unmap(&f);
	close(fd);
}

static void test_memory(void **state)
{
	int fd = memfd_create("openfile_test", MFD_CLOEXEC);
	struct openfile_devs d = { 0 };
	struct mapped_file f;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(ftruncate(fd, SIZE), 0);
	f = map(fd);
	assert_true(opens(&f, 0));
	assert_null(openfile_barred(&d, (uint32_t)getpid(), f.dev, 1));
	unmap(&f);
	close(fd);
}

/* --- Mounts, each in a child of its own --------------------------------------------------------------------------- */

static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define STEP(ok)                        \
	do {                            \
		step++;                 \
		if (!(ok))              \
			return step;    \
	} while (0)

/* A file of a file system that is mounted nowhere any more could be on anything. */
static int unmounted(void)
{
	struct openfile_devs d = { 0 };
	char why[OPENFILE_WHY];
	struct mapped_file f;
	struct file_id id;
	int fd, step = 0;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", dir, "tmpfs", 0, NULL))
		return SKIP;
	fd = file_new('a');
	f = map(fd);
	STEP(open_error(&f, why) == 0 && !openfile_barred(&d, (uint32_t)getpid(), f.dev, 1));
	STEP(umount2(dir, MNT_DETACH) == 0);
	STEP(openfile_barred(&d, (uint32_t)getpid(), f.dev, 2 + 60 * NSEC_PER_SEC));
	STEP(open_error(&f, why) == -EREMOTE);
	STEP(strcmp(why, "its file system is mounted nowhere that can be seen") == 0);
	fd = openfile_open((uint32_t)getpid(), &f, true, &id, why);
	STEP(fd >= 0);
	return 0;
}

static int overlay_new(void)
{
	char part[3][80], options[320];
	static const char *const names[] = { "lower", "upper", "work" };
	int fd;

	if (mount("t", dir, "tmpfs", 0, NULL))
		return -1;
	for (int i = 0; i < 3; i++) {
		snprintf(part[i], sizeof(part[i]), "%s/%s", dir, names[i]);
		mkdir(part[i], 0700);
	}
	fd = file_new('a');
	close(fd);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s,userxattr", part[0], part[1], part[2]);
	if (mount("o", part[0], "overlay", 0, options)) {
		*strrchr(options, ',') = 0;
		if (mount("o", part[0], "overlay", 0, options))
			return -1;
	}
	snprintf(path, sizeof(path), "%s/lower/libssl.so", dir);
	return file_new('b');
}

/* What lies below an overlay cannot be seen. One that was mounted by a user, in a namespace of his own, is left alone. */
static int overlaid(void)
{
	char why[OPENFILE_WHY];
	struct mapped_file f;
	int fd, step = 0;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return SKIP;
	fd = overlay_new();
	if (fd < 0)
		return SKIP;
	f = map(fd);
	STEP(open_error(&f, why) == 0);
	return 0;
}

static int text_write(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* A user, and root among his own. */
static int user_become(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	return text_write("/proc/self/setgroups", "deny") || text_write("/proc/self/uid_map", "0 0 1") ||
	       text_write("/proc/self/gid_map", "0 0 1");
}

static int overlaid_by_user(void)
{
	int up[2], down[2], status = 0, step = 0, fd;
	char why[OPENFILE_WHY], c = 0;
	struct mapped_file f;
	struct file_id id;
	pid_t pid;

	if (pipe(up) || pipe(down))
		return SKIP;
	pid = fork();
	if (pid == 0) {
		close(down[1]);
		fd = user_become() ? -1 : overlay_new();
		if (fd < 0)
			_exit(SKIP);
		f = map(fd);
		if (write(up[1], &f, sizeof(f)) != sizeof(f) || read(down[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	if (read(up[0], &f, sizeof(f)) != sizeof(f)) {
		waitpid(pid, &status, 0);
		return WEXITSTATUS(status) == SKIP ? SKIP : 99;
	}
	fd = openfile_open((uint32_t)pid, &f, false, &id, why);
	STEP(fd == -EREMOTE);
	STEP(strcmp(why, "an overlay mounted by a user, who may have put anything below it") == 0);
	STEP(openfile_open((uint32_t)pid, &f, true, &id, why) >= 0);
	close(down[1]);
	waitpid(pid, &status, 0);
	return status;
}

static void mounts_test(int (*fn)(void))
{
	int status;

	if (geteuid() != 0)
		skip();
	status = in_child(fn);
	if (status == SKIP)
		skip();
	assert_int_equal(status, 0);
}

static void test_unmounted(void **state)
{
	(void)state;
	mounts_test(unmounted);
}

static void test_overlay(void **state)
{
	(void)state;
	mounts_test(overlaid);
}

static void test_overlay_by_user(void **state)
{
	(void)state;
	mounts_test(overlaid_by_user);
}

/* A device's kind is asked for once a minute; where it is not known, each time. */
static void test_devices(void **state)
{
	const uint32_t self = (uint32_t)getpid();
	struct openfile_devs d = { 0 };
	uint64_t now = 1000;
	struct mapped_file f;

	(void)state;
	assert_int_equal(mapped_read(self, &m), 0);
	f = m.file[0];
	assert_null(openfile_barred(&d, self, f.dev, now));
	assert_int_equal(d.dev[0].dev, f.dev);
	assert_int_equal(d.dev[0].until, now + 60 * NSEC_PER_SEC);
	d.dev[0].until = now + 1;
	d.dev[0].why = "as if it had been one";
	assert_string_equal(openfile_barred(&d, self, f.dev, now), "as if it had been one");
	assert_null(openfile_barred(&d, self, f.dev, now + 1));
	assert_int_equal(d.dev[0].until, now + 1 + 60 * NSEC_PER_SEC);
	for (int i = 0; i < 2; i++)
		assert_string_equal(openfile_barred(&d, self, 0xffffffffffffull, now),
				    "its file system is mounted nowhere that can be seen");
	assert_int_equal(d.dev[1].until, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mount_line), cmocka_unit_test(test_types),   cmocka_unit_test(test_fdinfo),
		cmocka_unit_test(test_itself),	   cmocka_unit_test(test_no_file), cmocka_unit_test(test_large),
		cmocka_unit_test(test_memory),	   cmocka_unit_test(test_devices), cmocka_unit_test(test_unmounted),
		cmocka_unit_test(test_overlay),	   cmocka_unit_test(test_overlay_by_user), cmocka_unit_test(test_mount_text),
	};

	return cmocka_run_group_tests_name("openfile", tests, set_up, tear_down);
}
