/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TLS stacks whose plaintext is read. One list: the value in event records, the name in what is printed. */
#ifndef MCPVIGIL_TLS_STACK_H
#define MCPVIGIL_TLS_STACK_H

/* Values are wire ABI and appear in recordings and cached results: append, never renumber. */
#define TLS_STACK_LIST(X)           \
	X(OPENSSL, 1, "openssl")     \
	X(BORINGSSL, 2, "boringssl") \
	X(GO, 3, "go")               \
	X(GNUTLS, 4, "gnutls")       \
	X(RUSTLS, 5, "rustls")       \
	X(AWS_LC, 6, "aws-lc")

enum tls_stack {
#define X(name, value, text) TLS_##name = value,
	TLS_STACK_LIST(X)
#undef X
	TLS_STACKS,
};

#endif
