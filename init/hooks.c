// SPDX-License-Identifier: Apache-2.0
/*
 * Hooks of the configuration that run in the guest: createContainer, a program of the boot root in
 * the container's namespaces, and startContainer, a program of the container. One after the other,
 * as root, each with the container's state on its standard input. The child waits for them, so that
 * what they leave behind is as if it had done it itself; one that fails, or takes longer than its
 * timeout, ends the run. Nobody reads the workload's streams yet: what a hook says is read here, and
 * the last line of it is kept for the message of its failure.
 */
#include <errno.h>
#include <linux/openat2.h>
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

#define PIPE_BYTES 65536 /* what a pipe holds: one read takes all that a hook has left in it */

/* One that has been started. */
struct running {
	pid_t pid;
	int pid_fd;
	int output_fd; /* its stdout and stderr */
	int error_fd;  /* the errno of an execve that failed */
	char words[96];
	size_t length;
	bool is_line_over;
};

/* In the hook's process. Its end without an execve is told by an errno. */
static _Noreturn void become_hook(const struct oci_hook *hook, int root_fd, int state_fd,
				  int output_fd, int error_fd)
{
	static const uint64_t none;
	int err;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) == 0 &&
	    dup2(state_fd, 0) >= 0 && dup2(output_fd, 1) >= 0 && dup2(output_fd, 2) >= 0 &&
	    (root_fd < 0 || (fchdir(root_fd) == 0 && chroot(".") == 0)))
		execve(hook->path, hook->args.items, hook->env.items);
	err = errno;
	/* When even this fails, the exit code is left. */
	(void)sys_write_full(error_fd, &err, sizeof(err));
	_exit(SMK_EXIT_SETUP);
}

/* The last line that is not empty, as far as there is room. */
static void keep_words(struct running *run, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			run->is_line_over = true;
			continue;
		}
		if (run->is_line_over)
			run->length = 0;
		run->is_line_over = false;
		if (run->length < sizeof(run->words) - 1)
			run->words[run->length++] = bytes[i];
	}
	run->words[run->length] = '\0';
}

static void read_words(struct running *run)
{
	char bytes[PIPE_BYTES];
	ssize_t got = read(run->output_fd, bytes, sizeof(bytes));

	if (got > 0)
		keep_words(run, bytes, (size_t)got);
	else if (got == 0)
		sys_close(&run->output_fd); /* else poll() would go on to tell its end */
}

/* Reads what it says until it has ended or its time is up. */
static int watch(const struct oci_hook *hook, struct running *run, struct failure *f)
{
	const int64_t end_ms = sys_now_ms() + INT64_C(1000) * hook->timeout_s;

	for (;;) {
		struct pollfd polls[] = {{.fd = run->pid_fd, .events = POLLIN},
					 {.fd = run->output_fd, .events = POLLIN}};
		const int64_t left = end_ms - sys_now_ms();
		const int timeout = left < INT32_MAX ? (int)left : INT32_MAX;

		if (hook->has_timeout && left <= 0)
			return fail_config(f, hook->field, "%s took longer than %u s", hook->path,
					   hook->timeout_s);
		if (poll(polls, 2, hook->has_timeout ? timeout : -1) < 0) {
			if (errno != EINTR)
				return fail_sys(f, "poll", hook->path);
			continue;
		}
		if (polls[1].revents)
			read_words(run);
		if (polls[0].revents)
			return 0;
	}
}

/* Until the hook has ended; one whose time is up is ended. */
static int wait_hook(const struct oci_hook *hook, struct running *run, int *ret_status,
		     struct failure *f)
{
	pid_t ended;

	if (watch(hook, run, f) < 0) {
		sys_end_child(run->pid);
		return -1;
	}
	do
		ended = waitpid(run->pid, ret_status, 0);
	while (ended < 0 && errno == EINTR);
	read_words(run);
	return ended < 0 ? fail_sys(f, "wait4", hook->path) : 0;
}

static int judge(const struct oci_hook *hook, struct running *run, int status, struct failure *f)
{
	const char *colon = *run->words ? ": " : "";
	int err;

	if (sys_read_full(run->error_fd, &err, sizeof(err)) == (ssize_t)sizeof(err))
		return fail_err(f, err, "execve", hook->path, "%s", "");
	if (WIFSIGNALED(status))
		return fail_config(f, hook->field, "%s was ended by signal %d%s%s", hook->path,
				   WTERMSIG(status), colon, run->words);
	if (WEXITSTATUS(status))
		return fail_config(f, hook->field, "%s ended with code %d%s%s", hook->path,
				   WEXITSTATUS(status), colon, run->words);
	return 0;
}

/* A new file for each: none of them reads where another one has stopped, or what it wrote. */
static int open_state(const char *text, int *ret_fd, struct failure *f)
{
	AUTO_FD fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || sys_write_full(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail_sys(f, "memfd_create", "state");
	*ret_fd = sys_take(&fd);
	return 0;
}

static int open_pipe(int flags, int *ret_read_fd, int *ret_write_fd, struct failure *f)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_sys(f, "pipe2", NULL);
	*ret_read_fd = fds[0];
	*ret_write_fd = fds[1];
	return fcntl(fds[0], F_SETFL, flags) < 0 ? fail_sys(f, "fcntl(F_SETFL)", NULL) : 0;
}

/* The hook's ends of the pipes are closed again on the way out. */
static int start_hook(const struct oci_hook *hook, int root_fd, const char *state,
		      struct running *run, struct failure *f)
{
	AUTO_FD state_fd = -1;
	AUTO_FD output_fd = -1;
	AUTO_FD error_fd = -1;

	if (open_state(state, &state_fd, f) < 0 ||
	    open_pipe(O_NONBLOCK, &run->output_fd, &output_fd, f) < 0 ||
	    open_pipe(0, &run->error_fd, &error_fd, f) < 0)
		return -1;
	run->pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &run->pid_fd, NULL, NULL);
	if (run->pid == 0)
		become_hook(hook, root_fd, state_fd, output_fd, error_fd);
	return run->pid < 0 ? fail_sys(f, "clone", NULL) : 0;
}

static int run_hook(const struct oci_hook *hook, int root_fd, const char *state, struct failure *f)
{
	struct running run = {.pid_fd = -1, .output_fd = -1, .error_fd = -1};
	int status = 0;
	int result = start_hook(hook, root_fd, state, &run, f);

	if (result == 0)
		result = wait_hook(hook, &run, &status, f);
	if (result == 0)
		result = judge(hook, &run, status, f);
	sys_close(&run.pid_fd);
	sys_close(&run.output_fd);
	sys_close(&run.error_fd);
	return result;
}

/* A machine is one container: its id is the host name, and its bundle is all that there is. */
static const char *make_state(const struct child_setup *setup, bool is_create, struct failure *f)
{
	char pid[16] = "";
	struct state state = {
		.id = setup->spec->hostname ? setup->spec->hostname : ID_DEFAULT,
		.status = is_create ? "creating" : "created",
		.bundle = "/",
	};
	const char *text;

	/* Our own procfs names us by the number that PID 1 knows us by. */
	if (readlinkat(setup->proc_fd, "self", pid, sizeof(pid) - 1) < 0) {
		fail_sys(f, "readlink", "/proc/self");
		return NULL;
	}
	state.pid = atol(pid);
	text = state_text(setup->spec, &state);
	if (!text)
		fail_err(f, ENOMEM, "malloc", NULL, "state");
	return text;
}

/*
 * A program that the boot root has runs with it as its root. Any other is looked for in our own tree, where
 * the machine's file systems are, and the layers' files.
 */
static bool is_of_boot(const struct child_setup *setup, const struct oci_hook *hook)
{
	AUTO_FD fd = sys_open_resolve(setup->early->boot_root_fd, hook->path, O_PATH, 0,
				      RESOLVE_IN_ROOT);

	return fd >= 0;
}

int hooks_run(const struct child_setup *setup, enum oci_hook_kind kind, struct failure *f)
{
	const struct oci_hooks *hooks = &setup->spec->hooks;
	const bool is_create = kind == OCI_HOOK_CREATE_CONTAINER;
	const char *state;

	if (!hooks->counts[kind])
		return 0;
	state = make_state(setup, is_create, f);
	if (!state)
		return fail_at(f, STAGE_SPAWN, "/hooks");
	for (size_t i = 0; i < hooks->counts[kind]; i++) {
		const struct oci_hook *hook = &hooks->items[kind][i];
		int root_fd =
			is_create && is_of_boot(setup, hook) ? setup->early->boot_root_fd : -1;

		if (run_hook(hook, root_fd, state, f) < 0)
			return fail_at(f, STAGE_SPAWN, hook->field);
	}
	return 0;
}
