/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroup paths. */
#include "ident/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ident/container.h"

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h */

/* "id:controllers:path", cgroups(7). A path may hold colons; the fields before it do not. */
static bool line_split(struct sv line, bool *ret_v2, struct sv *ret_path)
{
	const char *a = memchr(line.p, ':', line.n), *b;

	b = a ? memchr(a + 1, ':', (size_t)(line.p + line.n - a - 1)) : NULL;
	if (!b)
		return false;
	*ret_v2 = b == a + 1 && a == line.p + 1 && *line.p == '0';
	*ret_path = (struct sv){ b + 1, (size_t)(line.p + line.n - b - 1) };
	return ret_path->n && ret_path->p[0] == '/';
}

/* A cgroup that is gone has " (deleted)" behind its path; a reader in a cgroup namespace sees others' from its own:
 * "/../../x". */
static struct sv path_clean(struct sv p)
{
	static const struct sv deleted = SV(" (deleted)");

	if (p.n > deleted.n && memcmp(p.p + p.n - deleted.n, deleted.p, deleted.n) == 0)
		p.n -= deleted.n;
	while (sv_starts(p, SV("/../")))
		p = (struct sv){ p.p + 3, p.n - 3 };
	return sv_eq(p, SV("/..")) ? SV("/") : p;
}

/* How much it says: a container, a place, nothing; between equals version 2. */
static int path_rank(struct sv path, bool v2)
{
	struct who_more x;

	return (container_find(path, &x) ? 4 : path.n > 1 ? 2 : 0) + v2;
}

static void path_take(struct sv path, struct who_more *ret)
{
	container_find(path, ret);
	if (path.n >= sizeof(ret->cgroup_path))
		path.n = 0; /* half a path is another cgroup's */
	memcpy(ret->cgroup_path, path.p, path.n);
	ret->cgroup_path[path.n] = 0;
}

void cgroup_parse(struct sv text, struct who_more *ret)
{
	struct sv best = SV("");
	int best_rank = -1;

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct sv path;
		bool v2;

		if (!end)
			break; /* cut short */
		if (line_split((struct sv){ text.p, (size_t)(end - text.p) }, &v2, &path)) {
			path = path_clean(path);
			if (path_rank(path, v2) > best_rank) {
				best_rank = path_rank(path, v2);
				best = path;
			}
		}
		text = (struct sv){ end + 1, (size_t)(text.p + text.n - end - 1) };
	}
	path_take(best, ret);
}

int cgroup_mount(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (unsigned int i = 0; i < 2; i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* The path behind @fd; its length or -errno. */
static ssize_t fd_path(int fd, char ret_path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret_path, PATH_MAX);
	return n < 0 ? -errno : n;
}

void cgroup_by_id(int mount, uint64_t id, struct who_more *ret)
{
	/* A kernfs handle is the 64-bit id (5.5). Needs CAP_DAC_READ_SEARCH. */
	struct {
		struct file_handle head;
		uint64_t id;
	} h = { { sizeof(id), FILEID_KERNFS }, id };
	char root[PATH_MAX], path[PATH_MAX];
	ssize_t root_n, n;
	int fd;

	fd = mount < 0 ? -1 : open_by_handle_at(mount, &h.head, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	root_n = fd_path(mount, root);
	n = fd_path(fd, path);
	close(fd);
	if (root_n > 0 && n > root_n && memcmp(path, root, (size_t)root_n) == 0 && path[root_n] == '/')
		path_take(path_clean((struct sv){ path + root_n, (size_t)(n - root_n) }), ret);
}
