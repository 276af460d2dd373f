/* SPDX-License-Identifier: Apache-2.0 */
/* An MCP client and server on stdio, some of whose requests pass by the system calls that carry
 * bytes in registers.
 *
 *   bypass pipe|unix WRITER READER TRUTH
 *
 * WRITER, of the client: write, splice, tee, vmsplice, sendfile, uring, compat (int $0x80).
 * READER, of the server: read, splice, uring. They are used for the requests 10, 11, 12 and 25
 * of 40; everything else goes by read and write. Each message is one transfer. TRUTH gets a line
 * per call as in tests/e2e/README.md, with "bypassed" where it applies. Exit 77: the machine has
 * no such way. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uring.h"

#define CALLS 40
#define LINE  4096

static FILE *truth;
static const char *role = "client";

static void die(const char *what)
{
	fprintf(stderr, "bypass %s: %s: %m\n", role, what);
	_exit(errno == ENOSYS || errno == EPERM ? 77 : 1);
}

static bool special(unsigned int call)
{
	return (call >= 10 && call <= 12) || call == 25;
}

static int scratch_file(const void *p, size_t n)
{
	int fd = memfd_create("bypass", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, p, n, 0) != (ssize_t)n)
		die("memfd");
	return fd;
}

static ssize_t by_splice(int fd, const void *p, size_t n)
{
	int own[2];
	ssize_t r;

	if (pipe(own) || write(own[1], p, n) != (ssize_t)n)
		die("pipe");
	r = splice(own[0], NULL, fd, NULL, n, 0);
	close(own[0]);
	close(own[1]);
	return r;
}

static ssize_t by_tee(int fd, const void *p, size_t n)
{
	int own[2];
	ssize_t r;

	if (pipe(own) || write(own[1], p, n) != (ssize_t)n)
		die("pipe");
	r = tee(own[0], fd, n, 0);
	close(own[0]);
	close(own[1]);
	return r;
}

static ssize_t by_vmsplice(int fd, const void *p, size_t n)
{
	struct iovec v = { (void *)(uintptr_t)p, n };

	return vmsplice(fd, &v, 1, 0);
}

static ssize_t by_sendfile(int fd, const void *p, size_t n)
{
	int file = scratch_file(p, n);
	off_t at = 0;
	ssize_t r = sendfile(fd, file, &at, n);

	close(file);
	return r;
}

/* write(2) of the 32-bit table: number 4, arguments in ebx, ecx, edx. */
static ssize_t by_compat(int fd, const void *p, size_t n)
{
	static char *low;
	long ret = 4;

	if (!low)
		low = mmap(NULL, LINE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		die("mmap");
	memcpy(low, p, n);
	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "b"((long)fd), "c"(low), "d"((long)n)
			 : "memory", "r8", "r9", "r10", "r11");
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

static ssize_t by_write(int fd, const void *p, size_t n)
{
	return write(fd, p, n);
}

static ssize_t by_read(int fd, void *p, size_t n)
{
	return read(fd, p, n);
}

static ssize_t splice_in(int fd, void *p, size_t n)
{
	int own[2], file = scratch_file("", 0);
	ssize_t r, back;

	/* A pipe may go straight to the file, a socket only by way of a pipe. */
	r = splice(fd, NULL, file, NULL, n, 0);
	if (r < 0 && errno == EINVAL) {
		if (pipe(own))
			die("pipe");
		r = splice(fd, NULL, own[1], NULL, n, 0);
		if (r > 0 && splice(own[0], NULL, file, NULL, (size_t)r, 0) != r)
			die("splice to file");
		close(own[0]);
		close(own[1]);
	}
	back = r > 0 ? pread(file, p, (size_t)r, 0) : r;
	close(file);
	return back;
}

static const struct way_out {
	const char *name;
	ssize_t (*f)(int fd, const void *p, size_t n);
} outs[] = {
	{ "write", by_write },	     { "splice", by_splice },	  { "tee", by_tee },
	{ "vmsplice", by_vmsplice }, { "sendfile", by_sendfile }, { "uring", uring_write },
	{ "compat", by_compat },
};
static const struct way_in {
	const char *name;
	ssize_t (*f)(int fd, void *p, size_t n);
} ins[] = { { "read", by_read }, { "splice", splice_in }, { "uring", uring_read } };

static void call_line(unsigned int i, const char *method, const char *tool, size_t req, size_t resp)
{
	fprintf(truth, "{\"t\":\"call\",\"peer\":\"client\",\"pid\":%d,\"id\":%u,\"method\":\"%s\"",
		(int)getpid(), i, method);
	if (tool)
		fprintf(truth, ",\"tool\":\"%s\"", tool);
	fprintf(truth,
		",\"outcome\":\"ok\",\"request_bytes\":%zu,\"response_bytes\":%zu,\"bypassed\":%s}"
		"\n",
		req, resp, special(i) ? "true" : "false");
	fflush(truth);
}

/* The id of a request as the client writes it. */
static int id_of(const char *line)
{
	const char *p = strstr(line, "\"id\":");

	return p ? (int)strtol(p + 5, NULL, 10) : -1;
}

static int serve(const struct way_in *in)
{
	static char line[LINE], out[LINE];
	unsigned int next = 0;
	ssize_t n;
	int id;

	role = "server";
	if (in->f == uring_read && !uring_init())
		die("io_uring");
	for (;;) {
		n = (special(next) ? in->f : by_read)(0, line, LINE - 1);
		if (n < 0)
			die("read");
		if (!n)
			return 0;
		line[n] = 0;
		id = id_of(line);
		if (id < 0)
			continue; /* a notification */
		next = (unsigned int)id + 1;
		n = snprintf(out, sizeof(out),
			     id ? "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"content\":[]}}\n"
				: "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"protocolVersion\":"
				  "\"2025-11-25\",\"capabilities\":{},"
				  "\"serverInfo\":{\"name\":\"bypass\",\"version\":\"1\"}}}\n",
			     id);
		if (write(1, out, (size_t)n) != n)
			die("write");
	}
}

static ssize_t send_by(const struct way_out *out, unsigned int i, int fd, const char *p, ssize_t n)
{
	ssize_t r = (special(i) ? out->f : by_write)(fd, p, (size_t)n);

	if (r != n)
		die(out->name);
	return n - 1;
}

static void talk(const struct way_out *out, int from, int to)
{
	static const char hello[] = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
				    "\"params\":{\"protocolVersion\":"
				    "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":"
				    "\"bypass\",\"version\":\"1\"}}}\n";
	static const char ready[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
	static char line[LINE], answer[LINE];
	ssize_t n, got;
	unsigned int i;

	if (out->f == uring_write && !uring_init())
		die("io_uring");
	for (i = 0; i < CALLS; i++) {
		n = i ? snprintf(line, sizeof(line),
				 "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/"
				 "call\",\"params\":{"
				 "\"name\":\"echo\",\"arguments\":{\"text\":\"%0*u\"}}}\n",
				 i, (int)(i * 37 % 900) + 1, i)
		      : snprintf(line, sizeof(line), "%s", hello);
		n = send_by(out, i, to, line, n);
		got = read(from, answer, sizeof(answer));
		if (got <= 1 || id_of(answer) != (int)i)
			die("answer");
		call_line(i, i ? "tools/call" : "initialize", i ? "echo" : NULL, (size_t)n,
			  (size_t)got - 1);
		if (!i && write(to, ready, sizeof(ready) - 1) != sizeof(ready) - 1)
			die("write");
		usleep(5000); /* so that the notification and the next request are two reads */
	}
}

static void spawn(char **v, int in, int out)
{
	dup2(in, 0);
	dup2(out, 1);
	execl("/proc/self/exe", "bypass-server", "--server", v[3], (char *)NULL);
	die("exec");
}

static const void *find(const void *table, size_t n, size_t size, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const void *row = (const char *)table + i * size;

		if (!strcmp(*(const char *const *)row, name))
			return row;
	}
	errno = EINVAL;
	die(name);
	return NULL;
}

int main(int c, char **v)
{
	const struct way_out *out;
	const struct way_in *in;
	int a[2], b[2], status;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	if (c == 3 && !strcmp(v[1], "--server"))
		return serve(find(ins, sizeof(ins) / sizeof(*ins), sizeof(*ins), v[2]));
	if (c != 5) {
		fprintf(stderr, "usage: bypass pipe|unix WRITER READER TRUTH\n");
		return 2;
	}
	out = find(outs, sizeof(outs) / sizeof(*outs), sizeof(*outs), v[2]);
	in = find(ins, sizeof(ins) / sizeof(*ins), sizeof(*ins), v[3]);
	(void)in; /* the name is checked before anything starts */
	truth = fopen(v[4], "we");
	if (!truth)
		die(v[4]);
	if (!strcmp(v[1], "pipe") ? pipe2(a, O_CLOEXEC) || pipe2(b, O_CLOEXEC)
				  : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a) ||
					    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b))
		die(v[1]);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		spawn(v, a[0], b[1]);
	close(a[0]);
	close(b[1]);
	fprintf(truth, "{\"t\":\"msg\",\"peer\":\"server\",\"pid\":%d}\n", (int)pid);
	talk(out, b[0], a[1]);
	close(a[1]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
