// SPDX-License-Identifier: Apache-2.0
// New file systems through the kernel's file system contexts.
#include "init/fs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/sys.h"

/* The context's log holds lines such as "e overlay: Unknown parameter 'x'"; the first one is kept.
 */
static void read_log(int fs_fd, char *text, size_t size)
{
	ssize_t got = fs_fd < 0 ? -1 : read(fs_fd, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	if (got > 2 && text[1] == ' ')
		memmove(text, text + 2, (size_t)got - 1);
	text[strcspn(text, "\n")] = '\0';
}

static int fail_fs(const struct fs *fs, const char *what, const char *key, struct failure *f)
{
	int err = errno;
	char op[sizeof(f->op)];
	char log[sizeof(f->why)];

	read_log(fs->fd, log, sizeof(log));
	snprintf(op, sizeof(op), "%s(%s)", what, fs->fstype);
	if (!key)
		return fail_err(f, err, op, fs->where, "%s", log);
	return fail_err(f, err, op, fs->where, "option %.60s%s%s", key, log[0] ? ": " : "", log);
}

int fs_init(struct fs *fs, const char *fstype, const char *where, struct failure *f)
{
	*fs = (struct fs){.fd = sys_fsopen(fstype), .fstype = fstype, .where = where};
	if (fs->fd < 0 && errno == ENODEV)
		return fail_err(f, errno, "fsopen", where, "the kernel has no file system \"%s\"",
				fstype);
	return fs->fd < 0 ? fail_fs(fs, "fsopen", NULL, f) : 0;
}

void fs_finish(struct fs *fs)
{
	sys_close(&fs->fd);
}

int fs_set(struct fs *fs, const char *key, const char *value, struct failure *f)
{
	unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	return sys_fsconfig(fs->fd, command, key, value) ? fail_fs(fs, "mount", key, f) : 0;
}

int fs_set_option(struct fs *fs, const char *option, struct failure *f)
{
	const char *equals = strchr(option, '=');
	char key[64];

	if (!equals)
		return fs_set(fs, option, NULL, f);
	if ((size_t)(equals - option) >= sizeof(key))
		return fail_err(f, EINVAL, "mount", fs->where, "option %.60s...: name too long",
				option);
	memcpy(key, option, (size_t)(equals - option));
	key[equals - option] = '\0';
	return fs_set(fs, key, equals + 1, f);
}

int fs_mount(struct fs *fs, uint64_t attrs, int *ret_mount_fd, struct failure *f)
{
	int mount_fd;

	if (sys_fsconfig(fs->fd, FSCONFIG_CMD_CREATE, NULL, NULL))
		return fail_fs(fs, "mount", NULL, f);
	mount_fd = sys_fsmount(fs->fd, (unsigned)attrs);
	if (mount_fd < 0)
		return fail_fs(fs, "fsmount", NULL, f);
	*ret_mount_fd = mount_fd;
	return 0;
}

static int request_options(struct fs *fs, const struct fs_request *request, struct failure *f)
{
	if (request->source && fs_set(fs, "source", request->source, f))
		return -1;
	if (request->is_readonly && fs_set(fs, "ro", NULL, f))
		return -1;
	/* Each mount sets it anew for all: who lives in a cgroup namespace does not lift its own limits. */
	if (!strcmp(request->fstype, "cgroup2") && fs_set(fs, "nsdelegate", NULL, f))
		return -1;
	for (const char *const *option = request->options; option && *option; option++)
		if (fs_set_option(fs, *option, f))
			return -1;
	return request->last_option ? fs_set_option(fs, request->last_option, f) : 0;
}

int fs_mount_request(const struct fs_request *request, int *ret_mount_fd, struct failure *f)
{
	struct fs fs;
	int status;

	if (fs_init(&fs, request->fstype, request->where, f))
		return -1;
	status = request_options(&fs, request, f);
	if (!status)
		status = fs_mount(&fs, request->attrs, ret_mount_fd, f);
	fs_finish(&fs);
	return status;
}
