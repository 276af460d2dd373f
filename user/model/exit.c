/* SPDX-License-Identifier: Apache-2.0 */
/* How a process ended. */
#include "model/exit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"

#define START_NS (10 * NSEC_PER_SEC) /* a server that cannot start has given up by then */

static void signal_show(int sig, char ret_s[16])
{
	const char *name = sigabbrev_np(sig);

	if (name)
		snprintf(ret_s, 16, "SIG%s", name);
	else
		snprintf(ret_s, 16, "SIG%d", sig); /* real-time signals */
}

void exit_json(struct jsonw *w, const struct who *who)
{
	char name[16];

	if (!who->exited)
		return;
	if (!WIFSIGNALED(who->exit_code)) {
		jsonw_u64(w, "exit_code", WEXITSTATUS(who->exit_code));
		return;
	}
	signal_show(WTERMSIG(who->exit_code), name);
	jsonw_cstr(w, "signal", name);
	if (who->oom)
		jsonw_bool(w, "oom", true);
}

int exit_evidence(const struct who *who, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_open(&w, NULL, '{');
	exit_json(&w, who);
	jsonw_close(&w, '}');
	return w.bad ? -ENOSPC : 0;
}

bool exit_at_start(const struct who *who)
{
	return who->exited && who->stdio && who->exit_code && who->exit_ts - who->id.start <= START_NS;
}
