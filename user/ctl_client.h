/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side of the control socket. */
#ifndef MCPVIGIL_CTL_CLIENT_H
#define MCPVIGIL_CTL_CLIENT_H

#include <stdbool.h>

struct ctl_request {
	const char *command;
	bool color;	   /* standard output is to be coloured where the arguments leave it open */
	int argc;	   /* as main() has them; argv[0] is not sent */
	char *const *argv;
	bool ended;	   /* set by ctl_ask: a signal came, or nobody reads standard output any more */
};

/* Have the agent at @path run the command, its output on ours. SIGINT and SIGTERM ask it to come to an end, and stay
 * blocked from here on. The exit status; or -errno where no agent could be asked: -ENOENT, -ECONNREFUSED (none),
 * -EACCES (not for us), -EPERM (what listens there is neither root nor us), -E2BIG. */
int ctl_ask(const char *path, struct ctl_request *r);
/* Let @seconds pass, after ctl_ask. true: one of those signals came. */
bool ctl_wait(unsigned int seconds);

#endif
