/* SPDX-License-Identifier: Apache-2.0 */
/* A process to parse hostile files in.
 *
 * It is a copy of one that holds BPF programs, links, and their maps as memory, so that what it inherits is given up first. The
 * rest of what a process can do it does by system calls, and those end with the filter: nothing behind it is needed to contain
 * the process, and every step before it is there for the day that the filter has a hole. */
#include "probe/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <seccomp.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif
#define NOBODY	65534
#define NICE	10
#define FIRST	(SANDBOX_KEEP_MAX + 8) /* above every number that is given away */

/* --- What it inherits ------------------------------------------------------------------------------------------- */

/* A handler of the parent's would run in here, and a signal blocked there would not end this process. */
static void signals_default(void)
{
	static const uint64_t dfl[4]; /* struct sigaction of the kernel: handler, flags, restorer, mask */
	sigset_t none;

	/* The library refuses the signals that it has kept for itself; whoever started us may have ignored them. */
	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(dfl[3]));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int keep_only(const struct sandbox *s)
{
	int fds[SANDBOX_KEEP_MAX];

	if (s->nkeep > SANDBOX_KEEP_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < s->nkeep; i++) {
		fds[i] = fcntl(s->keep[i], F_DUPFD, FIRST);
		if (fds[i] < 0)
			return -errno;
	}
	for (unsigned int i = 0; i < s->nkeep; i++) {
		if (dup2(fds[i], (int)i) < 0)
			return -errno;
	}
	return close_range(s->nkeep, ~0U, 0) ? -errno : 0;
}

/* One line of maps: "55d0c0-55d0c8 rw-s ...". */
static int unmap_line(const char *line)
{
	char *end;
	unsigned long from = strtoul(line, &end, 16), to = *end == '-' ? strtoul(end + 1, &end, 16) : 0;

	if (*end != ' ' || strlen(end) < 5 || to <= from)
		return -EBADMSG;
	return end[4] == 's' && munmap((void *)from, to - from) ? -errno : 0;
}

/* Maps of BPF are memory shared with the kernel and with our own processes, and could be written in here. The text goes on
 * behind the last address that was read, whatever is unmapped meanwhile. */
static int unmap_shared(void)
{
	char chunk[4096], line[64] = ""; /* of a line, what stands in front of the path */
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;
	ssize_t got = err ? 0 : read(fd, chunk, sizeof(chunk));
	size_t n = 0;

	while (got > 0 && !err) {
		for (ssize_t i = 0; i < got && !err; i++) {
			if (chunk[i] == '\n') {
				line[n] = 0;
				err = unmap_line(line);
				n = 0;
			} else if (n < sizeof(line) - 1) {
				line[n++] = chunk[i];
			}
		}
		if (!err)
			got = read(fd, chunk, sizeof(chunk));
	}
	if (got < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Where memory runs out, this process goes first and ours does not: it holds a copy of a file. */
static void first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4)
		errno = 0; /* then it is as likely as its parent */
	close(fd);
}

/* --- What it may use -------------------------------------------------------------------------------------------- */

static int mapped(uint64_t *ret_bytes)
{
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -EIO;
	*ret_bytes = strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* Never above what holds already: that takes a capability. */
static int limit(__rlimit_resource_t what, uint64_t soft, uint64_t hard)
{
	struct rlimit l;

	if (getrlimit(what, &l))
		return -errno;
	l.rlim_max = hard < l.rlim_max ? hard : l.rlim_max;
	l.rlim_cur = soft < l.rlim_max ? soft : l.rlim_max;
	return setrlimit(what, &l) ? -errno : 0;
}

static int limit_memory(const struct sandbox *s)
{
	uint64_t now = 0;
	int err = mapped(&now);

	/* The sanitizer's own memory is terabytes of address space, and it maps more as it likes. */
	if (SANITIZED)
		return 0;
	return err ? err : limit(RLIMIT_AS, now + s->mem_bytes, now + s->mem_bytes);
}

static int limits(const struct sandbox *s)
{
	/* The kernel checks the clock each second beyond the soft limit, and kills at the hard one. */
	int err = limit(RLIMIT_CPU, s->cpu_s, s->cpu_s + 1);

	if (!err)
		err = limit_memory(s);
	if (!err)
		err = limit(RLIMIT_FSIZE, s->file_bytes, s->file_bytes);
	if (!err)
		err = limit(RLIMIT_CORE, 0, 0);
	if (!err)
		err = limit(RLIMIT_NOFILE, s->nkeep, s->nkeep);
	return err;
}

/* --- What it may do --------------------------------------------------------------------------------------------- */

/* Nobody, where we are root and may become it; a service often may not, and then no capability makes root what it was.
 *
 * The saved user stays ours: without CAP_KILL, which our parent may have given up, that is what lets it end us, and its death
 * do so too (the kernel asks the same question for PR_SET_PDEATHSIG). Going back to it takes a system call. */
static int credentials(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (geteuid() == 0) {
		/* Each may fail alone: for lack of a capability, or of such a user in this namespace. */
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, 0))
			errno = 0;
	}
	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

#define NR(name) SCMP_SYS(name)

/* Reading and writing what it holds, memory, time, the end. getrandom, and the wake-up of nobody, are what libraries do once;
 * sysinfo is what qsort() of glibc before 2.37 asks for how much memory there is. */
static int rules(scmp_filter_ctx f)
{
	static const int plain[] = {
		NR(read), NR(readv), NR(pread64), NR(lseek), NR(write), NR(close), NR(fstat), NR(munmap), NR(mremap), NR(madvise),
		NR(brk), NR(clock_gettime), NR(getrandom), NR(sysinfo), NR(exit), NR(exit_group),
	};
	const struct {
		int call;
		struct scmp_arg_cmp arg;
	} some[] = {
		{ NR(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ NR(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ NR(newfstatat), SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH) }, /* fstat() of glibc 2.33 and later */
		{ NR(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD) },		 /* libelf asks whether it is open */
		{ NR(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL) },
		{ NR(futex), SCMP_A1(SCMP_CMP_EQ, FUTEX_WAKE | FUTEX_PRIVATE_FLAG) }, /* the end of pthread_once() */
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]) && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, plain[i], 0);
	/* Whatever does not return asks for it there. */
	if (!err && SANITIZED)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, NR(sigaltstack), 0);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]) && !err; i++)
		err = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, some[i].call, 1, &some[i].arg);
	return err;
}

static int filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = f ? seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) : -ENOMEM;

	if (!err)
		err = rules(f);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err;
}

/* The alarm ends it where its parent cannot. It cannot be put off: that takes a system call, and no signal is caught whose
 * return could block another. */
static int bind_to_parent(const struct sandbox *s)
{
	const struct itimerval alarm = { .it_value = { s->wall_ms / 1000, (s->wall_ms % 1000) * 1000 } };

	/* Both are undone by a change of the user. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) || setitimer(ITIMER_REAL, &alarm, NULL))
		return -errno;
	return getppid() == s->parent ? 0 : -ESRCH;
}

int sandbox_enter(const struct sandbox *s)
{
	int err;

	signals_default();
	err = keep_only(s);
	if (!err)
		err = unmap_shared();
	if (err)
		return err;
	first_to_go();
	/* A parent with a better turn than others lends it to nobody. */
	if (setpriority(PRIO_PROCESS, 0, NICE))
		errno = 0;
	err = limits(s);
	if (!err)
		err = credentials();
	if (!err)
		err = bind_to_parent(s);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	return err ? err : filter();
}
