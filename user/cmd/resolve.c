/* SPDX-License-Identifier: Apache-2.0 */
/* resolve: where a file would be probed, and how that is known. In this process: a hostile file may end it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "resolve/insn.h"
#include "resolve/resolve.h"

struct resolve_opts {
	const char *file;
	bool json;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "One JSON object", 0 },
	{ 0 },
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct resolve_opts *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			return args_bad("one file at a time");
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		return o->file ? 0 : args_bad("resolve which FILE?");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

#define OUT_MAX (64 << 10)

static const char *instruction(struct insns *d, const struct tls_point *p, char *ret, size_t size)
{
	insns_text(d, (struct sv){ (const char *)p->bytes, p->nbytes }, p->offset, ret, size);
	return ret;
}

static void as_text(struct buf *out, struct insns *d, const struct tls_found *f)
{
	char text[128];

	if (f->n)
		buf_addf(out, "%s\n", f->evidence);
	else
		buf_addf(out, "nothing to probe: %s\n", *f->why ? f->why : "no TLS code in it");
	for (uint32_t i = 0; i < f->n; i++) {
		const struct tls_point *p = &f->point[i];

		buf_addf(out, "  %-9s %-21s 0x%llx +%-4llu  %s\n", tls_stack_name(p->stack), tls_func_name(p->fn),
			 (unsigned long long)p->offset, (unsigned long long)(p->offset - p->func),
			 instruction(d, p, text, sizeof(text)));
	}
}

static void as_json(struct buf *out, struct insns *d, const struct tls_found *f, uint64_t ns)
{
	struct jsonw w;
	char text[128];

	jsonw_init(&w, out);
	jsonw_open(&w, NULL, '{');
	jsonw_cstr(&w, "evidence", f->evidence);
	jsonw_cstr(&w, "why", f->why);
	jsonw_u64(&w, "us", ns / 1000);
	jsonw_open(&w, "points", '[');
	for (uint32_t i = 0; i < f->n; i++) {
		const struct tls_point *p = &f->point[i];

		jsonw_open(&w, NULL, '{');
		jsonw_cstr(&w, "stack", tls_stack_name(p->stack));
		jsonw_cstr(&w, "function", tls_func_name(p->fn));
		jsonw_u64(&w, "offset", p->offset);
		jsonw_u64(&w, "start", p->func);
		jsonw_cstr(&w, "instruction", instruction(d, p, text, sizeof(text)));
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	buf_add_ch(out, '\n');
}

static int resolve_file(const struct resolve_opts *o, struct insns *d, struct tls_found *f)
{
	int fd = open(o->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = fd < 0 ? -errno : 0;
	uint64_t start = clock_boot_ns(), ns;
	struct buf out;

	if (!err)
		err = resolve_fd(fd, f);
	ns = clock_boot_ns() - start;
	if (fd >= 0)
		close(fd);
	if (err) {
		log_err("%s: %s", o->file, err == -ENOEXEC ? "no program or library of this machine" : errstr(err));
		return err;
	}
	buf_init(&out, OUT_MAX);
	if (o->json)
		as_json(&out, d, f, ns);
	else
		as_text(&out, d, f);
	if (!o->json)
		buf_addf(&out, "%llu.%llu ms\n", (unsigned long long)(ns / NSEC_PER_MSEC),
			 (unsigned long long)(ns / (NSEC_PER_MSEC / 10) % 10));
	fwrite(out.p, 1, out.n, stdout);
	buf_done(&out);
	return f->n ? 0 : -ENOENT;
}

static int resolve_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_opt,
		.args_doc = "FILE",
		.doc = "Show where the functions of a TLS library are probed in the ELF file FILE, and how that is known: the "
		       "offset in the file, the distance from the function's start, the instruction there. Exit status 1 if "
		       "nothing was found; why is said then.",
	};
	struct tls_found *f = calloc(1, sizeof(*f));
	struct resolve_opts o = { 0 };
	struct insns *d = insns_new();
	int status = 2;

	if (!args_parse(&argp, argc, argv, &o))
		status = f && d && !resolve_file(&o, d, f) ? 0 : 1;
	insns_free(d);
	free(f);
	return status;
}

const struct cmd cmd_resolve = {
	.name = "resolve",
	.summary = "show where a file's TLS functions are probed; needs no root",
	.run = resolve_run,
};
