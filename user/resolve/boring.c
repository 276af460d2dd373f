/* SPDX-License-Identifier: Apache-2.0 */
/* BoringSSL without symbols, by the errors that its functions raise.
 *
 * Each error is a call ERR_put_error(16, 0, reason, file, line). The name of the file stays when symbols are stripped, and reasons
 * are numbers of the API. So the functions of ssl_lib.cc are known by which of them they raise, and by who calls whom:
 *
 *	SSL_write	all of 66, 226, 215 and 111; nobody else raises the last
 *	ssl_read_impl	226 and 215, neither of the others
 *	SSL_peek	66, calls ssl_read_impl with its own first argument
 *	SSL_read	calls SSL_peek, or contains it, and consumes what that copied: it stores into the connection
 *	SSL_do_handshake 134, called by SSL_write with its own first argument
 *	SSL_new		185, tests whether its argument is NULL
 *
 * Link-time optimisation may take away the argument that is always 0. It may also put functions into others, whose arguments are
 * their own: then nothing is found, as the arguments that are passed on tell. SSL_free raises nothing and is not found. */
#include "resolve/xref.h"

#include "tls_stack.h"

#define LIB_SSL 16

enum {
	R_QUIC = 1,	     /* 66, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED */
	R_BAD_LENGTH = 2,    /* 111 */
	R_NO_TYPE = 4,	     /* 134, SSL_R_CONNECTION_TYPE_NOT_SET */
	R_NO_CTX = 8,	     /* 185, SSL_R_NULL_SSL_CTX */
	R_FAILED = 16,	     /* 215, SSL_R_SSL_HANDSHAKE_FAILURE */
	R_UNINITIALIZED = 32, /* 226 */
};

static const struct reason reasons[] = {
	{ 66, R_QUIC }, { 111, R_BAD_LENGTH }, { 134, R_NO_TYPE }, { 185, R_NO_CTX }, { 215, R_FAILED }, { 226, R_UNINITIALIZED },
};

struct boring {
	struct look *l;
	struct funcs *funcs;
	struct addrs files;
	struct bodies in; /* of the file */
	uint16_t raises[BODIES_MAX];
	const struct body *read, *write, *read_impl, *handshake, *make;
	bool apart; /* SSL_read calls SSL_peek */
};

/* --- Errors ------------------------------------------------------------------------------------------------------ */

static bool errors(struct boring *s, unsigned int file)
{
	struct puterr e = { &s->files, file, sizeof(reasons) / sizeof(reasons[0]), LIB_SSL, reasons };
	uint16_t all = 0;

	for (unsigned int i = 0; i < s->in.n; i++) {
		s->raises[i] = puterr_raised(&e, s->in.body[i]);
		all |= s->raises[i];
	}
	return all;
}

/* The one function that raises all of @all and none of @none; NULL where there is none, or another one. */
static const struct body *only(const struct boring *s, uint16_t all, uint16_t none)
{
	const struct body *ret = NULL;

	for (unsigned int i = 0; i < s->in.n; i++) {
		if ((s->raises[i] & all) != all || (s->raises[i] & none))
			continue;
		if (ret)
			return NULL;
		ret = s->in.body[i];
	}
	return ret;
}

/* --- Who calls whom ---------------------------------------------------------------------------------------------- */

/* Does @b call @callee with its own first @n arguments? */
static bool passes_on(const struct body *b, const struct body *callee, unsigned int n)
{
	for (uint32_t i = 0; i < b->n; i++) {
		bool own = call_leaves(b, i) && b->in[i].target == callee->f.addr;

		for (unsigned int arg = 0; own && arg < n; arg++) {
			struct values v;

			values_of_arg(b, i, arg, &v);
			own = values_is_own(&v, arg);
		}
		if (own)
			return true;
	}
	return false;
}

static bool has_frame(const struct body *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->in[i].load == LOAD_COPY && b->in[i].reg == REG_BP && b->in[i].value == REG_SP)
			return true;
	}
	return false;
}

/* Does it store anywhere but on its stack? */
static bool stores(const struct body *b)
{
	bool frame = has_frame(b);

	for (uint32_t i = 0; i < b->n; i++) {
		if (b->in[i].stores && b->in[i].base != REG_SP && (b->in[i].base != REG_BP || !frame))
			return true;
	}
	return false;
}

/* The one function that calls @peek with its own arguments and consumes. */
static const struct body *reader_of(struct boring *s, const struct body *peek)
{
	const struct body *ret = NULL;
	struct addrs at = { 0 };

	callers_find(s->l->elf, peek->f.addr, 0xe8, &at);
	for (unsigned int i = 0; i < at.n; i++) {
		const struct body *b = funcs_at(s->funcs, at.addr[i]);

		if (!b || b == ret || b == peek || !passes_on(b, peek, 3) || !stores(b))
			continue;
		if (ret)
			return NULL;
		ret = b;
	}
	return at.many ? NULL : ret;
}

/* Those that raise 66 and call ssl_read_impl are SSL_peek and SSL_read, or the one of them that contains the other. */
static const struct body *reader(struct boring *s)
{
	const struct body *peek = NULL, *read = NULL;

	for (unsigned int i = 0; i < s->in.n; i++) {
		const struct body *b = s->in.body[i];
		const struct body **which = stores(b) ? &read : &peek;

		if (!(s->raises[i] & R_QUIC) || b == s->write || !passes_on(b, s->read_impl, 1) || !hands(b, 1, 0))
			continue;
		if (*which)
			return NULL;
		*which = b;
	}
	s->apart = peek && !read;
	return s->apart ? reader_of(s, peek) : read;
}

/* --- Result ------------------------------------------------------------------------------------------------------ */

/* NULL, or what is not as it should be. */
static const char *identify(struct boring *s)
{
	const struct body *h = only(s, R_NO_TYPE, 0);

	s->write = only(s, R_BAD_LENGTH, 0);
	if (!s->write || s->write != only(s, R_BAD_LENGTH | R_QUIC | R_FAILED | R_UNINITIALIZED, 0))
		return "SSL_write";
	s->read_impl = only(s, R_FAILED | R_UNINITIALIZED, R_QUIC | R_BAD_LENGTH);
	if (!s->read_impl)
		return "ssl_read_impl";
	if (h && passes_on(s->write, h, 1))
		s->handshake = h;
	else if (!hands(s->write, 0, 0) || !hands(s->write, 1, 3))
		return "SSL_write";
	s->read = reader(s);
	if (!s->read)
		return "SSL_read";
	s->make = only(s, R_NO_CTX, 0);
	if (s->make && !tests(s->make, 0))
		s->make = NULL;
	return NULL;
}

static int add(struct look *l, const struct body *b, uint8_t fn)
{
	uint64_t at = b ? entry_of_c(l, &b->f) : 0;

	return !b ? 0 : at ? point_add(l, &b->f, at, fn, TLS_BORINGSSL) : -1;
}

static const char *points(struct boring *s)
{
	uint32_t before = s->l->found->n;

	if (add(s->l, s->read, TLS_F_SSL_READ) || add(s->l, s->write, TLS_F_SSL_WRITE) ||
	    add(s->l, s->handshake, TLS_F_SSL_HANDSHAKE) || add(s->l, s->make, TLS_F_SSL_NEW)) {
		points_drop(s->l, before);
		return "an instruction to probe";
	}
	return NULL;
}

/* The same; "": the name of its file is in it, but not its code. */
static const char *look(struct boring *s)
{
	struct xrefs refs;
	const char *missing;

	xrefs_find(s->l->elf, &s->files, &refs);
	if (refs.many || funcs_new(s->l, &s->funcs))
		return "its errors (there are too many references)";
	funcs_holding(s->funcs, &refs, &s->in);
	if (s->in.n + s->in.unsure < XREF_FUNCS_MIN)
		return "";
	if (!errors(s, 3) && !errors(s, 2))
		return "its errors";
	missing = identify(s);
	return missing ? missing : points(s);
}

static void evidence(const struct boring *s)
{
	found_evidence(s->l, "BoringSSL without symbols: SSL_write raises 66 111 215 226 (start by %s), SSL_read %s (by %s)%s%s",
		       s->write->by, s->apart ? "calls SSL_peek, which raises 66" : "raises 66 and calls what raises 215 226",
		       s->read->by, s->handshake ? ", SSL_do_handshake 134" : "", s->make ? ", SSL_new 185" : "");
}

void boring_find(struct look *l)
{
	struct boring s = { .l = l };
	const char *missing;

	if (found_stack(l, TLS_BORINGSSL))
		return;
	strings_ending(l->elf, SV("/ssl_lib.cc"), &s.files);
	if (!s.files.n)
		return;
	missing = look(&s);
	if (missing && *missing)
		found_why(l, "BoringSSL without symbols: not sure of %s", missing);
	if (!missing) {
		l->found->shaped |= 1U << TLS_BORINGSSL;
		evidence(&s);
	}
	funcs_free(s.funcs);
}
