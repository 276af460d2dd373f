/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every way to lose data, by name. One list: BPF enum, record name, help text.
 *
 * The first group is counted in BPF (mmap'ed array "losses"), the second in user space. */
#ifndef MCPVIGIL_COUNTERS_H
#define MCPVIGIL_COUNTERS_H

#define KERNEL_COUNTERS(X)                                                                       \
	X(RING_FULL, "ring_full", "records lost: the ring buffer had no room")                    \
	X(RING_FULL_BYTES, "ring_full_bytes", "bytes of those records")                           \
	X(BUDGET_BYTES, "budget_bytes", "bytes of processes over their byte budget")              \
	X(READ_FAULT, "read_fault", "user memory that was not readable when we looked")           \
	X(STREAM_BUDGET, "stream_budget", "streams of processes that open too many too fast")     \
	X(STREAMS_FULL, "streams_full", "streams not tracked: the table refused the entry")       \
	X(VERDICTS_FULL, "verdicts_full", "streams to be judged anew: the table had no room for what is known of them") \
	X(COMPAT_CALLS, "compat_calls", "system calls of 32-bit tasks, not decoded")              \
	X(URING_OPS, "io_uring_ops", "io_uring operations whose length the kernel does not tell")  \
	X(KTLS_CALLS, "ktls_calls", "calls on kernel TLS sockets, not decoded")                   \
	X(SEGS_CUT, "segments_cut", "calls with more segments than are walked")                   \
	X(TLS_CALLS_FULL, "tls_calls_full", "calls into TLS libraries not followed: too many at once") \
	X(TLS_ODD_CALLS, "tls_odd_calls", "calls not told: more bytes than there was room for, so no read or write of TLS") \
	X(TLS_PADDED, "tls_padded", "TLS records with so much padding that their connection was given up")

#define USER_COUNTERS(X)                                                                         \
	X(MISSED_RUNS, "missed_runs", "runs of our BPF programs that the kernel skipped")         \
	X(STREAM_GAP_BYTES, "stream_gap_bytes", "bytes of watched streams that no record held")   \
	X(CUT_BYTES, "cut_bytes", "... of single calls beyond the capture limit")                 \
	X(SPLICED_BYTES, "spliced_bytes", "... moved by splice, tee, vmsplice or sendfile")       \
	X(URING_BYTES, "io_uring_bytes", "... moved by io_uring")                                 \
	X(FAULT_BYTES, "fault_bytes", "... whose user memory was not readable when we looked")    \
	X(CHANS_EVICTED, "chans_evicted", "streams forgotten: the stream table was full")         \
	X(PENDING_FULL, "pending_full", "bytes dropped: too much waited for its other end")       \
	X(MARKS_FULL, "marks_full", "times made coarser: too many small calls in one message")    \
	X(CODINGS_FULL, "codings_full", "compressed bodies not decoded: too many at once")        \
	X(H2_STREAMS_FULL, "h2_streams_full", "HTTP/2 streams not followed to their end: too many at once") \
	X(SESSIONS_EVICTED, "sessions_evicted", "sessions forgotten: the table was full")         \
	X(IN_FLIGHT_EVICTED, "in_flight_evicted", "requests given up: too many in flight")        \
	X(MCP_STREAMS_EVICTED, "mcp_streams_evicted", "MCP streams forgotten: the table was full") \
	X(EXCHANGES_EVICTED, "exchanges_evicted", "HTTP exchanges forgotten: the table was full") \
	X(PARTS_DROPPED, "parts_dropped", "TLS records dropped: their connection was not known in time") \
	X(HELD_DROPPED, "held_dropped", "messages dropped: too many waited to be told apart")      \
	X(TOOLS_EVICTED, "tools_evicted", "tools whose annotations and attempts were forgotten")  \
	X(TASKS_EVICTED, "tasks_evicted", "logical calls given up: too many were open")           \
	X(RELAYS_FULL, "relays_full", "calls over a relay told apart: too many waited for their inner hop") \
	X(TRACKERS_EVICTED, "trackers_evicted", "sessions and agents that loop detection forgot")  \
	X(EPISODES_REFUSED, "episodes_refused", "loops not followed: too many at once")           \
	X(IDENTS_EVICTED, "idents_evicted", "processes forgotten while they lived: the table was full") \
	X(SERIES_EVICTED, "series_evicted", "keys of alert rules forgotten: too many")            \
	X(SUBSCRIBER_DROPPED, "subscriber_dropped", "records not sent to a trace that reads too slowly") \
	X(NO_MEMORY, "no_memory", "messages dropped: no memory")                                  \
	X(HOOKS_BUSY, "hooks_busy", "processes not looked at for TLS at once: too many at a time") \
	X(HOOKS_RESTARTS, "hooks_restarts", "times the process that probes TLS libraries was started again") \
	X(OPAQUE_EVICTED, "opaque_evicted", "processes with TLS that were forgotten: the table was full") \
	X(LIST_FULL, "list_full", "open files not listed at start: too many")                     \
	X(BAD_RECORD, "bad_record", "records with a size that does not fit their kind")           \
	X(TAPE_TRUNCATED, "tape_truncated", "recording ends inside a record")

enum counter {
#define X(name, text, help) C_##name,
	KERNEL_COUNTERS(X)
	C_KERNEL_N,
	C_USER_BASE = C_KERNEL_N - 1,
	USER_COUNTERS(X)
#undef X
	C_N
};

#endif
