// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that smk starts: found in $PATH, started with an argument vector (never a shell), and
 * gone when smk is gone.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *program;
	const char *package;
	const char *elsewhere; /* where an ordinary PATH does not look, or NULL */
} programs[] = {
	{"qemu-system-aarch64", "qemu-system-arm", NULL},
	{"mksquashfs", "squashfs-tools", NULL},
	{"mkfs.ext4", "e2fsprogs", "/usr/local/sbin:/usr/sbin:/sbin"},
	{"virtiofsd", "qemu-system-common", "/usr/lib/qemu:/usr/libexec"},
};

#define PROGRAM_COUNT (sizeof(programs) / sizeof(programs[0]))

static int not_found(const char *name, struct failure *f)
{
	for (size_t i = 0; i < PROGRAM_COUNT; i++)
		if (!strcmp(programs[i].program, name))
			return fail_err(f, 0, "", name,
					"not found in PATH: install it (Debian package %s)",
					programs[i].package);
	return fail_err(f, 0, "", name, "not found in PATH");
}

/* Looks in a colon-separated list; relative entries are passed over. */
static char *find_in(const char *list, const char *name)
{
	while (list && *list) {
		int length = (int)strcspn(list, ":");
		char *path = must_format("%.*s/%s", length, list, name);
		struct stat st;

		if (*list == '/' && !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK))
			return path;
		free(path);
		list += length;
		list += *list == ':';
	}
	return NULL;
}

int program_find(const char *name, char **ret_path, struct failure *f)
{
	char *path = find_in(getenv("PATH"), name);

	for (size_t i = 0; i < PROGRAM_COUNT && !path; i++)
		if (!strcmp(programs[i].program, name))
			path = find_in(programs[i].elsewhere, name);
	if (!path)
		return not_found(name, f);
	*ret_path = path;
	return 0;
}

void process_reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Until the word to go comes; false when the parent gave it up. */
static bool wait_at_gate(int gate_fd)
{
	char word;
	ssize_t got;

	do {
		got = read(gate_fd, &word, 1);
	} while (got < 0 && errno == EINTR);
	return got == 1;
}

/*
 * The directory and what is mounted below it, read-only for this process and its children. Nothing that
 * is mounted later comes in: it would be writable.
 */
static int seal_directory(const char *path)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(path, path, NULL, MS_BIND | MS_REC, NULL))
		return -1;
	return mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr));
}

/* In the child: only returns when something failed, with errno set. */
static void child_exec(const struct process_setup *setup, int output_fd, int gate_fd, pid_t parent)
{
	int input_fd = setup->input_fd ? setup->input_fd : open("/dev/null", O_RDWR | O_CLOEXEC);

	process_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return;
	if (getppid() != parent)
		_exit(SMK_EXIT_SETUP);
	if (setsid() < 0)
		return;
	if (!wait_at_gate(gate_fd))
		_exit(SMK_EXIT_SETUP);
	if (input_fd < 0 || dup2(input_fd, 0) < 0 || dup2(output_fd, 1) < 0 ||
	    dup2(output_fd, 2) < 0)
		return;
	if (setup->cwd_fd >= 0 && fchdir(setup->cwd_fd))
		return;
	if (setup->readonly_path && seal_directory(setup->readonly_path))
		return;
	for (size_t i = 0; i < setup->keep_count; i++)
		if (fcntl(setup->keep_fds[i], F_SETFD, 0))
			return;
	execve(setup->path, setup->argv, setup->envp ? setup->envp : environ);
}

enum {
	PIPE_OUTPUT, /* what the program says */
	PIPE_ERROR,  /* the errno of what failed before it began */
	PIPE_GATE,   /* the word to go */
	PIPE__COUNT,
};

static void close_pipes(int pipes[PIPE__COUNT][2])
{
	for (int i = 0; i < PIPE__COUNT; i++) {
		cleanup_fd(&pipes[i][0]);
		cleanup_fd(&pipes[i][1]);
	}
}

static int open_pipes(int pipes[PIPE__COUNT][2], struct failure *f)
{
	for (int i = 0; i < PIPE__COUNT; i++)
		if (pipe2(pipes[i], O_CLOEXEC))
			return fail_sys(f, "pipe", NULL);
	if (fcntl(pipes[PIPE_OUTPUT][0], F_SETFL, O_NONBLOCK))
		return fail_sys(f, "fcntl", NULL);
	return 0;
}

static _Noreturn void be_child(const struct process_setup *setup, int pipes[PIPE__COUNT][2],
			       pid_t parent)
{
	close(pipes[PIPE_GATE][1]); /* else its end would not be seen */
	child_exec(setup, pipes[PIPE_OUTPUT][1], pipes[PIPE_GATE][0], parent);
	if (write(pipes[PIPE_ERROR][1], &errno, sizeof(errno)) < 0)
		_exit(SMK_EXIT_CANNOT_RUN);
	_exit(SMK_EXIT_SETUP);
}

int process_hold(const struct process_setup *setup, struct process *ret, struct failure *f)
{
	int pipes[PIPE__COUNT][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	pid_t parent = getpid();
	pid_t pid = -1;
	int result = open_pipes(pipes, f);

	if (!result) {
		pid = fork();
		if (!pid)
			be_child(setup, pipes, parent);
		if (pid < 0)
			result = fail_sys(f, "fork", setup->path);
	}
	if (!result) {
		*ret = (struct process){
			.pid = pid,
			.path = setup->path,
			.output_fd = pipes[PIPE_OUTPUT][0],
			.error_fd = pipes[PIPE_ERROR][0],
			.gate_fd = pipes[PIPE_GATE][1],
		};
		pipes[PIPE_OUTPUT][0] = pipes[PIPE_ERROR][0] = pipes[PIPE_GATE][1] = -1;
	}
	close_pipes(pipes);
	return result;
}

/* The child's errno comes back through a pipe that a successful exec closes. */
int process_go(struct process *process, struct failure *f)
{
	int error = 0;
	ssize_t got;

	/* One that was killed meanwhile takes no word: who waits for its end sees it. */
	if (write(process->gate_fd, "", 1) < 0 && errno != EPIPE)
		error = errno;
	do {
		got = error ? 1 : read(process->error_fd, &error, sizeof(error));
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return 0;
	fail_err(f, error, "exec", process->path, "%s", "");
	process_stop(process);
	return -1;
}

int process_start(const struct process_setup *setup, struct process *ret, struct failure *f)
{
	return process_hold(setup, ret, f) || process_go(ret, f) ? -1 : 0;
}

bool process_await(pid_t pid, double deadline_ms)
{
	AUTO_FD pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = {.fd = pid_fd, .events = POLLIN};
	int got;

	do {
		got = poll(&poll_fd, 1, poll_timeout(deadline_ms));
	} while (got < 0 && errno == EINTR && now_ms() < deadline_ms);
	return got > 0;
}

void process_stop(struct process *process)
{
	if (process->pid > 0) {
		kill(-process->pid, SIGKILL); /* its group, which a held one may not have yet */
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	cleanup_fd(&process->output_fd);
	cleanup_fd(&process->error_fd);
	cleanup_fd(&process->gate_fd);
	*process = PROCESS_NONE;
}
