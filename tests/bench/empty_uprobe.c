/* SPDX-License-Identifier: Apache-2.0 */
/* empty_uprobe FILE OFFSET...: attaches empty_uprobe.bpf.c there, an entry and a return each, as the agent would on this kernel
 * (MCPVIGIL_UPROBES=perf, or where there is no uprobe_multi: perf events); says "ready", and waits for the end of its input. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "empty_uprobe.skel.h"

#define OFFSETS_MAX 16

static struct empty_uprobe *open_as(bool multi)
{
	struct empty_uprobe *e = empty_uprobe__open();

	if (!e)
		return NULL;
	bpf_program__set_autoload(e->progs.empty_in, multi);
	bpf_program__set_autoload(e->progs.empty_out, multi);
	bpf_program__set_autoload(e->progs.empty_in_perf, !multi);
	bpf_program__set_autoload(e->progs.empty_out_perf, !multi);
	if (!empty_uprobe__load(e))
		return e;
	empty_uprobe__destroy(e);
	return NULL;
}

static bool attach_multi(struct empty_uprobe *e, const char *path, const unsigned long *offsets, size_t n)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, in, .offsets = offsets, .cnt = n);
	LIBBPF_OPTS(bpf_uprobe_multi_opts, out, .offsets = offsets, .cnt = n, .retprobe = true);

	return bpf_program__attach_uprobe_multi(e->progs.empty_out, -1, path, NULL, &out) &&
	       bpf_program__attach_uprobe_multi(e->progs.empty_in, -1, path, NULL, &in);
}

static bool attach_perf(struct empty_uprobe *e, const char *path, const unsigned long *offsets, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!bpf_program__attach_uprobe(e->progs.empty_out_perf, true, -1, path, offsets[i]) ||
		    !bpf_program__attach_uprobe(e->progs.empty_in_perf, false, -1, path, offsets[i]))
			return false;
	}
	return true;
}

int main(int c, char **v)
{
	const char *kind = getenv("MCPVIGIL_UPROBES");
	unsigned long offsets[OFFSETS_MAX];
	bool multi = !kind || strcmp(kind, "perf");
	struct empty_uprobe *e;
	size_t n = 0;
	char byte;

	for (; n < OFFSETS_MAX && (int)n + 2 < c; n++)
		offsets[n] = strtoul(v[n + 2], NULL, 0);
	e = n ? open_as(multi) : NULL;
	if (e && multi && !attach_multi(e, v[1], offsets, n)) {
		empty_uprobe__destroy(e);
		multi = false;
		e = open_as(multi);
	}
	if (!e || (!multi && !attach_perf(e, v[1], offsets, n))) {
		fprintf(stderr, "empty_uprobe: cannot attach\n");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0; /* the kernel takes them down */
}
