/* SPDX-License-Identifier: Apache-2.0 */
/* Go's crypto/tls, by the table of functions that Go keeps in every program.
 *
 * A function's return is probed at each of its return instructions. A uretprobe would put another return address onto a stack
 * that Go copies elsewhere as it grows, and reads itself to find its callers: the program dies of it.
 *
 * What holds at the points, by Go's register ABI (amd64, from 1.17 on):
 *	entries		R14 the goroutine, RAX the *Conn; of Read and Write, RBX the address of the bytes, RCX their number, RDI the
 *			capacity; RSP at the return address
 *	returns		R14 the goroutine, RAX the count, RBX and RCX the error; RSP at the return address, above which the caller
 *			keeps room for the arguments
 * All other registers hold anything. A function that ends by a panic does not return; then nothing is told. */
#include "resolve/finder.h"
#include "resolve/gotab.h"

#include <errno.h>

#include "tls_stack.h"

static const struct method {
	struct sv name;
	uint8_t entry, ret; /* enum tls_func; 0: not probed there */
	bool needed;
} methods[] = {
	{ SV("Read"), TLS_F_GO_READ, TLS_F_GO_READ_RET, true },
	{ SV("Write"), TLS_F_GO_WRITE, TLS_F_GO_WRITE_RET, true },
	{ SV("clientHandshake"), TLS_F_GO_HANDSHAKE, 0, false },
	{ SV("serverHandshake"), TLS_F_GO_HANDSHAKE, 0, false },
	{ SV("Close"), TLS_F_GO_CLOSE, 0, false },
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* Each method's largest body: where both of Go's ABIs can call it, the smaller one of that name leads from one to the other. */
static bool find_methods(const struct gotab *t, struct gofunc ret[METHODS])
{
	const struct sv conn = SV("crypto/tls.(*Conn).");
	bool any = false;

	memset(ret, 0, METHODS * sizeof(ret[0]));
	for (uint64_t i = 0; i < t->nfunc; i++) {
		struct gofunc f;
		struct sv name;

		if (!gotab_func(t, i, &f) || !sv_starts(f.name, conn))
			continue;
		name = (struct sv){ f.name.p + conn.n, f.name.n - conn.n };
		for (size_t m = 0; m < METHODS; m++) {
			if (!sv_eq(name, methods[m].name) || f.size <= ret[m].size)
				continue;
			ret[m] = f;
			any = true;
		}
	}
	return any;
}

/* Every instruction is looked at: a return that is missed is a call that never ends. So a jump to elsewhere is no more welcome
 * than bytes that are no instruction. */
static int returns(struct look *l, const struct func *f, const struct method *m)
{
	uint64_t addr = f->addr, end = f->addr + f->code.n;
	struct sv code = f->code;
	unsigned int n = 0;
	int err = 0;
	struct insn i;

	while (!err && insns_next(l->insns, &code, &addr, &i)) {
		if ((i.kind == INSN_JUMP || i.kind == INSN_BRANCH) && i.target && (i.target < f->addr || i.target >= end))
			return -EBADMSG;
		if (i.kind != INSN_RET)
			continue;
		n++;
		err = point_add(l, f, i.addr, m->ret, TLS_GO);
	}
	return err ? err : code.n || !n ? -EBADMSG : 0;
}

static int method_add(struct look *l, const struct method *m, const struct gofunc *g)
{
	struct func f;
	int err;

	if (g->size > TLS_FUNC_BYTES || !func_at(l, g->addr, g->size, &f))
		return -EBADMSG;
	err = point_add(l, &f, entry_of_go(l, &f), m->entry, TLS_GO);
	return !err && m->ret ? returns(l, &f, m) : err;
}

static void methods_add(struct look *l, const struct gofunc found[METHODS], struct sv version)
{
	uint32_t before = l->found->n;

	for (size_t i = 0; i < METHODS; i++) {
		int err = found[i].size ? method_add(l, &methods[i], &found[i]) : -ENOENT;

		if (!err || !methods[i].needed)
			continue;
		points_drop(l, before);
		found_why(l, "Go crypto/tls: (*Conn).%s %s", methods[i].name.p,
			  err == -ENOENT ? "is not in it" : "cannot be taken apart");
		return;
	}
	if (version.n)
		found_evidence(l, "%.*s crypto/tls by pclntab", (int)version.n, version.p);
	else
		found_evidence(l, "Go crypto/tls by pclntab");
}

/* What cannot be read matters where it holds the functions that would be probed. */
static bool has_tls(const struct elf *e)
{
	static const char name[] = "crypto/tls.(*Conn).Read";

	return memmem(e->file.p, e->file.n, name, sizeof(name));
}

void go_find(struct look *l)
{
	struct gofunc found[METHODS];
	struct gotab t;
	int err = gotab_open(l->elf, &t);

	if (err == -ENOENT)
		return;
	if (!err && find_methods(&t, found))
		methods_add(l, found, go_version(l->elf));
	else if (err && has_tls(l->elf))
		found_why(l, "Go crypto/tls: %s",
			  err == -ENOTSUP ? "made by Go before 1.18, not read" :
			  err == -ESRCH	  ? "where the program's code begins was not found" :
					    "the program's table of functions makes no sense");
}
