// SPDX-License-Identifier: Apache-2.0
/*
 * Which disks and shares make the container's root: the layers by number or as smk.layers= lists
 * them, and the upper. The order is never the order of probing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/fs.h>

#include <smk/contract.h>

#include "init/discover.h"
#include "init/sys.h"

static const struct {
	const char *prefix; /* of an item of smk.layers= */
	enum device_kind device;
	enum source_kind source;
	const char *fstype; /* NULL: by magic */
} layer_kinds[] = {
	{"disk:", DEVICE_DISK, SOURCE_BLOCK, NULL},
	{"virtiofs:", DEVICE_VIRTIOFS, SOURCE_VIRTIOFS, "virtiofs"},
	{"9p:", DEVICE_9P, SOURCE_9P, "9p"},
};

#define LAYER_PREFIX "smk-layer-" /* of SMK_SERIAL_LAYER_FORMAT */

#define LAYER_KIND_COUNT (sizeof(layer_kinds) / sizeof(layer_kinds[0]))

static int make_store(size_t layer_count, struct discovered *ret, struct failure *f)
{
	struct source_store *store = calloc(
		1, sizeof(*store) + layer_count * (sizeof(*store->layers) + sizeof(*store->ids)));

	if (!store)
		return fail_sys(f, "malloc", "layers");
	store->layers = (struct plan_layer *)(store + 1);
	store->ids = (char(*)[DEVICE_LABEL_MAX])(store->layers + layer_count);
	ret->store = store;
	ret->sources.layers = store->layers;
	ret->sources.layer_count = layer_count;
	return 0;
}

/* Layer number `number` is the disk or share `name`. */
static int set_layer(const struct early *early, struct source_store *store, size_t number,
		     size_t kind, const char *name, const char *label, struct failure *f)
{
	struct plan_layer *layer = &store->layers[number];

	*layer = (struct plan_layer){
		.kind = layer_kinds[kind].source,
		.id = strcpy(store->ids[number], name),
		.fstype = layer_kinds[kind].fstype,
	};
	return layer->fstype ? 0 : discover_fstype(early, name, label, &layer->fstype, f);
}

/* The layer number in a serial or tag; -1: it names none. */
static long label_number(const char *label)
{
	char again[DEVICE_LABEL_MAX];
	unsigned number;

	if (strncmp(label, LAYER_PREFIX, strlen(LAYER_PREFIX)))
		return -1;
	number = (unsigned)strtoul(label + strlen(LAYER_PREFIX), NULL, 10);
	snprintf(again, sizeof(again), SMK_SERIAL_LAYER_FORMAT, number);
	return !strcmp(again, label) && number < PLAN_LAYERS_MAX ? (long)number : -1;
}

static int place_device(const struct machine *machine, const struct device *device, size_t kind,
			struct source_store *store, struct failure *f)
{
	long number = label_number(device->label);
	const char *name = device->kind == DEVICE_DISK ? device->name : device->label;

	if (number < 0)
		return 0;
	if (store->ids[number][0])
		return fail_err(f, 0, "find layers", device->name, "two layers are %s: %s and %s",
				device->label, store->ids[number], device->name);
	return set_layer(machine->early, store, (size_t)number, kind, name, device->label, f);
}

/* How many layers the labels promise: the highest number plus one. */
static int count_labels(const struct machine *machine, size_t *ret, struct failure *f)
{
	long highest = -1;

	for (size_t i = 0; i < machine->count; i++) {
		const struct device *device = &machine->devices[i];
		long number = label_number(device->label);

		if (number < 0 && !strncmp(device->label, LAYER_PREFIX, strlen(LAYER_PREFIX)))
			return fail_err(f, 0, "find layers", device->name,
					"%s \"%s\": layers are " SMK_SERIAL_LAYER_FORMAT
					" to " SMK_SERIAL_LAYER_FORMAT,
					device_kind_name(device->kind), device->label, 0u,
					PLAN_LAYERS_MAX - 1u);
		if (number > highest)
			highest = number;
	}
	*ret = (size_t)(highest + 1);
	return 0;
}

static int layers_by_label(const struct machine *machine, struct discovered *ret, struct failure *f)
{
	size_t count = 0;

	if (count_labels(machine, &count, f))
		return -1;
	if (count == 0 && machine->early->is_initramfs)
		return fail_err(f, 0, "find layers", "",
				"no disk, virtiofs or 9p share is named smk-layer-000, and there "
				"is no " SMK_KEY_LAYERS "=");
	if (make_store(count ? count : 1, ret, f))
		return -1;
	if (count == 0) {
		ret->store->layers[0] = (struct plan_layer){.kind = SOURCE_BOOT_ROOT, .id = ""};
		return 0;
	}
	for (size_t i = 0; i < machine->count; i++)
		for (size_t kind = 0; kind < LAYER_KIND_COUNT; kind++)
			if (machine->devices[i].kind == layer_kinds[kind].device &&
			    place_device(machine, &machine->devices[i], kind, ret->store, f))
				return -1;
	for (size_t i = 0; i < count; i++)
		if (!ret->store->ids[i][0])
			return fail_err(f, 0, "find layers", "",
					"layer " SMK_SERIAL_LAYER_FORMAT
					" is missing (the highest is " SMK_SERIAL_LAYER_FORMAT ")",
					(unsigned)i, (unsigned)count - 1);
	return 0;
}

/* An item without a kind is a disk by serial, a share by tag, or a disk by name, in that order. */
static int set_listed(const struct machine *machine, struct source_store *store, size_t number,
		      const char *item, struct failure *f)
{
	char name[DEVICE_NAME_MAX];

	for (size_t kind = 0; kind < LAYER_KIND_COUNT; kind++) {
		size_t length = strlen(layer_kinds[kind].prefix);
		bool is_named = !strncmp(item, layer_kinds[kind].prefix, length);
		const char *id = is_named ? item + length : item;
		const struct device *device;

		if (!is_named && strchr(item, ':'))
			continue;
		if (machine_find(machine, layer_kinds[kind].device, id, &device, f))
			return -1;
		if (device && layer_kinds[kind].device != DEVICE_DISK)
			return set_layer(machine->early, store, number, kind, id, id, f);
		if (device || (is_named && layer_kinds[kind].device == DEVICE_DISK))
			return machine_find_disk(machine, id, SMK_KEY_LAYERS, name, f) ||
					       set_layer(machine->early, store, number, kind, name,
							 id, f)
				       ? -1
				       : 0;
		if (is_named)
			return fail_config(f, SMK_KEY_LAYERS, "there is no %s \"%s\"",
					   device_kind_name(layer_kinds[kind].device), id);
	}
	if (machine_find_disk(machine, item, SMK_KEY_LAYERS, name, f))
		return -1;
	return set_layer(machine->early, store, number, 0, name, item, f);
}

/* Also under another name: overlayfs would refuse it with an error that says nothing. */
static int refuse_twice(const struct source_store *store, size_t number, const char *item,
			struct failure *f)
{
	for (size_t i = 0; i < number; i++)
		if (store->layers[i].kind == store->layers[number].kind &&
		    !strcmp(store->ids[i], store->ids[number]))
			return fail_config(f, SMK_KEY_LAYERS, "\"%s\" (%s) is listed twice", item,
					   store->ids[number]);
	return 0;
}

static int layers_by_list(const char *list, const struct machine *machine, struct discovered *ret,
			  struct failure *f)
{
	size_t count = 1;

	for (const char *p = list; *p; p++)
		count += *p == ',';
	if (make_store(count, ret, f))
		return -1;
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(list, ",");
		char item[DEVICE_LABEL_MAX];

		if (length >= sizeof(item))
			return fail_config(f, SMK_KEY_LAYERS, "\"%.40s...\" is too long for a name",
					   list);
		memcpy(item, list, length);
		item[length] = '\0';
		if (set_listed(machine, ret->store, i, item, f) ||
		    refuse_twice(ret->store, i, item, f))
			return -1;
		list += length + (list[length] == ',');
	}
	return 0;
}

static int upper_disk(const struct machine *machine, const char *name, const char *label,
		      struct discovered *ret, struct failure *f)
{
	AUTO_FD fd = -1;
	const char *fstype;
	int is_readonly;

	if (discover_fstype(machine->early, name, label, &fstype, f) ||
	    machine_open(machine->early, DEVICE_DISK, name, O_RDONLY, &fd, f))
		return -1;
	if (strcmp(fstype, "ext4"))
		return fail_err(f, 0, "find upper", name, "disk %s holds %s; the upper is ext4",
				label, fstype);
	if (ioctl(fd, BLKROGET, &is_readonly))
		return fail_sys(f, "ask whether it is read-only", name);
	if (is_readonly)
		return fail_err(f, 0, "find upper", name,
				"disk %s is read-only; the upper has to be writable", label);
	ret->sources.upper = UPPER_DISK;
	ret->sources.upper_id = strcpy(ret->store->upper, name);
	return 0;
}

static int find_upper(const struct bootargs *args, const struct machine *machine,
		      struct discovered *ret, struct failure *f)
{
	const char *value = args->upper;
	const struct device *device;
	char name[DEVICE_NAME_MAX];

	if (!value) {
		if (machine_find(machine, DEVICE_DISK, SMK_SERIAL_UPPER, &device, f))
			return -1;
		ret->sources.upper = UPPER_TMPFS;
		return device ? upper_disk(machine, device->name, device->label, ret, f) : 0;
	}
	if (!strncmp(value, "disk:", 5)) {
		if (machine_find_disk(machine, value + 5, SMK_KEY_UPPER, name, f))
			return -1;
		return upper_disk(machine, name, value + 5, ret, f);
	}
	ret->sources.upper = strcmp(value, "none") ? UPPER_TMPFS : UPPER_NONE;
	ret->sources.upper_size = strncmp(value, "tmpfs:", 6) ? NULL : value + 6;
	return 0;
}

int discover_layers(const struct bootargs *args, const struct machine *machine,
		    struct discovered *ret, struct failure *f)
{
	if (args->layers ? layers_by_list(args->layers, machine, ret, f)
			 : layers_by_label(machine, ret, f))
		return -1;
	return find_upper(args, machine, ret, f);
}
