// SPDX-License-Identifier: Apache-2.0
// pack CONFIG KERNEL INITRAMFS: writes what the bench machine boots, from the embedded assets.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <smkernel.h>

#define CONFIG_MAX (1 << 20)

static enum smk_result write_initramfs(const char *config_path, const char *path)
{
	static char config[CONFIG_MAX];
	int in = open(config_path, O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t length = in < 0 ? -1 : read(in, config, sizeof(config));

	if (length < 0 || out < 0)
		return SMK_ERROR_IO;
	return smk_initramfs_to_fd(config, (size_t)length, out);
}

int main(int argc, char **argv)
{
	enum smk_result result;

	if (argc != 4) {
		fprintf(stderr, "usage: pack CONFIG KERNEL INITRAMFS\n");
		return 2;
	}
	result = smk_extract_to(SMK_ASSET_KERNEL, argv[2]);
	if (result == SMK_OK)
		result = write_initramfs(argv[1], argv[3]);
	if (result != SMK_OK)
		fprintf(stderr, "pack: %s\n", smk_result_string(result));
	return result != SMK_OK;
}
