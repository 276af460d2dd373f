/* SPDX-License-Identifier: Apache-2.0 */
/* Opens streams without end, 100,000 at once: someone who would fill the agent's tables.
 *
 *   manystreams pipe | unix [COUNT]
 *
 * Each stream gets text that begins like JSON-RPC, or a single byte, and is read once. As many
 * processes as the limit of open files asks for hold them; "ready" is said when all are open.
 * Then more are opened and closed, until it is killed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char text[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"many\"}}\n";

static int open_one(int sock, unsigned int i, int p[2])
{
	char got[sizeof(text)];
	size_t n = i % 2 ? 1 : sizeof(text) - 1;

	if (sock ? socketpair(AF_UNIX, SOCK_STREAM, 0, p) : pipe(p))
		return -1;
	if (write(p[1], text, n) != (ssize_t)n || read(p[0], got, sizeof(got)) != (ssize_t)n)
		return -1;
	return 0;
}

static void hold(int sock, unsigned int n, int said)
{
	unsigned int i;
	int p[2];
	char ok = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < n && ok; i++)
		ok = !open_one(sock, i, p);
	if (!ok)
		perror("manystreams");
	if (write(said, &ok, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

int main(int c, char **v)
{
	unsigned int count = c > 2 ? (unsigned int)strtoul(v[2], NULL, 10) : 100000, each, left, n,
		     holders = 0;
	struct rlimit lim;
	int said[2], p[2], sock;
	char ok;

	if (c < 2) {
		fprintf(stderr, "usage: manystreams pipe | unix [COUNT]\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sock = !strcmp(v[1], "unix");
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	each = (unsigned int)((lim.rlim_cur - 64) / 2);
	if (pipe(said))
		return 1;
	for (left = count; left; left -= n, holders++) {
		n = left < each ? left : each;
		if (!fork())
			hold(sock, n, said[1]);
	}
	for (; holders; holders--) {
		if (read(said[0], &ok, 1) != 1 || !ok)
			return 1;
	}
	printf("ready\n");
	fflush(stdout);
	for (n = 0;; n++) {
		if (open_one(sock, n, p))
			return 1;
		close(p[0]);
		close(p[1]);
		usleep(50);
	}
}
