/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that puts probes on TLS libraries gives up.
 *
 * It reads /proc and files of everybody, so it keeps the capabilities for that; it talks to nobody but us. Its children,
 * which parse what it found, put a filter of their own on top (probe/sandbox.h): what they do up to there is allowed here.
 *
 * A file that exists is opened for reading only: CAP_SYS_PTRACE and a writable /proc/PID/mem are every other process.
 * openat2 hands its flags over in memory, where no filter sees them, so it is not on the list. */
#include "priv_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cap-ng.h>
#include <seccomp.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "priv_int.h"

/* --- Capabilities ----------------------------------------------------------------------------------------------- */

/* Tried on 6.18, one by one. */
static const struct priv_reason reasons[] = {
	{ CAP_SYS_PTRACE, "what processes of others map: /proc/PID/map_files, /proc/PID/exe" },
	{ CAP_DAC_READ_SEARCH, "programs and libraries that are for their owner alone, and his /proc/PID/map_files" },
	{ CAP_CHECKPOINT_RESTORE, "to open what is mapped whatever its name is now: /proc/PID/map_files" },
	{ CAP_LEASE, "to be told before somebody writes to a probed file that is not ours" },
	{ CAP_SETUID, "children that look into files are nobody" },
	{ CAP_SETGID, "children that look into files are nobody's group" },
	{ CAP_PERFMON, "this kernel wants it for a probe: perf_event_open" },
	{ CAP_BPF, "this kernel may want it to link a BPF program to a probe" },
	{ CAP_SYS_ADMIN, "this kernel wants it for a probe, and does without uprobe_multi" },
};

/* uprobe_multi, from 6.6, wants no capability of whoever holds the program. Whether it is there: a kernel without it does not
 * know the field, and says so before it looks at the program, which there is none. */
static bool has_uprobe_multi(void)
{
	struct {
		uint32_t prog_fd, target, type, flags;
		uint64_t path, offsets, ref_ctrs, cookies;
		uint32_t cnt, multi_flags, pid, zero;
	} link_create = { .prog_fd = UINT32_MAX, .type = 48 /* BPF_TRACE_UPROBE_MULTI */, .pid = 1 };

	return syscall(SYS_bpf, BPF_LINK_CREATE, &link_create, sizeof(link_create)) < 0 && errno == EBADF;
}

/* As probe/ chooses. */
static bool uses_perf(void)
{
	const char *forced = getenv("MCPVIGIL_UPROBES"); /* so that tests can compare them */

	return forced ? strcmp(forced, "multi") != 0 : !has_uprobe_multi();
}

/* Of what is no file that could be probed: refused for that, or before that for want of a capability. */
static int perf_uprobe_works(void *ctx)
{
	static const char path[] = "/";
	struct perf_event_attr a = { .size = sizeof(a), .config1 = (uint64_t)(uintptr_t)path };
	char text[16] = "";
	int fd = open("/sys/bus/event_source/devices/uprobe/type", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	uint64_t type = 0;

	(void)ctx;
	if (fd >= 0)
		close(fd);
	if (n <= 0 || num_u64((struct sv){ text, strcspn(text, "\n") }, &type))
		return -ENOENT;
	a.type = (uint32_t)type;
	fd = (int)syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno == EACCES || errno == EPERM ? -errno : 0;
	close(fd);
	return 0;
}

/* 5.8 let CAP_PERFMON do; fixed kernels want CAP_SYS_ADMIN again, as a probe may be put where no instruction begins. */
static bool admin_needed(void)
{
	const unsigned int caps[] = { CAP_SYS_ADMIN };

	return priv_caps_needed(caps, 1, perf_uprobe_works, NULL);
}

static int caps_drop(bool perf)
{
	const bool keep[PRIV_CAPS] = {
		[CAP_SYS_PTRACE] = true,
		[CAP_DAC_READ_SEARCH] = true,
		[CAP_CHECKPOINT_RESTORE] = true,
		[CAP_LEASE] = true,
		[CAP_SETUID] = true,
		[CAP_SETGID] = true,
		[CAP_PERFMON] = perf,
		[CAP_BPF] = perf,
		[CAP_SYS_ADMIN] = perf && admin_needed(),
	};

	return priv_caps_keep(keep);
}

/* --- System calls ----------------------------------------------------------------------------------------------- */

#define NR(name) SCMP_SYS(name)

static const int allowed[] = {
	/* the cache */
	NR(mkdir), NR(mkdirat), NR(rename), NR(renameat), NR(renameat2), NR(unlink), NR(unlinkat),
	/* who writes to what is probed */
	NR(inotify_init1), NR(inotify_add_watch), NR(inotify_rm_watch),
	/* children, and what they do before their own filter stands */
	NR(pidfd_open), NR(memfd_create), NR(seccomp), NR(capset), NR(setgroups), NR(setresuid),
	NR(setresgid), NR(setpriority), NR(setrlimit), NR(prlimit64), NR(setitimer),
};

/* Those that a fork of the C library has; no thread, no namespace, no memory shared. */
#define FORK_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID | CLONE_PIDFD | CSIGNAL)

struct one {
	int call;
	struct scmp_arg_cmp arg;
};

static int add(scmp_filter_ctx f, const struct one *rules, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = priv_filter_rule(f, rules[i].call, 1, &rules[i].arg);
	return err;
}

#define ADD(f, rules) add(f, rules, sizeof(rules) / sizeof((rules)[0]))

static int add_processes(scmp_filter_ctx f)
{
	const struct one rules[] = {
		{ NR(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t)FORK_FLAGS, 0) },
		{ NR(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) }, /* probes go off by several at once */
		{ NR(kill), SCMP_A1(SCMP_CMP_EQ, SIGKILL) },
		{ NR(kill), SCMP_A1(SCMP_CMP_EQ, 0) }, /* is it there? */
		{ NR(pidfd_send_signal), SCMP_A1(SCMP_CMP_EQ, SIGKILL) },
		{ NR(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG) },
		{ NR(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS) },
		{ NR(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP) },
	};
	const struct scmp_arg_cmp undumpable[] = { SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE), SCMP_A1(SCMP_CMP_EQ, 0) };
	int err = ADD(f, rules);

	return err ? err : priv_filter_rule(f, NR(prctl), 2, undumpable);
}

#define HOW (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC)

static int add_files(scmp_filter_ctx f)
{
	const struct one rules[] = {
		{ NR(open), SCMP_A1(SCMP_CMP_MASKED_EQ, HOW, O_RDONLY) },
		{ NR(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, HOW, O_RDONLY) },
		{ NR(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, HOW, O_WRONLY | O_CREAT | O_EXCL) },
	};

	return ADD(f, rules);
}

static int add_probes(scmp_filter_ctx f, bool perf)
{
	const struct one link[] = {
		{ NR(bpf), SCMP_A0(SCMP_CMP_EQ, BPF_LINK_CREATE) },
		{ NR(bpf), SCMP_A0(SCMP_CMP_EQ, BPF_OBJ_GET_INFO_BY_FD) },
	};
	const struct one event[] = {
		{ NR(ioctl), SCMP_A1(SCMP_CMP_EQ, PERF_EVENT_IOC_SET_BPF) },
		{ NR(ioctl), SCMP_A1(SCMP_CMP_EQ, PERF_EVENT_IOC_ENABLE) },
		{ NR(ioctl), SCMP_A1(SCMP_CMP_EQ, PERF_EVENT_IOC_DISABLE) },
	};
	int err = ADD(f, link);

	if (!err && perf)
		err = ADD(f, event);
	return err || !perf ? err : priv_filter_rule(f, NR(perf_event_open), 0, NULL);
}

static int filter_load(bool perf)
{
	scmp_filter_ctx f = priv_filter_new();
	int err = f ? priv_filter_base(f) : -ENOMEM;

	if (!err)
		err = priv_filter_calls(f, SCMP_ACT_ALLOW, allowed, sizeof(allowed) / sizeof(allowed[0]));
	if (!err)
		err = add_processes(f);
	if (!err)
		err = add_files(f);
	if (!err)
		err = add_probes(f, perf);
	return f ? priv_filter_load(f, err) : err;
}

int priv_confine_hooks(void)
{
	const char *what = "threads are running already";
	bool perf = uses_perf();
	int err = priv_single();

	if (!err) {
		what = "capabilities";
		err = caps_drop(perf);
	}
	if (!err) {
		what = "no_new_privs";
		err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
	}
	if (!err) {
		what = "the seccomp filter";
		err = filter_load(perf);
	}
	if (err)
		log_err("cannot give up privileges of the process for TLS probes: %s: %s", what, errstr(err));
	return err;
}

void priv_hooks_show(uint32_t pid, struct buf *out)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	priv_status_show(path, reasons, sizeof(reasons) / sizeof(reasons[0]), out);
}
