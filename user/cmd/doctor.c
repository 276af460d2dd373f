/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: what this kernel can do, what is attached, what was lost. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cmd/agent_opts.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/doctor_tls.h"
#include "ctl_client.h"
#include "probe/feature.h"
#include "probe/probe.h"
#include "sink/self.h"

#define WATCH_NS (NSEC_PER_SEC)
#define TEXT_MAX 65536

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
	printf("uprobes     %s\n", f->uprobe_multi ? "many in one link" :
				   f->uprobes	   ? "one by one" :
						     "no: TLS connections are not read");
	printf("preemption  %s\n", f->preempt_guard ? "switched off by our programs in TLS libraries" :
						      "not ours to switch off");
}

static void progs_of(struct probe *p, struct self_stats *s)
{
	struct probe_prog progs[PROBE_PROGS_MAX];
	unsigned int n = probe_progs(p, progs);

	s->tier = probe_tier(p);
	snprintf(s->tls_why, sizeof(s->tls_why), "%s", probe_tls_why(p));
	s->progs = n < SELF_PROGS ? n : SELF_PROGS;
	for (unsigned int i = 0; i < s->progs; i++) {
		s->prog[i].attached = progs[i].attached;
		s->prog[i].loaded = progs[i].loaded;
		s->prog[i].missed = progs[i].missed;
		snprintf(s->prog[i].name, sizeof(s->prog[i].name), "%s", progs[i].name);
		snprintf(s->prog[i].hook, sizeof(s->prog[i].hook), "%s", progs[i].hook);
	}
}

struct seen {
	struct doctor_tls *tls;
	uint64_t records, opened;
};

static void on_record(void *ctx, const struct ev_hdr *h)
{
	struct seen *s = ctx;

	s->records++;
	s->opened += h->kind == EV_OPEN;
	doctor_tls_feed(s->tls, h);
}

/* Capture for a second, and say what there was. */
static int watch(bool tls)
{
	struct probe_opts opts = PROBE_OPTS_DEFAULT;
	struct probe *p = probe_new(&opts);
	struct timespec gap = { 0, 20000000 };
	struct seen seen = {};
	struct self_stats self = {};
	uint64_t end, v[7];
	struct buf text;

	if (!p)
		return -1;
	if (tls && !probe_tls_why(p)[0])
		seen.tls = doctor_tls_new(p);
	probe_list(p, on_record, &seen);
	printf("\nopen pipes and unix streams  %" PRIu64 "\n", seen.opened);
	end = clock_boot_ns() + WATCH_NS;
	seen = (struct seen){ .tls = seen.tls };
	while (clock_boot_ns() < end) {
		probe_consume(p, on_record, &seen);
		doctor_tls_tick(seen.tls);
		nanosleep(&gap, NULL);
	}
	progs_of(p, &self);
	probe_verdicts(p, v);
	probe_losses(p, self.lost);
	buf_init(&text, TEXT_MAX);
	self_show_progs(&self, &text);
	doctor_tls_show(seen.tls, &text);
	doctor_tls_free(seen.tls);
	probe_free(p);
	buf_addf(&text,
		 "\nstreams by verdict\n  other traffic %" PRIu64 ", HTTP without MCP %" PRIu64 ", JSON-RPC %" PRIu64
		 ", MCP %" PRIu64 ", our own %" PRIu64 "\n",
		 v[1], v[2], v[3], v[4] + v[5], v[6]);
	buf_addf(&text, "records in one second  %" PRIu64 "\n", seen.records);
	self_show_losses(&self, "in one second", &text);
	fwrite(text.p, 1, text.n, stdout);
	buf_done(&text);
	return 0;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

static int doctor_run(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &agent_opts_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.parser = parse_opt,
		.doc = "Say what this kernel can do, what is attached, what was lost, and how the running agent does. Without "
		       "one, captures for a second. Needs root for more than the kernel's part.",
		.children = children,
	};
	struct ctl_request r = { .command = "doctor", .argc = argc, .argv = argv };
	struct agent_opts o = { 0 };
	struct features f;
	int status;

	if (args_parse(&argp, argc, argv, &o))
		return 2;
	features_probe(&f);
	show_kernel(&f);
	fflush(stdout);
	status = agent_ask(&o, &r);
	if (status >= 0)
		return status;
	return watch(!o.no_tls) ? 1 : 0;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "what this kernel can do, what is attached, what was lost",
	.run = doctor_run,
};
