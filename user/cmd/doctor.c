/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what this kernel can do, what is attached, what was lost. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "probe/feature.h"
#include "probe/probe.h"

#define WATCH_NS (NSEC_PER_SEC)

static const char *yes(bool b)
{
	return b ? "yes" : "no";
}

static void show_kernel(const struct features *f)
{
	static const char *const lock[] = { "none", "integrity", "confidentiality" };
	struct utsname u;

	uname(&u);
	printf("kernel      %s %s\n", u.release, u.machine);
	printf("root        %s\n", yes(f->root));
	printf("BTF         %s\n", yes(f->btf));
	printf("lockdown    %s\n", lock[f->lockdown]);
	if (!f->root)
		return; /* the rest is found by loading */
	printf("tp_btf      %s\n", yes(f->tracing));
	printf("bpf_loop    %s%s\n", yes(f->loop),
	       f->loop ? "" : ": 512 KiB of one call are copied instead of 8 MiB");
	printf("sys_exit    %s\n", f->preemptible ? "preemptible: the classic tracepoint is used" :
						    "tp_btf");
	printf("tracefs     %s\n", yes(f->tracefs));
	printf("fexit       %s (not needed)\n", yes(f->fexit));
}

static void show_progs(struct probe *p)
{
	struct probe_prog progs[PROBE_PROGS_MAX];
	unsigned int n = probe_progs(p, progs);

	printf("\ntier        %s\n", probe_tier(p));
	for (unsigned int i = 0; i < n; i++)
		printf("  %-14s %-36s %s, %" PRIu64 " runs missed\n", progs[i].name, progs[i].hook,
		       progs[i].attached ? "attached" : "not for this kernel", progs[i].missed);
}

static void show_losses(struct probe *p)
{
	static const struct {
		const char *name, *help;
	} info[C_N] = {
#define X(name, text, help) [C_##name] = { text, help },
		KERNEL_COUNTERS(X) USER_COUNTERS(X)
#undef X
	};
	uint64_t v[C_N];

	probe_losses(p, v);
	printf("\nlosses in one second\n");
	for (int i = 0; i < C_N; i++)
		printf("  %-22s %10" PRIu64 "  %s\n", info[i].name, v[i], info[i].help);
}

struct seen {
	uint64_t records, opened;
};

static void on_record(void *ctx, const struct ev_hdr *h)
{
	struct seen *s = ctx;

	s->records++;
	s->opened += h->kind == EV_OPEN;
}

/* Capture for a second, and say what there was. */
static int watch(void)
{
	struct probe_opts opts = PROBE_OPTS_DEFAULT;
	struct probe *p = probe_new(&opts);
	struct timespec gap = { 0, 20000000 };
	struct seen seen = {};
	uint64_t end, v[7];

	if (!p)
		return -1;
	probe_list(p, on_record, &seen);
	printf("\nopen pipes and unix streams  %" PRIu64 "\n", seen.opened);
	end = clock_boot_ns() + WATCH_NS;
	seen = (struct seen){};
	while (clock_boot_ns() < end) {
		probe_consume(p, on_record, &seen);
		nanosleep(&gap, NULL);
	}
	show_progs(p);
	probe_verdicts(p, v);
	printf("\nstreams by verdict\n  other traffic %" PRIu64 ", HTTP without MCP %" PRIu64
	       ", JSON-RPC %" PRIu64 ", MCP %" PRIu64 ", our own %" PRIu64 "\n",
	       v[1], v[2], v[3], v[4] + v[5], v[6]);
	printf("records in one second  %" PRIu64 "\n", seen.records);
	show_losses(p);
	probe_free(p);
	return 0;
}

static int doctor_run(int argc, char **argv)
{
	static const struct argp argp = {
		.doc = "Say what this kernel can do, what is attached and what was lost. Captures for a "
		       "second. Needs root for more than the kernel's part.",
	};
	struct features f;

	if (args_parse(&argp, argc, argv, NULL))
		return 2;
	features_probe(&f);
	show_kernel(&f);
	fflush(stdout);
	return watch() ? 1 : 0;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "what this kernel can do, what is attached, what was lost",
	.run = doctor_run,
};
