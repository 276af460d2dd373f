/* SPDX-License-Identifier: Apache-2.0 */
/* Who: one process, and what is known of it. */
#ifndef MCPVIGIL_MODEL_WHO_H
#define MCPVIGIL_MODEL_WHO_H

#include <stdbool.h>
#include <stdint.h>

/* A process for good: pids are reused, (pid, start) is not. pid 0: unknown. */
struct proc_id {
	uint64_t start; /* CLOCK_BOOTTIME ns of the thread group leader's start */
	uint32_t pid;	/* thread group id, init namespace */
	uint32_t zero;	/* no padding: the struct is a hash key */
};

struct who {
	struct proc_id id;
	uint32_t ppid;
	char comm[16];
	char exe[256]; /* "" where unknown */
	uint64_t cgroup;
};

/* One end of a TCP connection. family 0: not TCP or not known. */
struct net_addr {
	uint16_t family; /* AF_INET, AF_INET6 */
	uint16_t port;	 /* host order */
	uint32_t netns;	 /* inode number of the network namespace; 0: not known */
	uint8_t ip[16];
};

/* "127.0.0.1:80", "[::1]:80"; "" for family 0. IPv4-mapped addresses print as IPv4. */
void net_addr_show(const struct net_addr *a, char ret_s[64]);

#endif
