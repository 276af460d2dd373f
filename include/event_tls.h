/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records about TLS; the rest is in event.h, and so are the rules. */
#ifndef MCPVIGIL_EVENT_TLS_H
#define MCPVIGIL_EVENT_TLS_H

#include "event.h"
#include "tls_stack.h"

/* A TLS connection is told of twice: as its first bytes are copied, with family 0, and once its socket is known for sure,
 * with all that EV_OPEN says of a TCP sock. EV_F_LATE: it was there before the probes, so positions begin anywhere. */

/* TLS records on a TCP socket. What carries them is left to the probes on TLS libraries, where there are any. */
struct ev_hello {
	struct ev_hdr hdr; /* EV_F_LATE: not the first bytes of the connection */
	__u64 start;
	struct ev_key key; /* of the sock and the direction in which they passed */
	__u8 end;	   /* enum ev_end */
	__u8 zero8;
	__u16 family;
	__u16 lport, rport;
	__u32 netns;
	__u32 base_rx, base_tx; /* see struct ev_open */
	__u32 zero;
	__u8 laddr[16], raddr[16];
};

enum hooked_state {
	HOOKED_YES = 1,	    /* probes are attached to what it maps */
	HOOKED_NOTHING = 2, /* no TLS code was found in it */
	HOOKED_REFUSED = 3, /* some was found and is not read: why */
};

#define EV_WHY_MAX 152

struct ev_hooked {
	struct ev_hdr hdr; /* pid: who was looked at */
	__u64 start;
	__u32 stacks;	   /* 1 << enum tls_stack, of the probes attached */
	__u8 state;	   /* enum hooked_state */
	__u8 zero8[3];
	char why[EV_WHY_MAX]; /* NUL-terminated, for people */
	__u64 on;	   /* boot ns: since then all of them are on; 0: none is */
};

enum odd_what {
	ODD_LENGTH = 1, /* more bytes than there was room for */
	ODD_MEMORY = 2, /* bytes where no memory is */
	ODD_RECORD = 3, /* TLS records as a connection's first plaintext */
	ODD_BINARY = 4, /* never anything but binary data as a connection's first plaintext: of functions with symbols it says nothing */
};

#define ODD_CALLS 8 /* of a process, before it is told of */
#define ODD_BINARY_CONNS 64 /* ... of ODD_BINARY */

/* Functions of a stack, in one process, do what its reads, or its writes, never do: more often than not. */
struct ev_odd {
	struct ev_hdr hdr;
	__u64 start;
	__u32 good, odd; /* calls that were in order, and that were not */
	__u8 stack;	 /* enum tls_stack */
	__u8 end;	 /* enum ev_end */
	__u8 what;	 /* enum odd_what, of the last one */
	__u8 zero8[5];
};

/* What was told of under the name @part (EV_F_PART) passed on the connection @key, from @pos on. */
struct ev_join {
	struct ev_hdr hdr;
	__u64 start;
	struct ev_key part, key;
	__u64 pos;
	__u8 end; /* enum ev_end */
	__u8 zero8[7];
};

_Static_assert(sizeof(struct ev_join) == 88, "ev_join is wire ABI");
_Static_assert(sizeof(struct ev_odd) == 56, "ev_odd is wire ABI");
_Static_assert(sizeof(struct ev_hello) == 112, "ev_hello is wire ABI");
_Static_assert(sizeof(struct ev_hooked) == 208, "ev_hooked is wire ABI");

#endif
