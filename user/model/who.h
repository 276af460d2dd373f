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

#define WHO_PARENTS 8

struct who_parent {
	uint32_t pid;
	char comm[16];
};

/* What is looked up for processes that speak MCP only. */
struct who_more {
	char cgroup_path[512]; /* "" where unknown */
	char runtime[16];      /* "docker", "containerd", "cri-o", "podman", "lxc"; "" where unknown or none */
	char container[65];    /* id; "" where none */
	char pod_uid[37];      /* "" where none */
	struct who_parent parent[WHO_PARENTS]; /* nearest first; without the kernel's and init */
	uint8_t parents;
};

struct who {
	struct proc_id id;
	uint32_t ppid;
	uint32_t uid;
	bool has_uid;
	bool stdio;	  /* fd 0 or 1 was a pipe or socket at its exec */
	bool exited, oom; /* oom: the kernel's out-of-memory killer chose it */
	int exit_code;	  /* as wait() gives it; once exited */
	uint64_t exit_ts;
	char comm[16];
	char exe[256]; /* "" where unknown */
	uint64_t cgroup;
	/* The agent that it is, or belongs to: a restarted agent keeps the number of the one before it; 0: unknown. */
	uint64_t agent;
	const struct who_more *more; /* NULL: not looked up */
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
/* The same without the port and brackets. */
void net_addr_ip(const struct net_addr *a, char ret_s[64]);
/* What one end is called: by what it says of itself (@self), else its program, else its address. NULL where nothing of
 * it is known. @who may be NULL; the name lives in @self, @who or @addr. */
const char *who_name(const char *self, const struct who *who, const struct net_addr *a, char addr[64]);

#endif
