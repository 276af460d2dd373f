/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor prints of TLS. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "event_tls.h"
#include "opaque.h"
#include "probe/hooks.h"
#include "tls_show.h"

static void check(struct buf *b, const char *want)
{
	assert_int_equal(buf_add_ch(b, '\0'), 0);
	assert_string_equal(b->p, want);
	buf_done(b);
}

static void test_hooks(void **state)
{
	struct hooks_stats s = {
		.nfiles = 2, .procs = 212, .probed_procs = 3, .known_files = 57, .attached = 96, .detached = 12,
		.refused_files = 1, .rewritten = 2, .resolved = 40, .cached = 17, .resolver_died = 4, .resolver_late = 5,
		.look_ns_max = 12000000,
		.file = { { "/lib/libssl.so.3", "OpenSSL 3.0.19 by .dynsym", 6, 3 },
			  { "/opt/x\033[31m/libjvm.so", "Java's own TLS", 0, 1 } },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	tls_show_hooks(&s, &b);
	check(&b, "\nTLS         3 of 212 processes have probes; 57 files known, 2 with TLS code\n"
		  "  probes                         96 attached, 12 detached\n"
		  "  files                          40 looked into, 17 known by the cache, 1 refused, 2 rewritten in use\n"
		  "  children                        4 died, 5 took too long\n"
		  "  longest look               12.0ms\n"
		  "  /lib/libssl.so.3  6 probes, 3 processes: OpenSSL 3.0.19 by .dynsym\n"
		  "  /opt/x\\x1b[31m/libjvm.so  not read, 1 process: Java's own TLS\n");
}

static void test_more_files(void **state)
{
	struct hooks_stats s = { .nfiles = HOOKS_FILES_SHOWN + 3, .pid = (uint32_t)getpid() };
	char want[64];
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	tls_show_hooks(&s, &b);
	assert_int_equal(buf_add_ch(&b, '\0'), 0);
	snprintf(want, sizeof(want), "\n  and 3 more\n\nprocess for TLS probes  %d\ncapabilities ", (int)getpid());
	assert_non_null(strstr(b.p, want));
	buf_done(&b);
}

static void on_finding(void *ctx, const struct finding *f)
{
	(void)ctx;
	(void)f;
}

static void hello(struct opaque *o, uint32_t pid, const char *why)
{
	struct ev_hello h = {
		.hdr = { .size = sizeof(h), .kind = EV_HELLO, .ts = 1, .pid = pid },
		.start = 5,
		.family = AF_INET,
		.rport = 443,
		.raddr = { 10, 0, 0, 2 },
	};
	struct ev_hooked k = {
		.hdr = { .size = sizeof(k), .kind = EV_HOOKED, .ts = 1, .pid = pid },
		.start = 5,
		.state = HOOKED_REFUSED,
	};

	snprintf(k.why, sizeof(k.why), "%s", why);
	opaque_feed(o, &h.hdr);
	opaque_feed(o, &k.hdr);
}

static void test_opaque(void **state)
{
	struct opaque *o = opaque_new(on_finding, NULL);
	struct buf b;

	(void)state;
	assert_non_null(o);
	buf_init(&b, 65536);
	tls_show_opaque(o, NULL, &b);
	assert_int_equal(b.n, 0);
	hello(o, 7, "Java's own\n TLS");
	opaque_flush(o, 2);
	tls_show_opaque(o, NULL, &b);
	check(&b, "\nopaque TLS  1 process not read, each with its first peer\n"
		  "  ?(7) and 10.0.0.2:443: Java's own\\x0a TLS\n");
	for (uint32_t i = 0; i < TLS_SHOW_OPAQUE + 4; i++)
		hello(o, 100 + i, "");
	opaque_flush(o, 3);
	buf_init(&b, 65536);
	tls_show_opaque(o, NULL, &b);
	assert_int_equal(buf_add_ch(&b, '\0'), 0);
	assert_non_null(strstr(b.p, "\n  ?(104) and 10.0.0.2:443: its TLS code is not read\n  and 5 more\n"));
	buf_done(&b);
	opaque_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_more_files),
		cmocka_unit_test(test_opaque),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
