/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel can do. Each answer is a trial, not a version number; see doctor. */
#include "probe/feature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "probe/load.h"

/* "none [integrity] confidentiality": the bracketed one is in force. */
static int lockdown_read(void)
{
	char line[128] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	if (strstr(line, "[confidentiality]"))
		return 2;
	return strstr(line, "[integrity]") ? 1 : 0;
}

/* Load "return 0" as @attach on the BTF id of @target. @return 0 or -errno. */
static int try_tracing(const struct btf *btf, const char *target, enum bpf_attach_type attach,
		       uint32_t flags)
{
	struct bpf_insn ret0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .prog_flags = flags);
	uint32_t kind = attach == BPF_TRACE_RAW_TP ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC;
	int id = btf__find_by_name_kind(btf, target, kind), fd;

	if (id < 0)
		return -ENOENT;
	opts.attach_btf_id = id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", ret0, 2, &opts);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* From 7.2 tp_btf/sys_exit runs preemptibly. Told by: it takes a sleepable program, and the kernel has
 * bpf_preempt_disable. 5.10 and 6.1 take the former without checking, so both are asked. */
static bool preemptible_probe(const struct btf *btf)
{
	return try_tracing(btf, "btf_trace_sys_exit", BPF_TRACE_RAW_TP, BPF_F_SLEEPABLE) == 0;
}

/* Arguments of tracepoint @name, its context pointer included; 0: there is none. */
static int tracepoint_args(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) : 0;
}

/* io_uring_file_get names the request since 5.19; io_uring_complete gave its parts until 6.16, then the cqe. */
static int uring_probe(const struct btf *btf)
{
	int done = tracepoint_args(btf, "btf_trace_io_uring_complete");

	if (!tracepoint_args(btf, "btf_trace_io_uring_file_get"))
		return 0;
	return done >= 6 ? 2 : done == 4 && btf__find_by_name_kind(btf, "io_uring_cqe", BTF_KIND_STRUCT) > 0 &&
				       btf__find_by_name_kind(btf, "btf_trace_io_uring_submit_req",
							      BTF_KIND_TYPEDEF) > 0 ? 3 : 1;
}

/* Many uprobes in one link. The folder "/" is no file to probe: a kernel that gets as far as to look at it says EBADF, one
 * that does not know such links EINVAL, and one without uprobes EOPNOTSUPP. */
static bool uprobe_multi_probe(void)
{
	struct bpf_insn ret0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const unsigned long offset = 0;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = ATTACH_UPROBE_MULTI);
	LIBBPF_OPTS(bpf_link_create_opts, link, .uprobe_multi.path = "/", .uprobe_multi.offsets = &offset,
		    .uprobe_multi.cnt = 1);
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "try", "GPL", ret0, 2, &opts), fd, err;

	if (prog < 0)
		return false;
	fd = bpf_link_create(prog, 0, ATTACH_UPROBE_MULTI, &link);
	err = errno;
	if (fd >= 0)
		close(fd);
	close(prog);
	return fd < 0 && err == EBADF;
}

static void why_set(struct features *f, int err)
{
	if (!f->root)
		snprintf(f->why, sizeof(f->why), "not root: loading BPF programs needs it");
	else if (f->lockdown == 2)
		snprintf(f->why, sizeof(f->why),
			 "kernel lockdown is 'confidentiality': BPF may not read memory");
	else if (!f->btf)
		snprintf(f->why, sizeof(f->why),
			 "kernel without BTF (/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF)");
	else if (!f->tracing)
		snprintf(f->why, sizeof(f->why), "the kernel refuses tp_btf programs: %s", errstr(err));
	else if (f->preemptible && !f->tracefs)
		snprintf(f->why, sizeof(f->why),
			 "tracefs is not mounted, and this kernel (7.2 or later) needs it: mount -t tracefs "
			 "tracefs /sys/kernel/tracing");
}

void features_probe(struct features *ret)
{
	struct btf *btf;
	int err = -ENOENT;

	memset(ret, 0, sizeof(*ret));
	ret->root = geteuid() == 0;
	ret->lockdown = lockdown_read();
	ret->tracefs = access("/sys/kernel/tracing/events", F_OK) == 0 ||
		       access("/sys/kernel/debug/tracing/events", F_OK) == 0;
	ret->uprobes = access("/sys/bus/event_source/devices/uprobe/type", F_OK) == 0;
	ret->uprobe_multi = ret->root && uprobe_multi_probe();
	btf = btf__load_vmlinux_btf();
	ret->btf = btf != NULL;
	ret->preempt_guard = btf && btf__find_by_name_kind(btf, "bpf_preempt_disable", BTF_KIND_FUNC) > 0;
	if (btf && ret->root) {
		err = try_tracing(btf, "btf_trace_sys_exit", BPF_TRACE_RAW_TP, 0);
		ret->tracing = err == 0;
		ret->loop = libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACING, BPF_FUNC_loop, NULL) == 1 ||
			    libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop,
						    NULL) == 1;
		ret->uring = uring_probe(btf);
		ret->preemptible = ret->preempt_guard && preemptible_probe(btf);
		ret->fexit = try_tracing(btf, "vfs_read", BPF_TRACE_FEXIT, 0) == 0;
	}
	btf__free(btf);
	why_set(ret, err);
}
