/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL without symbols, by the names of functions that its errors carry: 3.x has them as strings, ERR_set_debug(file, line,
 * "SSL_read"), 1.1.1 as numbers of the API, ERR_put_error(20, function, reason, file, line).
 *
 * SSL_read and SSL_read_ex do their work in ssl_read_internal, which has SSL_read_ex's arguments; writes likewise. A compiler
 * may put that into those who call it. So each function that raises an error as ssl_read_internal is probed, as what it is:
 * SSL_read, where it raises errors as that, too; otherwise something with SSL_read_ex's arguments. One call never passes two of
 * them. SSL_free raises nothing and is not found. */
#include "resolve/xref.h"

#include "tls_stack.h"

#define LIB_SSL 20

/* Name, number in 1.1.1. */
#define NAMES(X)                    \
	X(SSL_read, 223)            \
	X(SSL_write, 208)           \
	X(ssl_read_internal, 523)   \
	X(ssl_write_internal, 524)  \
	X(SSL_read_early_data, 529) \
	X(SSL_write_early_data, 526) \
	X(SSL_do_handshake, 180)    \
	X(SSL_new, 186)             \
	X(ossl_ssl_connection_new_int, 0xffff) \
	X(SSL_set_fd, 192)

enum name {
#define X(name, number) N_##name,
	NAMES(X)
#undef X
	NAMES_N,
};

#define BIT(name) (1U << N_##name)

static const struct {
	struct sv text;
	uint16_t number;
} names[NAMES_N] = {
#define X(name, number) { { #name, sizeof(#name) - 1 }, number },
	NAMES(X)
#undef X
};

struct ossl {
	struct look *l;
	struct funcs *funcs;
	struct addrs files, strings, by_name[NAMES_N];
	struct xrefs refs;
	struct bodies in;
	uint16_t raises[BODIES_MAX]; /* 1 << enum name */
	uint64_t callee;	     /* what takes the errors */
	bool called, old;	     /* there is one; this is 1.1.1 */
};

/* --- Errors ------------------------------------------------------------------------------------------------------ */

static uint16_t names_of(const struct ossl *s, const struct values *v)
{
	uint16_t ret = 0;

	for (unsigned int n = 0; n < NAMES_N; n++) {
		for (unsigned int i = 0; i < v->n; i++) {
			if (s->old ? v->value[i] == names[n].number : addrs_has(&s->by_name[n], v->value[i]))
				ret |= (uint16_t)(1U << n);
		}
	}
	return ret;
}

/* One function takes all errors. false where another one does. */
static bool taken(struct ossl *s, const struct body *b, uint32_t i)
{
	if (!s->called)
		s->callee = b->in[i].target;
	s->called = true;
	return s->callee == b->in[i].target;
}

static bool raised(struct ossl *s, const struct body *b, uint16_t *ret)
{
	unsigned int file = s->old ? 3 : 0, name = s->old ? 1 : 2;

	*ret = 0;
	for (uint32_t i = 0; call_with(b, &s->files, file, &i); i++) {
		struct values lib, v;
		uint16_t found;

		values_of_arg(b, i, 0, &lib);
		values_of_arg(b, i, name, &v);
		found = s->old && !values_is(&lib, LIB_SSL) ? 0 : names_of(s, &v);
		if (found && !taken(s, b, i))
			return false;
		*ret |= found;
	}
	return true;
}

/* 0; 1 where nothing is known of the names that were looked for; -1 */
static int errors(struct ossl *s)
{
	uint16_t all = 0;

	xrefs_find(s->l->elf, s->old ? &s->files : &s->strings, &s->refs);
	if (s->refs.many)
		return -1;
	funcs_holding(s->funcs, &s->refs, &s->in);
	for (unsigned int i = 0; i < s->in.n; i++) {
		if (!raised(s, s->in.body[i], &s->raises[i]))
			return -1;
		all |= s->raises[i];
	}
	return !all;
}

/* --- Functions --------------------------------------------------------------------------------------------------- */

/* Does it hand its own first @n arguments to something that it calls, and @last as the next one? */
static bool hands_all(const struct body *b, unsigned int n, unsigned int last)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct values v;
		bool all = call_leaves(b, i);

		for (unsigned int arg = 0; all && arg < n; arg++) {
			values_of_arg(b, i, arg, &v);
			all = values_is_own(&v, arg);
		}
		if (!all)
			continue;
		values_of_arg(b, i, n, &v);
		if (n == last ? values_is_own(&v, n) : values_is_own(&v, last))
			return true;
	}
	return false;
}

static bool calls(const struct body *b, const struct body *callee)
{
	for (uint32_t i = 0; i < b->n; i++) {
		if (call_leaves(b, i) && b->in[i].target == callee->f.addr)
			return true;
	}
	return false;
}

static int add(struct ossl *s, const struct body *b, uint8_t fn)
{
	uint64_t at = entry_of_c(s->l, &b->f);

	return at ? point_add(s->l, &b->f, at, fn, TLS_OPENSSL) : -1;
}

/* What a function with @raises does, of a direction; 0: it is none of those, -1: unclear. */
static int kind_of(const struct body *b, uint16_t raises, bool writes)
{
	uint16_t outer = writes ? BIT(SSL_write) : BIT(SSL_read), inner = writes ? BIT(ssl_write_internal) : BIT(ssl_read_internal);

	if (!(raises & inner) || (raises & (BIT(SSL_read_early_data) | BIT(SSL_write_early_data))))
		return 0;
	if (raises == (inner | outer))
		return writes ? TLS_F_SSL_WRITE : TLS_F_SSL_READ;
	if (raises != inner)
		return -1;
	if (writes && keeps(b, 4)) /* with flags, in front of the number written */
		return hands_all(b, 3, 3) || hands_all(b, 3, 4) ? TLS_F_SSL_WRITE_EX2 : -1;
	return !hands_all(b, 3, 3) ? -1 : writes ? TLS_F_SSL_WRITE_EX : TLS_F_SSL_READ_EX;
}

/* Does one of the functions that are probed for @inner do the work of @b? */
static bool covered(const struct ossl *s, const struct body *b, uint16_t inner)
{
	for (unsigned int i = 0; i < s->in.n; i++) {
		if (s->raises[i] == inner && calls(b, s->in.body[i]))
			return true;
	}
	return false;
}

/* NULL, or what is not clear. */
static const char *direction(struct ossl *s, bool writes)
{
	uint16_t outer = writes ? BIT(SSL_write) : BIT(SSL_read), inner = writes ? BIT(ssl_write_internal) : BIT(ssl_read_internal);
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->in.n; i++) {
		int kind = kind_of(s->in.body[i], s->raises[i], writes);

		if ((s->raises[i] & outer) && kind <= 0 && (s->raises[i] != outer || !covered(s, s->in.body[i], inner)))
			return writes ? "SSL_write" : "SSL_read";
		if (kind < 0 || (kind && add(s, s->in.body[i], (uint8_t)kind)))
			return writes ? "ssl_write_internal" : "ssl_read_internal";
		n += kind > 0;
	}
	return n ? NULL : writes ? "any write" : "any read";
}

/* Functions that are good to have: those that raise @bit alone, and do with their first argument what @as says. @many: a compiler
 * may have put one into others that are as good, as SSL_connect is a handshake, too. @return whether there are. */
static bool others(struct ossl *s, uint16_t bit, bool (*as)(const struct body *b), bool many, uint8_t fn)
{
	const struct body *found[NAMES_N];
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->in.n && n < NAMES_N; i++) {
		if (s->raises[i] == bit && as(s->in.body[i]))
			found[n++] = s->in.body[i];
	}
	if (!n || (!many && n > 1))
		return false;
	for (unsigned int i = 0; i < n; i++)
		add(s, found[i], fn);
	return true;
}

static bool hands_first(const struct body *b)
{
	return hands(b, 0, 0);
}

static bool any(const struct body *b)
{
	return b->n > 0;
}

static bool tests_first(const struct body *b)
{
	return tests(b, 0);
}

/* SSL_new from 3.2 on: ctx->method->ssl_new(ctx). */
static bool asks_first(const struct body *b)
{
	for (uint32_t i = 0; tests_first(b) && i < b->n; i++) {
		struct values v;

		if (!call_leaves(b, i) || b->in[i].target)
			continue;
		values_of_arg(b, i, 0, &v);
		if (values_is_own(&v, 0))
			return true;
	}
	return false;
}

/* Is there a reference from where it is not sure in which function, to a name of a read or a write? */
static bool is_unsure(const struct ossl *s)
{
	for (unsigned int i = 0; s->in.unsure && i < s->refs.n; i++) {
		for (unsigned int n = N_SSL_read; n <= N_ssl_write_internal; n++) {
			if ((s->old || addrs_has(&s->by_name[n], s->refs.ref[i].to)) && !funcs_at(s->funcs, s->refs.ref[i].at))
				return true;
		}
	}
	return false;
}

/* --- Result ------------------------------------------------------------------------------------------------------ */

/* Is its code in it, and not the name of its file alone? */
static bool is_there(struct ossl *s)
{
	xrefs_find(s->l->elf, &s->files, &s->refs);
	funcs_holding(s->funcs, &s->refs, &s->in);
	return s->in.n + s->in.unsure >= XREF_FUNCS_MIN;
}

/* NULL, or what was not found; "": that is all of it. */
static const char *look(struct ossl *s)
{
	uint32_t before = s->l->found->n;
	const char *missing;
	int err;

	for (unsigned int n = 0; n < NAMES_N; n++) {
		strings_near(s->l->elf, names[n].text, &s->files, &s->by_name[n]);
		for (unsigned int i = 0; i < s->by_name[n].n; i++)
			addrs_add(&s->strings, s->by_name[n].addr[i]);
	}
	if (s->strings.many || funcs_new(s->l, &s->funcs))
		return "its errors (too many strings)";
	err = errors(s);
	if (err == 1) {
		s->old = true;
		err = errors(s);
	}
	if (err == 1)
		return is_there(s) ? "its errors" : "";
	if (err || is_unsure(s))
		return "where its functions begin";
	missing = direction(s, false);
	if (!missing)
		missing = direction(s, true);
	if (missing) {
		points_drop(s->l, before);
		return missing;
	}
	others(s, BIT(SSL_do_handshake), hands_first, true, TLS_F_SSL_HANDSHAKE);
	/* SSL_dup, where it contains SSL_new, may return what it was given. From 3.2 on another one makes the object. */
	if (!others(s, BIT(SSL_new), tests_first, false, TLS_F_SSL_NEW) &&
	    !others(s, BIT(SSL_new), asks_first, false, TLS_F_SSL_NEW))
		others(s, BIT(ossl_ssl_connection_new_int), any, false, TLS_F_SSL_NEW);
	others(s, BIT(SSL_set_fd), hands_first, false, TLS_F_SSL_SET_FD);
	return NULL;
}

static void evidence(const struct ossl *s)
{
	struct sv version = openssl_version(s->l->elf);

	if (!version.n)
		version = s->old ? SV("OpenSSL 1.1.1") : SV("OpenSSL 3");
	found_evidence(s->l, "%.*s without symbols: functions by the %s that their errors carry", (int)version.n, version.p,
		       s->old ? "numbers" : "names");
}

void ossl_find(struct look *l)
{
	struct ossl s = { .l = l };
	const char *missing;

	if (found_stack(l, TLS_OPENSSL))
		return;
	strings_ending(l->elf, SV("ssl/ssl_lib.c"), &s.files);
	if (!s.files.n)
		return;
	missing = look(&s);
	if (missing && *missing)
		found_why(l, "OpenSSL without symbols: not sure of %s", missing);
	if (!missing) {
		s.l->found->shaped |= 1U << TLS_OPENSSL;
		evidence(&s);
	}
	funcs_free(s.funcs);
}
