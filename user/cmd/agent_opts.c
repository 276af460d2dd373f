/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the commands that ask a running agent where there is one. */
#include "cmd/agent_opts.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "cmd/args.h"
#include "ctl_client.h"
#include "ctl_wire.h"

enum { OPT_SOCKET = 512, OPT_NONE, OPT_NO_TLS };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Where an agent (mcpvigil run) runs, it is asked; else this command captures by itself.", 3 },
	{ "socket", OPT_SOCKET, "PATH", 0, "the agent's control socket (default " CTL_PATH "); fails if none answers", 3 },
	{ "no-agent", OPT_NONE, NULL, 0, "capture by itself in any case", 3 },
	{ "no-tls", OPT_NO_TLS, NULL, 0, "capturing by itself, put no probes on TLS libraries", 3 },
	{ 0 },
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct agent_opts *o = state->input;

	switch (key) {
	case OPT_SOCKET:
		o->socket = arg;
		return 0;
	case OPT_NONE:
		o->none = true;
		return 0;
	case OPT_NO_TLS:
		o->no_tls = true;
		return 0;
	case ARGP_KEY_END:
		return o->socket && o->none ? args_bad("either --socket or --no-agent") : 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp agent_opts_argp = { .options = options, .parser = parse_opt };

/* Nobody is there, or not for us: whoever is no root hears that from the capture. */
static bool is_absent(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ECONNREFUSED || err == -EACCES;
}

int agent_ask(const struct agent_opts *o, struct ctl_request *r)
{
	const char *path = o->socket ? o->socket : CTL_PATH;
	int n;

	if (o->none)
		return -1;
	n = ctl_ask(path, r);
	if (n >= 0)
		return n;
	if (!o->socket && is_absent(n))
		return -1;
	log_err("cannot ask the agent at %s: %s", path, errstr(n));
	return 1;
}
