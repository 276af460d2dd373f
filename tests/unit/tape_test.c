/* SPDX-License-Identifier: Apache-2.0 */
/* probe/tape, probe/record: recordings there and back, cut anywhere, and bytes that somebody made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "event_tls.h"
#include "probe/record.h"
#include "probe/tape.h"

static char dir[] = "/tmp/mcpvigil-tape-XXXXXX", path[64];

static int set_up(void **state)
{
	(void)state;
	strncpy(dir + sizeof(dir) - 7, "XXXXXX", 7);
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/tape", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void write_tape(int records)
{
	struct tape *t = tape_create(path, 12345);
	struct {
		struct ev_data d;
		char bytes[11];
	} rec = { .d = { .hdr = { sizeof(struct ev_data) + 11, EV_DATA, 0, 0, 1, 1, 0 },
			 .want = 11, .have = 11, .chan = CHAN_PIPE } };

	assert_non_null(t);
	for (int i = 0; i < records; i++) {
		rec.d.hdr.ts = i + 1;
		tape_write(t, &rec.d.hdr);
	}
	assert_int_equal(tape_close(t), 0);
}

/* Records that can be read; *ret_cut as tape_read says. */
static int read_tape(bool *ret_cut)
{
	int64_t offset = 0;
	struct tape *t = tape_open(path, &offset);
	const struct ev_hdr *h;
	int n = 0;

	if (!t)
		return -errno;
	assert_int_equal(offset, 12345);
	for (h = tape_read(t, ret_cut); h; h = tape_read(t, ret_cut))
		assert_int_equal(h->ts, ++n);
	tape_close(t);
	return n;
}

static void there_and_back(void **state)
{
	struct stat st;
	bool cut;

	(void)state;
	write_tape(3);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(read_tape(&cut), 3);
	assert_false(cut);
	assert_null(tape_create(path, 0));
	assert_int_equal(errno, EEXIST);
}

static void cut_anywhere(void **state)
{
	struct stat st;
	bool cut;

	(void)state;
	write_tape(2);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size - 1; n >= (off_t)sizeof(struct tape_head); n--) {
		int want = (n - (off_t)sizeof(struct tape_head)) / 104;

		assert_int_equal(truncate(path, n), 0);
		assert_int_equal(read_tape(&cut), want);
		assert_int_equal(cut, (n - sizeof(struct tape_head)) % 104 != 0);
	}
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(read_tape(&cut), -EBADMSG);
}

static void made_up_records(void **state)
{
	union {
		struct ev_hdr h;
		struct ev_data d;
		char bytes[1024];
	} r;

	(void)state;
	srand(1);
	for (int i = 0; i < 1000000; i++) {
		for (size_t k = 0; k < sizeof(struct ev_data); k += 4)
			*(uint32_t *)(r.bytes + k) = rand() & 3 ? rand() % 6 : rand();
		if (!record_ok(&r.h, sizeof(r)))
			continue;
		assert_in_range(r.h.size, sizeof(r.h), sizeof(r));
		if (r.h.kind == EV_DATA)
			assert_in_range(sizeof(r.d) + r.d.have, sizeof(r.d), r.h.size);
	}
	r.h = (struct ev_hdr){ .size = sizeof(r.h), .kind = 999 };
	assert_true(record_ok(&r.h, sizeof(r))); /* a later version's */
	assert_false(record_ok(&r.h, sizeof(r.h) - 1));
}

static void tls_records(void **state)
{
	struct ev_hello hello = { .hdr = { .size = sizeof(hello), .kind = EV_HELLO }, .end = END_WRITE };
	struct ev_hooked hooked = { .hdr = { .size = sizeof(hooked), .kind = EV_HOOKED } };
	struct ev_odd odd = { .hdr = { .size = sizeof(odd), .kind = EV_ODD }, .end = END_WRITE };
	struct ev_open open_ = { .hdr = { .size = sizeof(open_), .kind = EV_OPEN }, .chan = CHAN_TLS };
	struct ev_join join = { .hdr = { .size = sizeof(join), .kind = EV_JOIN }, .end = END_WRITE };

	(void)state;
	assert_true(record_ok(&hello.hdr, sizeof(hello)));
	hello.end = END_WRITE + 1;
	assert_false(record_ok(&hello.hdr, sizeof(hello)));
	hello.end = END_READ;
	hello.hdr.size--;
	assert_false(record_ok(&hello.hdr, sizeof(hello)));
	memset(hooked.why, 'x', sizeof(hooked.why) - 1);
	assert_true(record_ok(&hooked.hdr, sizeof(hooked)));
	hooked.why[sizeof(hooked.why) - 1] = 'x'; /* it does not end */
	assert_false(record_ok(&hooked.hdr, sizeof(hooked)));
	hooked.why[0] = 0;
	hooked.hdr.size--;
	assert_false(record_ok(&hooked.hdr, sizeof(hooked)));
	assert_true(record_ok(&join.hdr, sizeof(join)));
	join.end = END_WRITE + 1;
	assert_false(record_ok(&join.hdr, sizeof(join)));
	join.end = END_READ;
	join.hdr.size--;
	assert_false(record_ok(&join.hdr, sizeof(join)));
	assert_true(record_ok(&odd.hdr, sizeof(odd)));
	odd.end = END_WRITE + 1;
	assert_false(record_ok(&odd.hdr, sizeof(odd)));
	odd.end = END_WRITE;
	odd.hdr.size--;
	assert_false(record_ok(&odd.hdr, sizeof(odd)));
	assert_true(record_ok(&open_.hdr, sizeof(open_)));
	open_.chan = CHAN_TLS + 1;
	assert_false(record_ok(&open_.hdr, sizeof(open_)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut_anywhere, set_up, tear_down),
		cmocka_unit_test(made_up_records),
		cmocka_unit_test(tls_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
