/* SPDX-License-Identifier: Apache-2.0 */
/* What a tool does, by the words of its name. Words are runs of letters, split at camelCase: "getJobStatus" is get, job,
 * status; "mapping" is not ping. A heuristic: it moves thresholds, and nothing hangs on it alone. */
#ifndef MCPVIGIL_DETECT_NAME_CLASS_H
#define MCPVIGIL_DETECT_NAME_CLASS_H

#include <stdint.h>

#include "base/sv.h"

enum name_class {
	NAME_POLL = 1 << 0,    /* asks how far something is: equal calls are its nature */
	NAME_READ = 1 << 1,    /* reads and changes nothing */
	NAME_WRITE = 1 << 2,   /* changes something: constant acknowledgements are its nature */
	NAME_GESTURE = 1 << 3, /* presses a key, scrolls: equal calls with an equal answer may still move on */
	NAME_SPAWN = 1 << 4,   /* starts an agent: each call costs a whole session of its own */
};

/* Bits of enum name_class; only the first 128 bytes count. */
uint8_t name_class(struct sv name);

#endif
