/* SPDX-License-Identifier: Apache-2.0 */
/* Results of resolve/ by the file's content, and which content a file had. Private to probe/. */
#ifndef MCPVIGIL_PROBE_RESCACHE_H
#define MCPVIGIL_PROBE_RESCACHE_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/hmac.h"
#include "probe/resolved.h"

struct rescache;

/* What tells one state of one file from another, as long as nobody means harm. Times in ns of the file system. */
struct file_id {
	uint64_t dev, ino, size, mtime, ctime;
};

void file_id_of(const struct stat *st, struct file_id *ret);

/* In the directory @dir (see cachedir_open) and in memory; in memory alone where @dir is NULL, or cannot be used, which is
 * said once on standard error. NULL with ENOMEM. */
struct rescache *rescache_new(const char *dir);
void rescache_free(struct rescache *c);

/* What was said of the content with this SHA-256. 0; -ENOENT: it is not known. */
int rescache_get(struct rescache *c, const uint8_t digest[SHA256_BYTES], struct resolved *ret);
/* Keep it; a result that does not last is not kept. */
void rescache_put(struct rescache *c, const uint8_t digest[SHA256_BYTES], const struct resolved *r);

/* The digest that the file had when it was in this state: a hint, as whoever writes a mapped page changes none of these. 0;
 * -ENOENT; another -errno: looking at it failed with that, and the time to try again has not come. */
int rescache_hint(struct rescache *c, const struct file_id *id, uint8_t ret_digest[SHA256_BYTES]);
void rescache_learn(struct rescache *c, const struct file_id *id, const uint8_t digest[SHA256_BYTES]);
void rescache_forget(struct rescache *c, const struct file_id *id);
/* Looking at it failed: @err is what rescache_hint says until @until, ns of CLOCK_BOOTTIME. In memory alone. */
void rescache_fail(struct rescache *c, const struct file_id *id, int err, uint64_t until);

struct rescache_stats {
	uint64_t dropped; /* files removed to make room for others */
	uint64_t damaged; /* files, or lines of hints, that are not what we wrote; taken as missing */
	uint64_t failed;  /* files that could not be written */
};
void rescache_stats(const struct rescache *c, struct rescache_stats *ret);

#endif
