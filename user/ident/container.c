/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroup paths, component by component from the innermost:
 *
 *   /docker/ID                                       Docker, cgroupfs driver
 *   /system.slice/docker-ID.scope                    ... systemd driver; cri-containerd-, crio-, libpod- alike
 *   /kubepods/besteffort/podUID/ID                   kubelet, cgroupfs driver: does not say which runtime
 *   /kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_I_D.slice/cri-containerd-ID.scope
 *   /lxc/NAME, /lxc.payload.NAME                     LXC: a name instead of an id
 *
 * ID is 64 hex digits everywhere. */
#include "ident/container.h"

#define ID_LEN 64

static const struct {
	struct sv prefix;
	const char *runtime;
} scopes[] = {
	{ SV("docker-"), "docker" },	      { SV("cri-containerd-"), "containerd" },
	{ SV("nerdctl-"), "containerd" },     { SV("crio-"), "cri-o" },
	{ SV("libpod-payload-"), "podman" },  { SV("libpod-"), "podman" },
};

static bool is_hex(struct sv s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static bool is_id(struct sv s)
{
	return s.n == ID_LEN && is_hex(s);
}

static struct sv without(struct sv s, struct sv tail)
{
	if (s.n > tail.n && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0)
		s.n -= tail.n;
	return s;
}

/* The last component of *@path, which loses it; empty at the root. */
static struct sv pop(struct sv *path)
{
	struct sv c;
	const char *slash;

	while (path->n && path->p[path->n - 1] == '/')
		path->n--;
	slash = path->n ? memrchr(path->p, '/', path->n) : NULL;
	c.p = slash ? slash + 1 : path->p;
	c.n = (size_t)(path->p + path->n - c.p);
	path->n -= c.n;
	return c;
}

/* A UUID, with '_' for '-' in slices, or for static pods the 32 digits of a hash. */
static bool uid_copy(struct sv s, char ret_uid[37])
{
	char uid[37] = "";

	for (size_t i = 0; i < s.n; i++) {
		bool dash = s.n == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
		char c = s.p[i];

		if (dash ? c != '-' && c != '_' : !is_hex((struct sv){ &c, 1 }))
			return false;
		uid[i] = dash ? '-' : c;
	}
	memcpy(ret_uid, uid, sizeof(uid));
	return true;
}

/* "podUID", or a slice whose name ends so: "kubepods-burstable-podUID.slice". */
static bool pod_uid(struct sv c, char ret_uid[37])
{
	static const size_t lengths[] = { 36, 32 };
	struct sv s = without(c, SV(".slice"));

	for (unsigned int i = 0; i < 2; i++) {
		size_t n = lengths[i];
		const char *uid = s.n < n + 3 ? NULL : s.p + s.n - n;

		if (!uid || memcmp(uid - 3, "pod", 3) != 0 || (s.n > n + 3 && uid[-4] != '-'))
			continue;
		if (uid_copy((struct sv){ uid, n }, ret_uid))
			return true;
	}
	return false;
}

static bool container_set(struct who_more *ret, const char *runtime, struct sv id)
{
	if (!id.n || id.n >= sizeof(ret->container))
		return false;
	memcpy(ret->container, id.p, id.n);
	ret->container[id.n] = 0;
	memcpy(ret->runtime, runtime, strlen(runtime) + 1);
	return true;
}

/* Does component @c, in @parent, name a container? */
static bool container_name(struct sv c, struct sv parent, struct who_more *ret)
{
	struct sv name = without(c, SV(".scope"));

	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++) {
		struct sv id = { name.p + scopes[i].prefix.n, name.n - scopes[i].prefix.n };

		if (sv_starts(name, scopes[i].prefix) && is_id(id))
			return container_set(ret, scopes[i].runtime, id);
	}
	if (is_id(c))
		return container_set(ret, sv_eq(parent, SV("docker")) ? "docker" : "", c);
	if (sv_eq(parent, SV("lxc")))
		return container_set(ret, "lxc", c);
	if (sv_starts(c, SV("lxc.payload.")))
		return container_set(ret, "lxc", (struct sv){ c.p + 12, c.n - 12 });
	return false;
}

bool container_find(struct sv path, struct who_more *ret)
{
	struct sv c = pop(&path), parent;

	ret->runtime[0] = ret->container[0] = ret->pod_uid[0] = 0;
	for (; c.n; c = parent) {
		parent = pop(&path);
		if (!ret->container[0] && container_name(c, parent, ret))
			continue;
		if (pod_uid(c, ret->pod_uid))
			break;
	}
	return ret->container[0];
}
