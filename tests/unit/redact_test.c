/* SPDX-License-Identifier: Apache-2.0 */
/* What never leaves the host: userinfo and query of URIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sink/redact.h"

static void is(const char *uri, const char *want)
{
	char *got = redact_uri(uri);

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void test_plain(void **state)
{
	(void)state;
	is("", "");
	is("file:///home/a/b.txt", "file:///home/a/b.txt");
	is("https://h.example:8443/p/q#frag", "https://h.example:8443/p/q#frag");
	is("test://static/resource/1", "test://static/resource/1");
	is("npm://registry/@scope/pkg", "npm://registry/@scope/pkg");
	is("http://[::1]:8080/x", "http://[::1]:8080/x");
	is("mailto:a@b.example", "mailto:a@b.example");
	is("users/@me", "users/@me");
	is("host:80", "host:80");
	is(":", ":");
	is("//", "//");
	is("x://", "x://");
}

static void test_userinfo(void **state)
{
	(void)state;
	is("https://u:secret@h/p", "https://h/p");
	is("https://token@h", "https://h");
	is("https://u:secret@[::1]:80/p", "https://[::1]:80/p");
	is("postgres://u:secret@db:5432/name", "postgres://db:5432/name");
	is("https://u:se@cret@h/p", "https://h/p");
	is("//u:secret@h/p", "//h/p");
	is("https:\\\\u:secret@h\\p", "https:\\\\h\\p");
	is("https://@h/p", "https://h/p");
	is("https:\\\\h\\p@x", "https:\\\\h\\p@x");
}

static void test_query(void **state)
{
	(void)state;
	is("https://h/p?token=secret", "https://h/p");
	is("https://h/p?token=secret#frag", "https://h/p#frag");
	is("https://h/p?", "https://h/p");
	is("https://h?token=secret", "https://h");
	is("res?token=secret", "res");
	is("?token=secret", "");
	is("https://h/p#frag?token=secret", "https://h/p#frag");
	is("https://h/p?a=1?b=2#f#?c=3", "https://h/p#f#");
	is("https://u:secret@h/p?token=secret", "https://h/p");
	is("https://h/p?x=https://u:secret@i/", "https://h/p");
}

/* A password with a character that ends the authority. */
static void test_unencoded(void **state)
{
	(void)state;
	is("postgres://u:sec/ret@db/name", "postgres://db/name");
	is("postgres://u:sec?ret@db/name", "postgres://db/name");
	is("postgres://u:sec#ret@db/name?q=1", "postgres://db/name");
	is("postgres://u:sec#ret@db/name", "postgres://db/name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_userinfo),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_unencoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
