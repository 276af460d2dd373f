/* SPDX-License-Identifier: Apache-2.0 */
/* One operation at a time through io_uring, by bare system calls. */
#ifndef MCPVIGIL_TESTS_URING_H
#define MCPVIGIL_TESTS_URING_H

#include <stdbool.h>
#include <sys/types.h>

/* Set up the calling process's ring; false where the kernel has or allows none. */
bool uring_init(void);
ssize_t uring_write(int fd, const void *p, size_t n);
ssize_t uring_read(int fd, void *p, size_t n);

#endif
