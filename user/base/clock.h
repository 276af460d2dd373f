/* SPDX-License-Identifier: Apache-2.0 */
/* Times. All internal times are nanoseconds of CLOCK_BOOTTIME, as the BPF side stamps them. */
#ifndef MCPVIGIL_BASE_CLOCK_H
#define MCPVIGIL_BASE_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

uint64_t clock_boot_ns(void);
/* Wall time minus boot time, now. A recording stores it, so that a replay prints the original dates. */
int64_t clock_wall_offset_ns(void);
/* Write @wall_ns (since 1970) as RFC 3339 UTC with nanoseconds, 30 characters and NUL, to @ret_s. */
void clock_rfc3339(uint64_t wall_ns, char ret_s[32]);

#endif
