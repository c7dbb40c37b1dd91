// SPDX-License-Identifier: Apache-2.0
/*
 * What the virtual machine is made of. Only virtio disks are asked for a serial: nothing else has
 * one that the contract names, and each question costs a request to the host.
 */
#include "init/machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/sys.h"

static const struct {
	const char *name;
	const char *directory; /* below /sys */
	const char *prefix;    /* of the entries that are devices */
	const char *attribute; /* that holds the label */
	mode_t node_type;      /* 0: has no device node */
} kinds[] = {
	[DEVICE_DISK] = {"disk", "block", "vd", "serial", S_IFBLK},
	[DEVICE_VIRTIOFS] = {"virtiofs share", "fs/virtiofs", "", "tag", 0},
	[DEVICE_9P] = {"9p share", "bus/virtio/drivers/9pnet_virtio", "virtio", "mount_tag", 0},
	[DEVICE_PORT] = {"virtio port", "class/virtio-ports", "vport", "name", S_IFCHR},
	[DEVICE_CONSOLE] = {"virtio console", "bus/virtio/drivers/virtio_console", "virtio",
			    "features", 0},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == DEVICE__COUNT, "one row a kind");

const char *device_kind_name(enum device_kind kind)
{
	return kinds[kind].name;
}

static int add_device(struct machine *machine, enum device_kind kind, int dir_fd, const char *name,
		      struct failure *f)
{
	struct device *grown;
	struct device *device;
	char path[DEVICE_NAME_MAX + 16];

	if (strlen(name) >= DEVICE_NAME_MAX)
		return fail_err(f, ENAMETOOLONG, "scan", name, "%s", kinds[kind].directory);
	/* Grows by doubling: the array is full whenever the count is a power of two from 8 on. */
	if (machine->count == 0 ||
	    (machine->count >= 8 && !(machine->count & (machine->count - 1)))) {
		grown = realloc(machine->devices,
				(machine->count ? machine->count * 2 : 8) * sizeof(*grown));
		if (!grown)
			return fail_sys(f, "malloc", kinds[kind].directory);
		machine->devices = grown;
	}
	device = &machine->devices[machine->count];
	*device = (struct device){.kind = kind};
	strcpy(device->name, name);
	snprintf(path, sizeof(path), "%.*s/%s", DEVICE_NAME_MAX - 1, name, kinds[kind].attribute);
	/* A device without the attribute has no label, nor has one that went meanwhile. */
	if (sys_read_text(dir_fd, path, device->label, sizeof(device->label)) < 0) {
		if (errno != ENOENT && errno != ENODEV)
			return fail_sys(f, "read", path);
		device->label[0] = '\0';
	}
	machine->count++;
	return 0;
}

static int scan_entries(struct machine *machine, enum device_kind kind, int dir_fd,
			const char *entries, size_t size, struct failure *f)
{
	size_t prefix_length = strlen(kinds[kind].prefix);

	for (size_t at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(entries + at);

		if (entry->d_name[0] != '.' &&
		    !strncmp(entry->d_name, kinds[kind].prefix, prefix_length) &&
		    add_device(machine, kind, dir_fd, entry->d_name, f))
			return -1;
		at += entry->d_reclen;
	}
	return 0;
}

int machine_scan(struct machine *machine, enum device_kind kind, struct failure *f)
{
	AUTO_FD dir_fd =
		sys_open(machine->early->sys_fd, kinds[kind].directory, O_RDONLY | O_DIRECTORY, 0);
	_Alignas(struct dirent64) char entries[2048];
	ssize_t size;

	if (dir_fd < 0 && errno == ENOENT)
		return 0; /* the kernel has no such driver */
	if (dir_fd < 0)
		return fail_sys(f, "open", kinds[kind].directory);
	/* No opendir(): its allocation and extra calls are a tenth of what a scan costs. */
	while ((size = getdents64(dir_fd, (void *)entries, sizeof(entries))) > 0)
		if (scan_entries(machine, kind, dir_fd, entries, (size_t)size, f))
			return -1;
	return size < 0 ? fail_sys(f, "getdents", kinds[kind].directory) : 0;
}

void machine_finish(struct machine *machine)
{
	free(machine->devices);
	*machine = (struct machine){0};
}

int machine_find(const struct machine *machine, enum device_kind kind, const char *label,
		 const struct device **ret, struct failure *f)
{
	const struct device *found = NULL;

	for (size_t i = 0; i < machine->count; i++) {
		const struct device *device = &machine->devices[i];

		if (device->kind != kind || strcmp(device->label, label))
			continue;
		if (found)
			return fail_err(f, 0, "find", device->name, "%s and %s are both %s %s",
					found->name, device->name, kinds[kind].name, label);
		found = device;
	}
	*ret = found;
	return 0;
}

/* The device number of a disk (or partition) or port, from sysfs. */
static int read_number(const struct early *early, enum device_kind kind, const char *name,
		       dev_t *ret)
{
	const char *directories[] = {kinds[kind].directory, "class/block"};
	char path[DEVICE_NAME_MAX + 64];
	char text[32];
	char *end;
	unsigned major;
	ssize_t length = -1;

	for (size_t i = 0; length < 0 && i < (kind == DEVICE_DISK ? 2 : 1); i++) {
		snprintf(path, sizeof(path), "%s/%s/dev", directories[i], name);
		length = sys_read_text(early->sys_fd, path, text, sizeof(text));
	}
	if (length < 0)
		return -1;
	major = (unsigned)strtoul(text, &end, 10);
	*ret = makedev(major, *end == ':' ? (unsigned)strtoul(end + 1, NULL, 10) : 0);
	return 0;
}

/* A node that an initramfs brought along may have another number: ours replaces it. */
static int make_node(const char *path, mode_t mode, dev_t number)
{
	if (!mknod(path, mode, number))
		return 0;
	return errno == EEXIST && !unlink(path) ? mknod(path, mode, number) : -1;
}

int machine_find_disk(const struct machine *machine, const char *id, const char *field,
		      char ret_name[static DEVICE_NAME_MAX], struct failure *f)
{
	const struct device *device;
	dev_t number;

	if (machine_find(machine, DEVICE_DISK, id, &device, f))
		return -1;
	if (!device && (strlen(id) >= DEVICE_NAME_MAX ||
			read_number(machine->early, DEVICE_DISK, id, &number)))
		return fail_config(f, field, "no disk has the serial or the name \"%s\"", id);
	strcpy(ret_name, device ? device->name : id);
	return 0;
}

int machine_open(const struct early *early, enum device_kind kind, const char *name, int flags,
		 int *ret_fd, struct failure *f)
{
	char path[DEVICE_NAME_MAX + 8];
	dev_t number;
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	if (!early->has_devtmpfs) {
		if (read_number(early, kind, name, &number))
			return fail_sys(f, "read device number", path);
		if (make_node(path, kinds[kind].node_type | 0600, number))
			return fail_sys(f, "mknod", path);
	}
	fd = sys_open(AT_FDCWD, path, flags | O_NOCTTY, 0);
	if (fd < 0)
		return fail_sys(f, "open", path);
	*ret_fd = fd;
	return 0;
}
