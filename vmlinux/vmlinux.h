/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel, as much of it as we read: see README.md beside this file. */
#ifndef MCPVIGIL_VMLINUX_H
#define MCPVIGIL_VMLINUX_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;

enum { false = 0, true = 1 };

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r14, bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax, sp;
};
#endif

struct thread_info {
	u32 status; /* TS_COMPAT; x86 since 4.16 */
};

struct inode;
struct file;
struct sock;
struct pipe_inode_info;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

typedef struct {
	int counter;
} atomic_t;

struct mm_struct;

struct signal_struct {
	atomic_t live;
	struct mm_struct *oom_mm; /* 4.9 */
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

struct task_struct {
	struct thread_info thread_info;
	int pid, tgid, exit_code;
	struct task_struct *real_parent, *group_leader;
	u64 start_boottime; /* 5.5 */
	struct files_struct *files;
	struct signal_struct *signal;
	const struct cred *cred;
	char comm[16];
};

struct linux_binprm {
	const char *filename;
};

struct file {
	unsigned int f_flags;
	unsigned int f_mode;
	struct inode *f_inode;
	void *private_data;
};

struct inode {
	u16 i_mode;
	u32 i_rdev;
	unsigned long i_ino;
	u32 i_generation;
	struct pipe_inode_info *i_pipe;
};

struct pipe_buffer {
	unsigned int len;
};

struct pipe_inode_info {
	unsigned int head, tail, ring_size; /* 5.5 */
	struct pipe_buffer *bufs;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num, skc_family;
	unsigned long skc_flags;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sk_buff {
	struct sk_buff *next;
	unsigned int len;
	char cb[48];
};

struct sk_buff_head {
	struct sk_buff *next;
};

struct unix_skb_parms {
	u32 consumed;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct socket *sk_socket;
	u16 sk_type, sk_protocol; /* bit-fields before 5.6 */
};

struct unix_sock {
	struct sock *peer;
};

struct inet_connection_sock {
	const void *icsk_ulp_ops;
};

struct tcp_sock {
	u32 rcv_nxt, copied_seq, write_seq, snd_una;
	u64 bytes_received, bytes_acked;
};

struct io_kiocb {
	struct file *file; /* before 5.19 a union member of the same name */
	u8 opcode;
};

struct io_uring_cqe {
	s32 res;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id, seq_num;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct trace_event_raw_sys_exit {
	long id, ret;
};

#pragma clang attribute pop

/* User-space ABI: plain layouts, no relocation. */
struct iovec {
	void *iov_base;
	unsigned long iov_len;
};

struct user_msghdr {
	void *msg_name;
	int msg_namelen;
	struct iovec *msg_iov;
	unsigned long msg_iovlen;
	void *msg_control;
	unsigned long msg_controllen;
	unsigned int msg_flags;
};

struct mmsghdr {
	struct user_msghdr msg_hdr;
	unsigned int msg_len;
};

#endif
