/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver's child: confined, it copies and hashes the file, says the hash, and only then looks at what the file is.
 *
 * It looks at its copy. Were it to read the file again, whoever can write that file could have the genuine library hashed, and a
 * symbol table of his own read behind it: his offsets would stand in the cache under the genuine library's digest. No time
 * stamp tells of a page written through a mapping, and a lease does not hold on every file system. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/resolver_int.h"
#include "probe/sandbox.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#define PIECE (256 << 10)

enum { FD_FILE, FD_PIPE, FD_COPY }; /* as sandbox_enter numbers them */

int (*resolver_resolve)(int fd, struct tls_found *ret) = resolve_fd;

/* Kernels before 6.3 do not know the flag; later ones may be told to insist on it. */
static int copy_open(void)
{
	int fd = memfd_create("mcpvigil", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create("mcpvigil", MFD_CLOEXEC) : fd;
}

static int confine(const struct child_args *a, int pipe, pid_t parent)
{
	const int keep[] = { [FD_FILE] = a->fd, [FD_PIPE] = pipe, [FD_COPY] = copy_open() };
	const struct sandbox s = {
		.keep = keep,
		.nkeep = sizeof(keep) / sizeof(keep[0]),
		.parent = parent,
		.wall_ms = a->wall_ms,
		.cpu_s = a->cpu_s,
		.mem_bytes = a->size + a->mem_bytes, /* the copy is mapped once */
		.file_bytes = a->size,
	};

	return keep[FD_COPY] < 0 ? -errno : sandbox_enter(&s);
}

static int write_all(int fd, const void *p, size_t n)
{
	ssize_t put;

	for (size_t at = 0; at < n; at += (size_t)put) {
		put = write(fd, (const char *)p + at, n - at);
		if (put < 0)
			return -errno;
	}
	return 0;
}

static int copy(uint64_t size, struct sha256 *sha, uint8_t ret_digest[SHA256_BYTES])
{
	static char piece[PIECE];
	int err = 0;

	for (uint64_t at = 0; at < size && !err;) {
		size_t want = size - at < sizeof(piece) ? (size_t)(size - at) : sizeof(piece);
		ssize_t got = pread(FD_FILE, piece, want, (off_t)at);

		if (got <= 0)
			return got < 0 ? -errno : -ESTALE;
		err = sha256_add(sha, piece, (size_t)got);
		if (!err)
			err = write_all(FD_COPY, piece, (size_t)got);
		at += (uint64_t)got;
	}
	if (!err && lseek(FD_COPY, 0, SEEK_SET))
		err = -errno;
	return err ? err : sha256_end(sha, ret_digest);
}

void resolver_child(const struct child_args *a, int pipe, pid_t parent)
{
	static struct answer answer;

	if (confine(a, pipe, parent))
		_exit(CHILD_UNCONFINED);
	if (copy(a->size, a->sha, answer.digest))
		_exit(CHILD_READ);
	if (write_all(FD_PIPE, answer.digest, sizeof(answer.digest)))
		_exit(CHILD_WRITE);
	answer.resolved.size = a->size;
	answer.resolved.err = resolver_resolve(FD_COPY, &answer.resolved.f);
	_exit(write_all(FD_PIPE, &answer.resolved, sizeof(answer.resolved)) ? CHILD_WRITE : CHILD_DONE);
}
