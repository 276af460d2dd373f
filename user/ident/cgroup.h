/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of a process as a path: from /proc while it lives, from the id that its records carry afterwards. */
#ifndef MCPVIGIL_IDENT_CGROUP_H
#define MCPVIGIL_IDENT_CGROUP_H

#include <stdint.h>

#include "base/sv.h"
#include "model/who.h"

/* Set cgroup_path and what container_find makes of it, from the @text of /proc/PID/cgroup. Of the version 2 hierarchy
 * and then those of version 1, the first that names a container; else the first where the process is not at the root. */
void cgroup_parse(struct sv text, struct who_more *ret);
/* A descriptor for cgroup_by_id, of the cgroup2 mount, or -errno. The caller closes it. */
int cgroup_mount(void);
/* The same from a version 2 cgroup id. Nothing is set where the cgroup is gone, or is the root: on hosts with both
 * versions, everything may be at the root of version 2. */
void cgroup_by_id(int mount, uint64_t id, struct who_more *ret);

#endif
