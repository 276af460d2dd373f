/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked coding as a byte-wise machine; payload is passed in the largest pieces at hand. A bare
 * LF is taken for CRLF, as RFC 9112 2.2 allows. */
#include "proto/chunked.h"

#include <errno.h>

enum {
	C_SIZE,	   /* first hex digit */
	C_DIGITS,  /* further hex digits */
	C_EXT,	   /* extensions, up to the line's end */
	C_SIZE_LF, /* CR of a size line seen */
	C_DATA,	   /* payload */
	C_DATA_CR, /* payload through, CRLF is due */
	C_DATA_LF,
	C_TRAIL,    /* at the start of a trailer line */
	C_TRAIL_IN, /* within one */
	C_TRAIL_LF, /* CR of the empty line seen */
	C_DONE,
};

void chunked_init(struct chunked *c)
{
	*c = (struct chunked){ .state = C_SIZE };
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int size_digit(struct chunked *c, char ch)
{
	int v = hex(ch);

	if (v < 0 || c->left >> 59)
		return -EBADMSG;
	c->left = c->left << 4 | (unsigned int)v;
	c->state = C_DIGITS;
	return 0;
}

static int size_end(struct chunked *c)
{
	c->state = c->left ? C_DATA : C_TRAIL;
	c->seen = 0;
	return 0;
}

static int size_line(struct chunked *c, char ch)
{
	if (++c->seen > CHUNKED_LINE_MAX)
		return -EBADMSG;
	if (c->state == C_SIZE)
		return size_digit(c, ch);
	if (c->state == C_SIZE_LF)
		return ch == '\n' ? size_end(c) : -EBADMSG;
	if (ch == '\n')
		return size_end(c);
	if (ch == '\r')
		c->state = C_SIZE_LF;
	else if (c->state == C_DIGITS && (ch == ';' || ch == ' ' || ch == '\t'))
		c->state = C_EXT;
	else if (c->state == C_DIGITS)
		return size_digit(c, ch);
	return 0;
}

static int trailer(struct chunked *c, char ch)
{
	if (++c->seen > CHUNKED_TRAILER_MAX)
		return -EBADMSG;
	if (c->state == C_TRAIL_LF && ch != '\n')
		return -EBADMSG;
	if (c->state != C_TRAIL_IN && ch == '\n')
		c->state = C_DONE;
	else if (c->state == C_TRAIL && ch == '\r')
		c->state = C_TRAIL_LF;
	else
		c->state = ch == '\n' ? C_TRAIL : C_TRAIL_IN;
	return 0;
}

static int data_end(struct chunked *c, char ch)
{
	if (c->state == C_DATA_CR && ch == '\r') {
		c->state = C_DATA_LF;
		return 0;
	}
	c->state = C_SIZE;
	return ch == '\n' ? 0 : -EBADMSG;
}

static void payload(struct chunked *c, uint64_t n)
{
	c->left -= n;
	if (c->left == 0)
		c->state = C_DATA_CR;
}

ssize_t chunked_next(struct chunked *c, struct sv in, struct sv *ret_data)
{
	size_t i = 0;
	int err = 0;

	*ret_data = (struct sv){ in.p, 0 };
	if (c->state == C_DATA && in.n) {
		ret_data->n = in.n < c->left ? in.n : (size_t)c->left;
		payload(c, ret_data->n);
		return (ssize_t)ret_data->n;
	}
	while (i < in.n && !err && c->state != C_DATA && c->state != C_DONE) {
		char ch = in.p[i++];

		if (c->state < C_DATA)
			err = size_line(c, ch);
		else if (c->state < C_TRAIL)
			err = data_end(c, ch);
		else
			err = trailer(c, ch);
	}
	return err ? err : (ssize_t)i;
}

bool chunked_done(const struct chunked *c)
{
	return c->state == C_DONE;
}

bool chunked_skip(struct chunked *c, uint64_t n)
{
	if (c->state != C_DATA || n > c->left)
		return false;
	payload(c, n);
	return true;
}
