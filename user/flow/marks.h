/* SPDX-License-Identifier: Apache-2.0 */
/* When and by whom the bytes of one end passed: marks in order of position. */
#ifndef MCPVIGIL_FLOW_MARKS_H
#define MCPVIGIL_FLOW_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"

#define MARKS_MAX 8192 /* of one end; then every other one is merged into its successor */

struct mark {
	uint64_t beg, end; /* positions of the first byte of this call, and after its last */
	uint64_t first; /* time that counts for a message's first byte */
	uint64_t last;	/* time that counts for its last byte */
	struct flow_proc who;
};

struct marks {
	struct mark *v;
	uint32_t from, n, cap; /* v[from ... from + n) */
};

void marks_done(struct marks *m);
/* Calls mostly come in order; one that is out of order is put where it belongs. @return true where the marks had
 * to be made coarser, or memory is out. */
bool marks_add(struct marks *m, const struct mark *mark);
/* The mark that covers byte @pos, or NULL. */
const struct mark *marks_at(const struct marks *m, uint64_t pos);
/* Forget what ends at or before @pos. */
void marks_drop(struct marks *m, uint64_t pos);

#endif
