// SPDX-License-Identifier: Apache-2.0
/* The table of embedded assets: bytes from assets.S, facts from assets/manifest.json. */
#include "asset.h"

#include "assets.h"

extern const unsigned char embedded_kernel_xz[], embedded_kernel_xz_end[];
extern const unsigned char embedded_init_oci_xz[], embedded_init_oci_xz_end[];

const struct embedded embedded[ASSET_COUNT] = {
	[SMK_ASSET_KERNEL] =
		{
			.name = "kernel",
			.variable = "SUPERMACHINE_KERNEL_PATH",
			.xz = embedded_kernel_xz,
			.xz_end = embedded_kernel_xz_end,
			.raw_length = SMK_KERNEL_RAW_SIZE,
			.sha256 = SMK_KERNEL_RAW_SHA256,
			.version = SMK_KERNEL_VERSION,
			.mode = 0644,
		},
	[SMK_ASSET_INIT_OCI] =
		{
			.name = "init-oci",
			.variable = "SUPERMACHINE_INIT_OCI_PATH",
			.xz = embedded_init_oci_xz,
			.xz_end = embedded_init_oci_xz_end,
			.raw_length = SMK_INIT_OCI_RAW_SIZE,
			.sha256 = SMK_INIT_OCI_RAW_SHA256,
			.version = SMK_INIT_OCI_VERSION,
			.mode = 0755,
		},
};

_Static_assert(sizeof(SMK_KERNEL_RAW_SHA256) == SMK_SHA256_HEX_SIZE, "kernel digest");
_Static_assert(sizeof(SMK_INIT_OCI_RAW_SHA256) == SMK_SHA256_HEX_SIZE, "init-oci digest");
