/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent that did nothing at sys_enter and sys_exit would cost: the yardstick of
 * tests/bench. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sys_enter")
int empty_enter(void *ctx)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int empty_exit(void *ctx)
{
	return 0;
}
