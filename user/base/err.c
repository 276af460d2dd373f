/* SPDX-License-Identifier: Apache-2.0 */
/* Errors by name. */
#include "base/err.h"

#include <string.h>

/* Kernel-internal, but bpf(2) and perf_event_open(2) let it out (include/linux/errno.h). */
#define KERNEL_ENOTSUPP 524

const char *errstr(int err)
{
	unsigned int code = err < 0 ? 0U - (unsigned int)err : (unsigned int)err;
	const char *name;

	if (code == KERNEL_ENOTSUPP)
		return "ENOTSUPP";
	name = strerrorname_np((int)code);
	return name ? name : "unknown error";
}
