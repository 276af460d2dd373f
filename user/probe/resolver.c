/* SPDX-License-Identifier: Apache-2.0 */
/* Files to look at wait in a queue; a child is forked for each (resolver_child.c), two at a time. Its answer comes through a
 * pipe, its end through a pidfd (resolver_proc.c): nothing waits for it. As soon as it has said the file's digest, the cache may know the rest.
 *
 * The child holds a copy of the file in memory, so that files above 1 GiB are refused, and two are looked at at once only where
 * they are no larger together. The largest programs known with TLS code in them have 400 MB. */
#include "probe/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/evloop.h"
#include "base/log.h"
#include "probe/rescache.h"
#include "probe/resolver_int.h"

#define CHILDREN    2
#define BYTES_MAX   (1ULL << 30) /* of a file, and of all that are looked at */
#define RETRY_NS    (60 * NSEC_PER_SEC) /* a file that ends its child */
#define YOUNG_NS    (20 * NSEC_PER_MSEC)
#define ALARM_SLACK 1000 /* ms: our own kill comes first */

struct job {
	struct job *next;
	int fd;
	uint64_t tag;
	struct file_id id;
	bool young; /* it changed just now, and may again without another time stamp: those of the kernel stand for up to 10 ms */
};

struct look {
	struct resolver *r;
	struct job *job; /* NULL: free */
	struct child child;
	bool late;  /* killed for its time */
	bool known; /* result is from the cache */
	uint64_t start;
	struct resolved result;
};

struct resolver {
	struct resolver_opts o;
	struct rescache *cache;
	struct sha256 *sha; /* children use their copies of it */
	struct look look[CHILDREN];
	struct job *first, **last;
	uint32_t queued;
	bool pumping;
	bool unconfined_said;
	struct resolver_stats stats;
};

static void pump(struct resolver *r);

/* --- Ends ------------------------------------------------------------------------------------------------------- */

static void job_free(struct job *j)
{
	close(j->fd);
	free(j);
}

static void tell(struct resolver *r, uint64_t tag, const struct resolved *res)
{
	r->stats.files++;
	r->o.done(r->o.ctx, tag, res->err, &res->f);
}

static void tell_error(struct resolver *r, uint64_t tag, int err)
{
	const struct resolved res = { .err = err };

	tell(r, tag, &res);
}

/* @j is over. */
static void job_tell(struct resolver *r, struct job *j, const struct resolved *res)
{
	uint64_t tag = j->tag;

	job_free(j);
	tell(r, tag, res);
}

/* --- What is known ---------------------------------------------------------------------------------------------- */

/* What was said of this content, where it fits the file that is there. */
static bool known_content(struct resolver *r, const struct job *j, const uint8_t digest[SHA256_BYTES], struct resolved *ret)
{
	return !rescache_get(r->cache, digest, ret) && ret->size == j->id.size && !resolved_match(ret, j->fd);
}

/* 0: @ret is the result of this file; -ENOENT. */
static int known_file(struct resolver *r, const struct job *j, struct resolved *ret)
{
	uint8_t digest[SHA256_BYTES];
	int err = rescache_hint(r->cache, &j->id, digest);

	if (err == -ENOENT)
		return err;
	*ret = (struct resolved){ .err = err };
	if (err || known_content(r, j, digest, ret))
		return 0;
	rescache_forget(r->cache, &j->id);
	return -ENOENT;
}

/* --- What came of it ----------------------------------------------------------------------------------------------- */

/* How @l ended, as an error; 0 where it is to be believed that it said all it had to say. */
static int exit_error(struct resolver *r, const struct look *l, int status)
{
	const size_t got = l->child.got;

	if (l->late || (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM)))
		return -ETIMEDOUT;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_READ && got == 0)
		return -EIO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_UNCONFINED && got == 0) {
		if (!r->unconfined_said)
			log_warn("a process to look at files in could not be confined: no TLS library is looked at");
		r->unconfined_said = true;
		return -EPERM;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_DONE ? 0 : -ECHILD;
}

static bool unchanged(const struct job *j)
{
	struct file_id now = { 0 };
	struct stat st;

	if (fstat(j->fd, &st))
		return false;
	file_id_of(&st, &now);
	return memcmp(&now, &j->id, sizeof(now)) == 0;
}

/* What it said, where that can be true of this file; or an error. */
static void answer_take(struct resolver *r, struct look *l, int status)
{
	struct answer *a = &l->child.in.answer;
	int err = exit_error(r, l, status);

	if (!err && (l->child.got != sizeof(*a) || a->resolved.size != l->job->id.size || !resolved_check(&a->resolved)))
		err = -ECHILD;
	if (!err)
		err = resolved_match(&a->resolved, l->job->fd);
	if (err)
		l->result = (struct resolved){ .err = err == -ESTALE ? -ECHILD : err }; /* it lies */
	else
		l->result = a->resolved;
}

/* The digest is the child's from before it looked at the file; what else it said is kept under that digest alone. */
static void answer_keep(struct resolver *r, const struct look *l)
{
	const struct child *c = &l->child;
	const struct job *j = l->job;
	int err = l->result.err;

	if (err == -ETIMEDOUT)
		r->stats.timed_out++;
	else if (err == -ECHILD)
		r->stats.died++;
	if (err == -ETIMEDOUT || err == -ECHILD || err == -ENOMEM) {
		rescache_fail(r->cache, &j->id, err, clock_boot_ns() + RETRY_NS);
		return;
	}
	if (err == -ESTALE || c->got < sizeof(c->in.answer.digest))
		return;
	if (!l->known && c->got == sizeof(c->in.answer))
		rescache_put(r->cache, c->in.answer.digest, &l->result);
	if (!j->young)
		rescache_learn(r->cache, &j->id, c->in.answer.digest);
}

static void look_done(struct resolver *r, struct look *l, int status)
{
	uint64_t ns = clock_boot_ns() - l->start;
	struct resolved result;
	struct job *j = l->job;

	if (!unchanged(j))
		l->result = (struct resolved){ .err = -ESTALE };
	else if (!l->known)
		answer_take(r, l, status);
	answer_keep(r, l);
	if (l->known) {
		r->stats.cached++;
	} else {
		r->stats.ns_sum += ns;
		r->stats.ns_max = ns > r->stats.ns_max ? ns : r->stats.ns_max;
	}
	result = l->result; /* the place may be taken from done() */
	l->job = NULL;
	job_tell(r, j, &result);
	pump(r);
}

/* Its content may be known under another name. */
static void on_digest(struct child *c)
{
	struct look *l = c->ctx;

	if (!known_content(l->r, l->job, c->in.answer.digest, &l->result))
		return;
	l->known = true;
	child_kill(c);
}

static void on_end(struct child *c, int status)
{
	struct look *l = c->ctx;

	look_done(l->r, l, status);
}

static int look_start(struct resolver *r, struct look *l, struct job *j)
{
	const struct child_args a = {
		.fd = j->fd,
		.size = j->id.size,
		.wall_ms = r->o.wall_ms + ALARM_SLACK,
		.cpu_s = r->o.cpu_s,
		.mem_bytes = r->o.mem_bytes,
		.sha = r->sha,
	};
	int err;

	memset(l, 0, sizeof(*l));
	l->r = r;
	l->start = clock_boot_ns();
	l->child = (struct child){ .loop = r->o.loop, .digest = on_digest, .end = on_end, .ctx = l };
	err = child_start(&l->child, &a);
	if (!err)
		l->job = j;
	return err;
}

/* --- The queue -------------------------------------------------------------------------------------------------- */

/* The first that may start: not while the same file is looked at. While what is looked at leaves no room for it, the others wait
 * behind it, or it would wait for ever. */
static struct job *take(struct resolver *r)
{
	for (struct job **at = &r->first; *at; at = &(*at)->next) {
		struct job *j = *at;
		uint64_t bytes = j->id.size;
		bool same = false;

		for (int i = 0; i < CHILDREN; i++) {
			const struct job *other = r->look[i].job;

			bytes += other ? other->id.size : 0;
			same |= other && memcmp(&other->id, &j->id, sizeof(j->id)) == 0;
		}
		if (same)
			continue;
		if (bytes > BYTES_MAX)
			return NULL;
		*at = j->next;
		if (!*at)
			r->last = at;
		r->queued--;
		return j;
	}
	return NULL;
}

/* A like one may have been looked at while it waited. */
static void start(struct resolver *r, struct look *l, struct job *j)
{
	struct resolved res;
	int err;

	if (!known_file(r, j, &res)) {
		r->stats.cached++;
		job_tell(r, j, &res);
		return;
	}
	err = look_start(r, l, j);
	if (!err)
		return;
	res = (struct resolved){ .err = err };
	job_tell(r, j, &res);
}

static void pump(struct resolver *r)
{
	struct job *j = NULL;

	if (r->pumping) /* done() looks at another one: the loop below goes on with it */
		return;
	r->pumping = true;
	do {
		struct look *l = NULL;

		for (int i = 0; i < CHILDREN && !l; i++)
			l = r->look[i].job ? NULL : &r->look[i];
		j = l ? take(r) : NULL;
		if (j)
			start(r, l, j);
	} while (j);
	r->pumping = false;
}

/* A time of the file system against our clock: where they are apart, it is looked at once more than needed, or the hint is one
 * that could be stale, which it may be anyway. */
static bool is_young(const struct file_id *id)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec < id->ctime + YOUNG_NS;
}

static struct job *job_new(const struct file_id *id, int fd, uint64_t tag)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->id = *id;
	j->young = is_young(id);
	j->tag = tag;
	j->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (j->fd >= 0)
		return j;
	free(j);
	return NULL;
}

static int enqueue(struct resolver *r, const struct job *known)
{
	struct job *j;

	if (r->queued >= r->o.queue_max) {
		r->stats.refused++;
		return -ENOBUFS;
	}
	j = job_new(&known->id, known->fd, known->tag);
	if (!j)
		return -errno;
	*r->last = j;
	r->last = &j->next;
	r->queued++;
	pump(r);
	return 0;
}

int resolver_look(struct resolver *r, int fd, uint64_t tag)
{
	struct job j = { .fd = fd, .tag = tag };
	char magic[4] = "";
	struct resolved res;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > BYTES_MAX)
		return -EFBIG;
	if (pread(fd, magic, sizeof(magic), 0) < 0)
		return -errno;
	file_id_of(&st, &j.id);
	if (memcmp(magic, "\177ELF", sizeof(magic)) != 0) {
		tell_error(r, tag, -ENOEXEC);
		return 0;
	}
	if (known_file(r, &j, &res))
		return enqueue(r, &j);
	r->stats.cached++;
	tell(r, tag, &res);
	return 0;
}

/* --- The whole -------------------------------------------------------------------------------------------------- */

static void defaults(struct resolver_opts *o)
{
	o->wall_ms = o->wall_ms ? o->wall_ms : 5000;
	o->cpu_s = o->cpu_s ? o->cpu_s : 3;
	o->mem_bytes = o->mem_bytes ? o->mem_bytes : 512ULL << 20;
	o->queue_max = o->queue_max ? o->queue_max : 1024;
}

/* Whoever started us may have left it ignored, and then the kernel tells nobody how a child ended. */
static void children_wait(void)
{
	struct sigaction sa;

	if (!sigaction(SIGCHLD, NULL, &sa) && (sa.sa_handler == SIG_IGN || (sa.sa_flags & SA_NOCLDWAIT)))
		signal(SIGCHLD, SIG_DFL);
}

struct resolver *resolver_new(const struct resolver_opts *o)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->o = *o;
	defaults(&r->o);
	r->last = &r->first;
	children_wait();
	r->sha = sha256_new();
	r->cache = r->sha ? rescache_new(o->cache_dir) : NULL;
	if (r->cache)
		return r;
	resolver_free(r);
	errno = ENOMEM;
	return NULL;
}

void resolver_free(struct resolver *r)
{
	struct job *next;

	if (!r)
		return;
	for (int i = 0; i < CHILDREN; i++) {
		if (!r->look[i].job)
			continue;
		child_end(&r->look[i].child);
		job_free(r->look[i].job);
	}
	for (struct job *j = r->first; j; j = next) {
		next = j->next;
		job_free(j);
	}
	rescache_free(r->cache);
	sha256_free(r->sha);
	free(r);
}

void resolver_tick(struct resolver *r)
{
	uint64_t now = clock_boot_ns();

	for (int i = 0; i < CHILDREN; i++) {
		struct look *l = &r->look[i];

		if (!l->job || l->late || l->known || now - l->start < r->o.wall_ms * NSEC_PER_MSEC)
			continue;
		l->late = true;
		child_kill(&l->child);
	}
}

void resolver_stats(const struct resolver *r, struct resolver_stats *ret)
{
	struct rescache_stats cache;

	rescache_stats(r->cache, &cache);
	*ret = r->stats;
	ret->cache_dropped = cache.dropped;
	ret->cache_damaged = cache.damaged;
	ret->cache_failed = cache.failed;
}
