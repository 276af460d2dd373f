/* SPDX-License-Identifier: Apache-2.0 */
/* POST by libcurl. The thread sleeps in curl_multi_poll, with or without a request, and curl_multi_wakeup gets it out:
 * one place to wait for the network, for work and for the end. */
#include "sink/post.h"

#define CURL_DISABLE_TYPECHECK /* its macros name the functions, which we call through pointers */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lib.h"

#define BODY_MAX   (4UL << 20)
#define ANSWER_MAX 65536 /* an answer that goes on beyond this is not read to its end */
#define SLEEP_MS   60000
#define RETRY_AFTER_MAX_S 86400

#define CURL_CALLS(X) \
	X(curl_easy_cleanup) \
	X(curl_easy_getinfo) \
	X(curl_easy_init) \
	X(curl_easy_setopt) \
	X(curl_easy_strerror) \
	X(curl_global_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_cleanup) \
	X(curl_multi_info_read) \
	X(curl_multi_init) \
	X(curl_multi_perform) \
	X(curl_multi_poll) \
	X(curl_multi_remove_handle) \
	X(curl_multi_wakeup) \
	X(curl_slist_append) \
	X(curl_slist_free_all)

/* Once filled it stays as it is. */
static struct {
	int err;
	CURL_CALLS(LIB_MEMBER)
} lib;

enum post_state { POST_IDLE, POST_ASKED, POST_RUNNING, POST_DONE };

struct post {
	CURLM *multi;
	CURL *easy;
	pthread_t thread;
	pthread_mutex_t lock; /* of state and stop; the rest belongs to the thread while RUNNING, else to the caller */
	enum post_state state;
	bool stop;
	struct buf body;
	struct curl_slist *headers;
	struct post_result result;
	size_t answered; /* bytes of the answer's body */
};

static size_t on_answer(char *p, size_t one, size_t n, void *ctx)
{
	struct post *c = ctx;
	size_t have = strlen(c->result.why), room = sizeof(c->result.why) - 1 - have;

	(void)one; /* always 1 */
	memcpy(c->result.why + have, p, n < room ? n : room);
	c->answered += n;
	return c->answered > ANSWER_MAX ? 0 : n;
}

static void done(struct post *c, CURLcode code)
{
	long status = 0;
	curl_off_t after = 0;

	lib.curl_multi_remove_handle(c->multi, c->easy);
	lib.curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	lib.curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &after);
	/* An answer that was too long is one, as far as its status goes. */
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && c->answered > ANSWER_MAX)) {
		c->result.status = (int)status;
	} else {
		c->result.status = 0;
		snprintf(c->result.why, sizeof(c->result.why), "%s", lib.curl_easy_strerror(code));
	}
	if (after > 0)
		c->result.retry_after_ns =
			(uint64_t)(after < RETRY_AFTER_MAX_S ? after : RETRY_AFTER_MAX_S) * NSEC_PER_SEC;
	pthread_mutex_lock(&c->lock);
	c->state = POST_DONE;
	pthread_mutex_unlock(&c->lock);
}

static void begin(struct post *c)
{
	memset(&c->result, 0, sizeof(c->result));
	c->answered = 0;
	lib.curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	lib.curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->body.n ? c->body.p : "");
	lib.curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)c->body.n);
	if (lib.curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
		done(c, CURLE_OUT_OF_MEMORY);
}

/* false: the end. */
static bool look(struct post *c)
{
	bool stop, asked;

	pthread_mutex_lock(&c->lock);
	stop = c->stop;
	asked = c->state == POST_ASKED;
	if (asked)
		c->state = POST_RUNNING;
	pthread_mutex_unlock(&c->lock);
	if (!stop && asked)
		begin(c);
	return !stop;
}

static void *thread_main(void *ctx)
{
	struct post *c = ctx;
	int running, left;

	while (look(c)) {
		const struct CURLMsg *m;

		lib.curl_multi_perform(c->multi, &running);
		m = lib.curl_multi_info_read(c->multi, &left); /* there is one request at most */
		if (m && m->msg == CURLMSG_DONE)
			done(c, m->data.result);
		lib.curl_multi_poll(c->multi, NULL, 0, SLEEP_MS, NULL);
	}
	return NULL;
}

static int start(void *self, const struct post_req *r)
{
	struct post *c = self;
	struct curl_slist *list = NULL, *more = NULL;
	bool idle;

	pthread_mutex_lock(&c->lock);
	idle = c->state == POST_IDLE;
	pthread_mutex_unlock(&c->lock);
	if (!idle)
		return -EBUSY;
	/* "Expect: 100-continue" would cost a second with servers that do not know it. */
	list = lib.curl_slist_append(NULL, "Content-Type: application/json");
	more = list ? lib.curl_slist_append(list, "Expect:") : NULL;
	for (int i = 0; i < POST_HEADERS && r->header[i] && more; i++)
		more = lib.curl_slist_append(list, r->header[i]);
	buf_reset(&c->body);
	if (!more || buf_add_sv(&c->body, r->body) < 0) {
		lib.curl_slist_free_all(list);
		return -ENOMEM;
	}
	lib.curl_slist_free_all(c->headers);
	c->headers = list;
	pthread_mutex_lock(&c->lock);
	c->state = POST_ASKED;
	pthread_mutex_unlock(&c->lock);
	lib.curl_multi_wakeup(c->multi);
	return 0;
}

static bool take(void *self, struct post_result *ret)
{
	struct post *c = self;
	bool is_done;

	pthread_mutex_lock(&c->lock);
	is_done = c->state == POST_DONE;
	if (is_done)
		c->state = POST_IDLE;
	pthread_mutex_unlock(&c->lock);
	if (is_done)
		*ret = c->result;
	return is_done;
}

static uint64_t now(void *self)
{
	(void)self;
	return clock_boot_ns();
}

static void release(struct post *c)
{
	if (c->multi && c->easy)
		lib.curl_multi_remove_handle(c->multi, c->easy);
	lib.curl_easy_cleanup(c->easy);
	lib.curl_multi_cleanup(c->multi);
	lib.curl_slist_free_all(c->headers);
	buf_done(&c->body);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void post_free(void *self)
{
	struct post *c = self;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_mutex_unlock(&c->lock);
	lib.curl_multi_wakeup(c->multi);
	pthread_join(c->thread, NULL);
	release(c);
}

const struct post_ops post_curl_ops = {
	.start = start,
	.take = take,
	.now = now,
	.free = post_free,
};

static int options(struct post *c, const char *url, uint64_t timeout_ns)
{
	long ms = (long)(timeout_ns / NSEC_PER_MSEC);
	CURL *e = c->easy;
	CURLcode err = CURLE_OK;

	err |= lib.curl_easy_setopt(e, CURLOPT_URL, url);
	err |= lib.curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	err |= lib.curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	err |= lib.curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	err |= lib.curl_easy_setopt(e, CURLOPT_POST, 1L);
	err |= lib.curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	err |= lib.curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	err |= lib.curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	err |= lib.curl_easy_setopt(e, CURLOPT_USERAGENT, "mcpvigil");
	err |= lib.curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer);
	err |= lib.curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	/* A name server that does not answer must not hold up the end of the agent. */
	err |= lib.curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	return err == CURLE_OK ? 0 : -EINVAL;
}

/* The thread takes no signals: they are the main thread's, by signalfd. */
static int thread_start(struct post *c)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&c->thread, NULL, thread_main, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void global_init(void)
{
	static const struct lib_call calls[] = { CURL_CALLS(LIB_CALL) };

	lib.err = lib_load("libcurl.so.4", calls, sizeof(calls) / sizeof(calls[0]));
	if (!lib.err)
		lib.curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool scheme_ok(const char *url)
{
	struct sv s = sv_of(url);

	return sv_ieq((struct sv){ s.p, s.n < 7 ? s.n : 7 }, SV("http://")) ||
	       sv_ieq((struct sv){ s.p, s.n < 8 ? s.n : 8 }, SV("https://"));
}

void *post_curl_new(const char *url, uint64_t timeout_ns)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct post *c = NULL;
	int err = -EPROTONOSUPPORT;

	if (!scheme_ok(url))
		goto out;
	pthread_once(&once, global_init);
	err = lib.err;
	if (err)
		goto out;
	err = -ENOMEM;
	c = calloc(1, sizeof(*c));
	if (!c)
		goto out;
	pthread_mutex_init(&c->lock, NULL);
	buf_init(&c->body, BODY_MAX);
	c->multi = lib.curl_multi_init();
	c->easy = lib.curl_easy_init();
	if (!c->multi || !c->easy)
		goto out;
	err = options(c, url, timeout_ns);
	if (!err)
		err = thread_start(c);
	if (!err)
		return c;
out:
	if (c)
		release(c);
	errno = -err;
	return NULL;
}
