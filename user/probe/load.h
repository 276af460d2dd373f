/* SPDX-License-Identifier: Apache-2.0 */
/* The object: opened, configured, loaded, attached. Private to probe/. */
#ifndef MCPVIGIL_PROBE_LOAD_H
#define MCPVIGIL_PROBE_LOAD_H

#include <bpf/libbpf.h>

#include "probe/probe.h"

/* BPF_TRACE_UPROBE_MULTI, which the headers of kernels before 6.6 lack. */
#define ATTACH_UPROBE_MULTI ((enum bpf_attach_type)48)

struct probe {
	struct probe_bpf *skel_owner; /* load.c alone knows the type */
	struct bpf_object *obj;
	const char *tier;
	bool multi;	   /* the uprobe programs are for links of many uprobes */
	char tls_why[128]; /* why the uprobe programs are not there; "" where they are */
	struct ring_buffer *rings;
	struct bpf_link *list_link;
	uint64_t *losses, *verdicts, *list_pass, *self; /* mmap'ed arrays */
	uint64_t bad_records;
	uint64_t list_full; /* open files that the listing at start had no room for */
	unsigned int batch; /* records handed on in this probe_consume */
	probe_fn fn;
	void *ctx;
	struct bpf_link *links[PROBE_PROGS_MAX];
	unsigned int nlinks;
};

/* Words of an mmap'ed array map, or NULL with errno. */
uint64_t *map_words(struct bpf_object *obj, const char *name);
void map_words_free(struct bpf_object *obj, const char *name, uint64_t *w);
/* rings.c */
int rings_open(struct probe *p);

#endif
