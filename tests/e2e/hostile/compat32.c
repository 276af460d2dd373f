/* SPDX-License-Identifier: Apache-2.0 */
/* 32-bit system calls (int $0x80) from a 64-bit process on a pipe that carries MCP. getpid of
 * the 32-bit table has the number of writev in the 64-bit one and returns a positive value: an
 * agent that looks only at numbers takes it for a write of whatever the argument registers point
 * to. Exit 77: the machine has no 32-bit calls.
 *
 *   compat32 COUNT      COUNT times: forges a request, then makes an honest call to a child
 * */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORGED                                                                                     \
	"{\"jsonrpc\":\"2.0\",\"id\":666,\"method\":\"tools/"                                      \
	"call\",\"params\":{\"name\":\"forged\"}}\n"

static void no_compat(int sig)
{
	_exit(sig ? 77 : 1);
}

static long forge(int fd)
{
	static struct iovec v = { (void *)FORGED, sizeof(FORGED) - 1 };
	long ret = 20;

	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "D"((long)fd), "S"(&v), "d"(1L), "b"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void server(void)
{
	char line[4096];
	ssize_t n;

	for (;;) {
		n = read(0, line, sizeof(line) - 1);
		if (n <= 0)
			_exit(n < 0);
		line[n] = 0;
		if (strstr(line, "forged"))
			_exit(3); /* the call did carry bytes: the test itself is wrong */
		n = snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{}}\n",
			     (int)strtol(strstr(line, "\"id\":") + 5, NULL, 10));
		if (write(1, line, (size_t)n) != n)
			_exit(1);
	}
}

int main(int c, char **v)
{
	int a[2], b[2], i, n = c > 1 ? (int)strtol(v[1], NULL, 10) : 100, status;
	char line[256];
	ssize_t len;
	pid_t pid;

	signal(SIGSEGV, no_compat);
	signal(SIGPIPE, SIG_IGN);
	if (pipe(a) || pipe(b))
		return 1;
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid) {
		dup2(a[0], 0);
		dup2(b[1], 1);
		close(a[1]);
		close(b[0]);
		server();
	}
	for (i = 0; i < n; i++) {
		if (forge(a[1]) != getpid())
			return 77;
		len = snprintf(
			line, sizeof(line),
			"{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":{"
			"\"name\":\"honest\"}}\n",
			i);
		if (write(a[1], line, (size_t)len) != len || read(b[0], line, sizeof(line)) <= 0)
			return 1;
	}
	close(a[1]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
