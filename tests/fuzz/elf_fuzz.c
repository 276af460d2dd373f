/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files to probe points. Whatever the file, what is said of it is what the contract allows, holds for the file's bytes, and is
 * the same the next time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/resolved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct resolved r = { .size = size }, again;

	if (fd < 0)
		fd = memfd_create("elf", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	r.err = resolve_fd(fd, &r.f);
	again = r;
	if (!resolved_check(&r) || resolved_match(&r, fd))
		abort();
	if (resolve_fd(fd, &again.f) != r.err || (!r.err && memcmp(&again, &r, sizeof(r)) != 0))
		abort();
	return 0;
}
