/* SPDX-License-Identifier: Apache-2.0 */
/* user/priv_hooks: what the process for TLS probes can still do, what it cannot, and what kills it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "priv_hooks.h"
#include "probe/cachedir.h"
#include "probe/sandbox.h"

#define UPROBE_MULTI 48

static int prog = -1; /* a program that does nothing; -1: none can be loaded here */
static pid_t other = -1; /* a process of another user; -1: we are no root */
static char dir[] = "/tmp/mcpvigil-hooks-XXXXXX", library[64];

static long bpf(int cmd, union bpf_attr *a)
{
	return syscall(SYS_bpf, cmd, a, sizeof(*a));
}

static int prog_load(void)
{
	static const struct bpf_insn insns[] = { { .code = 0xb7 /* r0 = 0 */ }, { .code = 0x95 /* exit */ } };
	union bpf_attr a = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insn_cnt = 2,
		.insns = (uint64_t)(uintptr_t)insns,
		.license = (uint64_t)(uintptr_t) "GPL",
		.expected_attach_type = UPROBE_MULTI,
	};

	return (int)bpf(BPF_PROG_LOAD, &a);
}

static int library_make(void)
{
	char page[8192] = { 0x90 };
	int fd = open(library, O_WRONLY | O_CREAT, 0600);

	memset(page, 0x90, sizeof(page));
	if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page))
		return -1;
	if (geteuid() == 0 && fchown(fd, 65534, 65534))
		return -1;
	return close(fd);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(library, sizeof(library), "%s/libssl.so", dir);
	prog = prog_load();
	if (geteuid() == 0) {
		other = fork();
		if (other == 0) {
			if (setgid(65534) || setuid(65534))
				_exit(1);
			execl("/bin/sleep", "sleep", "60", NULL);
			_exit(1);
		}
		usleep(100000); /* until it is another program; without, one of us is looked at */
	}
	return library_make();
}

static int tear_down(void **state)
{
	(void)state;
	if (other > 0) {
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
	}
	unlink(library);
	return rmdir(dir);
}

/* In a child of its own: its exit status, or 1000 and the signal. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (priv_confine_hooks())
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

#define STEP(ok)                        \
	do {                            \
		step++;                 \
		if (!(ok))              \
			return step;    \
	} while (0)

#define STEP_ENOSYS(call)                       \
	do {                                    \
		errno = 0;                      \
		STEP((call) && errno == ENOSYS); \
	} while (0)

static int waits(void)
{
	int step = 0, pair[2], fd;
	sigset_t set;
	char c;

	STEP(epoll_create1(EPOLL_CLOEXEC) >= 0);
	STEP(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) >= 0);
	STEP(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	STEP(send(pair[0], "x", 1, MSG_DONTWAIT) == 1 && recv(pair[1], &c, 1, 0) == 1);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	STEP(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = open(library, O_RDONLY | O_CLOEXEC);
	STEP(fd >= 0);
	STEP(fcntl(fd, F_SETSIG, SIGRTMIN) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	STEP(inotify_add_watch(inotify_init1(IN_CLOEXEC), library, IN_MODIFY) >= 0);
	STEP(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	STEP(malloc(64 << 20) != NULL);
	return 0;
}

static void test_waits(void **state)
{
	(void)state;
	assert_int_equal(in_child(waits), 0);
}

static int looks(void)
{
	char path[64], name[300];
	int step = 0, n = 0;
	struct dirent *e;
	struct stat st;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/map_files", (int)other);
	d = opendir(path);
	STEP(d != NULL);
	for (e = readdir(d); e; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		STEP(readlinkat(dirfd(d), e->d_name, name, sizeof(name)) > 0);
		STEP(fstat(openat(dirfd(d), e->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), &st) == 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)other);
	STEP(open(path, O_PATH | O_CLOEXEC) >= 0);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)other);
	STEP(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) >= 0);
	return n > 0 ? 0 : 255;
}

static void test_looks(void **state)
{
	(void)state;
	if (other < 0)
		skip();
	assert_int_equal(in_child(looks), 0);
}

static int caches(void)
{
	struct cachedir d;
	char path[96], text[8];
	int step = 0, fd;

	snprintf(path, sizeof(path), "%s/cache/tls", dir);
	STEP(cachedir_open(path, &d) == 0);
	STEP(cachedir_write(&d, "hints", SV("a")) == 0);
	STEP(cachedir_write(&d, "hints", SV("b")) == 0); /* over the one before */
	STEP(cachedir_read(&d, "hints", text, sizeof(text)) == 1 && text[0] == 'b');
	fd = cachedir_write_open(&d, "hints", SV("c"));
	STEP(fd >= 0);
	STEP(cachedir_add(fd, SV("d")) == 0);
	STEP(cachedir_read(&d, "hints", text, sizeof(text)) == 2 && memcmp(text, "cd", 2) == 0);
	STEP(unlinkat(d.fd, "hints", 0) == 0);
	STEP(cachedir_add(fd, SV("e")) == -ESTALE);
	return 0;
}

static void test_caches(void **state)
{
	char path[96];

	(void)state;
	assert_int_equal(in_child(caches), 0);
	snprintf(path, sizeof(path), "%s/cache/tls", dir);
	assert_int_equal(rmdir(path), 0);
	*strrchr(path, '/') = 0;
	assert_int_equal(rmdir(path), 0);
}

static int parse(void)
{
	const int keep[] = { open(library, O_RDONLY | O_CLOEXEC) };
	const struct sandbox s = {
		.keep = keep,
		.nkeep = 1,
		.parent = getppid(),
		.wall_ms = 5000,
		.cpu_s = 5,
		.mem_bytes = 64 << 20,
		.file_bytes = 1,
	};
	char c;

	if (sandbox_enter(&s))
		return 1;
	return pread(0, &c, 1, 0) == 1 && c == (char)0x90 ? 42 : 2;
}

static int forks(void)
{
	int step = 0, status = 0;
	pid_t pid;

	STEP(memfd_create("copy", MFD_CLOEXEC) >= 0);
	pid = fork();

	if (pid == 0)
		_exit(parse());
	STEP(pid > 0 && waitpid(pid, &status, 0) == pid);
	STEP(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(1);
	}
	STEP(syscall(SYS_pidfd_open, pid, 0) >= 0);
	STEP(kill(pid, 0) == 0 && kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	STEP(WIFSIGNALED(status));
	return 0;
}

static void test_forks(void **state)
{
	(void)state;
	assert_int_equal(in_child(forks), 0);
}

static int attaches(void)
{
	uint64_t offset = 4096;
	union bpf_attr a = { .link_create = { .prog_fd = (uint32_t)prog, .attach_type = UPROBE_MULTI } };
	struct {
		uint64_t path, offsets, ref_ctrs, cookies;
		uint32_t cnt, flags, pid;
	} multi = { .path = (uint64_t)(uintptr_t)library, .offsets = (uint64_t)(uintptr_t)&offset, .cnt = 1 };
	struct bpf_prog_info info = { 0 };
	int step = 0, link;

	memcpy((char *)&a + offsetof(union bpf_attr, link_create.target_btf_id), &multi, sizeof(multi));
	link = (int)bpf(BPF_LINK_CREATE, &a);
	STEP(link >= 0 && close(link) == 0);
	a = (union bpf_attr){ .info = { (uint32_t)prog, sizeof(info), (uint64_t)(uintptr_t)&info } };
	STEP(bpf(BPF_OBJ_GET_INFO_BY_FD, &a) == 0);
	return 0;
}

static void test_attaches(void **state)
{
	(void)state;
	if (prog < 0)
		skip(); /* no root, or a kernel without uprobe_multi */
	assert_int_equal(in_child(attaches), 0);
}

static int refused_files(void)
{
	struct open_how how = { .flags = O_RDWR };
	int step = 0;

	STEP_ENOSYS(open("/proc/self/mem", O_RDWR) < 0);
	STEP_ENOSYS(open("/proc/self/mem", O_WRONLY) < 0);
	STEP_ENOSYS(open(library, O_WRONLY | O_APPEND) < 0);
	STEP_ENOSYS(open(library, O_WRONLY | O_TRUNC) < 0);
	STEP_ENOSYS(open(library, O_RDONLY | O_TRUNC) < 0);
	STEP_ENOSYS(open(library, O_WRONLY | O_CREAT, 0600) < 0);
	STEP_ENOSYS(syscall(SYS_openat2, AT_FDCWD, "/proc/self/mem", &how, sizeof(how)) < 0);
	STEP(open(library, O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 && errno == EEXIST);
	STEP_ENOSYS(chmod(library, 0777) < 0);
	STEP_ENOSYS(truncate(library, 0) < 0);
	STEP_ENOSYS(link(library, "/tmp/mcpvigil-hooks-link") < 0);
	return 0;
}

static void *thread(void *arg)
{
	return arg;
}

static int refused(void)
{
	int step = 0;
	pthread_t t;

	STEP_ENOSYS(socket(AF_INET, SOCK_STREAM, 0) < 0);
	STEP_ENOSYS(socket(AF_UNIX, SOCK_STREAM, 0) < 0);
	STEP_ENOSYS(socket(AF_NETLINK, SOCK_RAW, 0) < 0);
	STEP_ENOSYS(connect(0, NULL, 0) < 0);
	STEP(pthread_create(&t, NULL, thread, NULL) == 0 && pthread_join(t, NULL) == 0); /* probes go off by several */
	STEP_ENOSYS(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) < 0);
	STEP_ENOSYS(syscall(SYS_clone, CLONE_VM | SIGCHLD, NULL, NULL, NULL, 0) < 0);
	STEP_ENOSYS(prog_load() < 0);
	STEP_ENOSYS(bpf(BPF_MAP_CREATE, &(union bpf_attr){ 0 }) < 0);
	STEP_ENOSYS(bpf(BPF_MAP_GET_FD_BY_ID, &(union bpf_attr){ 0 }) < 0);
	STEP_ENOSYS(kill(getppid(), SIGTERM) < 0);
	STEP_ENOSYS(prctl(PR_SET_DUMPABLE, 1) < 0);
	STEP_ENOSYS(syscall(SYS_io_uring_setup, 1, NULL) < 0);
	STEP_ENOSYS(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY), 0) == MAP_FAILED);
	if (prog >= 0) {
		STEP_ENOSYS(syscall(SYS_perf_event_open, NULL, -1, 0, -1, 0) < 0);
		STEP_ENOSYS(ioctl(0, PERF_EVENT_IOC_SET_BPF, 0) < 0);
	}
	return 0;
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(refused), 0);
	assert_int_equal(in_child(refused_files), 0);
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return 1;
}

static int trace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) ? 1 : 2;
}

static int read_other(void)
{
	struct iovec v = { dir, 1 };

	return process_vm_readv(getppid(), &v, 1, &v, 1, 0) < 0 ? 1 : 2;
}

static int mounts(void)
{
	return mount("none", dir, "tmpfs", 0, NULL) ? 1 : 2;
}

static int enters(void)
{
	return setns(0, 0) ? 1 : 2;
}

static void test_kills(void **state)
{
	(void)state;
	assert_int_equal(in_child(run_program), 1000 + SIGSYS);
	assert_int_equal(in_child(trace), 1000 + SIGSYS);
	assert_int_equal(in_child(read_other), 1000 + SIGSYS);
	assert_int_equal(in_child(mounts), 1000 + SIGSYS);
	assert_int_equal(in_child(enters), 1000 + SIGSYS);
	assert_int_equal(in_child((int (*)(void))(void *)abort), 1000 + SIGABRT);
}

static char shown[4096];

static int shows(void)
{
	struct buf b;

	buf_init(&b, sizeof(shown) - 1);
	priv_hooks_show((uint32_t)getpid(), &b);
	memcpy(shown, b.p, b.n);
	shown[b.n] = 0;
	buf_done(&b);
	if (!strstr(shown, "\nno_new_privs yes\nseccomp      filter\n"))
		return 1;
	return strncmp(shown, "capabilities 6 of ", 18) == 0 && strstr(shown, "\n  sys_ptrace           what processes of others map") &&
	       strstr(shown, "\n  checkpoint_restore   to open") && strstr(shown, "\n  dac_read_search ") &&
	       strstr(shown, "\n  lease ") && strstr(shown, "\n  setuid ") && strstr(shown, "\n  setgid ") ? 0 : 2;
}

static void test_shown(void **state)
{
	(void)state;
	if (other < 0 || prog < 0) { /* what there is to give up, or what is kept, differs */
		assert_int_not_equal(in_child(shows), 1);
		skip();
	}
	assert_int_equal(in_child(shows), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),	 cmocka_unit_test(test_looks),	 cmocka_unit_test(test_caches),
		cmocka_unit_test(test_forks),	 cmocka_unit_test(test_attaches), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_kills),	 cmocka_unit_test(test_shown),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
