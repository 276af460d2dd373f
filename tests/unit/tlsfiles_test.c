/* SPDX-License-Identifier: Apache-2.0 */
/* probe/tlsfiles, probe/holds: what becomes of a file that is mapped, written, shared and left, with a resolver, probes and leases
 * that do as they are told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "probe/hooks.h"
#include "probe/openfile.h"
#include "probe/tlsfiles.h"
#include "probe/twin.h"
#include "tls_stack.h"
#include "tlsfiles_fakes.h"

/* Time passes where a test lets it. */
uint64_t clock_boot_ns(void)
{
	return w.now;
}

uint32_t attach_points(const struct attached *a)
{
	(void)a;
	return 8;
}

/* --- Files, as they are found ----------------------------------------------------------------------------------- */

bool twin_probed(int fd, const struct tls_found *f)
{
	(void)f;
	assert_true(fcntl(fd, F_GETFD) >= 0);
	return w.twins;
}

const char *openfile_barred(struct openfile_devs *d, uint32_t pid, uint64_t dev, uint64_t now)
{
	(void)d;
	(void)pid;
	(void)dev;
	(void)now;
	return w.barred;
}

int openfile_id(uint32_t pid, const struct mapped_file *f, struct file_id *ret)
{
	(void)pid;
	*ret = (struct file_id){ .dev = f->dev, .ino = f->ino, .size = 4096, .mtime = w.mtime };
	return w.id_err;
}

int openfile_open(uint32_t pid, const struct mapped_file *f, bool remote, struct file_id *ret, char why[OPENFILE_WHY])
{
	(void)remote;
	why[0] = 0;
	if (w.open_err) {
		snprintf(why, OPENFILE_WHY, "it is not opened");
		return w.open_err;
	}
	openfile_id(pid, f, ret);
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* --- The world -------------------------------------------------------------------------------------------------- */

static void on_changed(void *ctx, uint32_t file)
{
	assert_ptr_equal(ctx, &w);
	assert_true(tlsfiles_state(w.t, file) <= TLSFILE_OPAQUE);
	w.changes++;
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int fds_before;

static int set_up(void **state)
{
	const struct tlsfiles_opts o = { .probe = PROBE, .loop = LOOP, .changed = on_changed, .ctx = &w };

	(void)state;
	log_level_set(LOG_ERR);
	fds_before = descriptors();
	memset(&w, 0, sizeof(w));
	w.t = tlsfiles_new(&o);
	return w.t ? 0 : -1;
}

/* Whatever happened, nothing is left. */
static int tear_down(void **state)
{
	(void)state;
	tlsfiles_free(w.t);
	return w.attached || w.leased || descriptors() != fds_before;
}

static uint32_t get_dev(uint64_t dev, uint64_t ino)
{
	struct mapped_file f = { .dev = dev, .ino = ino };

	snprintf(f.path, sizeof(f.path), "/lib/%u/libssl.so", (unsigned int)ino);
	return tlsfiles_get(w.t, 7, &f);
}

static uint32_t get(uint64_t ino)
{
	return get_dev(1, ino);
}

static const struct tls_found openssl = {
	.n = 1,
	.point = { { .offset = 100, .func = 96, .fn = TLS_F_SSL_READ, .stack = TLS_OPENSSL, .nbytes = 4 } },
	.evidence = "OpenSSL by .dynsym",
};

static void done(uint32_t file, int err, const struct tls_found *f)
{
	static const struct tls_found none;

	w.ro.done(w.ro.ctx, file, err, f ? f : &none);
}

static uint32_t get_probed(uint64_t ino)
{
	uint32_t file = get(ino);

	done(file, 0, &openssl);
	assert_int_equal(tlsfiles_state(w.t, file), TLSFILE_PROBED);
	return file;
}

static void assert_why(uint32_t file, enum tlsfile_state state, const char *why)
{
	char text[160];

	assert_int_equal(tlsfiles_state(w.t, file), state);
	tlsfiles_why(w.t, file, text, sizeof(text));
	assert_string_equal(text, why);
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

/* Looked at once, probed once, however many map it; taken off 15 s behind the last. */
static void test_life(void **state)
{
	uint32_t file = get(5), again;
	uint64_t now;

	(void)state;
	assert_int_equal(tlsfiles_busy(w.t), 1);
	assert_int_equal(get(5), file);
	done(file, 0, &openssl);
	assert_int_equal(tlsfiles_busy(w.t), 0);
	assert_int_equal(tlsfiles_stacks(w.t, file), 1 << TLS_OPENSSL);
	assert_why(file, TLSFILE_PROBED, "/lib/5/libssl.so");
	again = get(5);
	assert_int_equal(again, file);
	assert_string_equal(w.log, "l+a");
	assert_int_equal(w.changes, 1);
	tlsfiles_put(w.t, file);
	tlsfiles_put(w.t, file);
	tlsfiles_tick(w.t, clock_boot_ns() + 2 * TLSFILES_LINGER_NS);
	assert_int_equal(w.attached, 1); /* one is left */
	now = clock_boot_ns();
	tlsfiles_put(w.t, file);
	tlsfiles_tick(w.t, now + TLSFILES_LINGER_NS - 1);
	assert_int_equal(w.attached, 1);
	tlsfiles_tick(w.t, clock_boot_ns() + TLSFILES_LINGER_NS);
	assert_string_equal(w.log, "l+ad-"); /* the lease is held until the probes are off */
	assert_int_equal(tlsfiles_stacks(w.t, file), 0);
	assert_int_equal(get(5), file); /* it is back */
	done(file, 0, &openssl);
	assert_string_equal(w.log, "l+ad-l+a");
}

static void test_linger_ends(void **state)
{
	uint32_t file = get_probed(5);

	(void)state;
	tlsfiles_put(w.t, file);
	assert_int_equal(get(5), file);
	tlsfiles_tick(w.t, clock_boot_ns() + 2 * TLSFILES_LINGER_NS);
	assert_int_equal(w.attached, 1);
}

/* What came of it, once: no file is looked at again as long as it is the same. */
static void test_verdicts(void **state)
{
	static const struct tls_found gnutls = { .why = "GnuTLS: not read yet" };
	uint32_t nothing = get(1), no_elf = get(2), opaque = get(3), bad = get(4), late = get(5), unprobed = get(6);

	(void)state;
	done(nothing, 0, NULL);
	assert_int_equal(tlsfiles_state(w.t, nothing), TLSFILE_NOTHING);
	done(no_elf, -ENOEXEC, NULL);
	assert_int_equal(tlsfiles_state(w.t, no_elf), TLSFILE_NOTHING);
	done(opaque, 0, &gnutls);
	assert_why(opaque, TLSFILE_OPAQUE, "libssl.so: GnuTLS: not read yet");
	done(bad, -EBADMSG, NULL);
	assert_why(bad, TLSFILE_REFUSED, "libssl.so: it cannot be looked at: EBADMSG");
	done(late, -ETIMEDOUT, NULL);
	assert_why(late, TLSFILE_REFUSED, "libssl.so: it cannot be looked at: ETIMEDOUT");
	w.attach_err = -EPERM;
	done(unprobed, 0, &openssl);
	assert_why(unprobed, TLSFILE_OPAQUE, "libssl.so: OpenSSL by .dynsym, but it cannot be probed: EPERM");
	assert_int_equal(w.looked, 6);
	assert_int_equal(w.changes, 6);
	for (uint64_t ino = 1; ino <= 6; ino++)
		get(ino);
	assert_int_equal(w.looked, 6);
	w.mtime++; /* another one now */
	for (uint64_t ino = 1; ino <= 6; ino++)
		get(ino);
	assert_int_equal(w.looked, 12);
}

static void test_refused(void **state)
{
	uint32_t file;

	(void)state;
	w.barred = "of the sea";
	assert_why(get(1), TLSFILE_REFUSED, "libssl.so: of the sea");
	w.barred = NULL;
	w.open_err = -EREMOTE;
	assert_why(get(2), TLSFILE_REFUSED, "libssl.so: it is not opened");
	w.open_err = 0;
	assert_int_equal(tlsfiles_state(w.t, get(2)), TLSFILE_REFUSED);
	w.id_err = -EPERM;
	assert_why(get(3), TLSFILE_REFUSED, "libssl.so: it cannot be opened: a capability is missing");
	w.id_err = -EINVAL; /* no regular file */
	assert_int_equal(get(4), TLSFILES_NONE);
	w.id_err = -ENOENT; /* gone */
	assert_int_equal(get(5), TLSFILES_NONE);
	w.id_err = 0;
	assert_int_equal(w.looked, 0);
	w.open_err = -EMFILE; /* passes */
	file = get(6);
	assert_int_equal(tlsfiles_state(w.t, file), TLSFILE_NEW);
	w.open_err = 0;
	w.look_err = -ENOBUFS;
	assert_int_equal(get(6), file);
	assert_why(file, TLSFILE_NEW, "libssl.so: too many files to look at");
	w.look_err = 0;
	get(6);
	assert_int_equal(tlsfiles_state(w.t, file), TLSFILE_RESOLVING);
	done(file, -ENOMEM, NULL);
	assert_int_equal(tlsfiles_state(w.t, file), TLSFILE_NEW);
	assert_int_equal(tlsfiles_busy(w.t), 0);
}

/* Probes go off before the lease does; the file is looked at anew when it is next mapped. */
static void test_written(void **state)
{
	uint32_t file = get_probed(5), other = get_probed(6);
	uint64_t now = clock_boot_ns();

	(void)state;
	w.changes = 0;
	w.log[0] = 0;
	w.broken(w.broken_ctx, w.last_fd);
	assert_string_equal(w.log, "d-");
	assert_int_equal(w.changes, 1);
	assert_why(other, TLSFILE_NEW, "libssl.so: it is being written");
	assert_int_equal(tlsfiles_stacks(w.t, other), 0);
	assert_int_equal(tlsfiles_state(w.t, file), TLSFILE_PROBED);
	assert_false(tlsfiles_again(w.t, now));
	assert_true(tlsfiles_again(w.t, clock_boot_ns() + NSEC_PER_SEC));
	assert_false(tlsfiles_again(w.t, clock_boot_ns() + NSEC_PER_SEC));
	w.lease_err = -EAGAIN; /* it still is */
	get(6);
	done(other, 0, &openssl);
	assert_why(other, TLSFILE_NEW, "libssl.so: it is being written");
	assert_true(tlsfiles_again(w.t, w.now + 2 * NSEC_PER_SEC));
	w.lease_err = 0;
	w.attach_err = -ESTALE;
	get(6);
	done(other, 0, &openssl);
	assert_int_equal(tlsfiles_state(w.t, other), TLSFILE_NEW);
	assert_int_equal(w.leased, 1);
	w.attach_err = 0;
	w.mtime++;
	other = get(6);
	done(other, 0, &openssl);
	assert_int_equal(w.attached, 2);
	w.broken(w.broken_ctx, 4000); /* of nobody */
	assert_int_equal(w.attached, 2);
}

/* It is written, and looked at again so much later. */
static void written_for(uint32_t file, unsigned int seconds)
{
	w.broken(w.broken_ctx, w.last_fd);
	w.now += seconds * NSEC_PER_SEC - 1;
	assert_false(tlsfiles_again(w.t, w.now));
	assert_true(tlsfiles_again(w.t, ++w.now));
	get(5);
	done(file, 0, &openssl);
	assert_int_equal(tlsfiles_state(w.t, file), TLSFILE_PROBED);
}

/* A file that somebody keeps writing is looked at ever less often, down to half a minute; when that has ended, soon again. */
static void test_written_on_and_on(void **state)
{
	static const unsigned int seconds[] = { 1, 2, 4, 8, 16, 32, 32 };
	uint32_t file = get_probed(5);

	(void)state;
	for (unsigned int i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		written_for(file, seconds[i]);
	w.now += 32 * NSEC_PER_SEC - 1;
	written_for(file, 32);
	w.now += 32 * NSEC_PER_SEC;
	written_for(file, 1);
	w.now += NSEC_PER_SEC;
	written_for(file, 1);
}

/* One real file under two names is probed once, until nobody uses it under either. */
static void test_twins(void **state)
{
	uint32_t a = get_probed(5), b = get_dev(2, 5), c, far;
	struct hooks_stats s = { 0 };
	struct tls_found other = openssl;

	(void)state;
	w.twins = true;
	done(b, 0, &openssl);
	assert_int_not_equal(a, b);
	assert_int_equal(w.attached, 1);
	assert_int_equal(w.leased, 1);
	assert_int_equal(tlsfiles_stacks(w.t, b), 1 << TLS_OPENSSL);
	c = get_dev(3, 5ull << 32 | 5); /* an overlay that numbers its layers */
	done(c, 0, &openssl);
	assert_int_equal(w.attached, 1);
	far = get_dev(3, 6); /* as large, and probed by somebody else */
	done(far, 0, &openssl);
	assert_int_equal(w.attached, 2);
	other.point[0].offset++;
	far = get_dev(4, 5);
	done(far, 0, &other);
	assert_int_equal(w.attached, 3);
	w.twins = false; /* copied up: the same number, another real file */
	far = get_dev(5, 5);
	done(far, 0, &openssl);
	assert_int_equal(w.attached, 4);
	tlsfiles_put(w.t, a);
	tlsfiles_put(w.t, c);
	tlsfiles_tick(w.t, clock_boot_ns() + TLSFILES_LINGER_NS);
	assert_int_equal(w.attached, 4);
	tlsfiles_put(w.t, b);
	tlsfiles_tick(w.t, clock_boot_ns() + TLSFILES_LINGER_NS);
	assert_int_equal(w.attached, 3);
	tlsfiles_stats(w.t, &s);
	assert_int_equal(s.attached, 4);
	assert_int_equal(s.detached, 1);
}

static void test_twins_written(void **state)
{
	uint32_t a = get_probed(5), b = get_dev(2, 5);

	(void)state;
	w.twins = true;
	done(b, 0, &openssl);
	w.changes = 0;
	w.broken(w.broken_ctx, w.last_fd);
	assert_int_equal(w.attached, 0);
	assert_int_equal(w.changes, 2);
	assert_int_equal(tlsfiles_state(w.t, a), TLSFILE_NEW);
	assert_int_equal(tlsfiles_state(w.t, b), TLSFILE_NEW);
}

/* Probes that are in the wrong place: off under all names of the file, and not put on again. Where symbols say what the functions
 * are, binary data is the program's own. */
static void test_withdrawn(void **state)
{
	static const char why[] = "libssl.so: probes withdrawn, as all connections began with binary data (OpenSSL by .dynsym)";
	uint32_t a = get_probed(5), other = get_probed(6), b = get_dev(2, 5);
	struct tls_found shaped = openssl;

	(void)state;
	w.twins = true;
	shaped.shaped = 1 << TLS_OPENSSL;
	done(b, 0, &shaped);
	w.changes = 0;
	tlsfiles_withdraw(w.t, other, 1 << TLS_OPENSSL, ODD_BINARY);
	tlsfiles_withdraw(w.t, b, 1 << TLS_OPENSSL, ODD_BINARY);
	assert_int_equal(w.attached, 1);
	assert_int_equal(w.changes, 2);
	assert_int_equal(tlsfiles_stacks(w.t, a), 0);
	assert_why(a, TLSFILE_OPAQUE, why);
	assert_why(b, TLSFILE_OPAQUE, why);
	assert_int_equal(tlsfiles_state(w.t, other), TLSFILE_PROBED);
	assert_int_equal(get(5), a);
	assert_int_equal(tlsfiles_state(w.t, a), TLSFILE_OPAQUE);
	tlsfiles_withdraw(w.t, a, 1 << TLS_OPENSSL, ODD_LENGTH);
	assert_int_equal(w.attached, 1);
	assert_int_equal(w.changes, 2);
}

/* The least recently used one that nobody uses makes room; where all are used, there is none. */
static void test_full(void **state)
{
	uint32_t file, first = get(1);

	(void)state;
	for (uint64_t ino = 2; ino <= TLSFILES_MAX; ino++) {
		file = get(ino);
		assert_int_not_equal(file, TLSFILES_NONE);
		done(file, 0, NULL);
	}
	assert_int_equal(get(TLSFILES_MAX + 1), TLSFILES_NONE);
	assert_int_equal(tlsfiles_full(w.t), 1);
	tlsfiles_put(w.t, first);
	assert_int_equal(get(TLSFILES_MAX + 1), TLSFILES_NONE); /* it is being looked at */
	done(first, 0, &openssl);
	assert_int_equal(w.attached, 1);
	file = get(TLSFILES_MAX + 1);
	assert_int_equal(file, first); /* its place */
	assert_int_equal(w.attached, 0);
	done(file, 0, NULL);
	assert_int_equal(tlsfiles_full(w.t), 2);
	assert_int_equal(get(1), TLSFILES_NONE);
}

static void test_stats(void **state)
{
	static const struct tls_found gnutls = { .why = "GnuTLS" };
	struct hooks_stats s = { 0 };
	uint32_t i;

	(void)state;
	done(get(2), 0, &gnutls);
	for (i = 10; i < 10 + HOOKS_FILES_SHOWN; i++)
		done(get(i), 0, &openssl);
	get(10);
	done(get(3), 0, NULL);
	tlsfiles_stats(w.t, &s);
	assert_int_equal(s.nfiles, HOOKS_FILES_SHOWN + 1);
	assert_int_equal(s.known_files, HOOKS_FILES_SHOWN + 2);
	assert_string_equal(s.file[0].path, "/lib/10/libssl.so");
	assert_string_equal(s.file[0].evidence, "OpenSSL by .dynsym");
	assert_int_equal(s.file[0].points, 8);
	assert_int_equal(s.file[0].procs, 2);
	assert_int_equal(s.attached, HOOKS_FILES_SHOWN);
	assert_int_equal(s.refused_files, 1);
	assert_int_equal(s.resolved, 11);
	assert_int_equal(s.cached, 7);
	assert_int_equal(s.resolver_died, 2);
	assert_int_equal(s.resolver_late, 1);
}

/* Results for what was never asked, or was answered already. */
static void test_stray(void **state)
{
	uint32_t file = get_probed(1);

	(void)state;
	done(file, 0, &openssl);
	done(TLSFILES_MAX, 0, &openssl);
	done(77, 0, &openssl);
	assert_int_equal(w.attached, 1);
	assert_int_equal(tlsfiles_busy(w.t), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),  TEST(test_linger_ends),    TEST(test_verdicts), TEST(test_refused), TEST(test_written),
		TEST(test_written_on_and_on),
		TEST(test_twins), TEST(test_twins_written), TEST(test_withdrawn), TEST(test_full),	   TEST(test_stats),   TEST(test_stray),
	};

	return cmocka_run_group_tests_name("tlsfiles", tests, NULL, NULL);
}
