/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the control socket, both ways: frames of a head and @n bytes.
 *
 * The client sends one CTL_REQUEST and then nothing; it shuts its sending side down when a trace shall end. The agent
 * answers with CTL_STDOUT and CTL_STDERR as they come, one CTL_STATUS, and closes. Both run on this host: numbers are in
 * its byte order. No frame begins as a text does, so that the kernel side drops the stream at its first bytes. */
#ifndef MCPVIGIL_CTL_WIRE_H
#define MCPVIGIL_CTL_WIRE_H

#include <stdint.h>

#define CTL_PATH "/run/mcpvigil/ctl.sock"
#define CTL_VERSION 1
#define CTL_REQUEST_MAX (16U << 10)
#define CTL_WORDS_MAX 1024

enum ctl_type {
	CTL_STDOUT = 1,	    /* bytes for the client's standard output */
	CTL_STDERR = 2,
	CTL_STATUS = 3,	    /* one byte: what the client exits with */
	CTL_REQUEST = 0x10, /* words, each with its NUL: the command, "color" or "plain", its arguments */
};

struct ctl_head {
	uint8_t type, version;
	uint16_t zero;
	uint32_t n;
};
_Static_assert(sizeof(struct ctl_head) == 8, "no padding");

#endif
