/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Go's internal ABI with registers (cmd/compile/abi-internal.md, 1.17 and later), and the layout of net's descriptors. */
#ifndef MCPVIGIL_BPF_GOABI_H
#define MCPVIGIL_BPF_GOABI_H

#include "vmlinux.h"

#if defined(__TARGET_ARCH_x86)
#define GO_ARG1(r) ((r)->ax) /* the receiver of a method */
#define GO_ARG2(r) ((r)->bx) /* []byte: pointer; length and capacity follow */
#define GO_RESULT1(r) ((r)->ax)
#define GO_G(r) ((r)->r14) /* the goroutine */
#define GO_SPILL(r) ((r)->sp + 8) /* at a return instruction: where its arguments are kept, if they are kept */
#else
#error "Go's registers of this architecture are not described yet"
#endif

#define GO_IFACE_DATA 8 /* an interface: type, then the pointer */

/* net.netFD: poll.FD in front (fdmu, Sysfd, iovecs, pd, csema, isBlocking, three bools), then family and sotype. The same from
 * 1.11 to 1.26. */
struct go_netfd {
	u64 fdmu[2];
	u64 sysfd;
	u64 iovecs, pd, csema, bools;
	u64 family, sotype;
};

#endif
