/* SPDX-License-Identifier: Apache-2.0 */
/* One client of the control socket: what it asked, what it is told. */
#include "ctl_peer.h"

#include <errno.h>
#include <string.h>

static int split(struct peer *p, char *at, const char *end)
{
	p->argc = 0;
	while (at < end) {
		if (p->argc == CTL_WORDS_MAX)
			return -EBADMSG;
		p->argv[p->argc++] = at;
		at += strlen(at) + 1; /* the last byte is a NUL */
	}
	p->argv[p->argc] = NULL;
	return p->argc >= 2 ? 1 : -EBADMSG;
}

int peer_parse(struct peer *p)
{
	struct ctl_head h;

	if (p->in.n < sizeof(h))
		return 0;
	memcpy(&h, p->in.p, sizeof(h));
	if (h.type != CTL_REQUEST || h.version != CTL_VERSION || !h.n || h.n > CTL_REQUEST_MAX ||
	    p->in.n > sizeof(h) + h.n)
		return -EBADMSG;
	if (p->in.n < sizeof(h) + h.n)
		return 0;
	if (p->in.p[p->in.n - 1])
		return -EBADMSG;
	return split(p, p->in.p + sizeof(h), p->in.p + p->in.n);
}

void peer_say(struct peer *p, enum ctl_type type, struct sv s)
{
	/* Callers say less than the queue holds; without memory the client hears a status without the text. */
	if (s.n)
		ctl_queue_add(&p->out, type, s, 0);
}

void peer_status(struct peer *p, uint8_t status)
{
	peer_say(p, CTL_STATUS, (struct sv){ (const char *)&status, 1 });
	p->state = PEER_LEAVING;
}

void peer_refuse(struct peer *p, uint8_t status, const char *why)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_addf(&b, "mcpvigil: %s\n", why);
	peer_say(p, CTL_STDERR, buf_sv(&b));
	buf_done(&b);
	peer_status(p, status);
}
