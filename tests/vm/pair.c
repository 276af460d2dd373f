/* SPDX-License-Identifier: Apache-2.0 */
/* An MCP client and server in raw C: every sort of system call, every legal layout of messages,
 * the truth in a file.
 *
 *   pair TRANSPORT CALLS SEED TRUTHFILE [LONGEST]
 *   pair hold      does nothing until its input ends: whatever the program is linked with is mapped meanwhile
 *
 * TRANSPORT: pipe, fifo, unix (a socketpair for each direction, as Node makes them), unix1 (one
 * for both), abstract, tcp, tcp6 (newline-delimited all of them), http, http6; linked with OpenSSL also
 * tls, tls-nb, tls-mem (newline-delimited), https, https-nb, https-mem (see tls.h). The server is
 * executed anew, with the streams on fd 0 and 1 where there is a parent and a child, on a higher
 * one for connections. Both ends check what they receive; the exit status is 0 only if every
 * byte came across. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

#define LONGEST (2u << 20)

void die(const char *what)
{
	fprintf(stderr, "pair %d: %s: %m\n", (int)getpid(), what);
	_exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Both ends of both directions; a listening socket is connected after the fork. */
struct ends {
	int client_in, client_out, server_in, server_out, listener;
};

static void must(int err, const char *what)
{
	if (err)
		die(what);
}

static void make_pipe(struct ends *e)
{
	int a[2], b[2];

	must(pipe2(a, O_CLOEXEC) || pipe2(b, O_CLOEXEC), "pipe");
	*e = (struct ends){ b[0], a[1], a[0], b[1], -1 };
}

static void make_fifo(struct ends *e)
{
	char path[64];
	int i, fd[2];

	for (i = 0; i < 2; i++) {
		text_fmt(&(struct text){ path, 0, sizeof(path) }, "/tmp/pair-%d-%d", (int)getpid(),
			 i);
		must(mkfifo(path, 0600), "mkfifo");
		fd[i] = open(path, O_RDWR | O_CLOEXEC);
		must(fd[i] < 0, path);
		if (i == 0)
			e->server_in = open(path, O_RDONLY | O_CLOEXEC),
			e->client_out = open(path, O_WRONLY | O_CLOEXEC);
		else
			e->client_in = open(path, O_RDONLY | O_CLOEXEC),
			e->server_out = open(path, O_WRONLY | O_CLOEXEC);
		close(fd[i]);
		unlink(path);
	}
	e->listener = -1;
}

static void make_unix(struct ends *e)
{
	int a[2], b[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a) ||
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b),
	     "socketpair");
	*e = (struct ends){ b[0], a[0], a[1], b[1], -1 };
}

static void make_unix1(struct ends *e)
{
	int a[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a), "socketpair");
	*e = (struct ends){ a[0], a[0], a[1], a[1], -1 };
}

static int listen_on(const struct sockaddr *a, socklen_t len)
{
	int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd < 0 || bind(fd, a, len) || listen(fd, 1), "listen");
	return fd;
}

static void make_abstract(struct ends *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "pair-%d", (int)getpid());
	e->listener = listen_on((struct sockaddr *)&a, sizeof(a));
}

static void make_tcp(struct ends *e)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	e->listener = listen_on((struct sockaddr *)&a, sizeof(a));
}

static void make_tcp6(struct ends *e)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	e->listener = listen_on((struct sockaddr *)&a, sizeof(a));
}

static const struct transport {
	const char *name;
	void (*make)(struct ends *e);
	bool sock;
	enum frame_kind kind;
	enum tls_way tls;
} transports[] = {
	{ "pipe", make_pipe, false, FRAME_LINES, TLS_NONE },
	{ "fifo", make_fifo, false, FRAME_LINES, TLS_NONE },
	{ "unix", make_unix, true, FRAME_LINES, TLS_NONE },
	{ "unix1", make_unix1, true, FRAME_LINES, TLS_NONE },
	{ "abstract", make_abstract, true, FRAME_LINES, TLS_NONE },
	{ "tcp", make_tcp, true, FRAME_LINES, TLS_NONE },
	{ "tcp6", make_tcp6, true, FRAME_LINES, TLS_NONE },
	{ "http", make_tcp, true, FRAME_HTTP, TLS_NONE },
	{ "http6", make_tcp6, true, FRAME_HTTP, TLS_NONE },
	{ "tls", make_tcp, true, FRAME_LINES, TLS_FD },
	{ "tls-nb", make_tcp6, true, FRAME_LINES, TLS_NB },
	{ "tls-mem", make_tcp, true, FRAME_LINES, TLS_MEM },
	{ "https", make_tcp6, true, FRAME_HTTP, TLS_FD },
	{ "https-nb", make_tcp, true, FRAME_HTTP, TLS_NB },
	{ "https-mem", make_tcp6, true, FRAME_HTTP, TLS_MEM },
};

static const struct transport *transport_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
		if (!strcmp(name, transports[i].name))
			return &transports[i];
	}
	die("unknown transport");
}

static void secure(struct wire *w, const struct transport *t, bool server)
{
	if (!t->tls)
		return;
	if (!tls_new)
		die("this pair is linked without TLS");
	w->tls = tls_new(w->in, server, t->tls);
}

static void insecure(struct wire *w)
{
	if (w->tls)
		tls_free(w->tls);
}

static void no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		   sizeof(on)); /* fails on unix sockets, rightly */
}

static int connect_to(int listener)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	int fd;

	must(getsockname(listener, (struct sockaddr *)&a, &len), "getsockname");
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd < 0 || connect(fd, (struct sockaddr *)&a, len), "connect");
	no_delay(fd);
	return fd;
}

static void exec_server(const struct ends *e, const char *transport, const char *seed)
{
	char num[16];
	int fd;

	if (e->listener < 0) {
		/* Neither end may be overwritten by the other: move both out of the way first. */
		int in = fcntl(e->server_in, F_DUPFD_CLOEXEC, 10),
		    out = fcntl(e->server_out, F_DUPFD_CLOEXEC, 10);

		must(dup2(in, 0) < 0 || dup2(out, 1) < 0, "dup2");
		fd = 0;
	} else {
		fd = accept(e->listener, NULL, NULL);
		must(fd < 0, "accept");
		no_delay(fd);
	}
	snprintf(num, sizeof(num), "%d", fd);
	execl("/proc/self/exe", "pair-server", "--server", transport, seed, num, (char *)NULL);
	die("exec");
}

static int server_main(char **v)
{
	const struct transport *t = transport_of(v[2]);
	int fd = (int)strtol(v[4], NULL, 10);
	struct frame f = { .kind = t->kind,
			   .server = true,
			   .wire = { .in = fd, .out = fd ? fd : 1, .sock = t->sock } };

	rnd_seed(strtoull(v[3], NULL, 10) + 0x5e77e7);
	truth_role(true);
	secure(&f.wire, t, true);
	pair_server(&f);
	insecure(&f.wire);
	return 0;
}

static int wait_server(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) != pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int hold_main(void)
{
	char c;

	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

/* As the client; v as of main. */
static int client_main(int c, char **v)
{
	const struct transport *t = transport_of(v[1]);
	struct ends e = { -1, -1, -1, -1, -1 };
	struct frame f = {};
	pid_t pid;

	t->make(&e);
	setenv("TRUTH", v[4], 1);
	pid = fork();
	must(pid < 0, "fork");
	if (!pid)
		exec_server(&e, v[1], v[3]);
	if (e.listener >= 0) {
		e.client_in = e.client_out = connect_to(e.listener);
	} else {
		close(e.server_in);
		if (e.server_out != e.server_in)
			close(e.server_out);
	}
	f = (struct frame){ .kind = t->kind,
			    .wire = { .in = e.client_in, .out = e.client_out, .sock = t->sock } };
	rnd_seed(strtoull(v[3], NULL, 10));
	truth_role(false);
	secure(&f.wire, t, false);
	pair_client(&f, (unsigned int)strtoul(v[2], NULL, 10),
		    c > 5 ? strtoul(v[5], NULL, 10) : LONGEST);
	insecure(&f.wire);
	close(e.client_out);
	if (e.client_in != e.client_out)
		close(e.client_in);
	return wait_server(pid);
}

int main(int c, char **v)
{
	signal(SIGPIPE, SIG_IGN);
	if (c == 5 && !strcmp(v[1], "--server"))
		return server_main(v);
	if (c == 2 && !strcmp(v[1], "hold"))
		return hold_main();
	if (c >= 5)
		return client_main(c, v);
	fprintf(stderr, "usage: pair TRANSPORT CALLS SEED TRUTHFILE [LONGEST]\n");
	return 2;
}
