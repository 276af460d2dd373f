/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay file systems of one lower layer show one real file each under a device of its own, and touching a file makes its state
 * another. A second set of probes in it would tell of each call twice. So a file whose code is that of one that is probed already
 * is that one if the probes show in it (twin.h). */
#include "probe/holds.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "probe/attach.h"
#include "probe/rescache.h"
#include "probe/twin.h"

#define INO_BITS 0xffffffffu /* overlay file systems may put the number of a layer above them */
#define RELEASE_MAX 64	     /* at once */

struct hold {
	struct hold *next;
	struct attached *attached;
	int fd; /* leased */
	uint32_t users;
	uint64_t ino, size, points;
};

struct holds {
	struct probe *probe;
	struct leases *leases;
	struct hold *first;
	uint64_t attached, detached;
	void (*broken)(void *ctx, struct hold *h);
	void *ctx;
};

static void on_broken(void *ctx, int fd)
{
	struct holds *s = ctx;

	for (struct hold *h = s->first; h; h = h->next) {
		if (h->fd == fd) {
			s->broken(s->ctx, h);
			return;
		}
	}
}

struct holds *holds_new(struct probe *p, struct evloop *l, void (*broken)(void *ctx, struct hold *h), void *ctx)
{
	struct holds *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct holds){ .probe = p, .broken = broken, .ctx = ctx };
	s->leases = leases_new(l, on_broken, s);
	if (s->leases)
		return s;
	free(s);
	return NULL;
}

void holds_free(struct holds *s)
{
	if (!s)
		return;
	for (struct hold *h = s->first; h; h = h->next)
		h->users = 0;
	holds_release(s);
	leases_free(s->leases);
	free(s);
}

static uint64_t points_hash(const struct tls_found *found)
{
	return hash_fixed(found->point, found->n * sizeof(found->point[0]));
}

static struct hold *twin_find(const struct holds *s, int fd, const struct file_id *id, const struct tls_found *found)
{
	uint64_t points = points_hash(found);

	for (struct hold *h = s->first; h; h = h->next) {
		if (h->users && h->points == points && h->size == id->size && ((h->ino ^ id->ino) & INO_BITS) == 0 &&
		    twin_probed(fd, found))
			return h;
	}
	return NULL;
}

/* Leased from before it is attached to until it is detached from. */
static int hold_new(struct holds *s, int fd, const struct file_id *id, const struct tls_found *found, struct hold **ret)
{
	struct hold *h = calloc(1, sizeof(*h));
	int err = h ? lease_take(s->leases, fd) : -ENOMEM;

	if (!err) {
		h->attached = attach_file(s->probe, fd, found);
		err = h->attached ? 0 : -errno;
		if (err)
			lease_drop(s->leases, fd);
	}
	if (err) {
		free(h);
		return err;
	}
	h->fd = fd;
	h->ino = id->ino;
	h->size = id->size;
	h->points = points_hash(found);
	h->next = s->first;
	s->first = h;
	s->attached++;
	*ret = h;
	return 0;
}

int hold_get(struct holds *s, int fd, const struct file_id *id, const struct tls_found *found, struct hold **ret)
{
	struct hold *h = twin_find(s, fd, id, found);
	int err = h ? 0 : hold_new(s, fd, id, found, &h);

	if (err || h->fd != fd)
		close(fd);
	if (err)
		return err;
	h->users++;
	*ret = h;
	return 0;
}

void hold_put(struct hold *h)
{
	if (h)
		h->users--;
}

/* Cut out those that nobody uses. */
static struct hold *unused_cut(struct holds *s, struct attached *ret_list[RELEASE_MAX], uint32_t *ret_n)
{
	struct hold *cut = NULL, *h;

	*ret_n = 0;
	for (struct hold **at = &s->first; *at && *ret_n < RELEASE_MAX;) {
		h = *at;
		if (h->users) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		h->next = cut;
		cut = h;
		ret_list[(*ret_n)++] = h->attached;
	}
	return cut;
}

/* The kernel takes its time with each, and no longer with many at once. Whoever waits for a lease waits until the probes are off. */
void holds_release(struct holds *s)
{
	struct attached *list[RELEASE_MAX];
	struct hold *cut, *next;
	uint32_t n;

	do {
		cut = unused_cut(s, list, &n);
		if (n)
			attach_free_all(list, n);
		s->detached += n;
		for (struct hold *h = cut; h; h = next) {
			next = h->next;
			lease_drop(s->leases, h->fd);
			close(h->fd);
			free(h);
		}
	} while (n);
}

uint32_t hold_points(const struct hold *h)
{
	return attach_points(h->attached);
}

void holds_count(const struct holds *s, uint64_t *ret_attached, uint64_t *ret_detached)
{
	*ret_attached = s->attached;
	*ret_detached = s->detached;
}
