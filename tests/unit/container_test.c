/* SPDX-License-Identifier: Apache-2.0 */
/* ident/container and ident/cgroup: containers and pods by the names of cgroups. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ident/cgroup.h"
#include "ident/container.h"

#define A "4f9d3c1e0b7a2d5866f1e4c3b2a19087d6e5f4c3b2a1908776655443322110ff"
#define B "fa7ba8b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7"
#define POD "4ee2f572-1c5b-4a7e-9a55-0c3f2d1e4b6a"
#define POD_ "4ee2f572_1c5b_4a7e_9a55_0c3f2d1e4b6a"
#define HASH "0123456789abcdef0123456789abcdef"

static const struct {
	const char *path, *runtime, *container, *pod;
} cases[] = {
	{ "/", "", "", "" },
	{ "", "", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/code.scope", "", "", "" },
	{ "/docker/" A, "docker", A, "" },
	{ "/docker/" A "/", "docker", A, "" },
	{ "/docker/" A "/init.scope", "docker", A, "" },
	{ "/system.slice/docker-" A ".scope", "docker", A, "" },
	{ "/system.slice/nerdctl-" A ".scope", "containerd", A, "" },
	{ "/system.slice/containerd.service/kubepods-besteffort-pod" POD_ ".slice:cri-containerd:" A, "", "", "" },
	{ "/kubepods/besteffort/pod" POD "/" B, "", B, POD },
	{ "/kubepods/pod" POD, "", "", POD },
	{ "/kubepods/pod" HASH "/" B, "", B, HASH },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_ ".slice/cri-containerd-" B ".scope",
	  "containerd", B, POD },
	{ "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" B ".scope", "cri-o", B, POD },
	{ "/kubepods.slice/kubepods-pod" HASH ".slice/docker-" B ".scope", "docker", B, HASH },
	{ "/kubepods/burstable/pod" POD "/crio-" B, "cri-o", B, POD },
	{ "/machine.slice/libpod-" A ".scope", "podman", A, "" },
	{ "/machine.slice/libpod-" A ".scope/container", "podman", A, "" },
	{ "/user.slice/user.service/libpod-payload-" A, "podman", A, "" },
	{ "/machine.slice/libpod-conmon-" A ".scope", "", "", "" },
	{ "/kubepods.slice/crio-conmon-" A ".scope", "", "", "" },
	{ "/ecs/0123/" A, "", A, "" },
	{ "/lxc/web-1", "lxc", "web-1", "" },
	{ "/lxc/web-1/system.slice/nginx.service", "lxc", "web-1", "" },
	{ "/lxc.payload.web-1/init.scope", "lxc", "web-1", "" },
	{ "/lxc.monitor.web-1", "", "", "" },
	{ "/lxc.payload.", "", "", "" },
	/* A node of kind, itself a container: the inner one counts. */
	{ "/docker/" A "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
	  "kubelet-kubepods-besteffort-pod" POD_ ".slice/cri-containerd-" B ".scope", "containerd", B, POD },
	/* Docker in a pod. */
	{ "/kubepods/pod" POD "/" A "/docker/" B, "docker", B, POD },
	/* Almost. */
	{ "/docker/" A "0", "", "", "" },
	{ "/docker/" A "x", "", "", "" },
	{ "/system.slice/docker-" HASH ".scope", "", "", "" },
	{ "/docker/4F9d3c1e0b7a2d5866f1e4c3b2a19087d6e5f4c3b2a1908776655443322110ff", "", "", "" },
	{ "/kubepods/xpod" POD "/" B, "", B, "" },
	{ "/kubepods/pod4ee2f572-1c5b-4a7e-9a55-0c3f2d1e4b6g/" B, "", B, "" },
	{ "/kubepods/pod4ee2f5721-c5b-4a7e-9a55-0c3f2d1e4b6a/" B, "", B, "" },
	{ "/pod", "", "", "" },
	{ "/docker-.scope", "", "", "" },
};

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct who_more m = { .runtime = "x", .container = "x", .pod_uid = "x" };
		size_t n = strlen(cases[i].path);
		char *exact = malloc(n + 1); /* nothing beyond its end is read: sanitizers see it */

		memcpy(exact, cases[i].path, n);
		assert_int_equal(container_find((struct sv){ exact, n }, &m), cases[i].container[0] != 0);
		assert_string_equal(m.container, cases[i].container);
		assert_string_equal(m.runtime, cases[i].runtime);
		assert_string_equal(m.pod_uid, cases[i].pod);
		free(exact);
	}
}

/* Every prefix of every path is taken without harm, and a name of any length fits. */
static void test_hostile(void **state)
{
	char *long_name = malloc(8192);
	struct who_more m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t n = 0; n <= strlen(cases[i].path); n++) {
			char *exact = malloc(n + 1);

			memcpy(exact, cases[i].path, n);
			container_find((struct sv){ exact, n }, &m);
			free(exact);
		}
	memset(long_name, 'a', 8192);
	memcpy(long_name, "/lxc/", 5);
	assert_false(container_find((struct sv){ long_name, 8192 }, &m));
	assert_true(container_find((struct sv){ long_name, 5 + 64 }, &m));
	assert_int_equal(strlen(m.container), 64);
	assert_false(container_find((struct sv){ long_name, 5 + 65 }, &m));
	memset(long_name, '/', 8192);
	assert_false(container_find((struct sv){ long_name, 8192 }, &m));
	free(long_name);
}

static void parsed(const char *text, const char *path, const char *container)
{
	struct who_more m = { .cgroup_path = "x" };

	cgroup_parse(sv_of(text), &m);
	assert_string_equal(m.cgroup_path, path);
	assert_string_equal(m.container, container);
}

static void test_lines(void **state)
{
	char *text = malloc(8192);

	(void)state;
	/* Version 2 alone. */
	parsed("0::/system.slice/a.service\n", "/system.slice/a.service", "");
	parsed("0::/\n", "/", "");
	parsed("0::/docker/" A "\n", "/docker/" A, A);
	/* Both: version 2 where it says as much, wherever it stands. */
	parsed("4:memory:/m/x\n0::/\n", "/m/x", "");
	parsed("4:memory:/m/x\n1:name=systemd:/s\n0::/u\n", "/u", "");
	parsed("4:memory:/docker/" A "\n0::/u\n", "/docker/" A, A);
	parsed("4:memory:/docker/" A "\n0::/docker/" B "\n", "/docker/" B, B);
	parsed("9:name=systemd:/\n4:memory:/\n0::/\n", "/", "");
	/* The first of version 1. */
	parsed("9:cpu,cpuacct:/a\n4:memory:/b\n", "/a", "");
	parsed("9:cpu,cpuacct:/a\n4:memory:/docker/" A "\n", "/docker/" A, A);
	/* Colons, the dead, other namespaces. */
	parsed("0::/a:b:c\n", "/a:b:c", "");
	parsed("0::/a (deleted)\n", "/a", "");
	parsed("0::/../../docker/" A "\n", "/docker/" A, A);
	parsed("0::/..\n", "/", "");
	/* Broken or cut short: nothing. */
	parsed("", "", "");
	parsed("\n", "", "");
	parsed("0:/a\n", "", "");
	parsed("0::a\n", "", "");
	parsed("0::/docker/" A, "", "");
	/* Too long to keep: the container still stands, half a path does not. */
	memset(text, 'd', 604);
	memcpy(text, "0::/", 4);
	memcpy(text + 604, "/docker/" A "\n", sizeof("/docker/" A "\n"));
	parsed(text, "", A);
	free(text);
}

/* The way back from an id, on this host's own cgroups. */
static void test_by_id(void **state)
{
	int mount = cgroup_mount();
	struct who_more m = { .cgroup_path = "" };
	char dir[64], at[128];
	struct stat st;

	(void)state;
	snprintf(dir, sizeof(dir), "mcpvigil-test-%d", (int)getpid());
	cgroup_by_id(-1, 1, &m);
	assert_string_equal(m.cgroup_path, "");
	if (mount < 0 || geteuid() != 0 || mkdirat(mount, dir, 0755)) {
		close(mount);
		skip();
	}
	assert_int_equal(fstatat(mount, dir, &st, 0), 0);
	cgroup_by_id(mount, st.st_ino, &m);
	snprintf(at, sizeof(at), "/%s", dir);
	assert_string_equal(m.cgroup_path, at);
	assert_int_equal(unlinkat(mount, dir, AT_REMOVEDIR), 0);
	m.cgroup_path[0] = 0;
	cgroup_by_id(mount, st.st_ino, &m);
	assert_string_equal(m.cgroup_path, "");
	fstatat(mount, ".", &st, 0);
	cgroup_by_id(mount, st.st_ino, &m);
	assert_string_equal(m.cgroup_path, "");
	close(mount);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_by_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
