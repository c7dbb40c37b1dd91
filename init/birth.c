// SPDX-License-Identifier: Apache-2.0
/*
 * The child's birth: its process in its namespaces, and what PID 1 and it have to tell each other
 * until its execve.
 *
 * The news is a pipe that the execve closes. Into it go the moment in which the container's steps
 * were done and, of a child that fails, its struct failure; PID 1 is woken by its end only. That also
 * comes when a signal has ended the child, which is a failure like any other. A child
 * that needs an answer, or that has a terminal to hand over, gets a socket as well:
 *
 *   child                                   PID 1
 *   namespaces of its own; a byte  ------>  ID maps, time offsets: what needs privileges
 *   root of its user namespace     <------  a byte
 *   its steps are done; a byte     ------>  limits and priority, for the same reason
 *                                  <------  a byte
 *   the terminal's master          ------>  taken when the execve has worked
 */
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/namespace.h"
#include "init/spawn.h"
#include "init/sys.h"

/* Of linux/sched.h, the kernel's own: a fork that has not become anything by execve. */
#define PF_FORKNOEXEC 0x40

#define TELL_TRIES   3
#define MOMENT_BYTES sizeof(uint64_t)
#define NEWS_BYTES   (MOMENT_BYTES + sizeof(struct failure))
_Static_assert(NEWS_BYTES <= PIPE_BUF, "news fit into a pipe");

/* Our end and the child's. */
struct lines {
	int news[2];
	int talk[2]; /* -1 when there is nothing to talk about */
};

static int open_lines(const struct child_setup *setup, struct lines *lines, struct failure *f)
{
	*lines = (struct lines){{-1, -1}, {-1, -1}};
	if (pipe2(lines->news, O_CLOEXEC) < 0)
		return fail_sys(f, "pipe2", NULL);
	if (!setup->process->terminal && !namespaces_has_new_user(setup->linux_))
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lines->talk) < 0)
		return fail_sys(f, "socketpair", NULL);
	return 0;
}

static void close_side(struct lines *lines, unsigned side)
{
	sys_close(&lines->news[side]);
	sys_close(&lines->talk[side]);
}

/* A fork that also returns a pidfd: no thread of libc's is copied, none exists. */
static pid_t fork_into(uint64_t flags, int cgroup_fd, int *ret_pid_fd)
{
	struct clone_args args = {.flags = flags | CLONE_PIDFD,
				  .pidfd = (uintptr_t)ret_pid_fd,
				  .exit_signal = SIGCHLD};

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static _Noreturn void run_child(const struct child_setup *setup, struct lines *lines)
{
	struct child_setup own = *setup;
	struct failure failure = {.stage = STAGE_SPAWN};

	close_side(lines, 0); /* else PID 1's end would not be noticed */
	own.news_fd = lines->news[1];
	own.talk_fd = lines->talk[1];
	child_exec(&own, &failure);
	/* Without a word the child's end would pass for an execve. */
	for (unsigned tries = 0; tries < TELL_TRIES; tries++) {
		if (sys_write_full(own.news_fd, &failure, sizeof(failure)) == 0)
			break;
	}
	_exit(SMK_EXIT_SETUP);
}

/*
 * The child begins with the container's root as its current directory (see apply.c) and, when the
 * configuration joins one, in another PID namespace: both are properties of its maker.
 */
static int give_birth(const struct child_setup *setup, struct lines *lines, struct child *child,
		      struct failure *f)
{
	int joined_fd = setup->namespaces->joined_fd[OCI_NAMESPACE_PID];
	AUTO_FD own_fd =
		joined_fd < 0 ? -1 : sys_open(setup->early->proc_fd, "self/ns/pid", O_RDONLY, 0);

	if (fchdir(setup->root_fd) < 0)
		return fail_sys(f, "fchdir", "/");
	if (joined_fd >= 0 && (own_fd < 0 || setns(joined_fd, CLONE_NEWPID) < 0)) {
		fail_sys(f, "setns", setup->linux_->namespaces[OCI_NAMESPACE_PID].path);
		return fail_at(f, STAGE_SPAWN, setup->linux_->namespaces[OCI_NAMESPACE_PID].field);
	}
	child->pid =
		fork_into(namespaces_clone_flags(setup->linux_), setup->cgroup_fd, &child->pid_fd);
	if (child->pid == 0)
		run_child(setup, lines);
	if (child->pid < 0)
		return fail_sys(f, "clone3", NULL);
	if (joined_fd >= 0 && setns(own_fd, CLONE_NEWPID) < 0)
		return fail_sys(f, "setns", NULL);
	return fchdir(setup->early->work_fd) < 0 ? fail_sys(f, "fchdir", NULL) : 0;
}

/* ret_is_asked false: it has failed, or was killed, which its news will tell. */
static int hear_question(const struct lines *lines, bool *ret_is_asked, struct failure *f)
{
	char byte;
	ssize_t got;

	do
		got = recv(lines->talk[0], &byte, 1, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail_sys(f, "recv", "the child");
	*ret_is_asked = got == 1;
	return 0;
}

/* A child that is gone is no reader: that, too, its news will tell. */
static int answer(const struct lines *lines, struct failure *f)
{
	const char byte = 0;

	if (send(lines->talk[0], &byte, 1, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		return fail_sys(f, "send", "the child");
	return 0;
}

/* What a child of a new user namespace may not do itself. */
static int serve_user(const struct child_setup *setup, const struct lines *lines, pid_t pid,
		      struct failure *f)
{
	const struct oci_linux *linux_ = setup->linux_;
	int proc_fd = setup->early->proc_fd;
	bool is_asked = false;

	if (!namespaces_has_new_user(linux_))
		return 0;
	if (hear_question(lines, &is_asked, f))
		return -1;
	if (!is_asked)
		return 0;
	if (userns_map(&linux_->uid_maps, &linux_->gid_maps, proc_fd, pid, f) ||
	    namespaces_set_time(linux_, proc_fd, pid, f) || answer(lines, f) ||
	    hear_question(lines, &is_asked, f))
		return -1;
	if (is_asked && (limits_apply(setup->process, proc_fd, pid, f) ||
			 sched_set_priority(setup->process, pid, f) || answer(lines, f)))
		return -1;
	return 0;
}

/*
 * Its end of the pipe is closed and it had nothing to say: has it become the entrypoint, or was it
 * killed? Of its flags the kernel clears this one in the execve, before the pipe is closed; after an
 * end they stay to be read until we have waited.
 */
static int judge_silence(int proc_fd, pid_t pid, struct failure *f)
{
	char path[32], text[512];
	siginfo_t end;

	snprintf(path, sizeof(path), "%d/stat", pid);
	if (sys_read_text(proc_fd, path, text, sizeof(text)) < 0)
		return fail_sys(f, "read", path);
	/* After the name, which ends with the last parenthesis, it is the seventh word. */
	const char *flags = strrchr(text, ')');

	for (unsigned word = 0; flags && word < 7; word++)
		flags = strchr(flags + 1, ' ');
	if (!flags)
		return fail_err(f, EPROTO, "read", path, "no flags");
	if (!(strtoul(flags, NULL, 10) & PF_FORKNOEXEC))
		return 0;
	if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) < 0)
		return fail_sys(f, "waitid", "the child");
	return fail_err(f, ECANCELED, "execve", NULL, "the child was ended before it, %s %d",
			end.si_code == CLD_EXITED ? "code" : "by signal", end.si_status);
}

/* What the child had to say. Blocks until its execve or its end. */
static int await_exec(int proc_fd, int news_fd, struct child *child, struct failure *f)
{
	struct pollfd end = {.fd = news_fd, .events = 0};
	char bytes[NEWS_BYTES];
	bool is_applied;
	ssize_t got;

	/* Not necessary, but a reader would be woken for the first bytes as well. */
	(void)poll(&end, 1, -1);
	got = sys_read_full(news_fd, bytes, sizeof(bytes));
	is_applied = got == (ssize_t)MOMENT_BYTES || got == (ssize_t)NEWS_BYTES;
	if (is_applied) {
		memcpy(&child->applied_ns, bytes, MOMENT_BYTES);
		got -= (ssize_t)MOMENT_BYTES;
	}
	if (got == 0)
		return judge_silence(proc_fd, child->pid, f);
	if (got == (ssize_t)sizeof(*f))
		memcpy(f, bytes + (is_applied ? MOMENT_BYTES : 0), sizeof(*f));
	else
		fail_sys(f, "read", "news of the child");
	return -1;
}

void birth_tell_applied(const struct child_setup *setup)
{
	uint64_t now = mark_now();

	/* A mark that is lost is no reason to fail. */
	(void)sys_write_full(setup->news_fd, &now, sizeof(now));
}

int birth_ask_user(const struct child_setup *setup, struct failure *f)
{
	char byte = 0;

	if (send(setup->talk_fd, &byte, 1, MSG_NOSIGNAL) != 1 ||
	    recv(setup->talk_fd, &byte, 1, 0) != 1)
		return fail_sys(f, "ask", "PID 1");
	return 0;
}

int birth(const struct child_setup *setup, struct child *child, int *ret_talk_fd, struct failure *f)
{
	struct lines lines;
	int result = open_lines(setup, &lines, f);

	if (result == 0)
		result = give_birth(setup, &lines, child, f);
	close_side(&lines, 1);
	if (result == 0)
		result = serve_user(setup, &lines, child->pid, f);
	if (result == 0)
		result = await_exec(setup->proc_fd, lines.news[0], child, f);
	if (result < 0 && child->pid > 0) {
		sys_end_child(child->pid);
		sys_close(&child->pid_fd);
	}
	if (result == 0)
		*ret_talk_fd = sys_take(&lines.talk[0]);
	close_side(&lines, 0);
	return result;
}
