// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that smk starts: found in $PATH, started with an argument vector (never a shell), and
 * gone when smk is gone.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *program;
	const char *package;
} packages[] = {
	{"qemu-system-aarch64", "qemu-system-arm"},
	{"mksquashfs", "squashfs-tools"},
	{"mkfs.ext4", "e2fsprogs"},
};

static int not_found(const char *name, struct failure *f)
{
	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (!strcmp(packages[i].program, name))
			return fail_err(f, 0, "", name,
					"not found in PATH: install it (Debian package %s)",
					packages[i].package);
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

	/* mkfs.ext4 is where an ordinary user's PATH does not look. */
	if (!path && !strncmp(name, "mkfs.", 5))
		path = find_in("/usr/local/sbin:/usr/sbin:/sbin", name);
	if (!path)
		return not_found(name, f);
	*ret_path = path;
	return 0;
}

static void reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: only returns when something failed, with errno set. */
static void child_exec(const struct process_setup *setup, int output_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return;
	if (getppid() != parent)
		_exit(SMK_EXIT_SETUP);
	if (setup->own_session && setsid() < 0)
		return;
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
		return;
	if (setup->cwd_fd >= 0 && fchdir(setup->cwd_fd))
		return;
	for (size_t i = 0; i < setup->keep_count; i++)
		if (fcntl(setup->keep_fds[i], F_SETFD, 0))
			return;
	execv(setup->path, setup->argv);
}

/* The child's errno comes back through a pipe that a successful exec closes. */
static int wait_for_exec(int fd, pid_t pid, const char *path, struct failure *f)
{
	int error = 0;
	ssize_t got;

	do {
		got = read(fd, &error, sizeof(error));
	} while (got < 0 && errno == EINTR);
	if (!got)
		return 0;
	waitpid(pid, NULL, 0);
	return fail_err(f, error, "exec", path, "%s", "");
}

int process_start(const struct process_setup *setup, struct process *ret, struct failure *f)
{
	int output[2];
	int error[2];
	pid_t parent = getpid();
	pid_t pid;

	if (pipe2(output, O_CLOEXEC))
		return fail_sys(f, "pipe", NULL);
	AUTO_FD output_read = output[0];
	AUTO_FD output_write = output[1];

	if (pipe2(error, O_CLOEXEC))
		return fail_sys(f, "pipe", NULL);
	AUTO_FD error_read = error[0];
	AUTO_FD error_write = error[1];

	pid = fork();
	if (pid < 0)
		return fail_sys(f, "fork", setup->path);
	if (!pid) {
		child_exec(setup, output_write, parent);
		if (write(error_write, &errno, sizeof(errno)) < 0)
			_exit(SMK_EXIT_CANNOT_RUN);
		_exit(SMK_EXIT_SETUP);
	}
	close(error_write);
	error_write = -1;
	if (wait_for_exec(error_read, pid, setup->path, f))
		return -1;
	if (fcntl(output_read, F_SETFL, O_NONBLOCK)) {
		struct process started = {.pid = pid, .output_fd = -1};

		process_stop(&started);
		return fail_sys(f, "fcntl", NULL);
	}
	*ret = (struct process){.pid = pid, .output_fd = output_read};
	output_read = -1;
	return 0;
}

void process_stop(struct process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	cleanup_fd(&process->output_fd);
	*process = (struct process){.pid = -1, .output_fd = -1};
}
