/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the output contract for the enumerations of model/. NULL for what is not known. */
#ifndef MCPVIGIL_SINK_LABEL_H
#define MCPVIGIL_SINK_LABEL_H

#include <stdint.h>

const char *label_side(uint8_t side);
const char *label_view(uint8_t view);
const char *label_outcome(uint8_t outcome);
const char *label_era(uint8_t era);
const char *label_transport(uint8_t transport);
const char *label_channel(uint8_t channel);
const char *label_part(uint8_t part);
const char *label_http(uint8_t version); /* 11 -> "1.1", 20 -> "2" */
const char *label_tls(uint8_t stack);	 /* enum tls_stack */

#endif
