/* SPDX-License-Identifier: Apache-2.0 */
/* Calls called.c from four threads until its input ends, looks at every result, and says how many there were and how many
 * were wrong. One of the threads dawdles in its calls. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "called.h"

#define THREADS 4
#define LENGTH	200

static atomic_bool stop;
static atomic_ulong calls, wrong;

static void check(bool right)
{
	calls++;
	wrong += !right;
}

static void read_once(struct called *s, unsigned char key, int num)
{
	unsigned char buf[LENGTH] = { 0 }, want[LENGTH];
	size_t n = 99;
	int ret;

	memset(want, key, sizeof(want));
	ret = called_read(s, buf, num);
	check(ret == (num % 7 ? num : -1) && (ret < 0 || !memcmp(buf, want, (size_t)num)));
	ret = called_read_ex(s, buf, (size_t)num, &n);
	check(num % 7 ? ret == 1 && n == (size_t)num : ret == 0 && n == 0);
}

static void write_once(struct called *s, unsigned char key, int num)
{
	char buf[LENGTH] = "{\"jsonrpc\":\"2.0\"}";
	size_t n = 99, want = (size_t)num;
	int ret;

	if (num & 1) {
		buf[0] = (char)key;
		want--;
	}
	ret = called_write(s, buf, num);
	check(ret == (num % 5 ? (int)want : -1));
	ret = called_write_ex(s, buf, (size_t)num, &n);
	check(num % 5 && want ? ret == 1 && n == want : ret == 0 && n == 0);
}

static void *work(void *arg)
{
	unsigned char key = (unsigned char)(200 + (long)arg);
	struct called *s = NULL;

	for (int i = 0; !stop; i++) {
		int num = (long)arg ? i % (LENGTH - 1) + 1 : CALLED_SLOW;

		if (i % 1000 == 0) {
			called_free(s);
			s = called_new(&key);
		}
		if (i & 1)
			read_once(s, key, num);
		else
			write_once(s, key, num);
	}
	called_free(s);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	char c;

	for (long i = 0; i < THREADS; i++) {
		if (pthread_create(&t[i], NULL, work, (void *)i))
			return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("{\"calls\": %lu, \"wrong\": %lu}\n", calls, wrong);
	return 0;
}
