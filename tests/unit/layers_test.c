/* SPDX-License-Identifier: Apache-2.0 */
/* probe/layers: the paths of an overlay's options, however they are escaped, and which mount each lies on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "probe/layers.h"

static struct layers l;

static int set_up(void **state)
{
	(void)state;
	memset(&l, 0, sizeof(l));
	return 0;
}

/* Its paths, each followed by a newline. */
static const char *taken(const char *options)
{
	static char text[4096];
	size_t n = 0;

	set_up(NULL);
	layers_take(&l, (struct sv){ options, strlen(options) });
	for (uint32_t i = 0; i < l.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s\n", (int)l.layer[i].n, l.text + l.layer[i].at);
	text[n] = 0;
	return text;
}

static void test_options(void **state)
{
	(void)state;
	assert_string_equal(taken("rw,lowerdir=/a/1:/b,upperdir=/c,workdir=/w,userxattr"), "/a/1\n/b\n/c\n");
	assert_string_equal(taken("rw,lowerdir+=/a,lowerdir+=/b:x,datadir+=/d,redirect_dir=on"), "/a\n/b\n/d\n");
	assert_string_equal(taken("lowerdir=/a::/data"), "/a\n/data\n");
	assert_string_equal(taken("lowerdir=l/XY:../z:/abs:,upperdir=rel"), "/abs\n");
	assert_string_equal(taken("rw"), "");
	assert_string_equal(taken(""), "");
	assert_string_equal(taken("lowerdir=,upperdir=/"), "/\n");
	assert_string_equal(taken("xlowerdir=/a,lowerdi"), "");
}

/* A colon, a comma, a blank and a backslash in a directory's name. */
static void test_escapes(void **state)
{
	(void)state;
	assert_string_equal(taken("lowerdir=/a\\134:b:/c"), "/a:b\n/c\n");
	assert_string_equal(taken("lowerdir=/a\\:b:/c"), "/a:b\n/c\n");
	assert_string_equal(taken("lowerdir=/a\\054b\\040c:/d"), "/a,b c\n/d\n");
	assert_string_equal(taken("lowerdir=/a\\134\\134b"), "/a\\b\n");
	assert_string_equal(taken("lowerdir=/a\\"), "/a\\\n");
	assert_string_equal(taken("lowerdir=/a\\0"), "/a0\n");
	assert_string_equal(taken("lowerdir=/a\\477"), "/a477\n"); /* no byte */
}

static void cover(const char *point, bool remote)
{
	layers_cover(&l, (struct sv){ point, strlen(point) }, remote);
}

/* The nearest mount counts, and of two at one place the later. */
static void test_cover(void **state)
{
	(void)state;
	taken("lowerdir=/var/lib/snap/1/fs:/var/lib/two,upperdir=/up");
	assert_false(layers_remote(&l));
	cover("/", false);
	cover("/var/lib/snap/1/f", true);
	cover("/var/lib/snap/1/fs/x", true);
	cover("/var/lib/twofold", true);
	cover("/up2", true);
	assert_false(layers_remote(&l));
	cover("/var/lib/snap", true);
	assert_true(layers_remote(&l));
	cover("/var/lib/snap/1/fs", false);
	assert_false(layers_remote(&l));
	cover("/var/lib", true); /* below is what is nearer, and two */
	assert_true(layers_remote(&l));
	cover("/var/lib/two", true);
	cover("/var/lib/two", false);
	assert_false(layers_remote(&l));
	cover("/up", true);
	assert_true(layers_remote(&l));
}

static void test_cover_root(void **state)
{
	(void)state;
	taken("upperdir=/up");
	cover("/", true);
	assert_true(layers_remote(&l));
	cover("/", false);
	assert_false(layers_remote(&l));
	taken("upperdir=/a b/c");
	cover("/a\\040b", true);
	assert_true(layers_remote(&l));
	taken("upperdir=/");
	cover("", true);
	cover("/x", true);
	assert_false(layers_remote(&l));
	cover("/", true);
	assert_true(layers_remote(&l));
}

/* Cut anywhere it is some text, and read no further than its end. */
static void test_cut(void **state)
{
	static const char options[] = "rw,lowerdir=/a\\134:b:/c\\040d,upperdir=/e";
	char exact[sizeof(options)];

	(void)state;
	for (size_t n = 0; n < sizeof(options); n++) {
		memset(exact, ':', sizeof(exact));
		memcpy(exact, options, n);
		set_up(NULL);
		layers_take(&l, (struct sv){ exact, n });
		assert_true(l.n <= 3);
		assert_true(l.used <= n);
	}
}

/* Too many, or too much text: it cannot be told. */
static void test_many(void **state)
{
	static char text[LAYERS_TEXT + 64] = "lowerdir=";
	size_t n = strlen(text);

	(void)state;
	for (unsigned int i = 0; i < LAYERS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "/%u:", i);
	layers_take(&l, (struct sv){ text, n });
	assert_int_equal(l.n, LAYERS_MAX);
	assert_false(layers_remote(&l));
	layers_take(&l, SV("upperdir=/one"));
	assert_int_equal(l.n, LAYERS_MAX);
	assert_true(layers_remote(&l));
	set_up(NULL);
	memset(text + 9, 'x', sizeof(text) - 9);
	text[9] = '/';
	layers_take(&l, (struct sv){ text, 9 + LAYERS_TEXT });
	assert_int_equal(l.n, 1);
	assert_false(layers_remote(&l));
	layers_take(&l, SV("upperdir=rel")); /* no room is needed */
	assert_int_equal(l.n, 1);
	set_up(NULL);
	layers_take(&l, (struct sv){ text, 10 + LAYERS_TEXT });
	assert_int_equal(l.n, 0);
	assert_true(layers_remote(&l));
}

#define TEST(fn) cmocka_unit_test_setup(fn, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_options), TEST(test_escapes), TEST(test_cover), TEST(test_cover_root), TEST(test_cut), TEST(test_many),
	};

	return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
