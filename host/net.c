// SPDX-License-Identifier: Apache-2.0
/* TSI's process: what it is given, what is taken from it, and its end. */
#include "net.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 10000 /* longer than it lets what is left go out */

/* ---- the child ---------------------------------------------------------------------------------
 */

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Everything but stderr and these, which are sorted for it. */
static void close_others(int *keep_fds, size_t count)
{
	unsigned first = STDERR_FILENO + 1;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	qsort(keep_fds, count, sizeof(*keep_fds), compare_fds);
	for (size_t i = 0; i < count; i++) {
		if (first < (unsigned)keep_fds[i])
			syscall(SYS_close_range, first, keep_fds[i] - 1, 0);
		first = (unsigned)keep_fds[i] + 1;
	}
	syscall(SYS_close_range, first, ~0u, 0);
}

/* A descriptor for each proxy, as far as the limits go: the guest is told of the rest. */
static void raise_limit(void)
{
	struct rlimit limit;
	rlim_t wanted = TSI_PROXIES_MAX + TSI_PUBLISHES_MAX + 64;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static _Noreturn void be_backend(struct net_options *options, int vhost_fd, int control_fd,
				 pid_t parent)
{
	const struct tsi_service control = {NET_CONTROL_PORT, control_fd};
	const struct tsi_setup setup = {
		.traits = &tsi_traits_smk,
		.policy = {.allows_loopback = options->allows_loopback,
			   .allows_link_local = options->allows_link_local},
		.publishes = options->publishes,
		.publish_count = options->publish_count,
		.services = &control,
		.service_count = options->has_control,
	};
	int keep_fds[TSI_PUBLISHES_MAX + 2];
	size_t count = 0;

	for (size_t i = 0; i < options->publish_count; i++)
		keep_fds[count++] = options->publishes[i].fd;
	keep_fds[count++] = vhost_fd;
	if (options->has_control)
		keep_fds[count++] = control_fd;
	close_others(keep_fds, count);
	process_reset_signals();
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	if (setsid() < 0 || net_drop_rights() || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    getppid() != parent)
		_exit(SMK_EXIT_SETUP);
	_exit(tsi_serve(&setup, vhost_fd) ? 1 : 0);
}

/* ---- the parent --------------------------------------------------------------------------------
 */

/*
 * A port whose last connections are not forgotten yet needs SO_REUSEADDR, and with it two sockets that
 * do not listen share one: it is set for as long as there is no other way, and by the backend when the
 * guest listens.
 */
static int bind_alone(int fd, const struct tsi_publish *publish)
{
	const struct sockaddr *address = (const struct sockaddr *)&publish->address;
	int on = 1;
	int off = 0;

	if (!bind(fd, address, publish->length))
		return 0;
	return errno != EADDRINUSE || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
			       bind(fd, address, publish->length)
		       ? -1
		       : setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
}

/* Bound now, so that a port that is taken is told before the guest boots. */
static int bind_publish(struct tsi_publish *publish, const char *text, struct failure *f)
{
	const int family = publish->address.ss_family;
	AUTO_FREE char *option = must_format("--publish %s", text);
	int on = 1;

	publish->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (publish->fd < 0 ||
	    (family == AF_INET6 &&
	     setsockopt(publish->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind_alone(publish->fd, publish))
		return fail_sys(f, "bind", option);
	return 0;
}

static int bind_all(struct net_options *options, struct failure *f)
{
	for (size_t i = 0; i < options->publish_count; i++)
		if (bind_publish(&options->publishes[i], options->texts[i], f))
			return -1;
	return 0;
}

static void close_all(struct net_options *options)
{
	for (size_t i = 0; i < options->publish_count; i++) {
		cleanup_fd(&options->publishes[i].fd);
		options->publishes[i].fd = -1;
	}
}

static int start_backend(struct net_options *options, int control_fd, struct net *ret,
			 struct failure *f)
{
	pid_t parent = getpid();
	AUTO_FD vhost_fd = -1;
	int fds[2];

	if (options->has_control && fcntl(control_fd, F_SETFL, O_NONBLOCK))
		return fail_sys(f, "fcntl", NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return fail_sys(f, "socketpair", NULL);
	ret->qemu_fd = fds[0];
	vhost_fd = fds[1];
	ret->pid = fork();
	if (!ret->pid)
		be_backend(options, vhost_fd, control_fd, parent);
	return ret->pid < 0 ? fail_sys(f, "fork", NULL) : 0;
}

int net_start(struct net_options *options, int *control_fd, struct net *ret, struct failure *f)
{
	int result = bind_all(options, f); /* for QEMU, too, which does not say why it cannot */

	if (!result && options->kind == NET_TSI)
		result = start_backend(options, *control_fd, ret, f);
	if (options->kind == NET_TSI && options->has_control) {
		cleanup_fd(control_fd);
		*control_fd = -1;
	}
	close_all(options);
	return result;
}

/* Its exit status; killed when it does not end by itself. */
static int await(pid_t pid)
{
	int status = 0;

	if (!process_await(pid, now_ms() + STOP_MS))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void net_stop(struct net *net)
{
	int status;

	cleanup_fd(&net->qemu_fd);
	if (net->pid > 0) {
		status = await(net->pid);
		if (WIFSIGNALED(status))
			say_warning("the network's process was killed by signal %d",
				    WTERMSIG(status));
		else if (status)
			say_warning("the network's process failed");
	}
	*net = NET_STOPPED;
}
