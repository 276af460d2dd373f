/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that are known by what they call their functions, in .dynsym or .symtab. What the file is called says nothing: libssl is
 * found inside libpython and node, and NSS has a libssl3.so.
 *
 * To add a stack: its functions to the list of names, and a row. */
#include "resolve/finder.h"

#include <elf.h>
#include <stdio.h>

#include "tls_stack.h"

/* Name and what a probe there sees; 0 where it only tells stacks apart. */
#define NAMES(X)                                          \
	X(SSL_read, TLS_F_SSL_READ)                       \
	X(SSL_write, TLS_F_SSL_WRITE)                     \
	X(SSL_read_ex, TLS_F_SSL_READ_EX)                 \
	X(SSL_write_ex, TLS_F_SSL_WRITE_EX)               \
	X(SSL_write_ex2, TLS_F_SSL_WRITE_EX2)             \
	X(SSL_new, TLS_F_SSL_NEW)                         \
	X(SSL_free, TLS_F_SSL_FREE)                       \
	X(SSL_set_fd, TLS_F_SSL_SET_FD)                   \
	X(SSL_do_handshake, TLS_F_SSL_HANDSHAKE)          \
	X(SSL_CTX_set_early_data_enabled, 0) /* BoringSSL */ \
	X(gnutls_record_send, TLS_F_GNUTLS_SEND)          \
	X(gnutls_record_send2, TLS_F_GNUTLS_SEND)         \
	X(gnutls_record_send_range, TLS_F_GNUTLS_SEND)    \
	X(gnutls_record_recv, TLS_F_GNUTLS_RECV)          \
	X(gnutls_record_recv_seq, TLS_F_GNUTLS_RECV)      \
	X(gnutls_record_recv_packet, TLS_F_GNUTLS_RECV_PACKET) \
	X(gnutls_record_uncork, TLS_F_GNUTLS_UNCORK)      \
	X(gnutls_handshake, TLS_F_GNUTLS_HANDSHAKE)       \
	X(gnutls_deinit, TLS_F_GNUTLS_DEINIT)             \
	X(SSL_ImportFD, 0)                                \
	X(mbedtls_ssl_read, 0)                            \
	X(mbedtls_ssl_write, 0)                           \
	X(wolfSSL_read, 0)                                \
	X(wolfSSL_write, 0)                               \
	X(s2n_send, 0)                                    \
	X(s2n_recv, 0)                                    \
	X(JNI_CreateJavaVM, 0)

enum name {
#define X(name, fn) N_##name,
	NAMES(X)
#undef X
	NAMES_N,
};

static const struct {
	struct sv text;
	uint8_t fn;
} names[NAMES_N] = {
#define X(name, fn) [N_##name] = { { #name, sizeof(#name) - 1 }, fn },
	NAMES(X)
#undef X
};

#define BIT(name) (1U << N_##name)
_Static_assert(NAMES_N <= 32, "a bit for each name");

#define OPENSSL_API (BIT(SSL_read) | BIT(SSL_write))
/* Without the last, what is sent while corked would be counted as it is corked and as it is sent. */
#define GNUTLS_API (BIT(gnutls_record_send) | BIT(gnutls_record_recv) | BIT(gnutls_record_uncork))

/* A file has what a row says where it defines all of the row's names, and no row above took one of them. */
static const struct stack {
	unsigned int needs;
	uint8_t stack;	      /* enum tls_stack; 0: it is not read, and why */
	const char *text;
	const char *prefix;   /* of its names, all of which are probed */
} stacks[] = {
	{ OPENSSL_API | BIT(SSL_CTX_set_early_data_enabled), TLS_BORINGSSL, "BoringSSL", "SSL_" },
	{ OPENSSL_API, TLS_OPENSSL, "OpenSSL API", "SSL_" },
	{ GNUTLS_API, TLS_GNUTLS, "GnuTLS", "gnutls_" },
	{ BIT(SSL_ImportFD), 0, "NSS: not read", NULL },
	{ BIT(mbedtls_ssl_read) | BIT(mbedtls_ssl_write), 0, "Mbed TLS: not read", NULL },
	{ BIT(wolfSSL_read) | BIT(wolfSSL_write), 0, "wolfSSL: not read", NULL },
	{ BIT(s2n_send) | BIT(s2n_recv), 0, "s2n-tls: not read", NULL },
	{ BIT(JNI_CreateJavaVM), 0, "JSSE: Java encrypts in Java code, nothing native to probe", NULL },
};

#define STACKS (sizeof(stacks) / sizeof(stacks[0]))

/* --- Symbols ---------------------------------------------------------------------------------------------------- */

#define PLACES_MAX 64

/* Where the names were found. A library may have one name in several versions, each with code of its own. */
struct places {
	unsigned int seen, n;
	bool full;
	struct {
		uint64_t addr, size;
		unsigned int name;
	} place[PLACES_MAX];
};

static void place_add(struct places *p, unsigned int name, const struct elf_sym *s)
{
	p->seen |= 1U << name;
	for (unsigned int i = 0; i < p->n; i++) {
		if (p->place[i].addr == s->addr && p->place[i].name == name)
			return;
	}
	p->full |= p->n == PLACES_MAX;
	if (p->n == PLACES_MAX)
		return;
	p->place[p->n].addr = s->addr;
	p->place[p->n].size = s->size;
	p->place[p->n++].name = name;
}

static void on_function(void *ctx, const struct elf_sym *s)
{
	for (unsigned int i = 0; i < NAMES_N; i++) {
		if (names[i].text.n == s->name.n && memcmp(names[i].text.p, s->name.p, s->name.n) == 0) {
			place_add(ctx, i, s);
			return;
		}
	}
}

/* --- Versions --------------------------------------------------------------------------------------------------- */

#define DIGIT(c) ((c) >= '0' && (c) <= '9')

/* Length of "3.0.19+quic" at the front of @s; 0: no version, as a date follows one. */
static size_t version_length(struct sv s)
{
	size_t n = 0, dots = 0;

	if (!s.n || !DIGIT(s.p[0]))
		return 0;
	for (; n < s.n && n < 32 && s.p[n] > ' ' && s.p[n] <= '~'; n++)
		dots += s.p[n] == '.';
	return dots == 2 && s.n - n > 2 && s.p[n] == ' ' && DIGIT(s.p[n + 1]) ? n : 0;
}

/* "OpenSSL 3.0.19 27 Jan 2026" is libcrypto's, and here where it is linked in. */
struct sv openssl_version(const struct elf *e)
{
	const struct elf_sec *s = elf_section(e, ".rodata");
	const struct sv word = SV("OpenSSL ");
	struct sv in = s ? s->bytes : (struct sv){ NULL, 0 };

	while (in.n) {
		const char *at = memmem(in.p, in.n, word.p, word.n);
		size_t n;

		if (!at)
			break;
		in = (struct sv){ at + word.n, in.n - (size_t)(at - in.p) - word.n };
		n = version_length(in);
		if (n)
			return (struct sv){ at, word.n + n };
	}
	return (struct sv){ NULL, 0 };
}

static void evidence(struct look *l, const struct stack *s, const char *table)
{
	struct sv version = s->stack == TLS_OPENSSL ? openssl_version(l->elf) : (struct sv){ NULL, 0 };

	if (version.n)
		found_evidence(l, "%.*s by %s", (int)version.n, version.p, table);
	else
		found_evidence(l, "%s by %s", s->text, table);
}

/* --- Stacks ----------------------------------------------------------------------------------------------------- */

#define ARGS2 (INSN_REG(DI) | INSN_REG(SI))
#define ARGS3 (ARGS2 | INSN_REG(DX))
#define ARGS4 (ARGS3 | INSN_REG(CX))
#define ARGS5 (ARGS4 | INSN_REG(R8))

/* Calls of one direction: the one that may hand on all it takes, and those that may go on where it does. */
static const struct way {
	unsigned int name, args;
	unsigned int others, unless; /* names that were found, by BIT */
} ways[] = {
	{ N_SSL_read_ex, ARGS4, BIT(SSL_read), 0 },
	{ N_SSL_write_ex2, ARGS5, BIT(SSL_write) | BIT(SSL_write_ex), 0 },
	{ N_SSL_write_ex, ARGS4, BIT(SSL_write), BIT(SSL_write_ex2) },
};

static bool place_func(const struct look *l, const struct places *p, unsigned int i, struct func *ret)
{
	return func_at(l, p->place[i].addr, p->place[i].size, ret);
}

static bool is_dear(struct look *l, const struct func *f)
{
	uint64_t addr = entry_of_c(l, f);

	return addr && !entry_is_cheap(l, f, addr);
}

/* Does @f, called @name, go on in the function at @to, or in @ex, which does? SSL_write_ex has a flag less than SSL_write_ex2; the
 * others make a size of an int, and count for themselves. */
static bool goes_on(struct look *l, const struct func *f, unsigned int name, const struct func *ex, uint64_t to)
{
	uint64_t first = name == N_SSL_write_ex ? inner_alone(l, f, ARGS3) : inner_first(l, f, ARGS2);

	return first && (first == to || first == ex->addr || elf_plt(l->elf, first) == ex->addr);
}

/* The one function that all calls of @w pass; 0: none is sure, or it would be no gain. */
static uint64_t meeting(struct look *l, const struct way *w, const struct places *p)
{
	struct func ex = { 0 }, f;
	uint64_t to = 0;
	bool dear;

	for (unsigned int i = 0; i < p->n; i++) {
		if (p->place[i].name != w->name)
			continue;
		if (ex.addr || !place_func(l, p, i, &ex))
			return 0;
		to = inner_alone(l, &ex, w->args);
	}
	dear = to && is_dear(l, &ex);
	for (unsigned int i = 0; to && i < p->n; i++) {
		if (!(w->others & 1U << p->place[i].name))
			continue;
		if (!place_func(l, p, i, &f) || !goes_on(l, &f, p->place[i].name, &ex, to))
			return 0;
		dear |= is_dear(l, &f);
	}
	return dear ? to : 0;
}

/* Probe there; @return the names that this makes up for. */
static unsigned int meet(struct look *l, const struct stack *s, const struct way *w, const struct places *p)
{
	uint64_t to = p->seen & w->unless ? 0 : meeting(l, w, p), addr;
	struct func f;

	addr = to && inner_func(l, to, &f) ? entry_of_c(l, &f) : 0;
	if (!addr || !entry_is_cheap(l, &f, addr) || point_add(l, &f, addr, names[w->name].fn, s->stack))
		return 0;
	return 1U << w->name | w->others;
}

/* Its reads and writes, or none of it: half a conversation is worse than none. */
static bool points(struct look *l, const struct stack *s, const struct places *p)
{
	uint32_t before = l->found->n;
	unsigned int done = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		done |= sv_starts(names[ways[i].name].text, sv_of(s->prefix)) ? meet(l, s, &ways[i], p) : 0;
	for (unsigned int i = 0; i < p->n; i++) {
		bool its = sv_starts(names[p->place[i].name].text, sv_of(s->prefix)) && !(done & 1U << p->place[i].name);
		uint8_t fn = its ? names[p->place[i].name].fn : 0;
		struct func f;
		uint64_t addr = 0;

		if (fn && func_at(l, p->place[i].addr, p->place[i].size, &f))
			addr = entry_of_c(l, &f);
		if ((!addr || point_add(l, &f, addr, fn, s->stack)) && fn && ((1U << p->place[i].name) & s->needs))
			goto out;
	}
	if (!p->full)
		return true;
out:
	points_drop(l, before);
	return false;
}

static void stack_add(struct look *l, const struct stack *s, const struct places *p, const char *table)
{
	if (!s->stack)
		found_why(l, "%s", s->text);
	else if (points(l, s, p))
		evidence(l, s, table);
	else
		found_why(l, "%s: its functions by %s are not what they are called", s->text, table);
}

static bool find_in(struct look *l, uint32_t type, const char *table)
{
	struct places p = { 0 };
	unsigned int done = 0;

	elf_functions(l->elf, type, on_function, &p);
	for (size_t i = 0; i < STACKS; i++) {
		if ((p.seen & stacks[i].needs) != stacks[i].needs || (done & stacks[i].needs))
			continue;
		done |= stacks[i].needs;
		stack_add(l, &stacks[i], &p, table);
	}
	return done;
}

void api_find(struct look *l)
{
	if (!find_in(l, SHT_DYNSYM, ".dynsym"))
		find_in(l, SHT_SYMTAB, ".symtab");
}
