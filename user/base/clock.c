/* SPDX-License-Identifier: Apache-2.0 */
/* Times. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	/* Fails only for a clock that does not exist; both here do since 2.6.39. */
	if (clock_gettime(id, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return read_ns(CLOCK_BOOTTIME);
}

/* The two clocks are read one after the other, and the task may lose the CPU between: of a few tries
 * the one with the shortest gap is right to that gap. */
int64_t clock_wall_offset_ns(void)
{
	uint64_t best = UINT64_MAX;
	int64_t offset = 0;

	for (int i = 0; i < 5; i++) {
		uint64_t before = clock_boot_ns();
		uint64_t wall = read_ns(CLOCK_REALTIME);
		uint64_t gap = clock_boot_ns() - before;

		if (gap >= best)
			continue;
		best = gap;
		offset = (int64_t)(wall - (before + gap / 2));
	}
	return offset;
}

void clock_rfc3339(uint64_t wall_ns, char ret_s[32])
{
	time_t sec = (time_t)(wall_ns / NSEC_PER_SEC);
	unsigned int ns = (unsigned int)(wall_ns % NSEC_PER_SEC);
	struct tm tm = { 0 };
	size_t n;

	gmtime_r(&sec, &tm);
	n = strftime(ret_s, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret_s + n, 32 - n, ".%09uZ", ns);
}
