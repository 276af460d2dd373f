/* SPDX-License-Identifier: Apache-2.0 */
/* A program with functions that are called like OpenSSL's. What they do:
 *
 *   odd length    more bytes than there is room for
 *   odd memory    bytes where no memory is
 *   odd record    TLS records, as functions below TLS do
 *   odd binary    what is no text, as many protocols inside TLS: nothing is wrong with it
 *
 * Says "ready", makes its calls once a line comes, and stays until its input ends. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OBJECTS 40

static const char record[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello";
static const char binary[] = "\x00\x00\x00\x1d\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07 a broker";
static char object[OBJECTS], room[4096];

int SSL_read(void *ssl, void *buf, int num);
int SSL_write(void *ssl, const void *buf, int num);

__attribute__((noinline)) int SSL_read(void *ssl, void *buf, int num)
{
	asm volatile("" : : "r"(ssl), "r"(buf) : "memory");
	return num;
}

__attribute__((noinline)) int SSL_write(void *ssl, const void *buf, int num)
{
	asm volatile("" : : "r"(ssl), "r"(buf) : "memory");
	return num < 0 ? -num : num;
}

static void call(void *ssl, const char *way)
{
	if (!strcmp(way, "length"))
		SSL_write(ssl, room, -100); /* as a number of bytes: 0 */
	else if (!strcmp(way, "memory"))
		SSL_read(ssl, (void *)64, 100);
	else
		SSL_read(ssl, room, sizeof(binary));
}

int main(int c, char **v)
{
	char byte;

	if (c != 2)
		return 2;
	puts("ready");
	fflush(stdout);
	if (read(0, &byte, 1) == 1) {
		memcpy(room, strcmp(v[1], "record") ? binary : record, sizeof(record));
		for (int i = 0; i < OBJECTS; i++)
			call(&object[i], v[1]);
		puts("done");
		fflush(stdout);
	}
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
