/* SPDX-License-Identifier: Apache-2.0 */
/* A FUSE file system of one file that lets its readers wait: fusefile DIR NAME FILE KEEPOUT
 *
 * DIR/NAME reads as FILE, but whatever a process asks whose program is called KEEPOUT, or whose command is, gets no answer
 * at all, and "touched OPCODE" is printed. Ends with its input. 77: there is no FUSE here. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_ID FUSE_ROOT_ID
#define FILE_ID 2
#define READ_MAX (128 << 10)

struct served {
	int dev, fd;
	const char *name, *keepout;
	struct stat st;
};

static void answer(const struct served *s, uint64_t unique, int err, const void *body, size_t n)
{
	static char buf[sizeof(struct fuse_out_header) + READ_MAX];
	struct fuse_out_header h = { (uint32_t)(sizeof(h) + (err ? 0 : n)), -err, unique };

	memcpy(buf, &h, sizeof(h));
	if (!err && n)
		memcpy(buf + sizeof(h), body, n);
	if (write(s->dev, buf, h.len) < 0 && errno != ENOENT) /* ENOENT: who asked has gone */
		perror("fusefile: answer");
}

static struct fuse_attr attr_of(const struct served *s, uint64_t id)
{
	if (id == ROOT_ID)
		return (struct fuse_attr){ .ino = ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2 };
	return (struct fuse_attr){ .ino = FILE_ID,
				   .mode = S_IFREG | 0755,
				   .nlink = 1,
				   .size = (uint64_t)s->st.st_size,
				   .blocks = (uint64_t)(s->st.st_size + 511) / 512,
				   .blksize = 4096 };
}

static void do_init(const struct served *s, const struct fuse_in_header *h)
{
	struct fuse_init_out o = { .major = FUSE_KERNEL_VERSION,
				   .minor = FUSE_KERNEL_MINOR_VERSION,
				   .max_readahead = READ_MAX,
				   .max_write = 4096,
				   .max_background = 16,
				   .congestion_threshold = 12 };

	answer(s, h->unique, 0, &o, sizeof(o));
}

static void do_lookup(const struct served *s, const struct fuse_in_header *h)
{
	struct fuse_entry_out o = { .nodeid = FILE_ID, .entry_valid = 3600, .attr_valid = 3600, .attr = attr_of(s, FILE_ID) };

	answer(s, h->unique, strcmp((const char *)(h + 1), s->name) ? ENOENT : 0, &o, sizeof(o));
}

static void do_read(const struct served *s, const struct fuse_in_header *h)
{
	static char buf[READ_MAX];
	const struct fuse_read_in *in = (const void *)(h + 1);
	ssize_t n = pread(s->fd, buf, in->size < READ_MAX ? in->size : READ_MAX, (off_t)in->offset);

	answer(s, h->unique, n < 0 ? errno : 0, buf, n < 0 ? 0 : (size_t)n);
}

static void do_getattr(const struct served *s, const struct fuse_in_header *h)
{
	struct fuse_attr_out o = { .attr_valid = 3600, .attr = attr_of(s, h->nodeid) };

	answer(s, h->unique, 0, &o, sizeof(o));
}

static void do_open(const struct served *s, const struct fuse_in_header *h)
{
	struct fuse_open_out o = {};

	answer(s, h->unique, 0, &o, sizeof(o));
}

static bool ends_with(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, name, strlen(name));
}

/* Asked by whom it is kept from? Both names: a child may have given itself another. */
static bool kept_out(const struct served *s, uint32_t pid)
{
	char path[64], exe[PATH_MAX] = "", comm[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	if (pid && readlink(path, exe, sizeof(exe) - 1) > 0 && ends_with(exe, s->keepout))
		return true;
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, comm, sizeof(comm) - 1) < 0)
		comm[0] = 0;
	close(fd);
	return ends_with(comm, s->keepout);
}

static void do_nothing(const struct served *s, const struct fuse_in_header *h)
{
	answer(s, h->unique, 0, NULL, 0);
}

static void say_nothing(const struct served *s, const struct fuse_in_header *h)
{
	(void)s;
	(void)h;
}

static void (*const ops[])(const struct served *s, const struct fuse_in_header *h) = {
	[FUSE_INIT] = do_init,	       [FUSE_LOOKUP] = do_lookup,     [FUSE_GETATTR] = do_getattr,
	[FUSE_OPEN] = do_open,	       [FUSE_OPENDIR] = do_open,      [FUSE_READ] = do_read,
	[FUSE_FORGET] = say_nothing,   [FUSE_BATCH_FORGET] = say_nothing, [FUSE_RELEASE] = do_nothing,
	[FUSE_RELEASEDIR] = do_nothing, [FUSE_FLUSH] = do_nothing,    [FUSE_ACCESS] = do_nothing,
};

/* What nobody waits for, and what the kernel sends by itself. */
static bool harmless(uint32_t opcode)
{
	return opcode == FUSE_INIT || opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET || opcode == FUSE_RELEASE;
}

static void serve(const struct served *s, const struct fuse_in_header *h)
{
	if (!harmless(h->opcode) && kept_out(s, h->pid)) {
		printf("touched %u\n", h->opcode);
		fflush(stdout);
		return;
	}
	if (h->opcode < sizeof(ops) / sizeof(*ops) && ops[h->opcode])
		ops[h->opcode](s, h);
	else
		answer(s, h->unique, ENOSYS, NULL, 0);
}

static int mount_on(struct served *s, const char *dir)
{
	char options[100];

	s->dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (s->dev < 0)
		return 77;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", s->dev);
	if (mount("fusefile", dir, "fuse", MS_NODEV | MS_NOSUID, options)) {
		perror("fusefile: mount");
		return errno == ENODEV ? 77 : 1;
	}
	return 0;
}

int main(int c, char **v)
{
	static char buf[READ_MAX + 8192];
	struct served s = { .dev = -1 };
	struct pollfd p[2];
	int err;

	if (c != 5)
		return 2;
	s.name = v[2];
	s.keepout = v[4];
	s.fd = open(v[3], O_RDONLY | O_CLOEXEC);
	if (s.fd < 0 || fstat(s.fd, &s.st))
		return 1;
	err = mount_on(&s, v[1]);
	if (err)
		return err;
	puts("ready");
	fflush(stdout);
	p[0] = (struct pollfd){ 0, POLLIN, 0 };
	p[1] = (struct pollfd){ s.dev, POLLIN, 0 };
	while (poll(p, 2, -1) >= 0 && !p[0].revents) {
		if (p[1].revents && read(s.dev, buf, sizeof(buf)) > (ssize_t)sizeof(struct fuse_in_header))
			serve(&s, (const void *)buf);
	}
	umount2(v[1], MNT_DETACH);
	return 0;
}
