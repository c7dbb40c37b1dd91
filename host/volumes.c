// SPDX-License-Identifier: Apache-2.0
/*
 * virtiofsd: how it is chosen, started, watched and ended.
 *
 * It gets a socket that listens already and that QEMU's end is connected to: nobody waits for a file
 * to appear, and the socket's name in the scratch directory is gone before either of them begins.
 */
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_NAME "volume.sock"
/* No device nodes on the host's disk, whatever the guest asks for. */
#define SERVER_OPTIONS \
	"sandbox=namespace,cache=auto,xattr,announce_submounts,modcaps=-mknod,log_level=err"

void volumes_init(struct volume_servers *servers, struct image_options *image)
{
	*servers = (struct volume_servers){.image = image};
	for (size_t i = 0; i < VOLUMES_MAX; i++)
		servers->processes[i] = PROCESS_NONE;
}

/* virtiofsd locks itself up in namespaces of its own, and acts as the users of the guest. */
static bool is_privileged(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	return !geteuid() && !syscall(SYS_capget, &header, sets) &&
	       sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

static int check_virtiofs(struct volume_servers *servers, bool is_printed, struct failure *f)
{
	static const char asked[] = "--volume-fs virtiofs: %s";

	if (is_printed)
		return fail_config(f, "", asked, "the printed command starts no virtiofsd: use 9p");
	if (!is_privileged())
		return fail_config(f, "", asked, "virtiofsd has to be started as root: use 9p");
	return program_find("virtiofsd", &servers->program, f);
}

int volumes_choose(struct volume_servers *servers, bool is_printed, struct failure *f)
{
	struct image_options *image = servers->image;
	struct failure reason = {0};

	if (!image->volume_count || image->volume_fs == VOLUME_FS_9P ||
	    !check_virtiofs(servers, is_printed, &reason)) {
		if (image->volume_fs == VOLUME_FS_AUTO)
			image->volume_fs = servers->program ? VOLUME_FS_VIRTIOFS : VOLUME_FS_9P;
		return 0;
	}
	if (image->volume_fs == VOLUME_FS_VIRTIOFS) {
		*f = reason;
		return -1;
	}
	image->volume_fs = VOLUME_FS_9P;
	return 0;
}

/* ---- start ---------------------------------------------------------------------------------- */

/* By a short name, whatever the scratch directory is called: a socket's has 107 bytes at most. */
static int connect_pair(const char *scratch, int *ret_listen_fd, int *ret_fd, struct failure *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct sockaddr *at = (const struct sockaddr *)&address;
	AUTO_FD dir_fd = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = -1;

	if (dir_fd < 0 || listen_fd < 0 || fd < 0)
		return fail_sys(f, "socket", scratch);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME,
		 dir_fd);
	if (bind(listen_fd, at, sizeof(address)) || listen(listen_fd, 1) ||
	    connect(fd, at, sizeof(address)))
		fail_sys(f, "socket", scratch);
	else
		result = 0;
	unlinkat(dir_fd, SOCKET_NAME, 0);
	if (result)
		return -1;
	*ret_listen_fd = listen_fd;
	*ret_fd = fd;
	listen_fd = fd = -1;
	return 0;
}

/* virtiofsd ends a value at a comma; what follows a backslash is itself. */
static char *escape(const char *path)
{
	char *escaped = must_alloc(2 * strlen(path) + 1);
	size_t length = 0;

	for (; *path; path++) {
		if (*path == ',' || *path == '\\')
			escaped[length++] = '\\';
		escaped[length++] = *path;
	}
	return escaped;
}

static int start_one(struct volume_servers *servers, size_t index, const char *scratch,
		     struct failure *f)
{
	struct volume *volume = &servers->image->volumes[index];
	struct strings argv = {.count = 0};
	AUTO_FREE char *source = escape(volume->path);
	AUTO_FD listen_fd = -1;
	struct process_setup setup = {
		.path = servers->program,
		.cwd_fd = -1,
		.keep_fds = &listen_fd,
		.keep_count = 1,
		.readonly_path = volume->is_readonly ? volume->path : NULL,
	};
	int result;

	if (connect_pair(scratch, &listen_fd, &volume->vmm_fd, f))
		return -1;
	strings_add(&argv, "%s", servers->program);
	strings_add(&argv, "--fd=%d", listen_fd);
	strings_add(&argv, "-f");
	strings_add(&argv, "-o");
	strings_add(&argv, SERVER_OPTIONS ",source=%s", source);
	setup.argv = argv.items;
	result = process_start(&setup, &servers->processes[index], f);
	strings_finish(&argv);
	return result;
}

int volumes_start(struct volume_servers *servers, struct failure *f)
{
	const struct image_options *image = servers->image;
	const char *scratch;

	if (image->volume_fs != VOLUME_FS_VIRTIOFS || !image->volume_count)
		return 0;
	if (scratch_directory(false, &scratch, f))
		return -1;
	for (size_t i = 0; i < image->volume_count; i++)
		if (start_one(servers, i, scratch, f))
			return -1;
	return 0;
}

/* ---- watch and end -------------------------------------------------------------------------- */

static int fail_server(const struct volume *volume, struct process *process, int status,
		       struct failure *f)
{
	AUTO_FREE struct tail *tail = must_alloc(sizeof(*tail));
	char bytes[4096];
	char words[128];
	ssize_t got;

	while ((got = read(process->output_fd, bytes, sizeof(bytes))) > 0)
		tail_add(tail, bytes, (size_t)got);
	tail_last_words(tail, "virtiofsd", words, sizeof(words));
	if (!*words && WIFSIGNALED(status))
		snprintf(words, sizeof(words), "killed by signal %d", WTERMSIG(status));
	else if (!*words)
		snprintf(words, sizeof(words), "ended with %d", WEXITSTATUS(status));
	return fail_err(f, 0, "--volume", volume->path, "virtiofsd: %s", words);
}

int volumes_check(struct volume_servers *servers, int wait_ms, struct failure *f)
{
	double deadline_ms = now_ms() + wait_ms;
	int result = 0;

	for (size_t i = 0; i < servers->image->volume_count && !result; i++) {
		struct process *process = &servers->processes[i];
		int status;

		if (process->pid < 0)
			continue;
		if (wait_ms)
			(void)process_await(process->pid, deadline_ms);
		if (waitpid(process->pid, &status, WNOHANG) != process->pid)
			continue;
		process->pid = -1;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			result = fail_server(&servers->image->volumes[i], process, status, f);
		process_stop(process);
	}
	return result;
}

void volumes_close_fds(struct volume_servers *servers)
{
	for (size_t i = 0; i < servers->image->volume_count; i++) {
		cleanup_fd(&servers->image->volumes[i].vmm_fd);
		servers->image->volumes[i].vmm_fd = -1;
	}
}

void volumes_finish(struct volume_servers *servers)
{
	volumes_close_fds(servers);
	for (size_t i = 0; i < VOLUMES_MAX; i++)
		process_stop(&servers->processes[i]);
	free(servers->program);
	servers->program = NULL;
}
