// SPDX-License-Identifier: Apache-2.0
/* The public functions: arguments are checked here, the work is done elsewhere. */
#include "smkernel.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asset.h"
#include "extract.h"
#include "initramfs.h"
#include "output.h"

#define CONFIG_MAX      ((size_t)4 << 20)
#define BUILD_ID_DIGITS 32

static bool is_asset(enum smk_asset asset)
{
	return (unsigned)asset < ASSET_COUNT;
}

static bool is_path(const char *path)
{
	return path && *path && strnlen(path, PATH_MAX) < PATH_MAX;
}

const char *smk_result_string(enum smk_result result)
{
	static const char *const words[] = {
		[SMK_OK] = "success",
		[SMK_ERROR_ARGUMENT] = "invalid argument",
		[SMK_ERROR_NO_MEMORY] = "out of memory",
		[SMK_ERROR_MEMORY_LIMIT] = "decoding needs more memory than the limit allows",
		[SMK_ERROR_DATA] = "the embedded asset is damaged",
		[SMK_ERROR_CHECKSUM] = "the decoded asset has another checksum",
		[SMK_ERROR_FORMAT] = "not an uncompressed arm64 Image or static aarch64 executable",
		[SMK_ERROR_OVERRIDE] = "the file named in the environment cannot be read",
		[SMK_ERROR_NO_DIRECTORY] = "the target's directory does not exist",
		[SMK_ERROR_TARGET] = "the target is not a regular file",
		[SMK_ERROR_NO_SPACE] = "no space left for the target",
		[SMK_ERROR_IO] = "system error",
		[SMK_ERROR_CONFIG] = "config.json is empty or too large",
	};

	if ((size_t)result >= sizeof(words) / sizeof(words[0]))
		return "unknown result";
	return words[result];
}

const char *smk_version(void)
{
	return SMK_VERSION;
}

enum smk_result smk_asset_length(enum smk_asset asset, size_t *ret_length)
{
	struct facts facts;
	enum smk_result result;

	if (!is_asset(asset) || !ret_length)
		return SMK_ERROR_ARGUMENT;
	result = asset_facts(asset, &facts);
	if (!result)
		*ret_length = facts.length;
	return result;
}

enum smk_result smk_asset_sha256(enum smk_asset asset, char ret_hex[SMK_SHA256_HEX_SIZE])
{
	struct facts facts;
	enum smk_result result;

	if (!is_asset(asset) || !ret_hex)
		return SMK_ERROR_ARGUMENT;
	result = asset_facts(asset, &facts);
	if (!result)
		memcpy(ret_hex, facts.sha256, SMK_SHA256_HEX_SIZE);
	return result;
}

enum smk_result smk_asset_build_id(enum smk_asset asset, char ret_id[SMK_BUILD_ID_SIZE])
{
	struct facts facts;
	enum smk_result result;

	if (!is_asset(asset) || !ret_id)
		return SMK_ERROR_ARGUMENT;
	result = asset_facts(asset, &facts);
	if (!result)
		snprintf(ret_id, SMK_BUILD_ID_SIZE, "%s-%.*s", embedded[asset].name,
			 BUILD_ID_DIGITS, facts.sha256);
	return result;
}

enum smk_result smk_asset_version(enum smk_asset asset, const char **ret_version)
{
	if (!is_asset(asset) || !ret_version)
		return SMK_ERROR_ARGUMENT;
	*ret_version = asset_override(asset) ? "override" : embedded[asset].version;
	return SMK_OK;
}

enum smk_result smk_asset_xz(enum smk_asset asset, const void **ret_bytes, size_t *ret_length)
{
	if (!is_asset(asset) || !ret_bytes || !ret_length)
		return SMK_ERROR_ARGUMENT;
	*ret_bytes = embedded[asset].xz;
	*ret_length = (size_t)(embedded[asset].xz_end - embedded[asset].xz);
	return SMK_OK;
}

enum smk_result smk_asset_bytes(enum smk_asset asset, const void **ret_bytes, size_t *ret_length)
{
	struct asset *found;
	enum smk_result result;

	if (!is_asset(asset) || !ret_bytes || !ret_length)
		return SMK_ERROR_ARGUMENT;
	result = asset_acquire(asset, &found);
	if (result)
		return result;
	*ret_bytes = found->memory.bytes;
	*ret_length = found->memory.length;
	asset_release(asset, found); /* the cache still has it */
	return SMK_OK;
}

enum smk_result smk_asset_memfd(enum smk_asset asset, int *ret_fd)
{
	struct asset *found;
	enum smk_result result;

	if (!is_asset(asset) || !ret_fd)
		return SMK_ERROR_ARGUMENT;
	result = asset_acquire(asset, &found);
	if (result)
		return result;
	result = memory_open(&found->memory, ret_fd);
	asset_release(asset, found);
	return result;
}

void smk_cache_drop(void)
{
	asset_drop_all();
}

void smk_set_memory_limit(size_t bytes)
{
	asset_set_memory_limit(bytes);
}

enum smk_result smk_extract_to(enum smk_asset asset, const char *path)
{
	if (!is_asset(asset) || !is_path(path))
		return SMK_ERROR_ARGUMENT;
	return extract_file(asset, path, false);
}

enum smk_result smk_extract_to_with_parents(enum smk_asset asset, const char *path)
{
	if (!is_asset(asset) || !is_path(path))
		return SMK_ERROR_ARGUMENT;
	return extract_file(asset, path, true);
}

enum smk_result smk_extract_to_fd(enum smk_asset asset, int fd)
{
	struct asset *found;
	enum smk_result result;

	if (!is_asset(asset) || fd < 0)
		return SMK_ERROR_ARGUMENT;
	result = asset_acquire(asset, &found);
	if (result)
		return result;
	result = output_write(fd, found->memory.bytes, found->memory.length);
	asset_release(asset, found);
	return result;
}

enum smk_result smk_extract_all(const char *directory)
{
	if (!is_path(directory))
		return SMK_ERROR_ARGUMENT;
	for (unsigned i = 0; i < ASSET_COUNT; i++) {
		char path[PATH_MAX];
		int length = snprintf(path, sizeof(path), "%s/%s", directory, embedded[i].name);
		enum smk_result result;

		if (length >= (int)sizeof(path))
			return SMK_ERROR_ARGUMENT;
		result = extract_file((enum smk_asset)i, path, false);
		if (result)
			return result;
	}
	return SMK_OK;
}

enum smk_result smk_extract_kernel_to(const char *path)
{
	return smk_extract_to(SMK_ASSET_KERNEL, path);
}

enum smk_result smk_extract_kernel_to_with_parents(const char *path)
{
	return smk_extract_to_with_parents(SMK_ASSET_KERNEL, path);
}

enum smk_result smk_extract_init_oci_to(const char *path)
{
	return smk_extract_to(SMK_ASSET_INIT_OCI, path);
}

enum smk_result smk_extract_init_oci_to_with_parents(const char *path)
{
	return smk_extract_to_with_parents(SMK_ASSET_INIT_OCI, path);
}

static enum smk_result check_config(const void *config, size_t length)
{
	if (!config)
		return SMK_ERROR_ARGUMENT;
	return length == 0 || length > CONFIG_MAX ? SMK_ERROR_CONFIG : SMK_OK;
}

/* The archive's bytes as one new allocation. */
static enum smk_result join(const struct initramfs *archive, void **ret_bytes, size_t *ret_length)
{
	char *bytes = malloc(archive->length), *next = bytes;

	if (!bytes)
		return SMK_ERROR_NO_MEMORY;
	for (size_t i = 0; i < archive->count; i++) {
		memcpy(next, archive->parts[i].iov_base, archive->parts[i].iov_len);
		next += archive->parts[i].iov_len;
	}
	*ret_bytes = bytes;
	*ret_length = archive->length;
	return SMK_OK;
}

enum smk_result smk_initramfs_bytes(const void *config, size_t config_length, void **ret_bytes,
				    size_t *ret_length)
{
	struct initramfs archive;
	struct asset *init;
	enum smk_result result = check_config(config, config_length);

	if (result || !ret_bytes || !ret_length)
		return result ? result : SMK_ERROR_ARGUMENT;
	result = asset_acquire(SMK_ASSET_INIT_OCI, &init);
	if (result)
		return result;
	initramfs_build(init->memory.bytes, init->memory.length, config, config_length, &archive);
	result = join(&archive, ret_bytes, ret_length);
	asset_release(SMK_ASSET_INIT_OCI, init);
	return result;
}

void smk_free(void *bytes)
{
	free(bytes);
}

enum smk_result smk_initramfs_to_fd(const void *config, size_t config_length, int fd)
{
	struct initramfs archive;
	struct asset *init;
	enum smk_result result = check_config(config, config_length);

	if (result || fd < 0)
		return result ? result : SMK_ERROR_ARGUMENT;
	result = asset_acquire(SMK_ASSET_INIT_OCI, &init);
	if (result)
		return result;
	initramfs_build(init->memory.bytes, init->memory.length, config, config_length, &archive);
	for (size_t i = 0; i < archive.count && !result; i++)
		result = output_write(fd, archive.parts[i].iov_base, archive.parts[i].iov_len);
	asset_release(SMK_ASSET_INIT_OCI, init);
	return result;
}
