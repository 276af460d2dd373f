/* SPDX-License-Identifier: Apache-2.0 */
/* Which release this is. */
#ifndef MCPVIGIL_VERSION_H
#define MCPVIGIL_VERSION_H

#define MCPVIGIL_VERSION "0.1.0"

#endif
