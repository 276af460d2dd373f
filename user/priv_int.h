/* SPDX-License-Identifier: Apache-2.0 */
/* What the filters of our processes have in common. Private to user/priv*.c. */
#ifndef MCPVIGIL_PRIV_INT_H
#define MCPVIGIL_PRIV_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct scmp_arg_cmp; /* libseccomp's */

#define PRIV_CAPS 64 /* more than there are */

/* Effective and permitted become those that are set here and permitted already; the others go for good: bounding set,
 * ambient, inheritable too. 0 or -EPERM. */
int priv_caps_keep(const bool keep[PRIV_CAPS]);
/* Does @works fail without these in the effective set, of which they are out while it runs? true where that cannot be tried. */
bool priv_caps_needed(const unsigned int *caps, size_t n, int (*works)(void *ctx), void *ctx);
/* 0, or -EBUSY where there is a second thread: capabilities are each thread's own. */
int priv_single(void);

/* The filters are libseccomp's contexts. Every function returns 0 or -errno. */

/* A call that no rule names is ENOSYS. NULL without memory. */
void *priv_filter_new(void);
/* Descriptors, files to read (but not to open them), memory that is not to be run, signals, time, and who we are. */
int priv_filter_base(void *f);
int priv_filter_calls(void *f, uint32_t action, const int *calls, size_t n);
int priv_filter_rule(void *f, int call, unsigned int n, const struct scmp_arg_cmp *args);
/* With @err of what built it 0: kill the process for what takes a machine over, and put the filter in force. Frees it. */
int priv_filter_load(void *f, int err);

/* Why a capability is kept. */
struct priv_reason {
	unsigned int cap;
	const char *why;
};
/* Append, for doctor: what the process holds whose status is at @path, and why; no_new_privs, seccomp. */
void priv_status_show(const char *path, const struct priv_reason *reasons, size_t n, struct buf *out);

#endif
