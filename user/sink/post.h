/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP POST at a time to one URL, by libcurl in a thread of its own: whoever posts never waits. */
#ifndef MCPVIGIL_SINK_POST_H
#define MCPVIGIL_SINK_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define POST_HEADERS 4

struct post_req {
	const char *header[POST_HEADERS]; /* "Name: value"; NULL: none. Content-Type is JSON by itself */
	struct sv body;
};

struct post_result {
	int status;		 /* HTTP status; 0: there was no answer */
	uint64_t retry_after_ns; /* 0: not told */
	char why[96];		 /* no answer: why; else the beginning of its body */
};

/* What carries requests, and the clock that goes with it. Tests bring their own. */
struct post_ops {
	/* Copies all of @r. 0; -EBUSY while one is under way; -ENOMEM. */
	int (*start)(void *self, const struct post_req *r);
	/* true once for each request that was started, when it is done. */
	bool (*take)(void *self, struct post_result *ret);
	uint64_t (*now)(void *self); /* boot ns */
	/* Gives up what is under way. */
	void (*free)(void *self);
};

extern const struct post_ops post_curl_ops;

/* For http:// and https:// only. Redirects are not followed, certificates are verified; userinfo of the URL is used
 * for Basic authentication; a proxy is used where the environment names one (https_proxy, no_proxy).
 * @timeout_ns is for a whole request. NULL with errno: EPROTONOSUPPORT for another scheme. */
void *post_curl_new(const char *url, uint64_t timeout_ns);

#endif
