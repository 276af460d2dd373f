/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that an overlay is made of, and what they lie on: text alone. Private to probe/. */
#ifndef MCPVIGIL_PROBE_LAYERS_H
#define MCPVIGIL_PROBE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

#define LAYERS_MAX  512	       /* as many as an overlay may have, and its upper one */
#define LAYERS_TEXT (64 << 10) /* of all paths */

struct layer {
	uint32_t at, n; /* in text */
	uint32_t best;	/* 1 + length of the mount point that it lies below; 0: none known */
	bool remote;
};

struct layers {
	uint32_t n, used;
	bool more; /* than there is room for */
	struct layer layer[LAYERS_MAX];
	char text[LAYERS_TEXT];
};

/* Add the absolute paths among the options of an overlay, as mountinfo has them. @l: zero at first. */
void layers_take(struct layers *l, struct sv options);
/* There is a mount at @point, as mountinfo has it; mounts in their order. */
void layers_cover(struct layers *l, struct sv point, bool remote);
/* Does one of them lie on a remote one, or may it, as there were too many? */
bool layers_remote(const struct layers *l);

#endif
