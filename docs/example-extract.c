// SPDX-License-Identifier: Apache-2.0
/* Writes what QEMU needs to boot:  cc example-extract.c $(pkg-config --cflags --libs smkernel) */
#include <smkernel.h>
#include <stdio.h>

int main(void)
{
	static const char config[] = "{\"ociVersion\": \"1.0.2\", \"root\": {\"path\": \"rootfs\"},"
				     "\"process\": {\"cwd\": \"/\", \"args\": [\"/bin/hello\"]}}";
	FILE *initramfs = fopen("initramfs.cpio", "wb");
	enum smk_result result = smk_extract_kernel_to("kernel");

	if (!result && initramfs)
		result = smk_initramfs_to_fd(config, sizeof(config) - 1, fileno(initramfs));
	if (!initramfs || fclose(initramfs) != 0 || result) {
		fprintf(stderr, "example-extract: %s\n", smk_result_string(result));
		return 1;
	}
	return 0;
}
