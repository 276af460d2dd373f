/* SPDX-License-Identifier: Apache-2.0 */
/* JSON scanner (RFC 8259, strict): bytes in any chunking, tokens out; no tree, no allocation, no
 * recursion.
 *
 * 	json_feed(j, in);
 * 	for (;;) {
 * 		int err = json_next(j, &tok);
 * 		if (err <= 0)
 * 			break;		// 0: feed more, or json_done(j)
 * 		use(&tok);		// may call json_skip(j)
 * 	}
 *
 * Beyond the grammar: one UTF-8 byte order mark at the very start is passed over. Bytes from 0x80
 * on are taken as they come: peers send broken UTF-8 inside strings, and the message around it
 * still counts. */
#ifndef MCPVIGIL_PROTO_JSON_H
#define MCPVIGIL_PROTO_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define JSON_DEPTH 128 /* containers inside each other */
#define JSON_TEXT  512

enum json_type {
	JSON_NONE,
	JSON_OBJECT, /* '{' */
	JSON_ARRAY,  /* '[' */
	JSON_OBJECT_END,
	JSON_ARRAY_END,
	JSON_KEY, /* from here on a token may come in several fragments */
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

/* One token, or a fragment of one. How a token falls into fragments depends on the chunking; their
 * texts joined do not. Keys and strings come unescaped: surrogate pairs joined, lone surrogates as
 * U+FFFD. The first fragment comes no later than the last json_next before the next json_feed. */
struct json_token {
	uint8_t type;	  /* enum json_type */
	bool first, last; /* fragment; both set where the token is whole */
	struct sv text;	  /* good until the next json_next; empty for containers */
	uint64_t beg;	  /* offset in the text of the whole token's first byte, a quote included */
	uint64_t end;	  /* offset after what is taken of it so far, the closing quote included */
};

/* Embedded by its user; the fields are private to json.c. */
struct json {
	const char *start, *p, *e; /* the bytes fed last, and how far they are scanned */
	const char *literal;	   /* "true", "false" or "null" */
	uint64_t base;		   /* offset of start in the text */
	uint64_t beg;		   /* of the open token */
	uint32_t unit;		   /* \u escape being read */
	uint32_t high;		   /* high surrogate that waits for its low one, or 0 */
	uint8_t state;		   /* what the grammar expects next */
	uint8_t in;		   /* enum json_type of the open token, or JSON_NONE */
	uint8_t number;		   /* state inside a number */
	uint8_t literal_at;
	uint8_t escape; /* bytes of an escape seen, backslash included */
	uint8_t bom;	/* bytes of the byte order mark seen; 3: none expected */
	uint8_t quiet;	/* json_skip is at work, until depth quiet_depth is reached again */
	uint8_t quiet_depth;
	uint8_t depth;
	bool fresh; /* no fragment of the open token was reported yet */
	bool failed;
	char text[JSON_TEXT];	      /* unescaped text of the last fragment, where it had escapes */
	uint8_t nest[JSON_DEPTH + 1]; /* state after a value, by depth */
};

/* Begin a new text. */
void json_init(struct json *j);
/* Hand over the next bytes of the text. All bytes fed before must have been taken (json_next
 * returned 0). */
void json_feed(struct json *j, struct sv in);
/* 1		@ret_tok is a token or fragment
 * 0		all fed bytes are taken, or the text is complete (json_done)
 * -EBADMSG	not JSON, or deeper than JSON_DEPTH; stays so until json_init */
int json_next(struct json *j, struct json_token *ret_tok);
/* The text ends here. 1: @ret_tok is the last fragment of a bare number, which only this can end;
 * 0: nothing was open; -EBADMSG: the text is cut off. */
int json_end(struct json *j, struct json_token *ret_tok);
/* Pass over a value: it is validated, but gives no tokens. After the last fragment of a key: the
 * key's value. After JSON_OBJECT or JSON_ARRAY: what is in it; its end is reported. */
void json_skip(struct json *j);
/* The text is complete. A bare number takes the white space that ends it. */
bool json_done(const struct json *j);
/* Bytes of the text taken so far, leading white space included. */
uint64_t json_taken(const struct json *j);

#endif
