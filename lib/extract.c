// SPDX-License-Identifier: Apache-2.0
/*
 * Extraction. In the target's own directory:
 *
 *   look at the target -> new temporary file -> write -> fsync -> rename -> fsync of the directory
 *
 * The target is hashed before anything is decoded: one that is up to date costs a read. A process
 * that dies leaves the target as it was, or complete, and at most its temporary file (see
 * temporary.h).
 *
 * Must not: follow a symbolic link at the target, touch anything but the target and our own
 * temporary files.
 */
#include "extract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asset.h"
#include "directory.h"
#include "output.h"
#include "sha256.h"
#include "temporary.h"

#define READ_SIZE (64 << 10)

static enum smk_result result_of_target(int error)
{
	switch (error) {
	case EISDIR:
	case ELOOP:
		return SMK_ERROR_TARGET;
	case ENAMETOOLONG:
		return SMK_ERROR_ARGUMENT;
	default:
		return result_from_errno(error);
	}
}

/* Whether the file has exactly the content that the facts tell of; part of it is another content. */
static bool has_content(int fd, const struct facts *facts)
{
	char buffer[READ_SIZE], hex[SMK_SHA256_HEX_SIZE];
	struct sha256 hash;
	ssize_t count;

	sha256_init(&hash);
	do {
		count = read(fd, buffer, sizeof(buffer));
		if (count > 0)
			sha256_update(&hash, buffer, (size_t)count);
	} while (count > 0 || (count < 0 && errno == EINTR));
	sha256_finish_hex(&hash, hex);
	return !strcmp(hex, facts->sha256);
}

/* A target that cannot be read is as good as one with other content: it is replaced. */
static bool is_current(const struct place *place, const struct facts *facts)
{
	int fd = openat(place->directory_fd, place->name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	bool is_same;

	if (fd < 0)
		return false;
	is_same = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		  (uintmax_t)status.st_size == facts->length && has_content(fd, facts);
	output_close(fd);
	return is_same;
}

/* Refuses what is not a regular file, before anything is opened: opening a device has effects. */
static enum smk_result look_at_target(const struct place *place, const struct facts *facts,
				      bool *ret_is_current)
{
	struct stat status;
	bool is_there =
		fstatat(place->directory_fd, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0;

	if (!is_there && errno != ENOENT)
		return result_of_target(errno);
	if (is_there && !S_ISREG(status.st_mode))
		return SMK_ERROR_TARGET;
	*ret_is_current =
		is_there && (uintmax_t)status.st_size == facts->length && is_current(place, facts);
	return SMK_OK;
}

static enum smk_result fill_and_rename(const struct place *place, const struct asset *asset,
				       const struct temporary *temporary)
{
	enum smk_result result =
		output_write(temporary->fd, asset->memory.bytes, asset->memory.length);

	if (result)
		return result;
	if (output_sync(temporary->fd) < 0)
		return result_from_errno(errno);
	if (renameat(place->directory_fd, temporary->name, place->directory_fd, place->name) < 0)
		return result_of_target(errno);
	return SMK_OK;
}

/* The temporary file keeps its lock until it has its final name; fsync has told every write error.
 */
static enum smk_result replace(const struct place *place, const struct asset *asset, unsigned mode)
{
	struct temporary temporary;
	enum smk_result result;

	temporary_remove_stale(place);
	result = temporary_create(place, mode, &temporary);
	if (result)
		return result;
	result = fill_and_rename(place, asset, &temporary);
	if (result)
		temporary_remove(place, &temporary);
	output_close(temporary.fd);
	return result ? result : directory_sync(place->directory_fd);
}

static enum smk_result extract_at(enum smk_asset which, const struct place *place)
{
	struct facts facts;
	struct asset *asset;
	bool is_done = false;
	enum smk_result result = asset_facts(which, &facts);

	if (!result)
		result = look_at_target(place, &facts, &is_done);
	if (result || is_done)
		return result;
	result = asset_acquire(which, &asset);
	if (result)
		return result;
	result = replace(place, asset, embedded[which].mode);
	asset_release(which, asset);
	return result;
}

enum smk_result extract_file(enum smk_asset which, const char *path, bool with_parents)
{
	struct place place;
	enum smk_result result = directory_open(path, with_parents, &place);

	if (result)
		return result;
	result = extract_at(which, &place);
	output_close(place.directory_fd);
	return result;
}
