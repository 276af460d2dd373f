/* SPDX-License-Identifier: Apache-2.0 */
/* Results by content.
 *
 * The key is the SHA-256 of the whole file. A build-id is a field of the file: whoever makes a file writes into it what he
 * likes. With build-ids for keys, a file with the build-id of the genuine library and a symbol table of its own would put its
 * offsets into the cache, and our probes into the middle of the genuine library's instructions, in every process that maps it.
 *
 * Hashing a large file takes longer than a process is given that waits for its probes, so a second table leads from a file's
 * device, inode, size and times to the digest that it had. That is a hint: a device number is used again, and a page written
 * through a mapping changes no time. What is found by a hint is held against the file's bytes before it is used
 * (resolved_match), and again as it is attached. A hint that lies after all has the points of another file's content put on a
 * file whose code is the same up to each of them, or hides the TLS code in it; it harms nobody but the one who made it lie.
 *
 * On disk: a file for each content (resolved_write), named by its digest, and "hints", a line for each file, the newest last. */
#include "probe/rescache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "base/table.h"
#include "probe/cachedir.h"

#define RESULTS_MAX	4096	  /* in memory */
#define RESULTS_BYTES	(4 << 20) /* ... of text; a result is 100 bytes where nothing was found, 12 KB at most */
#define HINTS_MAX	4096
#define HINTS_FILE	"hints"
#define HINTS_FILE_MAX	(2 << 20) /* twice HINTS_MAX of the longest lines */
#define HINTS_VERSION	"mcpvigil hints 1\n"

struct rescache {
	struct cachedir dir;
	struct table results, hints;
	size_t bytes;	     /* of texts in results */
	unsigned int lines;  /* in the file of hints; of the same file some may be older */
	int hints_fd;	     /* to add to it; -1: it is to be written anew. It could not be opened again (user/priv_hooks.c) */
	struct buf text;
	struct rescache_stats stats;
};

struct result {
	struct table_node node;
	uint8_t digest[SHA256_BYTES];
	size_t n;
	char text[];
};

struct hint {
	struct table_node node;
	struct file_id id;
	uint8_t digest[SHA256_BYTES];
	int err;	/* where it is set, there is no digest */
	uint64_t until; /* ... and then the time up to which it holds */
};

void file_id_of(const struct stat *st, struct file_id *ret)
{
	*ret = (struct file_id){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = (uint64_t)st->st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)st->st_mtim.tv_nsec,
		.ctime = (uint64_t)st->st_ctim.tv_sec * NSEC_PER_SEC + (uint64_t)st->st_ctim.tv_nsec,
	};
}

static void digest_hex(const uint8_t digest[SHA256_BYTES], char ret[CACHEDIR_NAME + 1])
{
	_Static_assert(2 * SHA256_BYTES == CACHEDIR_NAME, "a digest names a file");
	for (int i = 0; i < SHA256_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* --- Results ---------------------------------------------------------------------------------------------------- */

static void result_drop(struct rescache *c, struct table_node *n)
{
	struct result *r = table_entry(n, struct result, node);

	c->bytes -= r->n;
	free(r);
}

static void result_keep(struct rescache *c, const uint8_t digest[SHA256_BYTES], struct sv text)
{
	struct table_node *old = table_peek(&c->results, digest, SHA256_BYTES);
	struct result *r = malloc(sizeof(*r) + text.n);

	if (old) {
		table_del(&c->results, old);
		result_drop(c, old);
	}
	if (!r)
		return; /* found again on disk, or anew */
	memcpy(r->digest, digest, sizeof(r->digest));
	memcpy(r->text, text.p, text.n);
	r->n = text.n;
	c->bytes += r->n;
	old = table_add(&c->results, &r->node, r->digest, sizeof(r->digest));
	if (old)
		result_drop(c, old);
	while (c->bytes > RESULTS_BYTES) {
		old = c->results.oldest;
		table_del(&c->results, old);
		result_drop(c, old);
	}
}

static int disk_get(struct rescache *c, const uint8_t digest[SHA256_BYTES], struct resolved *ret)
{
	char name[CACHEDIR_NAME + 1], text[RESOLVED_TEXT_MAX];
	ssize_t n;

	digest_hex(digest, name);
	n = cachedir_read(&c->dir, name, text, sizeof(text));
	if (n == -ENOENT || n == -EBADF)
		return -ENOENT;
	if (n < 0 || resolved_read((struct sv){ text, (size_t)n }, ret)) {
		c->stats.damaged++;
		return -ENOENT;
	}
	result_keep(c, digest, (struct sv){ text, (size_t)n });
	return 0;
}

int rescache_get(struct rescache *c, const uint8_t digest[SHA256_BYTES], struct resolved *ret)
{
	struct table_node *n = table_get(&c->results, digest, SHA256_BYTES);
	const struct result *r = n ? table_entry(n, struct result, node) : NULL;

	return r ? resolved_read((struct sv){ r->text, r->n }, ret) : disk_get(c, digest, ret);
}

void rescache_put(struct rescache *c, const uint8_t digest[SHA256_BYTES], const struct resolved *r)
{
	char name[CACHEDIR_NAME + 1];
	int err;

	buf_reset(&c->text);
	if (!resolved_lasts(r) || resolved_write(r, &c->text))
		return;
	result_keep(c, digest, buf_sv(&c->text));
	digest_hex(digest, name);
	err = cachedir_write(&c->dir, name, buf_sv(&c->text));
	c->stats.failed += err && err != -EBADF;
}

/* --- Hints ------------------------------------------------------------------------------------------------------ */

static struct hint *hint_find(struct rescache *c, const struct file_id *id)
{
	struct table_node *n = table_get(&c->hints, id, sizeof(*id));

	return n ? table_entry(n, struct hint, node) : NULL;
}

/* The entry of this file, made where it is missing; NULL without memory. */
static struct hint *hint_make(struct rescache *c, const struct file_id *id)
{
	struct hint *h = hint_find(c, id);
	struct table_node *old;

	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->id = *id;
	old = table_add(&c->hints, &h->node, &h->id, sizeof(h->id));
	if (old)
		free(table_entry(old, struct hint, node));
	return h;
}

int rescache_hint(struct rescache *c, const struct file_id *id, uint8_t ret_digest[SHA256_BYTES])
{
	const struct hint *h = hint_find(c, id);

	if (!h || (h->err && h->until <= clock_boot_ns()))
		return -ENOENT;
	if (h->err)
		return h->err;
	memcpy(ret_digest, h->digest, SHA256_BYTES);
	return 0;
}

static void hint_write(const struct hint *h, struct buf *out)
{
	char digest[CACHEDIR_NAME + 1];

	digest_hex(h->digest, digest);
	buf_addf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", h->id.dev, h->id.ino, h->id.size,
		 h->id.mtime, h->id.ctime, digest);
}

/* Write all anew: without what is old, double or damaged. */
static void hints_save(struct rescache *c)
{
	struct buf out;

	if (c->hints_fd >= 0)
		close(c->hints_fd);
	buf_init(&out, HINTS_FILE_MAX);
	buf_add_str(&out, HINTS_VERSION);
	c->lines = 0;
	for (struct table_node *n = c->hints.oldest; n; n = n->newer) {
		const struct hint *h = table_entry(n, struct hint, node);

		if (!h->err) {
			hint_write(h, &out);
			c->lines++;
		}
	}
	c->hints_fd = cachedir_write_open(&c->dir, HINTS_FILE, buf_sv(&out));
	c->stats.failed += c->hints_fd < 0 && c->hints_fd != -EBADF;
	buf_done(&out);
}

void rescache_learn(struct rescache *c, const struct file_id *id, const uint8_t digest[SHA256_BYTES])
{
	struct hint *h = hint_make(c, id);

	if (!h || (!h->err && memcmp(h->digest, digest, SHA256_BYTES) == 0))
		return;
	memcpy(h->digest, digest, SHA256_BYTES);
	h->err = 0;
	if (c->dir.fd < 0)
		return;
	buf_reset(&c->text);
	hint_write(h, &c->text);
	if (++c->lines > 2 * HINTS_MAX || c->hints_fd < 0 || cachedir_add(c->hints_fd, buf_sv(&c->text)))
		hints_save(c);
}

void rescache_forget(struct rescache *c, const struct file_id *id)
{
	struct hint *h = hint_find(c, id);

	if (!h)
		return;
	table_del(&c->hints, &h->node);
	free(h);
}

void rescache_fail(struct rescache *c, const struct file_id *id, int err, uint64_t until)
{
	struct hint *h = hint_make(c, id);

	if (!h)
		return;
	h->err = err;
	h->until = until;
}

static bool hint_parse(struct sv line, struct file_id *ret_id, uint8_t ret_digest[SHA256_BYTES])
{
	uint64_t *const fields[] = { &ret_id->dev, &ret_id->ino, &ret_id->size, &ret_id->mtime, &ret_id->ctime };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *at = line.n ? memchr(line.p, ' ', line.n) : NULL;
		size_t n = at ? (size_t)(at - line.p) : 0;

		if (!at || num_u64((struct sv){ line.p, n }, fields[i]))
			return false;
		line.p += n + 1;
		line.n -= n + 1;
	}
	return !num_hex(line, ret_digest, SHA256_BYTES);
}

static void hints_parse(struct rescache *c, struct sv in)
{
	while (in.n) {
		const char *at = memchr(in.p, '\n', in.n);
		struct sv line = { in.p, at ? (size_t)(at - in.p) : in.n };
		uint8_t digest[SHA256_BYTES] = { 0 };
		struct file_id id = { 0 };
		struct hint *h = at && hint_parse(line, &id, digest) ? hint_make(c, &id) : NULL;

		c->lines++;
		if (h)
			memcpy(h->digest, digest, sizeof(digest));
		else
			c->stats.damaged++;
		in.p += line.n + (at != NULL);
		in.n -= line.n + (at != NULL);
	}
}

static void hints_load(struct rescache *c)
{
	char *text = malloc(HINTS_FILE_MAX);
	ssize_t n = text ? cachedir_read(&c->dir, HINTS_FILE, text, HINTS_FILE_MAX) : -ENOMEM;
	const struct sv version = SV(HINTS_VERSION);
	bool ours = n >= 0 && sv_starts((struct sv){ text, (size_t)n }, version);

	if (ours)
		hints_parse(c, (struct sv){ text + version.n, (size_t)n - version.n });
	else if (n != -ENOENT && n != -ENOMEM)
		c->stats.damaged++;
	if (!ours || c->stats.damaged || c->lines > HINTS_MAX)
		hints_save(c);
	free(text);
}

/* --- Both ------------------------------------------------------------------------------------------------------- */

struct rescache *rescache_new(const char *dir)
{
	struct rescache *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return NULL;
	c->dir.fd = c->hints_fd = -1;
	buf_init(&c->text, RESOLVED_TEXT_MAX);
	if (table_init(&c->results, RESULTS_MAX) || table_init(&c->hints, HINTS_MAX)) {
		rescache_free(c);
		errno = ENOMEM;
		return NULL;
	}
	err = dir ? cachedir_open(dir, &c->dir) : 0;
	if (err)
		log_warn("%s: %s: what was found in TLS libraries is not kept", dir,
			 err == -EPERM ? "others may write there" : errstr(err));
	else if (dir)
		hints_load(c);
	return c;
}

void rescache_free(struct rescache *c)
{
	struct table_node *n, *newer;

	if (!c)
		return;
	for (n = c->results.oldest; n; n = newer) {
		newer = n->newer;
		free(table_entry(n, struct result, node));
	}
	for (n = c->hints.oldest; n; n = newer) {
		newer = n->newer;
		free(table_entry(n, struct hint, node));
	}
	table_done(&c->results);
	table_done(&c->hints);
	buf_done(&c->text);
	cachedir_close(&c->dir);
	if (c->hints_fd >= 0)
		close(c->hints_fd);
	free(c);
}

void rescache_stats(const struct rescache *c, struct rescache_stats *ret)
{
	*ret = c->stats;
	ret->dropped = c->dir.dropped;
}
