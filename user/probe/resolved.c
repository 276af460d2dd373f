/* SPDX-License-Identifier: Apache-2.0 */
/* Results of resolve/. They come from a process that a hostile file may have taken over, or from a file on disk, so that no
 * field is believed: a probe is put where they say, and one in the middle of an instruction changes the program.
 *
 * As text, one field a line in this order, "end" last so that a cut is seen:
 *
 *	mcpvigil resolved 1
 *	size 98932688
 *	error 0
 *	evidence OpenSSL 3.0.19 by .dynsym
 *	why
 *	point FN STACK OFFSET FUNC HASH BYTES
 *	end
 */
#include "probe/resolved.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/num.h"
#include "event_tls.h"

/* --- Checked ---------------------------------------------------------------------------------------------------- */

/* Ends within its field, and can be printed as it is. */
static bool text_check(char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	memset(s + n, 0, size - n);
	return true;
}

static bool point_check(struct tls_point *p, uint64_t size)
{
	if (p->fn == 0 || p->fn >= TLS_FUNCS || p->stack == 0 || p->stack >= TLS_STACKS || p->nbytes == 0 ||
	    p->nbytes > TLS_BYTES)
		return false;
	if (p->offset >= size || size - p->offset < p->nbytes || p->func > p->offset ||
	    p->offset - p->func > TLS_FUNC_BYTES)
		return false;
	memset(p->bytes + p->nbytes, 0, sizeof(p->bytes) - p->nbytes);
	return true;
}

/* The same probe twice would count every byte twice. */
static bool points_differ(const struct tls_found *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (f->point[i].offset == f->point[j].offset && f->point[i].fn == f->point[j].fn)
				return false;
		}
	}
	return true;
}

bool resolved_check(struct resolved *r)
{
	struct tls_found *f = &r->f;
	uint32_t stacks = 0;

	if (r->zero || f->n > TLS_POINTS_MAX)
		return false;
	if (r->err && r->err != -ENOEXEC && r->err != -EBADMSG && r->err != -EFBIG && r->err != -ENOMEM)
		return false;
	if (r->err) {
		memset(f, 0, sizeof(*f));
		return true;
	}
	for (uint32_t i = 0; i < f->n; i++) {
		if (!point_check(&f->point[i], r->size))
			return false;
		stacks |= 1U << f->point[i].stack;
	}
	if (f->shaped & ~stacks)
		return false;
	memset(f->point + f->n, 0, (TLS_POINTS_MAX - f->n) * sizeof(f->point[0]));
	return points_differ(f) && text_check(f->evidence, sizeof(f->evidence)) && text_check(f->why, sizeof(f->why));
}

bool resolved_lasts(const struct resolved *r)
{
	return r->err != -ENOMEM;
}

/* --- As text ---------------------------------------------------------------------------------------------------- */

#define STRING(x) #x
#define VERSION_LINE(v) "mcpvigil resolved " STRING(v) "\n"

static void write_point(const struct tls_point *p, struct buf *out)
{
	buf_addf(out, "point %u %u %llu %llu %016llx ", p->fn, p->stack, (unsigned long long)p->offset,
		 (unsigned long long)p->func, (unsigned long long)p->hash);
	for (unsigned int i = 0; i < p->nbytes; i++)
		buf_addf(out, "%02x", p->bytes[i]);
	buf_add_ch(out, '\n');
}

int resolved_write(const struct resolved *r, struct buf *out)
{
	buf_add_str(out, VERSION_LINE(RESOLVE_VERSION));
	buf_addf(out, "size %llu\nerror %d\n", (unsigned long long)r->size, -r->err);
	buf_addf(out, "shaped %u\nevidence %s\nwhy %s\n", r->f.shaped, r->f.evidence, r->f.why);
	for (uint32_t i = 0; i < r->f.n; i++)
		write_point(&r->f.point[i], out);
	/* The last append fails wherever one before it did for lack of room; for lack of memory, the text is too short to
	 * be read back. */
	return buf_add_str(out, "end\n");
}

/* Cut what stands before @end off @in; false where there is no such byte. */
static bool cut(struct sv *in, char end, struct sv *ret)
{
	const char *at = in->n ? memchr(in->p, end, in->n) : NULL;

	if (!at)
		return false;
	*ret = (struct sv){ in->p, (size_t)(at - in->p) };
	in->n -= ret->n + 1;
	in->p = at + 1;
	return true;
}

/* The next line, without its @name, which a space follows. */
static bool field(struct sv *in, const char *name, struct sv *ret)
{
	struct sv word;

	return cut(in, '\n', ret) && cut(ret, ' ', &word) && sv_eq(word, sv_of(name));
}

static bool field_text(struct sv *in, const char *name, char *ret, size_t size)
{
	struct sv v;

	if (!field(in, name, &v) || v.n >= size)
		return false;
	memcpy(ret, v.p, v.n);
	return true;
}

static bool field_num(struct sv *in, const char *name, uint64_t *ret)
{
	struct sv v;

	return field(in, name, &v) && !num_u64(v, ret);
}

static bool word_num(struct sv *in, uint64_t max, uint64_t *ret)
{
	struct sv v;

	return cut(in, ' ', &v) && !num_u64(v, ret) && *ret <= max;
}

static bool read_point(struct sv line, struct tls_point *ret)
{
	uint8_t hash[8] = { 0 };
	uint64_t fn, stack;
	struct sv v;

	if (!word_num(&line, UINT8_MAX, &fn) || !word_num(&line, UINT8_MAX, &stack) ||
	    !word_num(&line, UINT64_MAX, &ret->offset) || !word_num(&line, UINT64_MAX, &ret->func) ||
	    !cut(&line, ' ', &v) || num_hex(v, hash, sizeof(hash)) || line.n / 2 > sizeof(ret->bytes) ||
	    num_hex(line, ret->bytes, line.n / 2))
		return false;
	for (size_t i = 0; i < sizeof(hash); i++)
		ret->hash = ret->hash << 8 | hash[i];
	ret->fn = (uint8_t)fn;
	ret->stack = (uint8_t)stack;
	ret->nbytes = (uint8_t)(line.n / 2);
	return true;
}

static bool read_points(struct sv in, struct tls_found *ret)
{
	struct sv line;

	while (!sv_eq(in, SV("end\n"))) {
		if (ret->n == TLS_POINTS_MAX || !field(&in, "point", &line) || !read_point(line, &ret->point[ret->n]))
			return false;
		ret->n++;
	}
	return true;
}

/* There is one text for each result: "007" or a second space is nothing that we wrote. */
static bool is_text_of(struct sv text, const struct resolved *r)
{
	struct buf b;
	bool same;

	buf_init(&b, RESOLVED_TEXT_MAX);
	same = !resolved_write(r, &b) && sv_eq(buf_sv(&b), text);
	buf_done(&b);
	return same;
}

int resolved_read(struct sv text, struct resolved *ret)
{
	const struct sv version = SV(VERSION_LINE(RESOLVE_VERSION));
	struct sv in = text;
	uint64_t err = 0, shaped = 0;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	if (!sv_starts(in, version))
		return -EBADMSG;
	in.p += version.n;
	in.n -= version.n;
	ok = field_num(&in, "size", &ret->size) && field_num(&in, "error", &err) && err < 4096 &&
	     field_num(&in, "shaped", &shaped) && shaped <= UINT32_MAX &&
	     field_text(&in, "evidence", ret->f.evidence, sizeof(ret->f.evidence)) &&
	     field_text(&in, "why", ret->f.why, sizeof(ret->f.why)) && read_points(in, &ret->f);
	ret->err = -(int32_t)err;
	ret->f.shaped = (uint32_t)shaped;
	if (ok && resolved_check(ret) && resolved_lasts(ret) && is_text_of(text, ret))
		return 0;
	memset(ret, 0, sizeof(*ret));
	return -EBADMSG;
}

/* --- Held against the file -------------------------------------------------------------------------------------- */

static int read_at(int fd, uint8_t *ret, size_t n, uint64_t offset)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = pread(fd, ret + at, n - at, (off_t)(offset + at));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -ESTALE;
		at += (size_t)got;
	}
	return 0;
}

static int match_point(const struct tls_point *p, int fd, uint8_t *room)
{
	size_t way = (size_t)(p->offset - p->func), n = way + p->nbytes;
	int err = read_at(fd, room, n, p->func);

	if (err)
		return err;
	return memcmp(room + way, p->bytes, p->nbytes) == 0 && hash_fixed(room, n) == p->hash ? 0 : -ESTALE;
}

int resolved_match(const struct resolved *r, int fd)
{
	uint8_t *room = r->f.n ? malloc(TLS_FUNC_BYTES + TLS_BYTES) : NULL;
	int err = r->f.n && !room ? -ENOMEM : 0;

	for (uint32_t i = 0; i < r->f.n && !err; i++)
		err = match_point(&r->f.point[i], fd, room);
	free(room);
	return err;
}
