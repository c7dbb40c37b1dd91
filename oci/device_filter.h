// SPDX-License-Identifier: Apache-2.0
// linux.resources.devices as a program for the kernel (eBPF).
#ifndef OCI_DEVICE_FILTER_H
#define OCI_DEVICE_FILTER_H

#include <stddef.h>

#include <linux/bpf.h>

#include "oci_linux.h"

/* Instructions that a program of `count` rules has at most. */
#define DEVICE_FILTER_LENGTH_MAX(count) (8 * (count) + 32)

/*
 * Writes the program into ret_code and returns its length. Of the rules the last one that matches
 * decides, for each of read, write and mknod on its own; what none matches is denied. After them come
 * the devices that every container may use, and the making of any node.
 */
size_t device_filter_make(const struct oci_device_rule *rules, size_t count,
			  struct bpf_insn *ret_code);

#endif
