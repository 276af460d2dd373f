/* SPDX-License-Identifier: Apache-2.0 */
/* Privileges that are given up after the start, and what the filters of our processes have in common.
 *
 * Three answers of the filter. A call on the list is allowed, some of them only with some arguments. One that nothing
 * of ours and no library of ours can ever want, and that whoever took this process over would want first (run a
 * program, trace or write another process, load a module, mount, enter a namespace), kills the process: there is
 * nothing to go on with, the kernel logs it (audit type 1326), and the service manager says SIGSYS. All the rest is
 * ENOSYS: every library knows what to do on a kernel that lacks a call, while EPERM is passed up as a failure (glibc
 * goes from clone3 to clone, whose flags can be looked at, only for ENOSYS). */
#include "priv.h"
#include "priv_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cap-ng.h>
#include <linux/netlink.h>
#include <seccomp.h>

#include "base/err.h"
#include "base/log.h"

/* --- Capabilities ----------------------------------------------------------------------------------------------- */

/* Tried on 6.18, one by one: rings, mapped arrays, names and cgroups in /proc need none; the program behind a process
 * of another user, or of root with more capabilities than ours, needs CAP_SYS_PTRACE (ptrace_may_access);
 * open_by_handle_at needs CAP_DAC_READ_SEARCH, which is of no use for the former. */
static const struct priv_reason reasons[] = {
	{ CAP_SYS_PTRACE, "which program a process of another user or with capabilities runs: /proc/PID/exe" },
	{ CAP_DAC_READ_SEARCH, "the cgroup of a process that is gone, by its number: open_by_handle_at" },
	{ CAP_BPF, "this kernel wants it to tell how often a program was missed" },
	{ CAP_NET_BIND_SERVICE, "a port below 1024" },
};

static bool have(capng_type_t set, unsigned int cap)
{
	return capng_have_capability(set, cap);
}

bool priv_caps_needed(const unsigned int *caps, size_t n, int (*works)(void *ctx), void *ctx)
{
	bool needed;

	if (capng_get_caps_process())
		return true;
	for (size_t i = 0; i < n; i++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, caps[i]);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return true;
	needed = works(ctx) != 0;
	if (capng_get_caps_process())
		return true;
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++) {
		if (have(CAPNG_PERMITTED, i))
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, i);
	}
	return capng_apply(CAPNG_SELECT_CAPS) || needed;
}

int priv_caps_keep(const bool keep[PRIV_CAPS])
{
	bool held[PRIV_CAPS];

	if (capng_get_caps_process())
		return -EPERM;
	for (unsigned int i = 0; i < PRIV_CAPS; i++)
		held[i] = i <= CAP_LAST_CAP && have(CAPNG_PERMITTED, i);
	/* Takes CAP_SETPCAP, which a service may lack; without it the set says what a program that is run could get,
	 * and none is. It comes first, as the capability goes with the rest. */
	if (have(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS))
			log_warn("the capability bounding set could not be emptied");
	}
	capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++) {
		if (keep[i] && held[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, i);
	}
	return capng_apply(CAPNG_SELECT_CAPS) || capng_apply(CAPNG_SELECT_AMBIENT) ? -EPERM : 0;
}

/* Without CAP_SYS_ADMIN, which stands for it, and CAP_PERFMON, in the effective set alone. */
static bool bpf_needed(const struct priv_need *need)
{
	const unsigned int caps[] = { CAP_BPF, CAP_SYS_ADMIN, CAP_PERFMON };

	return need->bpf_works && priv_caps_needed(caps, 3, need->bpf_works, need->ctx);
}

static int caps_drop(const struct priv_need *need)
{
	const bool keep[PRIV_CAPS] = {
		[CAP_SYS_PTRACE] = true,
		[CAP_DAC_READ_SEARCH] = true,
		[CAP_BPF] = bpf_needed(need),
		[CAP_NET_BIND_SERVICE] = need->low_port,
	};

	return priv_caps_keep(keep);
}

/* --- System calls ----------------------------------------------------------------------------------------------- */

#define NR(name) SCMP_SYS(name)

static const int base[] = {
	/* descriptors */
	NR(read), NR(readv), NR(pread64), NR(preadv), NR(write), NR(writev), NR(pwrite64), NR(pwritev), NR(lseek),
	NR(close), NR(close_range), NR(dup), NR(dup2), NR(dup3), NR(fcntl), NR(fcntl64), NR(pipe), NR(pipe2),
	NR(eventfd2), NR(signalfd4), NR(timerfd_create), NR(timerfd_settime), NR(timerfd_gettime),
	NR(epoll_create1), NR(epoll_ctl), NR(epoll_wait), NR(epoll_pwait), NR(epoll_pwait2), NR(poll), NR(ppoll),
	NR(select), NR(pselect6), NR(sendfile), NR(fsync), NR(fdatasync),
	/* files, to read */
	NR(stat), NR(lstat), NR(fstat), NR(newfstatat), NR(statx), NR(statfs), NR(fstatfs), NR(access),
	NR(faccessat), NR(faccessat2), NR(readlink), NR(readlinkat), NR(getdents64), NR(getcwd), NR(fadvise64),
	NR(umask),
	/* sockets that there are */
	NR(sendto), NR(recvfrom), NR(sendmsg), NR(recvmsg), NR(shutdown),
	/* memory; what makes it executable below */
	NR(munmap), NR(mremap), NR(madvise), NR(brk), NR(membarrier),
	/* threads and signals; clone and tgkill below */
	NR(futex), NR(set_robust_list), NR(set_tid_address), NR(rseq), NR(exit), NR(exit_group), NR(sched_yield),
	NR(sched_getaffinity), NR(getcpu), NR(rt_sigaction), NR(rt_sigprocmask), NR(rt_sigreturn),
	NR(rt_sigtimedwait), NR(sigaltstack), NR(restart_syscall), NR(wait4), NR(waitid),
	/* time, and who we are */
	NR(clock_gettime), NR(clock_getres), NR(clock_nanosleep), NR(nanosleep), NR(gettimeofday), NR(time),
	NR(getrandom), NR(getpid), NR(gettid), NR(getppid), NR(getuid), NR(geteuid), NR(getgid), NR(getegid),
	NR(getpriority), NR(getrusage), NR(getrlimit), NR(uname), NR(sysinfo), NR(capget),
};

/* socket itself below */
static const int sockets[] = {
	NR(connect), NR(bind), NR(listen), NR(accept), NR(accept4), NR(getsockname), NR(getpeername), NR(getsockopt),
	NR(setsockopt), NR(sendmmsg),
};

/* With priv_need.writes, and of the control socket: it is removed at the end. */
static const int writing[] = {
	NR(rename), NR(renameat), NR(renameat2), NR(mkdir), NR(mkdirat), NR(fchmod), NR(ftruncate), NR(fallocate),
	NR(flock),
};

static const int always_writing[] = { NR(unlink), NR(unlinkat), NR(chmod), NR(fchmodat) };

static const int hostile[] = {
	NR(execve), NR(execveat), NR(ptrace), NR(process_vm_readv), NR(process_vm_writev), NR(init_module), NR(finit_module),
	NR(delete_module), NR(kexec_load), NR(kexec_file_load), NR(mount), NR(umount2), NR(move_mount),
	NR(open_tree), NR(fsopen), NR(fsmount), NR(mount_setattr), NR(pivot_root), NR(chroot), NR(setns),
	NR(unshare), NR(reboot), NR(swapon), NR(swapoff), NR(userfaultfd), NR(pidfd_getfd),
	NR(iopl), NR(ioperm), NR(acct), NR(quotactl), NR(settimeofday), NR(clock_settime), NR(sethostname),
	NR(setdomainname),
};

/* -EDOM: this architecture has no such call. */
static int unless_absent(int err)
{
	return err == -EDOM ? 0 : err;
}

int priv_filter_calls(void *f, uint32_t action, const int *calls, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = unless_absent(seccomp_rule_add(f, action, calls[i], 0));
	return err;
}

#define EACH(f, action, calls) priv_filter_calls(f, action, calls, sizeof(calls) / sizeof((calls)[0]))

int priv_filter_rule(void *f, int call, unsigned int n, const struct scmp_arg_cmp *args)
{
	return unless_absent(seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, n, args));
}

struct rule {
	int call;
	unsigned int n;
	struct scmp_arg_cmp arg[3];
};

static int rules_add(scmp_filter_ctx f, const struct rule *rules, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = priv_filter_rule(f, rules[i].call, rules[i].n, rules[i].arg);
	return err;
}

#define RULES(f, rules) rules_add(f, rules, sizeof(rules) / sizeof((rules)[0]))

int priv_filter_base(void *f)
{
	const struct rule rules[] = {
		{ NR(tgkill), 1, { SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()) } }, /* abort() */
		{ NR(mmap), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },
		{ NR(mprotect), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },
		{ NR(prctl), 1, { SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME) } },
		{ NR(prctl), 1, { SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA) } }, /* glibc names its memory */
		{ NR(prctl), 1, { SCMP_A0(SCMP_CMP_EQ, PR_CAPBSET_READ) } },
		{ NR(ioctl), 1, { SCMP_A1(SCMP_CMP_EQ, TCGETS) } }, /* isatty() */
		{ NR(ioctl), 1, { SCMP_A1(SCMP_CMP_EQ, TIOCGWINSZ) } },
		{ NR(ioctl), 1, { SCMP_A1(SCMP_CMP_EQ, FIONREAD) } },
		{ NR(ioctl), 1, { SCMP_A1(SCMP_CMP_EQ, FIONBIO) } },
		{ NR(socketpair), 1, { SCMP_A0(SCMP_CMP_EQ, AF_UNIX) } },
	};
	int err = EACH(f, SCMP_ACT_ALLOW, base);

	return err ? err : RULES(f, rules);
}

/* Threads, no processes. Memory that can be run comes from files only: name services and TLS load libraries late. */
static int add_threads(scmp_filter_ctx f)
{
	const struct rule rules[] = {
		{ NR(clone), 1, { SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) } },
		{ NR(mmap), 1, { SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0) } },
		/* Limits are read, not set. */
		{ NR(prlimit64), 2, { SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0) } },
	};

	return RULES(f, rules);
}

/* Name services ask netlink which addresses there are, to sort what they found. */
static int add_sockets(scmp_filter_ctx f)
{
	const struct rule rules[] = {
		{ NR(socket), 1, { SCMP_A0(SCMP_CMP_EQ, AF_UNIX) } },
		{ NR(socket), 1, { SCMP_A0(SCMP_CMP_EQ, AF_INET) } },
		{ NR(socket), 1, { SCMP_A0(SCMP_CMP_EQ, AF_INET6) } },
		{ NR(socket), 2, { SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE) } },
	};
	int err = EACH(f, SCMP_ACT_ALLOW, sockets);

	return err ? err : RULES(f, rules);
}

/* Facts of a descriptor that we hold: how often a program was missed. Nothing is loaded, attached, looked up. */
static int add_bpf(scmp_filter_ctx f)
{
	const struct rule rules[] = {
		{ NR(bpf), 1, { SCMP_A0(SCMP_CMP_EQ, BPF_OBJ_GET_INFO_BY_FD) } },
	};

	return RULES(f, rules);
}

/* A cgroup by its number is named, not opened: O_PATH. */
static int add_files(scmp_filter_ctx f, bool writes)
{
	const struct rule handles[] = {
		{ NR(open_by_handle_at), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, O_PATH, O_PATH) } },
	};
	const struct rule all[] = { { NR(open), 0, { { 0 } } }, { NR(openat), 0, { { 0 } } } };
	const struct rule reads[] = {
		{ NR(open), 1, { SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY) } },
		{ NR(openat), 1, { SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY) } },
	};
	int err = EACH(f, SCMP_ACT_ALLOW, always_writing);

	if (!err)
		err = RULES(f, handles);
	if (!err && writes)
		err = EACH(f, SCMP_ACT_ALLOW, writing);
	if (err)
		return err;
	return writes ? RULES(f, all) : RULES(f, reads);
}

void *priv_filter_new(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (f && (seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ||
		  seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1))) {
		seccomp_release(f);
		return NULL;
	}
	return f;
}

int priv_filter_load(void *f, int err)
{
	if (!err)
		err = EACH(f, SCMP_ACT_KILL_PROCESS, hostile);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err;
}

static int filter_load(const struct priv_need *need)
{
	scmp_filter_ctx f = priv_filter_new();
	int err = f ? priv_filter_base(f) : -ENOMEM;

	if (!err)
		err = add_threads(f);
	if (!err)
		err = add_sockets(f);
	if (!err && need->bpf_works)
		err = add_bpf(f);
	if (!err)
		err = add_files(f, need->writes);
	return f ? priv_filter_load(f, err) : err;
}

static unsigned int threads(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 2 ? n - 2 : n; /* "." and ".." */
}

int priv_single(void)
{
	return threads() > 1 ? -EBUSY : 0;
}

int priv_drop(const struct priv_need *need)
{
	const char *what = "threads are running already";
	int err = priv_single();

	if (!err) {
		what = "capabilities";
		err = caps_drop(need);
	}
	if (!err) {
		what = "no_new_privs";
		err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
	}
	if (!err) {
		what = "the seccomp filter";
		err = filter_load(need);
	}
	if (err)
		log_err("cannot give up privileges: %s: %s", what, errstr(err));
	return err;
}

/* --- For doctor ------------------------------------------------------------------------------------------------- */

static const char *reason_of(const struct priv_reason *reasons_, size_t n, unsigned int cap)
{
	for (size_t i = 0; i < n; i++) {
		if (reasons_[i].cap == cap)
			return reasons_[i].why;
	}
	return "not needed after the start";
}

/* Each on a line of its own, with its reason; all at once where nothing was given up. */
static void show_caps(struct buf *out, uint64_t held, const struct priv_reason *reasons_, size_t n)
{
	unsigned int known = 0, holds = (unsigned int)__builtin_popcountll(held);

	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++)
		known += capng_capability_to_name(i) != NULL;
	buf_addf(out, "capabilities %u of %u\n", holds, known);
	for (unsigned int i = 0; i <= CAP_LAST_CAP && holds <= n; i++) {
		if (held >> i & 1)
			buf_addf(out, "  %-20s %s\n", capng_capability_to_name(i), reason_of(reasons_, n, i));
	}
}

/* The number behind "@name:", false if there is none. */
static bool status_field(const char *status, const char *name, int radix, uint64_t *ret)
{
	const char *at = strstr(status, name);
	char *end = NULL;

	if (!at)
		return false;
	at += strlen(name);
	*ret = strtoull(at, &end, radix);
	return end != at;
}

void priv_status_show(const char *path, const struct priv_reason *reasons_, size_t n, struct buf *out)
{
	static const char *const modes[] = { "off", "strict", "filter" };
	char status[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	uint64_t held = 0, mode = 0, no_new = 0;

	if (fd >= 0)
		close(fd);
	status[got < 0 ? 0 : got] = 0;
	if (status_field(status, "\nCapPrm:", 16, &held))
		show_caps(out, held, reasons_, n);
	else
		buf_add_str(out, "capabilities cannot be read\n");
	buf_addf(out, "no_new_privs %s\n",
		 !status_field(status, "\nNoNewPrivs:", 10, &no_new) ? "unknown" : no_new ? "yes" : "no");
	buf_addf(out, "seccomp      %s\n",
		 !status_field(status, "\nSeccomp:", 10, &mode) || mode > 2 ? "unknown" : modes[mode]);
}

void priv_show(struct buf *out)
{
	priv_status_show("/proc/self/status", reasons, sizeof(reasons) / sizeof(reasons[0]), out);
}
