/* SPDX-License-Identifier: Apache-2.0 */
/* Programs with no TLS in them that look as if there were: each TRAP is one. They are not run. */
#include <stdio.h>

#define ALONE __attribute__((noinline, noclone, used))

#if TRAP == 1 /* the strings, as data: somebody else's list of names, as a profiler or a tool like ours has */
static const char *const list[] = { "../ssl/ssl_lib.cc",  "ssl/ssl_lib.c",	"SSL_read",	     "SSL_write",	 "SSL_new",
				    "ssl_read_internal", "ssl_write_internal", "SSL_do_handshake", "third_party/boringssl/src/ssl/ssl_lib.cc" };

int main(int argc, char **argv)
{
	(void)argv;
	return puts(list[argc % 9]);
}
#elif TRAP == 2 /* the strings, in calls of another shape */
#define F(n)                                                                                                     \
	ALONE int f##n(int a)                                                                                    \
	{                                                                                                        \
		return printf("%s %s %d %d", "../ssl/ssl_lib.cc", "SSL_write", 66, a) + printf("%d%d", 226, 111) + \
		       printf("%s %s", "ssl/ssl_lib.c", n % 2 ? "ssl_read_internal" : "ssl_write_internal");      \
	}
F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8)
int main(int argc, char **argv)
{
	(void)argv;
	return f1(argc) + f2(argc) + f3(argc) + f4(argc) + f5(argc) + f6(argc) + f7(argc) + f8(argc);
}
#else /* errors as those libraries raise them, raised by functions that are no reads and writes */
ALONE void put(int lib, int func, int reason, const char *file, unsigned int line)
{
	fprintf(stderr, "%d %d %d %s %u", lib, func, reason, file, line);
}

ALONE void debug(const char *file, int line, const char *func)
{
	fprintf(stderr, "%s %d %s", file, line, func);
}

#define PUT(reason)  put(16, 0, reason, "x/ssl/ssl_lib.cc", __LINE__)
#define RAISE(func)  debug("ssl/ssl_lib.c", __LINE__, func)

ALONE int all(int a)
{
	switch (a) {
	case 0: PUT(66); RAISE("SSL_read"); return 1;
	case 1: PUT(226); RAISE("SSL_write"); return 2;
	case 2: PUT(215); RAISE("ssl_read_internal"); return 3;
	default: PUT(111); RAISE("ssl_write_internal"); return 4;
	}
}

#define F(n, reason, name)          \
	ALONE int f##n(int a)       \
	{                           \
		if (a) {            \
			PUT(reason); \
			RAISE(name); \
		}                   \
		return a + n;       \
	}
F(1, 226, "SSL_new") F(2, 215, "SSL_do_handshake") F(3, 66, "SSL_read") F(4, 134, "SSL_write")
F(5, 185, "ssl_read_internal") F(6, 66, "ssl_write_internal") F(7, 68, "SSL_connect")
int main(int argc, char **argv)
{
	(void)argv;
	return all(argc) + f1(argc) + f2(argc) + f3(argc) + f4(argc) + f5(argc) + f6(argc) + f7(argc);
}
#endif
