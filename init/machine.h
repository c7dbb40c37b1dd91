// SPDX-License-Identifier: Apache-2.0
/*
 * What the virtual machine is made of, as far as the boot contract names it: disks by serial,
 * shared directories by tag, serial ports by name. Read once from sysfs.
 */
#ifndef INIT_MACHINE_H
#define INIT_MACHINE_H

#include <stddef.h>

#include "init/guest.h"

enum device_kind {
	DEVICE_DISK,
	DEVICE_VIRTIOFS,
	DEVICE_9P,
	DEVICE_PORT,
	DEVICE_CONSOLE, /* label: its virtio feature bits, lowest first, as '0' and '1' */
	DEVICE__COUNT,
};

#define DEVICE_NAME_MAX  32
#define DEVICE_LABEL_MAX 64

struct device {
	enum device_kind kind;
	char name[DEVICE_NAME_MAX];   /* the kernel's: "vda", "vport0p1" */
	char label[DEVICE_LABEL_MAX]; /* the VMM's: serial, tag or port name; "" when it gave none
				       */
};

struct machine {
	const struct early *early;
	struct device *devices; /* allocated; machine_finish() */
	size_t count;
};

const char *device_kind_name(enum device_kind kind);

/* Adds the devices of one kind that are there now. */
int machine_scan(struct machine *machine, enum device_kind kind, struct failure *f) FAIL_MUST_CHECK;
void machine_finish(struct machine *machine);

/* The one device of this kind with this label; *ret is NULL when there is none, two are an error.
 */
int machine_find(const struct machine *machine, enum device_kind kind, const char *label,
		 const struct device **ret, struct failure *f) FAIL_MUST_CHECK;
/*
 * A disk by serial, or else by the kernel's name (which also covers disks without serials). Writes
 * its kernel name. field: which key asked.
 */
int machine_find_disk(const struct machine *machine, const char *id, const char *field,
		      char ret_name[static DEVICE_NAME_MAX], struct failure *f) FAIL_MUST_CHECK;

/* Makes /dev/NAME for a disk or port, and opens it. flags: O_RDONLY and the like */
int machine_open(const struct early *early, enum device_kind kind, const char *name, int flags,
		 int *ret_fd, struct failure *f) FAIL_MUST_CHECK;

#endif
