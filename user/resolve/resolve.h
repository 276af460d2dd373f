/* SPDX-License-Identifier: Apache-2.0 */
/* Where to probe an ELF file to see what its TLS code encrypts. Entry point of user/resolve, which is pure: it reads the file
 * that it is given, and is run where nothing is lost if a hostile one brings it down (probe/resolver.h). */
#ifndef MCPVIGIL_RESOLVE_RESOLVE_H
#define MCPVIGIL_RESOLVE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

/* Of what the finders say of a file: raise it whenever that changes, and results kept on disk are found anew. */
#define RESOLVE_VERSION 9

#define TLS_POINTS_MAX 96
#define TLS_FUNC_BYTES (64 << 10) /* a point lies no further behind its function's start */
#define TLS_BYTES 16
#define TLS_WHY 160
#define TLS_EVIDENCE 256

/* What a probe at this point sees. In: at the function's entry, its arguments in place; out: as it returns. Values stand in
 * cached results: append, never renumber. */
enum tls_func {
	TLS_F_SSL_READ = 1,	 /* int SSL_read(SSL *, void *buf, int num) */
	TLS_F_SSL_WRITE = 2,	 /* int SSL_write(SSL *, const void *buf, int num) */
	TLS_F_SSL_READ_EX = 3,	 /* int SSL_read_ex(SSL *, void *buf, size_t num, size_t *n), OpenSSL 1.1.1 */
	TLS_F_SSL_WRITE_EX = 4,
	TLS_F_SSL_WRITE_EX2 = 5, /* int SSL_write_ex2(SSL *, buf, size_t num, uint64_t flags, size_t *n), OpenSSL 3.3 */
	TLS_F_SSL_NEW = 6,	 /* SSL *SSL_new(SSL_CTX *) */
	TLS_F_SSL_FREE = 7,
	TLS_F_SSL_SET_FD = 8,	 /* int SSL_set_fd(SSL *, int fd); not where two descriptors may differ */
	TLS_F_GO_READ = 9,	 /* crypto/tls.(*Conn).Read, entry */
	TLS_F_GO_WRITE = 10,
	TLS_F_GO_READ_RET = 11,	 /* each of its return instructions */
	TLS_F_GO_WRITE_RET = 12,
	TLS_F_GO_HANDSHAKE = 13, /* crypto/tls.(*Conn).clientHandshake and serverHandshake, entry: the birth of a connection */
	TLS_F_GO_CLOSE = 14,	 /* crypto/tls.(*Conn).Close, entry */
	TLS_F_SSL_HANDSHAKE = 15, /* int SSL_do_handshake(SSL *) */
	TLS_F_AEAD_SEAL = 16,	 /* int EVP_AEAD_CTX_seal(ctx, out, *out_len, max, nonce, nonce_len, in, in_len, ad, ad_len) */
	TLS_F_AEAD_SEAL_SCATTER = 17, /* ... (ctx, out, tag, *tag_len, max, nonce, nonce_len, in, in_len, extra, extra_len, ad, ad_len) */
	TLS_F_AEAD_OPEN = 18,	 /* ... (ctx, out, *out_len, max, nonce, nonce_len, in, in_len, ad, ad_len) */
	TLS_F_AEAD_OPEN_GATHER = 19, /* ... (ctx, out, nonce, nonce_len, in, in_len, tag, tag_len, ad, ad_len) */
	TLS_F_AEAD_INIT = 20,	 /* int EVP_AEAD_CTX_init_with_direction(ctx, ...), entry: the birth of a context */
	TLS_F_RING_SEAL = 21,	 /* seal of ring's aead::Algorithm, see bpf/tls_ring.bpf.c */
	TLS_F_RING_OPEN = 22,	 /* open of the same */
	TLS_F_GNUTLS_SEND = 24,	  /* ssize_t gnutls_record_send(gnutls_session_t, const void *buf, size_t num) and more of its kind */
	TLS_F_GNUTLS_RECV = 25,	  /* ssize_t gnutls_record_recv(gnutls_session_t, void *buf, size_t num) */
	TLS_F_GNUTLS_RECV_PACKET = 26, /* ssize_t gnutls_record_recv_packet(gnutls_session_t, gnutls_packet_t *) */
	TLS_F_GNUTLS_UNCORK = 27, /* int gnutls_record_uncork(gnutls_session_t, unsigned flags) */
	TLS_F_GNUTLS_HANDSHAKE = 28, /* int gnutls_handshake(gnutls_session_t) */
	TLS_F_GNUTLS_DEINIT = 29, /* void gnutls_deinit(gnutls_session_t) */
	TLS_FUNCS,
};

struct tls_point {
	uint64_t offset; /* file offset of the instruction to probe */
	uint64_t func;	 /* file offset of the function that it is in, which may be one that @fn does its work in; offset - func is the way decoded to get there */
	uint64_t hash;	 /* hash_fixed() of the file from func to offset + nbytes: what was analysed */
	uint8_t fn;	 /* enum tls_func */
	uint8_t stack;	 /* enum tls_stack */
	uint8_t nbytes;
	uint8_t bytes[TLS_BYTES]; /* what stands at @offset */
};

struct tls_found {
	uint32_t n;
	uint32_t shaped; /* 1 << enum tls_stack, of those found by what their code does: no symbol says where they are */
	struct tls_point point[TLS_POINTS_MAX];
	char evidence[TLS_EVIDENCE]; /* how it was found, for people: "OpenSSL 3.0.19 by .dynsym" */
	char why[TLS_WHY]; /* where n is 0: the TLS code that is in it and why it is not read; "": there is none */
};

/* Look for TLS code in the ELF file behind @fd, which is only read and mapped. 0, or -errno: -ENOEXEC no ELF file of this
 * machine, -EBADMSG malformed, -EFBIG, -ENOMEM. A file without TLS code is no error. */
int resolve_fd(int fd, struct tls_found *ret);
/* The name of enum tls_func, as people know it; and of enum tls_stack as records have it. */
const char *tls_func_name(unsigned int fn);
const char *tls_stack_name(unsigned int stack);

#endif
