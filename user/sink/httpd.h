/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server: GET and HEAD of a few pages, a few connections, none of them for long. */
#ifndef MCPVIGIL_SINK_HTTPD_H
#define MCPVIGIL_SINK_HTTPD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct httpd_answer {
	unsigned int status;
	const char *type; /* literal */
	/* The next bytes of the body, at most @n; 0 or less: its end. It is called again only as the reader takes
	 * them. */
	ssize_t (*read)(void *body, char *p, size_t n);
	void (*free)(void *body);
	void *body;
};

struct httpd;

/* Listen on @listen ("127.0.0.1:9464", "[::1]:9464", ":9464" for all addresses; port 0: any) and call @get for each
 * request, on a thread of its own: GET and HEAD only, @accept may be NULL. @get returns 0 with the answer filled in, whose
 * body is freed by it, or -errno (-ENOENT: 404). That thread has all signals blocked. NULL with errno after a line on
 * standard error. */
struct httpd *httpd_new(const char *listen,
			int (*get)(void *ctx, const char *path, const char *accept, struct httpd_answer *ret),
			void *ctx);
/* Ends the thread: no callback runs after it. */
void httpd_free(struct httpd *h);
uint16_t httpd_port(const struct httpd *h);
/* Close connections that are older than 20 s, or than 3 s where no place is free. Call it each second, from any thread. */
void httpd_tick(struct httpd *h);

#endif
