/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of TLS on this host, and what is not: for doctor. */
#ifndef MCPVIGIL_TLS_SHOW_H
#define MCPVIGIL_TLS_SHOW_H

struct buf;
struct hooks_stats;
struct idents;
struct opaque;

#define TLS_SHOW_OPAQUE 16 /* processes that are listed */

/* Append, with an empty line in front; with what the process for probes holds. */
void tls_show_hooks(const struct hooks_stats *s, struct buf *out);
/* Nothing where no process is opaque. @idents tells their names; may be NULL. */
void tls_show_opaque(const struct opaque *o, struct idents *idents, struct buf *out);

#endif
