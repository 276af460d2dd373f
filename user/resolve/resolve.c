/* SPDX-License-Identifier: Apache-2.0 */
/* Where to probe an ELF file: each finder in turn. */
#include "resolve/resolve.h"

#include <errno.h>
#include <string.h>

#include "resolve/finder.h"
#include "tls_stack.h"

/* The last one speaks where all others have nothing to say. */
static void (*const finders[])(struct look *l) = { api_find, go_find, boring_find, ossl_find, awslc_find, ring_find, unread_find };

int resolve_fd(int fd, struct tls_found *ret)
{
	struct look l = { .found = ret };
	struct elf *e = NULL;
	int err;

	memset(ret, 0, sizeof(*ret));
	err = elf_open(fd, &e);
	if (err)
		return err;
	l.elf = e;
	l.insns = insns_new();
	if (!l.insns)
		err = -errno;
	for (size_t i = 0; !err && i < sizeof(finders) / sizeof(finders[0]); i++)
		finders[i](&l);
	if (ret->n) /* the rest of what is in it is of no interest then */
		memset(ret->why, 0, sizeof(ret->why));
	insns_free(l.insns);
	elf_free(e);
	return err;
}

const char *tls_func_name(unsigned int fn)
{
	static const char *const names[TLS_FUNCS] = {
		[TLS_F_SSL_READ] = "SSL_read",
		[TLS_F_SSL_WRITE] = "SSL_write",
		[TLS_F_SSL_READ_EX] = "SSL_read_ex",
		[TLS_F_SSL_WRITE_EX] = "SSL_write_ex",
		[TLS_F_SSL_WRITE_EX2] = "SSL_write_ex2",
		[TLS_F_SSL_NEW] = "SSL_new",
		[TLS_F_SSL_FREE] = "SSL_free",
		[TLS_F_SSL_SET_FD] = "SSL_set_fd",
		[TLS_F_SSL_HANDSHAKE] = "SSL_do_handshake",
		[TLS_F_GNUTLS_SEND] = "gnutls_record_send",
		[TLS_F_GNUTLS_RECV] = "gnutls_record_recv",
		[TLS_F_GNUTLS_RECV_PACKET] = "gnutls_record_recv_packet",
		[TLS_F_GNUTLS_UNCORK] = "gnutls_record_uncork",
		[TLS_F_GNUTLS_HANDSHAKE] = "gnutls_handshake",
		[TLS_F_GNUTLS_DEINIT] = "gnutls_deinit",
		[TLS_F_GO_READ] = "(*Conn).Read",
		[TLS_F_GO_WRITE] = "(*Conn).Write",
		[TLS_F_GO_READ_RET] = "(*Conn).Read returns",
		[TLS_F_GO_WRITE_RET] = "(*Conn).Write returns",
		[TLS_F_GO_HANDSHAKE] = "(*Conn) handshake",
		[TLS_F_GO_CLOSE] = "(*Conn).Close",
		[TLS_F_AEAD_SEAL] = "EVP_AEAD_CTX_seal",
		[TLS_F_AEAD_SEAL_SCATTER] = "EVP_AEAD_CTX_seal_scatter",
		[TLS_F_AEAD_OPEN] = "EVP_AEAD_CTX_open",
		[TLS_F_AEAD_OPEN_GATHER] = "EVP_AEAD_CTX_open_gather",
		[TLS_F_AEAD_INIT] = "EVP_AEAD_CTX_init",
		[TLS_F_RING_SEAL] = "aead::Algorithm.seal",
		[TLS_F_RING_OPEN] = "aead::Algorithm.open",
	};

	return fn < TLS_FUNCS && names[fn] ? names[fn] : "?";
}

const char *tls_stack_name(unsigned int stack)
{
	static const char *const names[TLS_STACKS] = {
#define X(name, value, text) [value] = text,
		TLS_STACK_LIST(X)
#undef X
	};

	return stack < TLS_STACKS && names[stack] ? names[stack] : "?";
}
