/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches empty.bpf.c, says "ready", and waits for the end of its input. */
#include <stdio.h>
#include <unistd.h>

#include "empty.skel.h"

int main(void)
{
	struct empty *e = empty__open_and_load();
	char c;

	if (!e || empty__attach(e)) {
		fprintf(stderr, "empty: cannot attach\n");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	empty__destroy(e);
	return 0;
}
