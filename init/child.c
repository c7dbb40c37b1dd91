// SPDX-License-Identifier: Apache-2.0
/*
 * The child between fork and execve.
 *
 * Should: become the workload in every respect the configuration names, or say why not. Must not:
 * let the workload inherit anything of init-oci's, be it a descriptor, a signal's mask or
 * disposition, a mount, or a moment in which it could be traced: PID 1 is not dumpable, so neither
 * is its child until the execve (CVE-2016-9962).
 *
 * The order is one of privileges: first what needs root and init-oci's own file systems (the
 * container's part of the plan among it), then the container's root, then the credentials, then
 * what must be done as the user. The filter of system calls is last when no_new_privs is there to allow it; else it is loaded while CAP_SYS_ADMIN still
 * is, and has to let through what becoming the user takes, as under other runtimes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/namespace.h"
#include "init/spawn.h"
#include "init/sys.h"
#include "init/user.h"
#include "oci/arena.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif

#define DEFAULT_UMASK   0022
#define KERNEL_SIGNALS  64
#define KERNEL_SET_SIZE 8 /* bytes of the kernel's signal set; libc's type is larger */

/*
 * The container's namespaces and the container's part of the plan. The current directory is the
 * root in the child's own mount namespace; setup->root_fd becomes that, too.
 */
static int build_container(struct child_setup *setup, struct failure *f)
{
	const struct oci_linux *linux_ = setup->linux_;

	if (namespaces_join(setup->namespaces, linux_, f) < 0)
		return -1;
	if (namespaces_has_new_user(linux_)) {
		if (birth_ask_user(setup, f) < 0 || userns_become_root(f) < 0)
			return -1;
	} else if (namespaces_set_time(linux_, setup->proc_fd, 0, f) < 0) {
		return -1;
	}
	if (apply_container(setup->plan, linux_->namespaces, setup->early, setup->step_fds,
			    &setup->has_new_cwd, f) < 0)
		return -1;
	setup->root_fd = sys_open(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
	if (setup->root_fd < 0)
		return fail_sys(f, "open", "/");
	birth_tell_applied(setup);
	return 0;
}

static int open_terminal(struct child_setup *setup, struct failure *f)
{
	AUTO_FD master_fd = -1;
	int slave_fd;

	if (pty_open(setup->root_fd, setup->process, &master_fd, &slave_fd, f) < 0 ||
	    pty_send(setup->talk_fd, master_fd, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/terminal");
	for (int fd = 0; fd < 3; fd++)
		setup->stdio_fd[fd] = slave_fd;
	return 0;
}

/* A session of its own; the sources of 0, 1 and 2 are never themselves below 3 (early). */
static int take_stdio(const struct child_setup *setup, struct failure *f)
{
	if (setsid() < 0)
		return fail_sys(f, "setsid", NULL);
	if (setup->has_terminal && ioctl(setup->stdio_fd[0], TIOCSCTTY, 0) < 0)
		return fail_sys(f, "ioctl(TIOCSCTTY)", NULL);
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(setup->stdio_fd[fd], fd) < 0)
			return fail_sys(f, "dup2", NULL);
	}
	return 0;
}

/*
 * Every signal back to its default, none blocked. The kernel's own calls: libc hides the signals
 * that it uses itself, of which a workload with another libc expects one (34) to work.
 */
static int reset_signals(struct failure *f)
{
	static const struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} by_default;
	static const uint64_t none;

	for (int sig = 1; sig <= KERNEL_SIGNALS; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP &&
		    syscall(SYS_rt_sigaction, sig, &by_default, NULL, KERNEL_SET_SIZE) < 0)
			return fail_sys(f, "rt_sigaction", NULL);
	}
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SET_SIZE) < 0)
		return fail_sys(f, "rt_sigprocmask", NULL);
	return 0;
}

/* The environment of the configuration, and HOME when it has none. */
static char **make_env(const struct oci_process *process, struct failure *f)
{
	static char home[sizeof("HOME=") + LOOKUP_HOME_MAX] = "HOME=";
	size_t count = process->env.count;

	if (lookup_env(process->env.items, "HOME"))
		return process->env.items;
	if (lookup_home(process->user.uid, home + strlen("HOME="), f) < 0)
		return NULL;
	char **env = malloc((count + 2) * sizeof(*env));

	if (!env) {
		fail_err(f, ENOMEM, "malloc", NULL, "environment");
		return NULL;
	}
	memcpy(env, process->env.items, count * sizeof(*env));
	env[count] = home;
	env[count + 1] = NULL;
	return env;
}

/* Credentials, working directory, filter. */
static int become_user(const struct child_setup *setup, struct failure *f)
{
	const struct oci_process *process = setup->process;
	const struct oci_seccomp *seccomp = &setup->linux_->seccomp;
	const bool is_late = process->no_new_privileges;
	struct seccomp_filter filter;

	if (seccomp->present && seccomp_compile(seccomp, setup->arena, &filter, f) < 0)
		return -1;
	if (seccomp->present && !is_late && seccomp_load(seccomp, &filter, f) < 0)
		return -1;

	const bool is_there = chdir(process->cwd) == 0;

	if (cred_apply(process, f) < 0 || cwd_enter(process->cwd, is_there, f) < 0)
		return -1;
	return seccomp->present && is_late ? seccomp_load(seccomp, &filter, f) : 0;
}

/* In a user namespace of its own the child may not: PID 1 has done it with the priority. */
static int set_limits(const struct child_setup *setup, struct failure *f)
{
	if (namespaces_has_new_user(setup->linux_))
		return 0;
	return limits_apply(setup->process, setup->proc_fd, 0, f);
}

/* Only now: no step and no hook of createContainer is to run with it. */
static int set_priority(const struct child_setup *setup, struct failure *f)
{
	if (namespaces_has_new_user(setup->linux_))
		return birth_ask_user(setup, f);
	return sched_set_priority(setup->process, 0, f);
}

/* Of a directory that nobody can write to, the owner does not matter. */
static int give_cwd(const struct child_setup *setup, const struct oci_process *process,
		    struct failure *f)
{
	if (!setup->has_new_cwd || !strcmp(process->cwd, "/") ||
	    !lchown(process->cwd, process->user.uid, process->user.gid) || errno == EROFS)
		return 0;
	fail_sys(f, "chown", process->cwd);
	return fail_at(f, STAGE_SPAWN, "/process/cwd");
}

/*
 * The user by name, if the configuration has one: only in the container's root can it be looked up.
 * The streams, which were made for the ids that the configuration has, become his, and so does a
 * working directory that the image lacks.
 */
static int find_user(struct child_setup *setup, struct failure *f)
{
	struct oci_process *process;

	if (!setup->spec->user_name)
		return 0;
	process = arena_alloc(setup->arena, sizeof(*process));
	if (!process)
		return fail_err(f, ENOMEM, "malloc", NULL, "user");
	*process = *setup->process;
	if (user_resolve(setup->spec->user_name, &process->user, f) < 0)
		return -1;
	setup->process = process;
	for (int fd = 0; fd < 3; fd++) {
		if (fchown(fd, process->user.uid, (gid_t)-1) < 0)
			return fail_sys(f, "fchown", "the workload's streams");
	}
	return give_cwd(setup, process, f);
}

void child_exec(struct child_setup *setup, struct failure *f)
{
	const struct oci_process *process;
	char **env;

	if (build_container(setup, f) < 0 || hooks_run(setup, OCI_HOOK_CREATE_CONTAINER, f) < 0 ||
	    set_priority(setup, f) < 0 || (setup->has_terminal && open_terminal(setup, f) < 0))
		return;
	if (take_stdio(setup, f) < 0 || enter_root(setup->root_fd, setup->linux_, f) < 0)
		return;
	sys_close(&setup->root_fd); /* no cwd is found through it */
	if (find_user(setup, f) < 0)
		return;
	process = setup->process;
	env = make_env(process, f);
	if (!env || set_limits(setup, f) < 0 || sched_apply(setup->linux_, f) < 0)
		return;
	umask(process->user.has_umask ? process->user.umask : DEFAULT_UMASK);
	if (reset_signals(f) < 0)
		return;
	if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) {
		fail_sys(f, "close_range", NULL);
		return;
	}
	if (hooks_run(setup, OCI_HOOK_START_CONTAINER, f) == 0 && become_user(setup, f) == 0)
		exec_entrypoint(process->args.items, env, f);
}
