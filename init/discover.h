// SPDX-License-Identifier: Apache-2.0
// The parts of discover, each in its own file.
#ifndef INIT_DISCOVER_H
#define INIT_DISCOVER_H

#include "init/guest.h"
#include "init/machine.h"

/* What plan_sources points to, in one allocation. */
struct source_store {
	char upper[DEVICE_NAME_MAX];
	char resolv_conf[1024];
	struct plan_layer *layers;
	char (*ids)[DEVICE_LABEL_MAX];
};

/* config.json, by the boot contract's order of sources. Sets ret->config*. */
int discover_config(const struct bootargs *args, const struct machine *machine,
		    struct discovered *ret, struct failure *f) FAIL_MUST_CHECK;
/* Layers and upper. Sets ret->sources and ret->store. */
int discover_layers(const struct bootargs *args, const struct machine *machine,
		    struct discovered *ret, struct failure *f) FAIL_MUST_CHECK;
/* Control channel and standard streams. Sets ret->control_fd and ret->stdio_fd. */
int discover_channels(const struct bootargs *args, struct machine *machine, struct discovered *ret,
		      struct failure *f) FAIL_MUST_CHECK;

/* The beginning of a disk: all superblocks lie in it. */
#define DISK_HEAD_BYTES 2048
struct disk_head {
	char path[DEVICE_NAME_MAX + 8];
	char name[DEVICE_LABEL_MAX + 16]; /* how messages call it */
	unsigned char bytes[DISK_HEAD_BYTES];
	uint64_t size; /* of the disk */
};

/* The file system on a disk, told by its magic. */
int discover_fstype(const struct early *early, const char *name, const char *label,
		    const char **ret, struct failure *f) FAIL_MUST_CHECK;
/* Pure: the same from the disk's beginning. One that is cut off is refused. */
int fstype_tell(const struct disk_head *head, const char **ret, struct failure *f) FAIL_MUST_CHECK;

#endif
