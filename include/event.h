/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every record that crosses the ring, and that a recording holds. BPF and user space agree here.
 *
 * Reader rule: an unknown kind is skipped by its size; a record shorter than its struct is refused. Values are wire
 * ABI and appear in recordings: append, never renumber. Sized types only, natural alignment, visible padding. */
#ifndef MCPVIGIL_EVENT_H
#define MCPVIGIL_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

enum ev_kind {
	EV_EXEC = 1,  /* struct ev_exec: a process became another program */
	EV_EXIT = 2,  /* struct ev_exit: the last thread of a process is gone. Not of each: see bpf/README.md */
	EV_OPEN = 3,  /* struct ev_open: one end of a pipe or socket is seen for the first time */
	EV_DATA = 4,  /* struct ev_data: bytes passed, at one end, in one direction */
	EV_CLOSE = 5, /* struct ev_close: end of file at the reading end, or the connection was closed */
	EV_HELLO = 6, /* event_tls.h: TLS records passed on a TCP socket for the first time */
	EV_HOOKED = 7, /* event_tls.h: user space looked for TLS libraries in a process */
	EV_ODD = 8,   /* event_tls.h: functions that are probed are not what they were taken for */
	EV_JOIN = 9,  /* event_tls.h: bytes that were told of are a part of a connection */
};

enum ev_flag {
	EV_F_RACED = 1 << 0,  /* counted position: two threads moved it at once, it may be off; EV_OPEN: the two
			       * ends' counters have no common origin */
	EV_F_FAULT = 1 << 1,  /* the bytes could not be read: have is 0 */
	EV_F_SPLICE = 1 << 2, /* moved by splice, tee, vmsplice, sendfile: never in user memory, have is 0 */
	EV_F_URING = 1 << 3,  /* moved by io_uring: not copied, have is 0 */
	EV_F_LATE = 1 << 4,   /* EV_OPEN, EV_EXEC: from the listing at start, it was there before us */
	EV_F_STDIO = 1 << 5,  /* EV_OPEN: it is fd 0 or 1 of some process at its exec */
	EV_F_CUT = 1 << 6,    /* the rest of this call's bytes was beyond the limit: want - have */
	EV_F_DONE = 1 << 7,   /* EV_CLOSE: this end is gone, whatever stood unread */
	EV_F_OOM = 1 << 8,    /* EV_EXIT: the kernel's out-of-memory killer chose it */
	EV_F_UID = 1 << 9,    /* EV_EXIT: uid is set (older recordings have none) */
	EV_F_PART = 1 << 10,  /* EV_DATA: the connection is not known yet; EV_JOIN will say which it is */
};

enum ev_chan { CHAN_PIPE = 1, CHAN_UNIX = 2, CHAN_TCP = 3, CHAN_TTY = 4, CHAN_TLS = 5 };
enum ev_end { END_READ = 0, END_WRITE = 1 };

/* First in every record. */
struct ev_hdr {
	__u32 size;   /* whole record, trailing bytes included, without ring padding */
	__u16 kind;   /* enum ev_kind */
	__u16 flags;  /* enum ev_flag */
	__u64 ts;     /* CLOCK_BOOTTIME, ns */
	__u32 pid;    /* thread group id, init namespace */
	__u32 tid;
	__u64 cgroup; /* cgroup v2 id; 0 if none */
};

/* One direction of one kernel object. Pipe: the inode, both ends alike; @ino is number ^ generation << 32. Unix socket: the receiving sock, both ends
 * alike. TCP: the sock itself, so each end has its own key; @ino is (inode number << 1 | enum ev_end). Terminal: the inode, and the
 * same for @ino. TLS: the library's connection object (SSL *, *tls.Conn), each end its own; @ino is (birth of its entry, boot
 * ns, << 1 | enum ev_end). */
struct ev_key {
	__u64 obj;
	__u64 ino;
};

struct ev_data {
	struct ev_hdr hdr;
	__u64 start;	   /* start of the process, CLOCK_BOOTTIME ns: (pid, start) is never reused */
	__u64 enter;	   /* when the call began, if known, else 0; hdr.ts is when it ended */
	struct ev_key key;
	__u64 pos;	   /* offset of data[0] in this direction. TCP: the low half is the sequence number */
	__u32 want;	   /* bytes that passed, from pos on */
	__u32 have;	   /* bytes that follow; have < want means the rest was not copied */
	__u8 chan;	   /* enum ev_chan */
	__u8 end;	   /* enum ev_end: at which end the call was made */
	__u16 nr;	   /* system call */
	__u32 zero;
	__u8 data[];
};

struct ev_open {
	struct ev_hdr hdr;
	__u64 start;
	struct ev_key key;
	struct ev_key reverse; /* the other direction of the same object; zero for a pipe */
	__u64 pos[2];	       /* counted positions at that time, by enum ev_end; pipes and unix sockets */
	__u8 chan;
	__u8 end;	       /* END_WRITE: key names what this end writes. Pipe, unix: who was seen first */
	__u16 family;	       /* TCP: AF_INET, AF_INET6 */
	__u16 lport, rport;    /* host order */
	__u32 netns;
	__u32 base_rx;	       /* sequence number of the first byte received */
	__u32 base_tx;	       /* ... sent; on the connecting side one lower (SYN) */
	__u8 laddr[16], raddr[16]; /* IPv4 in the first four */
	__u32 tls;		   /* enum tls_stack; else 0 */
};

struct ev_close {
	struct ev_hdr hdr;
	__u64 start;
	struct ev_key key;
	__u64 pos;	/* position at the end, counted streams; 0 for TCP state changes */
	__u8 chan;
	__u8 end;
	__u16 zero16;
	__u32 zero;
};

#define EV_PATH_MAX 256

struct ev_exec {
	struct ev_hdr hdr;
	__u64 start;
	struct ev_key in;  /* what fd 0 reads; obj 0: no pipe or socket */
	struct ev_key out; /* what fd 1 writes */
	__u32 ppid;
	__u8 in_chan, out_chan;
	__u16 path_len;	   /* without NUL */
	char comm[16];
	char path[EV_PATH_MAX]; /* as passed to the kernel */
};

struct ev_exit {
	struct ev_hdr hdr;
	__u64 start;
	__u32 code; /* as wait() gives it */
	__u32 uid;  /* effective, init user namespace */
};

/* One line of the listing at start (iter/task_file); user space turns it into EV_OPEN and EV_EXEC. */
struct ev_list {
	__u32 pid;
	__u32 fd;
	__u64 start;
	__u64 cgroup;
	struct ev_key key[2]; /* by enum ev_end */
	__u64 pos[2];	      /* counters of key[END_READ] */
	__u8 chan;
	__u8 writable;	      /* opened for writing: a pipe's ends share one inode */
	__u8 settled;	      /* its counters have their origin */
	__u8 zero8[5];
};

_Static_assert(sizeof(struct ev_hdr) == 32, "ev_hdr is wire ABI");
_Static_assert(__builtin_offsetof(struct ev_data, data) == 88, "ev_data is wire ABI");
_Static_assert(sizeof(struct ev_open) == 144, "ev_open is wire ABI");
_Static_assert(sizeof(struct ev_close) == 72, "ev_close is wire ABI");
_Static_assert(sizeof(struct ev_exec) == 352, "ev_exec is wire ABI");
_Static_assert(sizeof(struct ev_exit) == 48, "ev_exit is wire ABI");

#endif
