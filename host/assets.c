// SPDX-License-Identifier: Apache-2.0
/* The kernel as a file and the initramfs as a descriptor, both from libsmkernel; and smk assets. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <smkernel.h>

static int fail_smk(struct failure *f, enum smk_result result, const char *op, const char *path)
{
	bool has_errno = result == SMK_ERROR_OVERRIDE || result == SMK_ERROR_IO ||
			 result == SMK_ERROR_NO_SPACE;

	return fail_err(f, has_errno ? errno : 0, op, path, "%s", smk_result_string(result));
}

/*
 * The override's own path, once libsmkernel has checked its format. Otherwise the extraction in the
 * cache, whose name carries the build id. libsmkernel hashes what is there and replaces it when it
 * is wrong: a twentieth of what decoding anew would take.
 */
int assets_kernel(char **ret_path, struct failure *f)
{
	const char *override = getenv("SUPERMACHINE_KERNEL_PATH");
	AUTO_FREE char *directory = NULL;
	AUTO_FREE char *path = NULL;
	char id[SMK_BUILD_ID_SIZE];
	enum smk_result result;
	const void *bytes;
	size_t length;

	if (override && *override) {
		result = smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, &length);
		if (result)
			return fail_smk(f, result, "kernel", override);
		*ret_path = must_copy(override);
		return 0;
	}
	result = smk_asset_build_id(SMK_ASSET_KERNEL, id);
	if (result)
		return fail_smk(f, result, "kernel", NULL);
	if (cache_directory("assets", &directory, f))
		return -1;
	path = must_format("%s/%s", directory, id);
	say_progress("unpacking the kernel");
	result = smk_extract_to(SMK_ASSET_KERNEL, path);
	say_progress(NULL);
	if (result)
		return fail_smk(f, result, "kernel", path);
	*ret_path = path;
	path = NULL;
	return 0;
}

int assets_initramfs(const char *config, size_t length, int *ret_fd, struct failure *f)
{
	AUTO_FD fd = memfd_create("smk-initramfs", MFD_CLOEXEC);
	enum smk_result result;

	if (fd < 0)
		return fail_sys(f, "memfd_create", NULL);
	result = smk_initramfs_to_fd(config, length, fd);
	if (result)
		return fail_smk(f, result, "initramfs", getenv("SUPERMACHINE_INIT_OCI_PATH"));
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int assets_initramfs_file(const char *config, size_t length, const char *path, struct failure *f)
{
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum smk_result result;

	if (fd < 0)
		return fail_sys(f, "open", path);
	result = smk_initramfs_to_fd(config, length, fd);
	if (result)
		return fail_smk(f, result, "initramfs", path);
	return 0;
}

/* ---- smk assets -------------------------------------------------------------------------------
 */

static const struct {
	enum smk_asset asset;
	const char *name;
} assets[] = {
	{SMK_ASSET_KERNEL, "kernel"},
	{SMK_ASSET_INIT_OCI, "init-oci"},
};

#define ASSET_COUNT (sizeof(assets) / sizeof(assets[0]))

static int list(const char *unused, struct failure *f)
{
	(void)unused;
	for (size_t i = 0; i < ASSET_COUNT; i++) {
		enum smk_asset asset = assets[i].asset;
		char id[SMK_BUILD_ID_SIZE];
		char hex[SMK_SHA256_HEX_SIZE];
		enum smk_result result;
		const char *version;
		const void *xz;
		size_t xz_length;
		size_t length;

		if ((result = smk_asset_version(asset, &version)) ||
		    (result = smk_asset_length(asset, &length)) ||
		    (result = smk_asset_xz(asset, &xz, &xz_length)) ||
		    (result = smk_asset_sha256(asset, hex)) ||
		    (result = smk_asset_build_id(asset, id)))
			return fail_smk(f, result, assets[i].name, NULL);
		printf("%s\n  version   %s\n  bytes     %zu (%zu as xz)\n  sha256    %s\n"
		       "  build id  %s\n",
		       assets[i].name, version, length, xz_length, hex, id);
	}
	return 0;
}

static int extract(const char *directory, struct failure *f)
{
	enum smk_result result = smk_extract_all(directory);

	if (result)
		return fail_smk(f, result, "extract", directory);
	return 0;
}

/* Decoding checks the SHA-256 and the format. */
static int verify(const char *unused, struct failure *f)
{
	(void)unused;
	for (size_t i = 0; i < ASSET_COUNT; i++) {
		const void *bytes;
		size_t length;
		enum smk_result result = smk_asset_bytes(assets[i].asset, &bytes, &length);

		if (result)
			return fail_smk(f, result, "verify", assets[i].name);
		printf("%s: ok, %zu bytes\n", assets[i].name, length);
	}
	return 0;
}

static const struct {
	const char *name;
	bool has_argument;
	int (*run)(const char *argument, struct failure *f);
} actions[] = {
	{"list", false, list},
	{"extract", true, extract},
	{"verify", false, verify},
};

int command_assets(int argc, char *const *argv, struct failure *f)
{
	const char *name = argc ? argv[0] : "list";

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name))
			continue;
		if (argc > 1 + actions[i].has_argument)
			return fail_config(f, "", "assets %s: too many words", name);
		if (actions[i].has_argument && argc < 2)
			return fail_config(f, "", "assets %s needs a directory", name);
		return actions[i].run(actions[i].has_argument ? argv[1] : NULL, f);
	}
	return fail_config(f, "", "assets %s: list, extract DIR or verify", name);
}
