/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the record "alert", for every output that writes one. */
#ifndef MCPVIGIL_SINK_ALERT_JSON_H
#define MCPVIGIL_SINK_ALERT_JSON_H

#include "base/jsonw.h"
#include "sink/sink.h"

/* The words "high" and "notice"; "firing" and "resolved". NULL for what is none of them: pending is never shown. */
const char *alert_severity_text(uint8_t severity);
const char *alert_state_text(uint8_t state);
/* Write the members of @a behind "kind", "ts" and "seq" into the open object of @w. @p may be NULL. Wall time is boot
 * time plus @wall_offset ns. */
void alert_json_fields(struct jsonw *w, const struct alert *a, const struct sink_peers *p, int64_t wall_offset);

#endif
