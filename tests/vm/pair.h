/* SPDX-License-Identifier: Apache-2.0 */
/* An MCP client and server that speak raw bytes and know the truth about them; see pair.c. */
#ifndef MCPVIGIL_TESTS_PAIR_H
#define MCPVIGIL_TESTS_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pick.h"
#include "tls.h"

/* Whatever goes wrong in a peer makes the whole pair worthless: say it and end. */
void die(const char *what) __attribute__((noreturn));
uint64_t now_ns(void);

/* pair_text.c: random numbers and bytes that grow. */
struct text {
	char *p;
	size_t n, cap;
};
uint64_t rnd(void);
void rnd_seed(uint64_t seed);
/* Evenly spread over the powers of two up to @max. */
size_t rnd_size(size_t max);
bool one_in(unsigned int n);
void text_add(struct text *t, const char *p, size_t n);
void text_str(struct text *t, const char *s);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* About @n bytes of the inside of a JSON string: escapes, braces, UTF-8, things that look like
 * keys. */
void text_filler(struct text *t, size_t n);
uint64_t text_sum(const char *p, size_t n);

/* pair_wire.c: bytes through system calls of every sort. */
struct wire {
	int in, out;
	bool sock;		/* the socket calls work here */
	struct tls *tls;	/* what all bytes go through; NULL: nothing */
	unsigned int calls_max; /* system calls for one message; 0: any number */
	struct text buf;	/* read and not used yet: from @at on */
	size_t at;
};
void wire_send(struct wire *w, const char *p, size_t n);
/* Ciphertext that a program moves itself; nothing where the other end is gone. */
void wire_cipher(int fd, const char *p, size_t n);
/* More bytes into buf. False at the end of the stream. */
bool wire_more(struct wire *w);

/* pair_frame.c: messages on a wire. */
enum frame_kind { FRAME_LINES, FRAME_HTTP };
struct frame {
	struct wire wire;
	enum frame_kind kind;
	bool server;
	bool begun;
	struct text got; /* messages received: each followed by a newline */
	size_t taken;
	int status;	  /* HTTP: of the last response */
	char session[64]; /* HTTP: Mcp-Session-Id, once there is one */
};
/* The next message, valid until the next call. p is NULL at the end of the stream; n is 0 for an
 * HTTP response without a message. */
struct pick frame_recv(struct frame *f);
void frame_send(struct frame *f, const struct text *msg);
/* The answer to what was received last: @note, where it is not empty, goes before @msg. HTTP
 * without @msg: an empty 202, or an error page where @status says so. */
void frame_reply(struct frame *f, const struct text *note, const struct text *msg, int status);
/* HTTP: the client ends its session. */
void frame_delete(struct frame *f);

/* pair_http.c */
void http_post(struct frame *f, const struct text *msg);
void http_respond(struct frame *f, const struct text *note, const struct text *msg, int status);
void http_simple(struct frame *f, const char *first_line);
/* Receive one message with a body into got. False at the end of the stream. */
bool http_recv(struct frame *f);

/* pair_truth.c: what really happened, one line each, to the file named by TRUTH. Format:
 * tests/e2e/README.md. */
void truth_role(bool server);
/* PAIR_LATE names a folder: what happened before the file "go" is in it was before anybody watched, and is not told.
 * The client has made "early" there, says nothing, and waits for "go". */
bool truth_is_late(void);
void truth_wait(void);
void truth_msg(const char *dir, const char *kind, struct pick id, struct pick method, size_t bytes);
struct asked {
	char id[32]; /* raw JSON */
	const char *method, *name_field, *outcome;
	char name[64], key[24];
	size_t request_bytes, response_bytes; /* 0: there was none */
	int error_code;
	uint64_t begin, end;
	bool open;
};
void truth_call(const struct asked *a);
void truth_handler(struct pick tool, struct pick key, uint64_t dur_ns);

void pair_server(struct frame *f);
/* @max: longest text in a request or a result. */
void pair_client(struct frame *f, unsigned int calls, size_t max);

#endif
