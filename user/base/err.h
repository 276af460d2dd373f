/* SPDX-License-Identifier: Apache-2.0 */
/* Errors by name. */
#ifndef MCPVIGIL_BASE_ERR_H
#define MCPVIGIL_BASE_ERR_H

/* "ENOENT" for -2 or 2; never NULL. */
const char *errstr(int err);

#endif
