/* SPDX-License-Identifier: Apache-2.0 */
/* Which container and pod a cgroup belongs to, by its path: container engines name cgroups after them. Pure. */
#ifndef MCPVIGIL_IDENT_CONTAINER_H
#define MCPVIGIL_IDENT_CONTAINER_H

#include "base/sv.h"
#include "model/who.h"

/* Set runtime, container and pod_uid of @ret from @path, "" where it names none. The innermost container counts. A name
 * is what a process with rights over its cgroup chose: outputs make it harmless. @return a container was named. */
bool container_find(struct sv path, struct who_more *ret);

#endif
