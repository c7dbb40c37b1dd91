// SPDX-License-Identifier: Apache-2.0
/* The files that every baked directory has, or may have. */
#ifndef HOST_BAKED_H
#define HOST_BAKED_H

#define BAKED_KERNEL    "kernel"
#define BAKED_INITRAMFS "initramfs"
#define BAKED_CONFIG    "config.json"
#define BAKED_UPPER     "upper.ext4"
#define BAKED_MANIFEST  "manifest.json"

#endif
