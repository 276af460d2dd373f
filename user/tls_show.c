/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of TLS on this host, and what is not. Paths and names are chosen by those who are watched. */
#include "tls_show.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "ident/who.h"
#include "opaque.h"
#include "priv_hooks.h"
#include "probe/hooks.h"

static const char *plural(uint32_t n)
{
	return n == 1 ? "process" : "processes";
}

static void put_file(struct buf *out, const struct hooks_file *f)
{
	buf_add_str(out, "  ");
	text_safe(out, sv_of(f->path), sizeof(f->path));
	if (f->points)
		buf_addf(out, "  %" PRIu32 " probes, %" PRIu32 " %s: ", f->points, f->procs, plural(f->procs));
	else
		buf_addf(out, "  not read, %" PRIu32 " %s: ", f->procs, plural(f->procs));
	text_safe(out, sv_of(f->evidence), sizeof(f->evidence));
	buf_add_ch(out, '\n');
}

void tls_show_hooks(const struct hooks_stats *s, struct buf *out)
{
	uint32_t shown = s->nfiles < HOOKS_FILES_SHOWN ? s->nfiles : HOOKS_FILES_SHOWN;
	char longest[16];

	num_show_ns(s->look_ns_max, longest);
	buf_addf(out, "\nTLS         %" PRIu32 " of %" PRIu32 " processes have probes; %" PRIu32 " files known, %" PRIu32
		      " with TLS code\n",
		 s->probed_procs, s->procs, s->known_files, s->nfiles);
	buf_addf(out, "  %-22s %10" PRIu64 " attached, %" PRIu64 " detached\n", "probes", s->attached, s->detached);
	buf_addf(out, "  %-22s %10" PRIu64 " looked into, %" PRIu64 " known by the cache, %" PRIu64 " refused, %" PRIu64
		      " rewritten in use\n",
		 "files", s->resolved, s->cached, s->refused_files, s->rewritten);
	buf_addf(out, "  %-22s %10" PRIu64 " died, %" PRIu64 " took too long\n", "children", s->resolver_died, s->resolver_late);
	buf_addf(out, "  %-22s %10s\n", "longest look", longest);
	for (uint32_t i = 0; i < shown; i++)
		put_file(out, &s->file[i]);
	if (s->nfiles > shown)
		buf_addf(out, "  and %" PRIu32 " more\n", s->nfiles - shown);
	if (!s->pid)
		return;
	buf_addf(out, "\nprocess for TLS probes  %" PRIu32 "\n", s->pid);
	priv_hooks_show(s->pid, out);
}

static void put_opaque(struct buf *out, const struct opaque_row *r, const struct who *w)
{
	char peer[64];

	net_addr_show(&r->peer, peer);
	buf_add_str(out, "  ");
	text_safe(out, sv_of(w && w->comm[0] ? w->comm : "?"), sizeof(w->comm));
	buf_addf(out, "(%" PRIu32 ") and %s: ", r->proc.pid, peer[0] ? peer : "?");
	text_safe(out, sv_of(r->why), sizeof(r->why));
	buf_add_ch(out, '\n');
}

void tls_show_opaque(const struct opaque *o, struct idents *idents, struct buf *out)
{
	struct opaque_row row[TLS_SHOW_OPAQUE];
	unsigned int all = opaque_rows(o, row, TLS_SHOW_OPAQUE), n = all < TLS_SHOW_OPAQUE ? all : TLS_SHOW_OPAQUE;

	if (!all)
		return;
	buf_addf(out, "\nopaque TLS  %u %s not read, each with its first peer\n", all, plural(all));
	for (unsigned int i = 0; i < n; i++)
		put_opaque(out, &row[i], idents ? idents_get(idents, &row[i].proc) : NULL);
	if (all > n)
		buf_addf(out, "  and %u more\n", all - n);
}
