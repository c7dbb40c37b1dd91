// SPDX-License-Identifier: Apache-2.0
/*
 * Hooks of the configuration that run in the guest: createContainer, a program of the boot root in
 * the container's namespaces, and startContainer, a program of the container. One after the other,
 * as root, each with the container's state on its standard input. The child waits for them, so that
 * what they leave behind is as if it had done it itself; one that fails, or takes longer than its
 * timeout, ends the run.
 */
#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <string.h>
#include <unistd.h>

#include "init/spawn.h"
#include "init/sys.h"
#include "oci/state.h"

#define ID_DEFAULT "container"

/* In the hook's process. Its end without an execve is told by an errno. */
static _Noreturn void become_hook(const struct oci_hook *hook, int root_fd, int state_fd,
				  int error_fd)
{
	static const uint64_t none;
	int err;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) == 0 &&
	    dup2(state_fd, 0) >= 0 && (root_fd < 0 || (fchdir(root_fd) == 0 && chroot(".") == 0)))
		execve(hook->path, hook->args.items, hook->env.items);
	err = errno;
	/* When even this fails, the exit code is left. */
	(void)sys_write_full(error_fd, &err, sizeof(err));
	_exit(SMK_EXIT_SETUP);
}

/* Until the hook has ended; one whose time is up is ended. */
static int wait_hook(const struct oci_hook *hook, pid_t pid, int pid_fd, int *ret_status,
		     struct failure *f)
{
	struct pollfd end = {.fd = pid_fd, .events = POLLIN};
	const bool has_limit = hook->has_timeout && hook->timeout_s <= INT32_MAX / 1000;
	int ready;
	pid_t ended;

	do
		ready = poll(&end, 1, has_limit ? (int)hook->timeout_s * 1000 : -1);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		if (ready < 0)
			fail_sys(f, "poll", hook->path);
		else
			fail_config(f, hook->field, "%s took longer than %u s", hook->path,
				    hook->timeout_s);
		sys_end_child(pid);
		return -1;
	}
	do
		ended = waitpid(pid, ret_status, 0);
	while (ended < 0 && errno == EINTR);
	return ended < 0 ? fail_sys(f, "wait4", hook->path) : 0;
}

static int judge(const struct oci_hook *hook, int status, int error_fd, struct failure *f)
{
	int err;

	if (sys_read_full(error_fd, &err, sizeof(err)) == (ssize_t)sizeof(err))
		return fail_err(f, err, "execve", hook->path, "%s", "");
	if (WIFSIGNALED(status))
		return fail_config(f, hook->field, "%s was ended by signal %d", hook->path,
				   WTERMSIG(status));
	if (WEXITSTATUS(status))
		return fail_config(f, hook->field, "%s ended with code %d", hook->path,
				   WEXITSTATUS(status));
	return 0;
}

static int run_hook(const struct oci_hook *hook, int root_fd, int state_fd, struct failure *f)
{
	int error[2], pid_fd = -1, status = 0, result;

	if (lseek(state_fd, 0, SEEK_SET) < 0 || pipe2(error, O_CLOEXEC) < 0)
		return fail_sys(f, "pipe2", NULL);
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pid_fd, NULL, NULL);

	if (pid == 0)
		become_hook(hook, root_fd, state_fd, error[1]);
	if (pid < 0)
		fail_sys(f, "clone", NULL);
	close(error[1]);
	result = pid < 0 ? -1 : wait_hook(hook, pid, pid_fd, &status, f);
	if (result == 0)
		result = judge(hook, status, error[0], f);
	close(error[0]);
	sys_close(&pid_fd);
	return result;
}

/*
 * A machine is one container: its id is the host name, and its bundle is all that there is. The
 * state is in a file, which any number of hooks can read from its beginning.
 */
static int open_state(const struct child_setup *setup, const char *status, int *ret_fd,
		      struct failure *f)
{
	char pid[16] = "";
	struct state state = {
		.id = setup->spec->hostname ? setup->spec->hostname : ID_DEFAULT,
		.status = status,
		.bundle = "/",
	};
	AUTO_FD fd = -1;
	const char *text;

	/* Our own procfs names us by the number that PID 1 knows us by. */
	if (readlinkat(setup->proc_fd, "self", pid, sizeof(pid) - 1) < 0)
		return fail_sys(f, "readlink", "/proc/self");
	state.pid = atol(pid);
	text = state_text(setup->spec, &state);
	if (!text)
		return fail_err(f, ENOMEM, "malloc", NULL, "state");
	fd = memfd_create("state", MFD_CLOEXEC);
	if (fd < 0 || sys_write_full(fd, text, strlen(text)) < 0)
		return fail_sys(f, "memfd_create", "state");
	*ret_fd = sys_take(&fd);
	return 0;
}

int hooks_run(const struct child_setup *setup, enum oci_hook_kind kind, struct failure *f)
{
	const struct oci_hooks *hooks = &setup->spec->hooks;
	const bool is_create = kind == OCI_HOOK_CREATE_CONTAINER;
	AUTO_FD state_fd = -1;

	if (!hooks->counts[kind])
		return 0;
	if (open_state(setup, is_create ? "creating" : "created", &state_fd, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/hooks");
	for (size_t i = 0; i < hooks->counts[kind]; i++) {
		const struct oci_hook *hook = &hooks->items[kind][i];
		int root_fd = is_create ? setup->early->boot_root_fd : -1;

		if (run_hook(hook, root_fd, state_fd, f) < 0)
			return fail_at(f, STAGE_SPAWN, hook->field);
	}
	return 0;
}
