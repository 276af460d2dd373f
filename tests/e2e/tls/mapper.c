/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the files named as if they were code, whatever they are, and does nothing until its input ends. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		return 1;
	}
	p = mmap(NULL, st.st_size ? (size_t)st.st_size : 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		perror(path);
	close(fd);
	return p == MAP_FAILED;
}

int main(int c, char **v)
{
	char byte;
	int i;

	for (i = 1; i < c; i++) {
		if (map(v[i]))
			return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
