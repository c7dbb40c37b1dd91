// SPDX-License-Identifier: Apache-2.0
/*
 * spawn: the entrypoint's standard streams, its process, and the news of whether its execve worked.
 *
 * Should: return only when that is known. The child sends its struct failure through a pipe that
 * the execve closes: nothing to read means that it worked, or that a signal ended the child first,
 * which supervise sees like any other end. Must not: leave a child behind on failure.
 */
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/spawn.h"
#include "init/sys.h"

_Static_assert(sizeof(struct failure) <= PIPE_BUF, "a failure crosses a pipe in one piece");

/* One stream: the end of PID 1 and the end of the child. */
struct ends {
	int ours;
	int theirs;
};

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK); /* a fresh pipe has no other flag to keep */
}

/*
 * A pipe for stream n of the child. It belongs to the user, so that the workload can open it again
 * as /dev/stdout; only our end is non-blocking.
 */
static int open_pipe(unsigned n, const struct oci_user *user, struct ends *ret, struct failure *f)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_sys(f, "pipe2", NULL);
	*ret = n == 0 ? (struct ends){.ours = fds[1], .theirs = fds[0]}
		      : (struct ends){.ours = fds[0], .theirs = fds[1]};
	if (set_nonblocking(ret->ours) < 0)
		return fail_sys(f, "fcntl(F_SETFL)", NULL);
	if ((user->uid || user->gid) && fchown(ret->theirs, user->uid, user->gid) < 0)
		return fail_sys(f, "fchown", NULL);
	return 0;
}

static int open_terminal(const struct oci_process *process, int root_fd, struct ends ends[3],
			 struct failure *f)
{
	if (pty_open(root_fd, process, &ends[1].ours, &ends[1].theirs, f) < 0)
		return -1;
	ends[0].ours = fcntl(ends[1].ours, F_DUPFD_CLOEXEC, 3);
	ends[0].theirs = fcntl(ends[1].theirs, F_DUPFD_CLOEXEC, 3);
	ends[2].theirs = fcntl(ends[1].theirs, F_DUPFD_CLOEXEC, 3);
	if (ends[0].ours < 0 || ends[0].theirs < 0 || ends[2].theirs < 0)
		return fail_sys(f, "fcntl(F_DUPFD)", NULL);
	return 0;
}

static int open_streams(const struct oci_process *process, int root_fd, struct ends ends[3],
			struct failure *f)
{
	if (process->terminal)
		return open_terminal(process, root_fd, ends, f);
	for (unsigned n = 0; n < 3; n++) {
		if (open_pipe(n, &process->user, &ends[n], f) < 0)
			return -1;
	}
	return 0;
}

static void close_ends(struct ends ends[3], bool ours_too)
{
	for (unsigned n = 0; n < 3; n++) {
		sys_close(&ends[n].theirs);
		if (ours_too)
			sys_close(&ends[n].ours);
	}
}

/* The kernel's clone as a fork that also returns a pidfd: no thread of libc's is copied, none
 * exists. */
static pid_t fork_pidfd(int *ret_pid_fd)
{
	return (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, ret_pid_fd, NULL, NULL);
}

/* What the child had to say. Blocks until its execve or its end. */
static int await_exec(int news_fd, struct failure *f)
{
	struct failure news;
	ssize_t got = sys_read_full(news_fd, &news, sizeof(news));

	if (got == 0)
		return 0;
	if (got == sizeof(news))
		*f = news;
	else
		fail_sys(f, "read", "news of the child");
	return -1;
}

static _Noreturn void run_child(const struct child_setup *setup, int news_fd)
{
	struct failure failure = {.stage = STAGE_SPAWN};

	child_exec(setup, &failure);
	/* When even this fails, the end of the child is the news. */
	_exit(sys_write_full(news_fd, &failure, sizeof(failure)) < 0 ? SMK_EXIT_SETUP : 0);
}

static int start(const struct child_setup *setup, struct child *child, struct failure *f)
{
	int news[2];

	if (pipe2(news, O_CLOEXEC) < 0)
		return fail_sys(f, "pipe2", NULL);
	child->pid = fork_pidfd(&child->pid_fd);
	if (child->pid == 0)
		run_child(setup, news[1]);
	int err = errno;

	close(news[1]);
	if (child->pid < 0)
		fail_err(f, err, "clone", NULL, "%s", "");
	int result = child->pid < 0 ? -1 : await_exec(news[0], f);

	close(news[0]);
	if (result < 0 && child->pid > 0) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		sys_close(&child->pid_fd);
	}
	return result;
}

int spawn(const struct oci_spec *spec, const struct container *container, const struct early *early,
	  struct child *ret, struct failure *f)
{
	struct child child = {.pid_fd = -1};
	struct ends ends[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int result = open_streams(&spec->process, container->root_fd, ends, f);

	if (result == 0) {
		const struct child_setup setup = {
			.process = &spec->process,
			.linux_ = &spec->linux_,
			.arena = spec->arena,
			.root_fd = container->root_fd,
			.proc_fd = early->proc_fd,
			.stdio_fd = {ends[0].theirs, ends[1].theirs, ends[2].theirs},
			.has_terminal = spec->process.terminal,
		};

		result = start(&setup, &child, f);
	}
	close_ends(ends, result < 0);
	if (result < 0)
		return fail_at(f, STAGE_SPAWN, NULL);
	child.input_fd = ends[0].ours;
	child.output_fd = ends[1].ours;
	child.error_fd = ends[2].ours;
	*ret = child;
	return 0;
}
