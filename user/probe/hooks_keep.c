/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks process is two: one that looks into files of others, and this one, which does nothing but wait, and starts it again
 * where it was killed or is stuck. The agent cannot: it has given up by then what it would have to hand on.
 *
 * What is stuck is killed, though its probes would go on working: it would let nobody know any more who wants to write to a
 * probed file. Otherwise nobody here is killed, least of all because another one was; the socket tells each of its end. Of a thread
 * that is to die the kernel takes no breakpoint out of other processes (get_user_pages says EINTR) and leaks the probe ("failed to
 * unregister, leaking uprobe", seen on 6.18). Where it waits for a file server that has the question and does not answer, it does
 * not even die; a few such are left behind, and then there are no more. */

#include "probe/hooks_wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

#define LEFT_MAX  3
#define TWICE_MAX 6

/* Taking probes off may take half a minute, without uprobe_multi. */
struct hooks_times hooks_times = { .silent_ms = 120000, .off_ms = 60000, .end_ms = 5000, .again_ms = 1000 };

enum why { AGENT_GONE, ENDED, SILENT };

struct keeper {
	struct probe *p;
	const struct hooks_opts *o;
	struct hooks_run run;
	pid_t pid;
	int pidfd;
	unsigned int left; /* that do not die */
};

static int start(struct keeper *k)
{
	k->pid = fork();
	if (k->pid < 0)
		return -errno;
	if (k->pid == 0)
		_exit(hooks_main(k->p, k->o, &k->run));
	k->pidfd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	return k->pidfd < 0 ? -errno : 0;
}

static enum why watch(const struct keeper *k)
{
	for (;;) {
		struct pollfd p[] = { { .fd = k->pidfd, .events = POLLIN }, { .fd = k->run.fd }, { .fd = k->run.beat, .events = POLLIN } };
		eventfd_t beats;
		int n = poll(p, 3, hooks_times.silent_ms);

		if (n < 0)
			continue;
		if (p[0].revents)
			return ENDED;
		if (p[1].revents)
			return AGENT_GONE;
		if (n == 0)
			return SILENT;
		eventfd_read(k->run.beat, &beats);
	}
}

/* Within @ms, if need be by force. false: it does not die. */
static bool end(const struct keeper *k, int ms)
{
	struct pollfd p = { .fd = k->pidfd, .events = POLLIN };

	if (ms && poll(&p, 1, ms) > 0)
		return true;
	kill(k->pid, SIGKILL);
	return poll(&p, 1, hooks_times.end_ms) > 0;
}

/* Longer each time. false: the agent is gone. */
static bool pause_made(const struct keeper *k)
{
	struct pollfd p = { .fd = k->run.fd };
	uint32_t n = k->run.restarts < TWICE_MAX ? k->run.restarts : TWICE_MAX;

	return poll(&p, 1, hooks_times.again_ms << n) <= 0;
}

/* Is it to be started again? Else @ret_err: 0 at the end of the agent. */
static bool again(struct keeper *k, enum why why, int *ret_err)
{
	bool dead = why == ENDED || end(k, why == AGENT_GONE ? hooks_times.off_ms : 0);
	int status = 0;

	close(k->pidfd);
	if (dead)
		waitpid(k->pid, &status, 0);
	*ret_err = 0;
	if (why == AGENT_GONE)
		return false;
	if (why == ENDED && WIFEXITED(status)) { /* it has said why */
		*ret_err = WEXITSTATUS(status) ? -ECHILD : 0;
		return false;
	}
	k->left += !dead;
	if (why == SILENT)
		log_err("the process that probes TLS libraries made no progress: %s", dead ? "killed" : "it cannot be killed");
	else
		log_err("the process that probes TLS libraries was killed by signal %d", WTERMSIG(status));
	*ret_err = k->left < LEFT_MAX ? 0 : -EDEADLK;
	return k->left < LEFT_MAX && pause_made(k);
}

static int keep(struct keeper *k)
{
	int err;

	k->run.beat = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->run.beat < 0)
		return -errno;
	do {
		eventfd_t beats;

		eventfd_read(k->run.beat, &beats);
		err = start(k);
		if (err)
			return err;
	} while (again(k, watch(k), &err) && ++k->run.restarts);
	return err;
}

/* Signals of a terminal are for the agent, which ends us. */
static void signals_ignore(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave nobody to ask how it ended */
}

int hooks_keep(struct probe *p, const struct hooks_opts *o, int fd)
{
	struct keeper k = { .p = p, .o = o, .run = { .fd = fd } };
	const struct hooks_news ended = { .kind = HOOKS_ENDED };
	int err = o->confine ? o->confine() : 0;

	prctl(PR_SET_NAME, "mcpvigil-keeper");
	signals_ignore();
	if (!err)
		err = keep(&k);
	/* One that does not die keeps its end of the socket open. */
	send(fd, &ended, offsetof(struct hooks_news, hooked), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (err)
		log_err("the process that probes TLS libraries ends: %s", errstr(err));
	return err ? 1 : 0;
}
