/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of a process while it lives. Never what it says of another that has the pid by now. */
#ifndef MCPVIGIL_IDENT_PROC_H
#define MCPVIGIL_IDENT_PROC_H

#include "model/who.h"

/* Set comm, exe and ppid of @w. 0, or -errno with @w untouched: it is gone. */
int proc_look(struct who *w);
/* Set uid of @w, and all of @ret, which was zero. What a process that is gone cannot tell comes from its cgroup id and its
 * ppid, as far as those are still there. @cgroup_mount: of ident/cgroup.h, or negative. @ret_parent: pid 0 where the
 * parent is gone. */
void proc_look_more(struct who *w, int cgroup_mount, struct who_more *ret, struct proc_id *ret_parent);

#endif
