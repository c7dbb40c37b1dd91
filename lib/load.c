// SPDX-License-Identifier: Apache-2.0
/*
 * From a source to checked bytes. The bytes are sealed first and hashed after, so that what was
 * hashed is what everybody will see.
 */
#include "asset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "output.h"
#include "sha256.h"
#include "xz.h"

const char *asset_override(enum smk_asset which)
{
#ifdef __linux__
	const char *path = secure_getenv(embedded[which].variable);
#else
	const char *path = geteuid() == getuid() && getegid() == getgid()
				   ? getenv(embedded[which].variable)
				   : NULL;
#endif

	return path && *path ? path : NULL;
}

/* Non-blocking, because the name may be a FIFO's. */
enum smk_result load_find(enum smk_asset which, struct source *ret, int *ret_fd)
{
	struct source source = {.path = asset_override(which)};
	int fd = -1;

	if (source.path) {
		fd = open(source.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return SMK_ERROR_OVERRIDE;
		errno = 0;
		if (fstat(fd, &source.status) < 0 || !S_ISREG(source.status.st_mode)) {
			if (!errno)
				errno = S_ISDIR(source.status.st_mode) ? EISDIR : EINVAL;
			output_close(fd);
			return SMK_ERROR_OVERRIDE;
		}
	}
	*ret = source;
	*ret_fd = fd;
	return SMK_OK;
}

static enum smk_result seal_and_check(enum smk_asset which, struct asset *asset)
{
	enum smk_result result = memory_seal(&asset->memory);

	if (result)
		return result;
	sha256_hex(asset->memory.bytes, asset->memory.length, asset->sha256);
	if (!asset->source.path && strcmp(asset->sha256, embedded[which].sha256) != 0)
		return SMK_ERROR_CHECKSUM;
	return format_check(which, asset->memory.bytes, asset->memory.length);
}

enum smk_result load_embedded(enum smk_asset which, size_t memory_limit, struct asset *ret)
{
	const struct embedded *from = &embedded[which];
	struct xz_stream xz;
	enum smk_result result = xz_parse(from->xz, (size_t)(from->xz_end - from->xz), &xz);

	if (!result && xz.raw_length != from->raw_length)
		result = SMK_ERROR_DATA;
	if (!result)
		result = memory_create(from->name, xz.raw_length, &ret->memory);
	if (!result)
		result = xz_decode(&xz, ret->memory.bytes, memory_limit, memory_cpus());
	if (!result)
		result = seal_and_check(which, ret);
	return result;
}

static enum smk_result read_all(int fd, char *bytes, size_t length)
{
	while (length) {
		ssize_t count = read(fd, bytes, length);

		if (count > 0) {
			bytes += count;
			length -= (size_t)count;
		} else if (count == 0) {
			errno = EIO; /* it became shorter while we read */
			return SMK_ERROR_OVERRIDE;
		} else if (errno != EINTR) {
			return SMK_ERROR_OVERRIDE;
		}
	}
	return SMK_OK;
}

enum smk_result load_override(enum smk_asset which, int fd, struct asset *ret)
{
	off_t length = ret->source.status.st_size;
	enum smk_result result;

	if (length <= 0 || (uintmax_t)length > XZ_RAW_MAX)
		return SMK_ERROR_FORMAT;
	result = memory_create(embedded[which].name, (size_t)length, &ret->memory);
	if (!result)
		result = read_all(fd, ret->memory.bytes, ret->memory.length);
	if (!result)
		result = seal_and_check(which, ret);
	return result;
}
