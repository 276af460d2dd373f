/* SPDX-License-Identifier: Apache-2.0 */
/* probe/sandbox, by the resolver's children: what they try ends them, what they need works, and what the kernel says of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "resolver_fakes.h"
#include "resolver_world.h"

/* --- What it does ------------------------------------------------------------------------------------------------ */

/* Each returns if it was not killed. */
static void try_open(void)
{
	open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void try_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void try_exec(void)
{
	execl("/bin/true", "true", NULL);
}

static void try_kill(void)
{
	kill(getppid(), SIGTERM);
}

static void try_signal(void)
{
	syscall(SYS_kill, 1, 0);
}

static void try_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void try_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void try_map_exec(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_protect_exec(void)
{
	static char page[8192];

	mprotect((void *)(((uintptr_t)page + 4095) & ~4095UL), 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void try_user(void)
{
	syscall(SYS_setresuid, 0, 0, 0);
}

static void try_alarm(void)
{
	alarm(0);
}

static void try_mask(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void try_limit(void)
{
	const struct rlimit l = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CPU, &l);
}

static void try_prctl(void)
{
	prctl(PR_SET_PDEATHSIG, 0);
}

static void try_stat(void)
{
	struct stat st;

	stat("/etc/passwd", &st);
}

static void try_futex_wait(void)
{
	static uint32_t word;
	const struct timespec t = { 0, 1 };

	syscall(SYS_futex, &word, 0, 0, &t, NULL, 0);
}

static void try_dup(void)
{
	fcntl(0, F_DUPFD, 0);
}

static void try_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
}

static void (*attempt)(void);

static int attempts(int fd, struct tls_found *ret)
{
	attempt();
	return finds(fd, ret);
}

static void test_system_calls(void **state)
{
	static void (*const hostile[])(void) = {
		try_open,   try_socket,	 try_exec, try_kill, try_signal, try_fork, try_ptrace, try_map_exec, try_protect_exec,
		try_user,   try_alarm,	 try_mask, try_limit, try_prctl, try_stat, try_futex_wait, try_dup, try_bpf,
	};
	const unsigned int n = sizeof(hostile) / sizeof(hostile[0]);

	(void)state;
	for (unsigned int i = 0; i < n; i++) {
		attempt = hostile[i];
		assert_int_equal(look_with(attempts), -ECHILD);
	}
	assert_int_equal(world_stats().died, n);
}

static int compare(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* What a resolver needs works. */
static int works(int fd, struct tls_found *ret)
{
	struct timespec t;
	struct stat st;
	char *p, *big = malloc(8 << 20);

	if (fstat(fd, &st) || st.st_size != FILE_SIZE || fcntl(fd, F_GETFD) < 0 || !big)
		return -ENOMEM;
	big = realloc(big, 16 << 20);
	p = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED || !big || madvise(p, FILE_SIZE, MADV_RANDOM) || munmap(p, FILE_SIZE))
		return -ENOMEM;
	memset(big, 'x', 8192);
	qsort(big, 2048, 4, compare);
	free(big);
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) || lseek(fd, 0, SEEK_CUR) != 0)
		return -ENOMEM;
	hash_bytes("x", 1);
	return finds(fd, ret);
}

static void test_works(void **state)
{
	(void)state;
	assert_int_equal(look_with(works), 0);
}

/* The kernel's memory and ours that the parent has mapped is not there. */
static volatile int *shared;

static int writes_shared(int fd, struct tls_found *ret)
{
	*shared = 666;
	return finds(fd, ret);
}

static void test_shared_memory(void **state)
{
	(void)state;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	*shared = 1;
	assert_int_equal(look_with(writes_shared), -ECHILD);
	assert_int_equal(*shared, 1);
	munmap((void *)shared, 4096);
}

/* --- What it is, from outside ------------------------------------------------------------------------------------ */

static pid_t child_pid(void)
{
	char text[32] = "";
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

static void slurp(pid_t pid, const char *name, char ret[16384])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, ret, 16383);
	ret[n < 0 ? 0 : n] = 0;
	close(fd);
}

static bool has(const char *text, const char *line)
{
	return strstr(text, line) != NULL;
}

static bool may_change; /* its user and groups: root, with the capabilities for it */

/* Once it is in the filter and busy: what the kernel says of it. */
static void inspect(void)
{
	char status[16384], limits[16384], path[64];
	pid_t pid = child_pid();
	unsigned int fds = 0;
	DIR *d;

	slurp(pid, "status", status);
	if (!has(status, "\nSeccomp:\t2\n"))
		return;
	slurp(pid, "status", status); /* the lines in front of that one may be older than the filter */
	assert_true(has(status, "\nNoNewPrivs:\t1\n"));
	assert_true(has(status, "\nCapPrm:\t0000000000000000\n"));
	assert_true(has(status, "\nCapEff:\t0000000000000000\n"));
	assert_true(has(status, "\nCapAmb:\t0000000000000000\n"));
	assert_true(has(status, "\nSigBlk:\t0000000000000000\n"));
	assert_true(has(status, "\nSigIgn:\t0000000000000000\n"));
	if (may_change) {
		assert_true(has(status, "\nUid:\t65534\t65534\t0\t65534\n"));
		assert_true(has(status, "\nGid:\t65534\t65534\t65534\t65534\n"));
		assert_true(has(status, "\nGroups:\t \n"));
	}
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 10);
	slurp(pid, "limits", limits);
	assert_true(has(limits, "Max cpu time              60                   61 "));
	assert_true(has(limits, "Max file size             8192                 8192 "));
	assert_true(has(limits, "Max core file size        0                    0 "));
	assert_true(has(limits, "Max open files            3                    3 "));
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (d) {
		while (readdir(d))
			fds++;
		assert_int_equal(fds, 2 + 3);
		closedir(d);
	}
	assert_true(d || !may_change);
	w.on_tick = NULL;
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void test_confined(void **state)
{
	int extra = open("/etc/passwd", O_RDONLY); /* not even closed on exec */
	const gid_t group = 4;

	(void)state;
	may_change = setgroups(1, &group) == 0;
	w.o.cpu_s = 60;
	world_restart();
	w.on_tick = inspect;
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(look_with(spins), -ECHILD);
	assert_null(w.on_tick);
	signal(SIGUSR1, SIG_DFL);
	assert_true(!may_change || setgroups(0, NULL) == 0);
	close(extra);
}

/* The resolver's process is killed: its child goes with it. It is ours then, as of the next subreaper. */
static void test_parent_dies(void **state)
{
	int ends[2], status, fd = file_new("a", 'a');
	pid_t parent, child;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (parent == 0) {
		char text[16384];

		resolver_resolve = spins;
		w.o.cpu_s = 60;
		world_restart();
		if (resolver_look(w.r, fd, 1))
			_exit(1);
		child = child_pid();
		do {
			slurp(child, "status", text);
		} while (!has(text, "\nSeccomp:\t2\n"));
		if (write(ends[1], &child, sizeof(child)) != sizeof(child))
			_exit(2);
		pause();
	}
	assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
	const struct CMUnitTest tests[] = {
		CASE(test_system_calls), CASE(test_works), CASE(test_shared_memory), CASE(test_confined), CASE(test_parent_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
