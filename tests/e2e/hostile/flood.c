/* SPDX-License-Identifier: Apache-2.0 */
/* Writes into pipes as fast as the machine can, until it is killed: someone who would blind the
 * agent.
 *
 *   flood noise | json | churn
 *
 * noise: one pipe, bytes that are no JSON. json: the same with endless garbage that begins like
 * a JSON-RPC request. churn: short-lived processes, each of which makes one large write to a new
 * pipe, so that no account is ever old enough to be in debt. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#define BLOCK (1u << 20)

static char block[BLOCK];

static void fill(int json)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
				   "call\",\"params\":{\"name\":\"flood\",";
	unsigned int i;

	for (i = 0; i < BLOCK; i++)
		block[i] = (char)('A' + i % 26);
	for (i = 0; json && i + sizeof(head) < BLOCK; i += 64 + (unsigned int)sizeof(head))
		memcpy(block + i, head, sizeof(head) - 1);
}

static void drain(int fd)
{
	static char sink[BLOCK];

	while (read(fd, sink, sizeof(sink)) > 0)
		;
	_exit(0);
}

/* A pipe with a process that reads it; its end to write to. */
static int reader(pid_t *pid)
{
	int p[2];

	if (pipe(p)) {
		perror("pipe");
		_exit(1);
	}
	*pid = fork();
	if (*pid < 0)
		_exit(1);
	if (!*pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p[1]);
		drain(p[0]);
	}
	close(p[0]);
	fcntl(p[1], F_SETPIPE_SZ, BLOCK);
	return p[1];
}

static void churn(void)
{
	pid_t pid, child;
	int fd;

	for (;;) {
		child = fork();
		if (!child) {
			fd = reader(&pid);
			_exit(write(fd, block, BLOCK) < 0);
		}
		if (child < 0)
			usleep(1000);
		else
			waitpid(child, NULL, 0);
	}
}

int main(int c, char **v)
{
	pid_t pid;
	int fd;

	if (c != 2) {
		fprintf(stderr, "usage: flood noise | json | churn\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_DFL);
	fill(strcmp(v[1], "noise") != 0);
	printf("ready\n");
	fflush(stdout);
	if (!strcmp(v[1], "churn"))
		churn();
	fd = reader(&pid);
	while (write(fd, block, BLOCK) > 0)
		;
	return 1;
}
