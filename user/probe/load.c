/* SPDX-License-Identifier: Apache-2.0 */
/* The object: opened, configured, loaded, attached; all of it or nothing, except that it may do without the programs for TLS
 * libraries. Sole includer of the skeleton. */
#include "probe/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/err.h"
#include "base/log.h"
#include "probe.skel.h"
#include "probe/feature.h"

static const struct tier {
	const char *name, *prog;
} tiers[] = {
	{ "tp", "sys_exit_tp" },
	{ "new", "sys_exit_new" },
	{ "old", "sys_exit_old" },
};

static int print_fn(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];

	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = 0;
	log_msg(LOG_DBG, "libbpf: %s", line);
	(void)level;
	return 0;
}

static size_t map_bytes(const struct bpf_map *m)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t n = (size_t)bpf_map__max_entries(m) * bpf_map__value_size(m);

	return (n + page - 1) / page * page;
}

uint64_t *map_words(struct bpf_object *obj, const char *name)
{
	struct bpf_map *m = bpf_object__find_map_by_name(obj, name);
	void *w;

	if (!m) {
		errno = ENOENT;
		return NULL;
	}
	w = mmap(NULL, map_bytes(m), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(m), 0);
	return w == MAP_FAILED ? NULL : w;
}

void map_words_free(struct bpf_object *obj, const char *name, uint64_t *w)
{
	if (w)
		munmap(w, map_bytes(bpf_object__find_map_by_name(obj, name)));
}

/* Those for TLS libraries: attach.c attaches them, to each library. */
static bool is_uprobe(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_KPROBE;
}

/* Which of the programs that exclude one another are for this kernel. */
static bool prog_wanted(const char *name, const struct tier *tier, const struct features *f)
{
	const char *out = strstr(name, "_out_");

	if (strncmp(name, "sys_exit_", 9) == 0)
		return strcmp(name, tier->prog) == 0;
	/* The old ones have their scratch per CPU, which 6.0 and later would let another task overwrite: there uprobes' programs
	 * are preempted. */
	if (out)
		return (strcmp(out, "_out_old") == 0) == !f->loop;
	/* There is one of each of these: older verifiers refuse it. */
	if (strncmp(name, "aead_", 5) == 0 || strncmp(name, "ring_", 5) == 0)
		return f->loop;
	if (strcmp(name, "uring_file") == 0)
		return f->uring >= 2;
	if (strcmp(name, "uring_file_old") == 0)
		return f->uring == 1;
	if (strcmp(name, "uring_done_res") == 0)
		return f->uring == 2;
	if (strcmp(name, "uring_done_cqe") == 0)
		return f->uring == 3;
	return true;
}

/* @uprobes: "multi", "perf", or NULL where those programs are not to be loaded. */
static void prog_set_up(struct bpf_program *prog, const struct tier *tier, const struct features *f, const char *uprobes)
{
	bool wanted = prog_wanted(bpf_program__name(prog), tier, f) && (uprobes || !is_uprobe(prog));

	bpf_program__set_autoload(prog, wanted);
	/* A program is loaded for the one kind of link or the other. */
	if (wanted && is_uprobe(prog) && strcmp(uprobes, "multi") == 0)
		bpf_program__set_expected_attach_type(prog, ATTACH_UPROBE_MULTI);
}

_Static_assert(sizeof(((struct probe_bpf *)0)->progs) / sizeof(struct bpf_program *) <= PROBE_PROGS_MAX, "more programs than there is room for");

static int probe_open(struct probe *p, const struct probe_opts *opts, const struct tier *tier,
		      const struct features *f, const char *uprobes)
{
	struct probe_bpf *skel = probe_bpf__open();
	struct bpf_program *prog;

	if (!skel)
		return -errno;
	p->skel_owner = skel;
	p->obj = skel->obj;
	p->tier = tier->name;
	p->multi = uprobes && strcmp(uprobes, "multi") == 0;
	bpf_object__for_each_program(prog, skel->obj)
		prog_set_up(prog, tier, f, uprobes);
	skel->rodata->cfg = opts->cfg;
	return probe_bpf__load(skel);
}

static int attach_all(struct probe *p)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->obj) {
		struct bpf_link *l;

		if (!bpf_program__autoload(prog) || is_uprobe(prog))
			continue;
		l = bpf_program__attach(prog);
		if (!l) {
			int err = -errno;

			log_err("cannot attach %s: %s", bpf_program__section_name(prog), errstr(err));
			return err;
		}
		if (strcmp(bpf_program__name(prog), "list_files") == 0)
			p->list_link = l;
		p->links[p->nlinks++] = l;
	}
	return 0;
}

static int map_all(struct probe *p)
{
	p->losses = map_words(p->obj, "losses");
	p->verdicts = map_words(p->obj, "verdicts");
	p->list_pass = map_words(p->obj, "list_pass");
	p->self = map_words(p->obj, "self");
	if (!p->losses || !p->verdicts || !p->list_pass || !p->self)
		return -errno;
	*p->self = getpid(); /* right outside a pid namespace; the listing learns it for all */
	return 0;
}

/* Tiers in the order in which they are to be tried. */
static unsigned int tiers_wanted(const struct probe_opts *opts, const struct features *f,
				 const struct tier *ret[3])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 3; i++) {
		if (opts->tier) {
			if (strcmp(opts->tier, tiers[i].name) == 0)
				ret[n++] = &tiers[i];
		} else if ((i == 0 && !f->preemptible) || (i < 2 && !f->loop)) {
			continue;
		} else {
			ret[n++] = &tiers[i];
		}
	}
	return n;
}

static void memlock_raise(void)
{
	struct rlimit inf = { RLIM_INFINITY, RLIM_INFINITY };

	/* Before 5.11 maps count against it; later, or without CAP_SYS_RESOURCE, it does not matter. */
	setrlimit(RLIMIT_MEMLOCK, &inf);
}

static void probe_close(struct probe *p)
{
	for (unsigned int i = 0; i < p->nlinks; i++)
		bpf_link__destroy(p->links[i]);
	p->nlinks = 0;
	ring_buffer__free(p->rings);
	p->rings = NULL;
	if (p->obj) {
		map_words_free(p->obj, "losses", p->losses);
		map_words_free(p->obj, "verdicts", p->verdicts);
		map_words_free(p->obj, "list_pass", p->list_pass);
		map_words_free(p->obj, "self", p->self);
	}
	probe_bpf__destroy(p->skel_owner);
	memset(p, 0, sizeof(*p));
}

/* Everything but attached. */
static int probe_load(struct probe *p, const struct probe_opts *opts, const struct tier *tier,
		      const struct features *f, const char *uprobes)
{
	int err = probe_open(p, opts, tier, f, uprobes);

	if (!err)
		err = map_all(p);
	if (!err)
		err = rings_open(p);
	if (err) {
		log_dbg("tier %s, uprobes %s: does not load: %s", tier->name, uprobes ? uprobes : "none", errstr(err));
		probe_close(p);
	}
	return err;
}

/* How uprobes are attached here; NULL: not at all. */
static const char *uprobes_wanted(const struct probe_opts *opts, const struct features *f)
{
	if (opts->uprobes)
		return strcmp(opts->uprobes, "multi") == 0 ? "multi" : "perf";
	if (f->uprobe_multi)
		return "multi";
	return f->uprobes ? "perf" : NULL;
}

static void tls_missing(struct probe *p, int err)
{
	if (err)
		snprintf(p->tls_why, sizeof(p->tls_why), "the kernel refuses the programs for them: %s", errstr(err));
	else
		snprintf(p->tls_why, sizeof(p->tls_why), "the kernel has no uprobes (CONFIG_UPROBE_EVENTS)");
	log_warn("TLS connections are not read: %s", p->tls_why);
}

static int probe_start(struct probe *p, const struct probe_opts *opts, const struct features *f)
{
	const char *uprobes = uprobes_wanted(opts, f);
	const struct tier *want[3];
	unsigned int n = tiers_wanted(opts, f, want);
	int err = -EINVAL;

	for (unsigned int i = 0; i < n; i++) {
		int tls_err = 0;

		err = probe_load(p, opts, want[i], f, uprobes);
		if (err && uprobes) {
			tls_err = err;
			err = probe_load(p, opts, want[i], f, NULL);
		}
		if (err)
			continue;
		if (tls_err || !uprobes)
			tls_missing(p, tls_err);
		return attach_all(p);
	}
	log_err("cannot load the BPF programs: %s", errstr(err));
	return err;
}

struct probe *probe_new(const struct probe_opts *opts)
{
	struct probe *p = calloc(1, sizeof(*p));
	struct features f;

	if (!p)
		return NULL;
	libbpf_set_print(print_fn);
	features_probe(&f);
	if (f.why[0]) {
		log_err("%s", f.why);
		free(p);
		return NULL;
	}
	memlock_raise();
	if (probe_start(p, opts, &f)) {
		probe_free(p);
		return NULL;
	}
	return p;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	probe_close(p);
	free(p);
}

const char *probe_tier(const struct probe *p)
{
	return p->tier;
}

const char *probe_tls_why(const struct probe *p)
{
	return p->tls_why;
}

static const char *hook_name(const struct probe *p, const struct bpf_program *prog)
{
	bool ret = strcmp(bpf_program__section_name(prog), "uretprobe") == 0;

	if (!is_uprobe(prog) || p->tls_why[0])
		return bpf_program__section_name(prog);
	if (p->multi)
		return ret ? "uretprobe (multi)" : "uprobe (multi)";
	return ret ? "uretprobe (perf)" : "uprobe (perf)";
}

unsigned int probe_progs(struct probe *p, struct probe_prog ret[PROBE_PROGS_MAX])
{
	struct bpf_program *prog;
	unsigned int n = 0;

	bpf_object__for_each_program(prog, p->obj) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		ret[n] = (struct probe_prog){
			.name = bpf_program__name(prog),
			.hook = hook_name(p, prog),
			.loaded = bpf_program__fd(prog) >= 0,
			.attached = bpf_program__fd(prog) >= 0 && !is_uprobe(prog),
		};
		if (ret[n].loaded && !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len)) {
			ret[n].missed = info.recursion_misses;
			ret[n].runs = info.run_cnt;
			ret[n].run_ns = info.run_time_ns;
		}
		n++;
	}
	return n;
}

int probe_works(const struct probe *p)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->obj) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		if (bpf_program__fd(prog) >= 0)
			return bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len);
	}
	return -ENOENT;
}

void probe_losses(struct probe *p, uint64_t ret[C_N])
{
	struct probe_prog progs[PROBE_PROGS_MAX];
	unsigned int n = probe_progs(p, progs);

	memset(ret, 0, sizeof(ret[0]) * C_N);
	for (int i = 0; i < C_KERNEL_N; i++)
		ret[i] = __atomic_load_n(&p->losses[i], __ATOMIC_RELAXED);
	/* Those of uprobe programs count too: such a program cannot come up inside itself, so that each run missed is a call,
	 * or the end of one, not seen. From 6.0 nothing makes the kernel skip one. */
	for (unsigned int i = 0; i < n; i++)
		ret[C_MISSED_RUNS] += progs[i].missed;
	ret[C_BAD_RECORD] = p->bad_records;
	ret[C_LIST_FULL] = p->list_full;
}
