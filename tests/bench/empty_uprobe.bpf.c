/* SPDX-License-Identifier: Apache-2.0 */
/* What probes that do nothing cost in the same places: the yardstick of tests/bench for TLS. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("uprobe.multi")
int empty_in(void *ctx)
{
	return 0;
}

SEC("uretprobe.multi")
int empty_out(void *ctx)
{
	return 0;
}

SEC("uprobe")
int empty_in_perf(void *ctx)
{
	return 0;
}

SEC("uretprobe")
int empty_out_perf(void *ctx)
{
	return 0;
}
