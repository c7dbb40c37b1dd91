// SPDX-License-Identifier: Apache-2.0
/*
 * tool COMMAND ASSET [PATH]: one call of libsmkernel for tests that watch a process from outside.
 * Exits with the result's number and prints its words (with errno) on standard error.
 *
 *   to, parents  extract ASSET (kernel, init-oci) to PATH
 *   all          extract both into the directory PATH
 *   fd           write ASSET to standard output
 *   memfd        check that a memfd can be had
 *   cpio         initramfs of PATH's JSON to standard output
 *   xz           write ASSET's embedded xz
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "smkernel.h"

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static enum smk_result run_to(enum smk_asset asset, const char *path)
{
	return smk_extract_to(asset, path);
}

static enum smk_result run_parents(enum smk_asset asset, const char *path)
{
	return smk_extract_to_with_parents(asset, path);
}

static enum smk_result run_fd(enum smk_asset asset, const char *path)
{
	(void)path;
	return smk_extract_to_fd(asset, 1);
}

static enum smk_result run_all(enum smk_asset asset, const char *path)
{
	(void)asset;
	return smk_extract_all(path);
}

static enum smk_result run_cpio(enum smk_asset asset, const char *path)
{
	(void)asset;
	return smk_initramfs_to_fd(path, strlen(path), 1);
}

static enum smk_result run_memfd(enum smk_asset asset, const char *path)
{
	int fd;
	enum smk_result result = smk_asset_memfd(asset, &fd);
	char buffer[4096];
	ssize_t count;

	(void)path;
	if (result)
		return result;
	if ((fcntl(fd, F_GET_SEALS) & ALL_SEALS) != ALL_SEALS)
		return SMK_ERROR_IO;
	while ((count = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)count) != count)
			return SMK_ERROR_IO;
	close(fd);
	return SMK_OK;
}

static enum smk_result run_xz(enum smk_asset asset, const char *path)
{
	const void *bytes;
	size_t length;
	enum smk_result result = smk_asset_xz(asset, &bytes, &length);

	(void)path;
	if (!result && write(1, bytes, length) != (ssize_t)length)
		return SMK_ERROR_IO;
	return result;
}

static const struct {
	const char *name;
	enum smk_result (*run)(enum smk_asset asset, const char *path);
} commands[] = {
	{"to", run_to},     {"parents", run_parents}, {"fd", run_fd}, {"all", run_all},
	{"cpio", run_cpio}, {"memfd", run_memfd},     {"xz", run_xz},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 3 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		enum smk_asset asset;
		enum smk_result result;

		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		asset = strcmp(argv[2], "kernel") == 0 ? SMK_ASSET_KERNEL : SMK_ASSET_INIT_OCI;
		errno = 0;
		result = commands[i].run(asset, argc > 3 ? argv[3] : "");
		fprintf(stderr, "%s (%s)\n", smk_result_string(result), strerror(errno));
		return (int)result;
	}
	fprintf(stderr, "usage: tool COMMAND ASSET [PATH]\n");
	return 100;
}
