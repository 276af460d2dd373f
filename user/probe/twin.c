/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel puts the breakpoints of all probes on a file into each private mapping of it that may be made executable, as it is
 * made, and it goes by the real inode. So the file is mapped here, and what the mapping holds is compared with what the file holds.
 *
 * What a mapping holds is read by write(2), for which a file that has become shorter is an error and no signal. */
#include "probe/twin.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolve/resolve.h"

/* Does @at point to other bytes than those at @as? */
static bool differs(const int pipe_fds[2], const void *at, const void *as, size_t n)
{
	uint8_t got[TLS_BYTES];

	return write(pipe_fds[1], at, n) == (ssize_t)n && read(pipe_fds[0], got, n) == (ssize_t)n && memcmp(got, as, n) != 0;
}

static bool point_probed(int fd, const struct tls_point *p, const int pipe_fds[2])
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), from = p->offset & ~(page - 1);
	size_t n = (size_t)(p->offset + p->nbytes - from);
	uint8_t in_file[TLS_BYTES];
	bool probed;
	uint8_t *m;

	if (p->nbytes > TLS_BYTES || pread(fd, in_file, p->nbytes, (off_t)p->offset) != p->nbytes)
		return false;
	m = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, (off_t)from);
	if (m == MAP_FAILED)
		return false;
	probed = differs(pipe_fds, m + (p->offset - from), in_file, p->nbytes);
	munmap(m, n);
	return probed;
}

bool twin_probed(int fd, const struct tls_found *f)
{
	bool probed = f->n > 0;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC))
		return false;
	for (uint32_t i = 0; i < f->n && probed; i++)
		probed = point_probed(fd, &f->point[i], pipe_fds);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return probed;
}
