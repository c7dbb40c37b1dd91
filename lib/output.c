// SPDX-License-Identifier: Apache-2.0
/* Writing to file descriptors, and what errors of the system mean to our callers. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum smk_result result_from_errno(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return SMK_ERROR_NO_SPACE;
	case ENOMEM:
		return SMK_ERROR_NO_MEMORY;
	default:
		return SMK_ERROR_IO;
	}
}

static off_t write_offset(int fd, const struct stat *status)
{
	return fcntl(fd, F_GETFL) & O_APPEND ? status->st_size : lseek(fd, 0, SEEK_CUR);
}

static enum smk_result check_file_limit(int fd, size_t length)
{
	struct rlimit limit;
	struct stat status;
	off_t offset;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return SMK_OK;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return SMK_OK;
	offset = write_offset(fd, &status);
	if (offset < 0 ||
	    ((rlim_t)offset <= limit.rlim_cur && length <= limit.rlim_cur - (rlim_t)offset))
		return SMK_OK;
	errno = EFBIG;
	return SMK_ERROR_NO_SPACE;
}

enum smk_result output_write(int fd, const void *bytes, size_t length)
{
	const char *next = bytes;
	enum smk_result result = check_file_limit(fd, length);

	if (result)
		return result;
	while (length) {
		ssize_t count = write(fd, next, length);

		if (count > 0) {
			next += count;
			length -= (size_t)count;
		} else if (!count) { /* a device that takes nothing would be asked for ever */
			errno = EIO;
			return SMK_ERROR_IO;
		} else if (errno == EAGAIN) {
			struct pollfd ready = {.fd = fd, .events = POLLOUT};

			if (poll(&ready, 1, -1) < 0 && errno != EINTR)
				return result_from_errno(errno);
		} else if (errno != EINTR) {
			return result_from_errno(errno);
		}
	}
	return SMK_OK;
}

int output_sync(int fd)
{
	int code;

	do {
#ifdef F_FULLFSYNC /* macOS: fsync alone stops at the drive's cache */
		code = fcntl(fd, F_FULLFSYNC);
#else
		code = fsync(fd);
#endif
	} while (code < 0 && errno == EINTR);
	return code;
}

void output_close(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
}
