// SPDX-License-Identifier: Apache-2.0
// Writing into procfs and cgroupfs.
#include "init/procfs.h"

#include <errno.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/sys.h"

#define RESOLVE_PLAIN (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

int kernel_file_write(int dir_fd, const char *path, long magic, const char *text, struct failure *f)
{
	AUTO_FD fd = sys_open_resolve(dir_fd, path, O_WRONLY, 0, RESOLVE_PLAIN);
	size_t length = strlen(text);
	struct statfs fs;
	ssize_t written;

	if (fd < 0)
		return fail_sys(f, "open", path);
	if (fstatfs(fd, &fs) < 0)
		return fail_sys(f, "fstatfs", path);
	if ((long)fs.f_type != magic)
		return fail_err(f, EINVAL, "fstatfs", path, "is on another file system");
	do
		written = write(fd, text, length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return fail_sys(f, "write", path);
	if ((size_t)written != length)
		return fail_err(f, EIO, "write", path, "took %zd of %zu bytes", written, length);
	return 0;
}
