/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor says of TLS where no agent runs. A second is too short to be sure that a connection is not read: only what has
 * TLS code that cannot be read, or none, is called opaque. */
#include "cmd/doctor_tls.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "config.h"
#include "event_tls.h"
#include "ident/who.h"
#include "opaque.h"
#include "priv_hooks.h"
#include "probe/hooks.h"
#include "tls_show.h"

#define LOOK_MS 15000
#define IDENTS 1024

struct doctor_tls {
	struct hooks *hooks;
	struct opaque *opaque;
	struct idents *idents;
};

/* Told by tls_show_opaque, all at once. */
static void on_finding(void *ctx, const struct finding *f)
{
	(void)ctx;
	(void)f;
}

struct doctor_tls *doctor_tls_new(struct probe *p)
{
	const struct hooks_opts o = { .cache_dir = CONFIG_TLS_CACHE, .confine = priv_confine_hooks };
	struct doctor_tls *t = calloc(1, sizeof(*t));
	int err = t ? 0 : -ENOMEM;

	if (!err) {
		t->idents = idents_new(IDENTS, true);
		t->opaque = opaque_new(on_finding, t);
		t->hooks = t->idents && t->opaque ? hooks_start(p, &o) : NULL;
		err = t->hooks ? hooks_wait(t->hooks, LOOK_MS) : -errno;
	}
	if (!err)
		return t;
	log_warn("TLS libraries are not looked at: %s", errstr(err));
	doctor_tls_free(t);
	return NULL;
}

void doctor_tls_free(struct doctor_tls *t)
{
	if (!t)
		return;
	hooks_stop(t->hooks);
	opaque_free(t->opaque);
	idents_free(t->idents);
	free(t);
}

void doctor_tls_feed(struct doctor_tls *t, const struct ev_hdr *h)
{
	const struct ev_hello *hello = (const struct ev_hello *)h;

	if (!t)
		return;
	if (h->kind == EV_HELLO) {
		idents_see(t->idents, h, hello->start);
		hooks_look(t->hooks, h->pid, hello->start, HOOKS_HELLO);
	}
	opaque_feed(t->opaque, h);
}

static void on_told(void *ctx, const struct ev_hdr *h)
{
	const struct doctor_tls *t = ctx;

	opaque_feed(t->opaque, h);
}

void doctor_tls_tick(struct doctor_tls *t)
{
	if (!t)
		return;
	hooks_consume(t->hooks, on_told, t);
	opaque_tick(t->opaque, clock_boot_ns());
}

void doctor_tls_show(struct doctor_tls *t, struct buf *out)
{
	struct hooks_stats s = { 0 };

	if (!t)
		return;
	hooks_stats(t->hooks, &s);
	tls_show_hooks(&s, out);
	opaque_flush(t->opaque, clock_boot_ns());
	tls_show_opaque(t->opaque, t->idents, out);
}
