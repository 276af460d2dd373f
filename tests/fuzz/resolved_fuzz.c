/* SPDX-License-Identifier: Apache-2.0 */
/* Results of resolve/ as text, and as the bytes that a child says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "probe/resolved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resolved r = { 0 }, back;
	struct sv text = { (const char *)data, size };
	struct buf b, again;

	buf_init(&b, RESOLVED_TEXT_MAX);
	buf_init(&again, RESOLVED_TEXT_MAX);
	if (!resolved_read(text, &r) && (resolved_write(&r, &b) || !sv_eq(buf_sv(&b), text)))
		abort();
	buf_reset(&b);
	memset(&r, 0, sizeof(r));
	memcpy(&r, data, size < sizeof(r) ? size : sizeof(r));
	if (resolved_check(&r) && resolved_lasts(&r) &&
	    (resolved_write(&r, &b) || resolved_read(buf_sv(&b), &back) || resolved_write(&back, &again) ||
	     !sv_eq(buf_sv(&b), buf_sv(&again))))
		abort();
	buf_done(&again);
	buf_done(&b);
	return 0;
}
