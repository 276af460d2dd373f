/* SPDX-License-Identifier: Apache-2.0 */
/* A library with functions like those of OpenSSL, whose results a caller can foretell. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "called.h"

struct called {
	unsigned char key;
};

struct called *called_new(void *key)
{
	struct called *s = malloc(sizeof(*s));

	if (s)
		s->key = *(unsigned char *)key;
	return s;
}

void called_free(struct called *s)
{
	free(s);
}

/* One that waits inside: it is open while probes come and go. */
static void dawdle(int num)
{
	const struct timespec t = { 0, 3000000 };

	if (num == CALLED_SLOW)
		nanosleep(&t, NULL);
}

int called_read(struct called *s, void *buf, int num)
{
	dawdle(num);
	if (num % 7 == 0)
		return -1;
	memset(buf, s->key, (size_t)num);
	return num;
}

int called_write(struct called *s, const void *buf, int num)
{
	dawdle(num);
	return num % 5 ? num - (((const unsigned char *)buf)[0] == s->key) : -1;
}

int called_read_ex(struct called *s, void *buf, size_t num, size_t *n)
{
	int got = called_read(s, buf, (int)num); /* one inside the other */

	*n = got < 0 ? 0 : (size_t)got;
	return got > 0;
}

int called_write_ex(struct called *s, const void *buf, size_t num, size_t *n)
{
	int got = called_write(s, buf, (int)num);

	*n = got < 0 ? 0 : (size_t)got;
	return got > 0;
}
