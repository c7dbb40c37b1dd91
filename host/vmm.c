// SPDX-License-Identifier: Apache-2.0
/* The table of VMMs, and those that are told by JSON. Nothing here was run but QEMU's. */
#include "vmm.h"

#include <stdlib.h>
#include <string.h>

#include <smk/contract.h>

#include "oci/writer.h"

#define COMMAND_LINE_MAX 2047 /* arm64's COMMAND_LINE_SIZE, less the NUL */
#define CONTROL_PORT     "5000"

static int print_firecracker(const struct vmm *vmm, const struct baked *baked, FILE *out,
			     struct failure *f);
static int print_libkrun(const struct vmm *vmm, const struct baked *baked, FILE *out,
			 struct failure *f);
static int print_vz(const struct vmm *vmm, const struct baked *baked, FILE *out, struct failure *f);

const struct vmm vmms[] = {
	{"qemu", "qemu.sh", "console=hvc0 quiet panic=-1", "", true, vmm_print_qemu},
	{"firecracker", "firecracker.json", "console=ttyS0 quiet panic=-1",
	 SMK_KEY_CONTROL "=vsock:" CONTROL_PORT, false, print_firecracker},
	{"cloud-hypervisor", "cloud-hypervisor.sh", "console=hvc0 quiet panic=-1",
	 SMK_KEY_CONTROL "=vsock:" CONTROL_PORT, true, vmm_print_cloud_hypervisor},
	{"libkrun", "libkrun.json", "console=hvc0 quiet panic=-1", "", false, print_libkrun},
	{"vz", "vz.json", "console=hvc0 quiet panic=-1", "", true, print_vz},
};
const size_t vmm_count = sizeof(vmms) / sizeof(vmms[0]);
_Static_assert(sizeof(vmms) / sizeof(vmms[0]) <= VMM_MAX, "room for all");

const struct vmm *vmm_find(const char *name)
{
	for (size_t i = 0; i < vmm_count; i++)
		if (!strcmp(vmms[i].name, name))
			return &vmms[i];
	return NULL;
}

/* ---- the kernel's command line -------------------------------------------------------------- */

static void add_word(char **line, const char *key, const char *value)
{
	AUTO_FREE char *shorter = *line;

	if (*key || *value)
		*line = must_format("%s %s%s%s", shorter, key, *key ? "=" : "", value);
	else
		*line = must_copy(shorter);
}

/* vda, ..., vdz, vdaa, ...: as the kernel counts. */
static char *device_name(size_t index)
{
	char letters[8];
	size_t at = sizeof(letters) - 1;

	letters[at] = '\0';
	for (index++; index; index = (index - 1) / 26)
		letters[--at] = (char)('a' + (index - 1) % 26);
	return must_format("vd%s", letters + at);
}

/* Disks that have no serial are named, in the order in which they are attached. */
static void add_names(char **line, const struct baked *baked)
{
	AUTO_FREE char *names = must_copy("");

	for (size_t i = 0; i < baked->layers->count; i++) {
		AUTO_FREE char *shorter = names;
		AUTO_FREE char *name = device_name(i);

		names = must_format("%s%s%s", shorter, i ? "," : "", name);
	}
	add_word(line, SMK_KEY_LAYERS, names);
	if (baked->upper) {
		AUTO_FREE char *name = device_name(baked->layers->count);
		AUTO_FREE char *value = must_format("disk:%s", name);

		add_word(line, SMK_KEY_UPPER, value);
	}
}

int vmm_command_line(const struct vmm *vmm, const struct baked *baked, char **ret,
		     struct failure *f)
{
	AUTO_FREE char *line = must_copy(vmm->words);

	if (!vmm->has_serials)
		add_names(&line, baked);
	if (baked->upper_key)
		add_word(&line, SMK_KEY_UPPER, baked->upper_key);
	add_word(&line, "", vmm->control);
	for (size_t i = 0; i < baked->append->count; i++)
		add_word(&line, "", baked->append->items[i]);
	if (strlen(line) > COMMAND_LINE_MAX)
		return fail_err(f, 0, "", vmm->name,
				"the kernel's command line would be %zu bytes, at most %d: use "
				"--flatten",
				strlen(line), COMMAND_LINE_MAX);
	*ret = line;
	line = NULL;
	return 0;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* One document, written twice: for its length, then for good. */
static int print_json(void (*write)(struct writer *writer, const struct baked *baked,
				    const char *command_line),
		      const struct vmm *vmm, const struct baked *baked, FILE *out,
		      struct failure *f)
{
	AUTO_FREE char *line = NULL;
	AUTO_FREE char *text = NULL;
	char nothing[1];
	struct writer writer = {.text = nothing, .size = sizeof(nothing)};
	size_t length;

	if (vmm_command_line(vmm, baked, &line, f))
		return -1;
	write(&writer, baked, line);
	length = write_finish(&writer);
	text = must_alloc(length + 1);
	writer = (struct writer){.text = text, .size = length + 1};
	write(&writer, baked, line);
	write_finish(&writer);
	fprintf(out, "%s\n", text);
	return 0;
}

static void write_drive(struct writer *writer, const char *path, const char *id, bool is_readonly)
{
	write_open(writer, NULL, '{');
	write_string(writer, "drive_id", id);
	write_string(writer, "path_on_host", path);
	write_bool(writer, "is_root_device", false);
	write_bool(writer, "is_read_only", is_readonly);
	write_close(writer, '}');
}

static void write_firecracker(struct writer *writer, const struct baked *baked, const char *line)
{
	write_open(writer, NULL, '{');
	write_open(writer, "boot-source", '{');
	write_string(writer, "kernel_image_path", baked->kernel);
	write_string(writer, "initrd_path", baked->initramfs);
	write_string(writer, "boot_args", line);
	write_close(writer, '}');
	write_open(writer, "drives", '[');
	for (size_t i = 0; i < baked->layers->count; i++) {
		AUTO_FREE char *id = must_format("layer%zu", i);

		write_drive(writer, baked->layers->items[i], id, true);
	}
	if (baked->upper)
		write_drive(writer, baked->upper, "upper", false);
	write_close(writer, ']');
	write_open(writer, "machine-config", '{');
	write_uint(writer, "vcpu_count", baked->cpus);
	write_uint(writer, "mem_size_mib", baked->memory_mib);
	write_close(writer, '}');
	write_open(writer, "vsock", '{');
	write_uint(writer, "guest_cid", 3);
	write_string(writer, "uds_path", "vm.sock");
	write_close(writer, '}');
	write_close(writer, '}');
}

static int print_firecracker(const struct vmm *vmm, const struct baked *baked, FILE *out,
			     struct failure *f)
{
	return print_json(write_firecracker, vmm, baked, out, f);
}

/* libkrun is a library: its calls, in their order, with all arguments after the context. */
static void open_call(struct writer *writer, const char *name)
{
	write_open(writer, NULL, '{');
	write_string(writer, "call", name);
	write_open(writer, "arguments", '[');
}

static void close_call(struct writer *writer)
{
	write_close(writer, ']');
	write_close(writer, '}');
}

static void write_krun_disk(struct writer *writer, const char *id, const char *path,
			    bool is_readonly)
{
	open_call(writer, "krun_add_disk2");
	write_string(writer, NULL, id);
	write_string(writer, NULL, path);
	write_string(writer, NULL, "KRUN_DISK_FORMAT_RAW");
	write_bool(writer, NULL, is_readonly);
	close_call(writer);
}

static void write_libkrun(struct writer *writer, const struct baked *baked, const char *line)
{
	write_open(writer, NULL, '[');
	open_call(writer, "krun_set_vm_config");
	write_uint(writer, NULL, baked->cpus);
	write_uint(writer, NULL, baked->memory_mib);
	close_call(writer);
	open_call(writer, "krun_set_kernel");
	write_string(writer, NULL, baked->kernel);
	write_string(writer, NULL, "KRUN_KERNEL_FORMAT_RAW");
	write_string(writer, NULL, baked->initramfs);
	write_string(writer, NULL, line);
	close_call(writer);
	for (size_t i = 0; i < baked->layers->count; i++) {
		AUTO_FREE char *id = must_format("layer%zu", i);

		write_krun_disk(writer, id, baked->layers->items[i], true);
	}
	if (baked->upper)
		write_krun_disk(writer, "upper", baked->upper, false);
	open_call(writer, "krun_disable_implicit_console");
	close_call(writer);
	open_call(writer, "krun_add_virtio_console_multiport");
	close_call(writer);
	open_call(writer, "krun_add_console_port_inout"); /* port 0 is hvc0 */
	write_string(writer, NULL, "CONSOLE");            /* what the call before has returned */
	write_string(writer, NULL, "");
	write_uint(writer, NULL, 0);
	write_uint(writer, NULL, 1);
	close_call(writer);
	write_close(writer, ']');
}

static int print_libkrun(const struct vmm *vmm, const struct baked *baked, FILE *out,
			 struct failure *f)
{
	return print_json(write_libkrun, vmm, baked, out, f);
}

static void write_vz_disk(struct writer *writer, const char *path, const char *serial,
			  bool is_readonly)
{
	write_open(writer, NULL, '{');
	write_string(writer, "url", path);
	write_bool(writer, "readOnly", is_readonly);
	write_string(writer, "blockDeviceIdentifier", serial);
	write_close(writer, '}');
}

/* The properties of a VZVirtualMachineConfiguration, by their names. */
static void write_vz(struct writer *writer, const struct baked *baked, const char *line)
{
	write_open(writer, NULL, '{');
	write_open(writer, "bootLoader", '{');
	write_string(writer, "kernelURL", baked->kernel);
	write_string(writer, "initialRamdiskURL", baked->initramfs);
	write_string(writer, "commandLine", line);
	write_close(writer, '}');
	write_uint(writer, "cpuCount", baked->cpus);
	write_uint(writer, "memorySize", (uint64_t)baked->memory_mib << 20);
	write_open(writer, "storageDevices", '[');
	for (size_t i = 0; i < baked->layers->count; i++) {
		AUTO_FREE char *serial = must_format(SMK_SERIAL_LAYER_FORMAT, (unsigned)i);

		write_vz_disk(writer, baked->layers->items[i], serial, true);
	}
	if (baked->upper)
		write_vz_disk(writer, baked->upper, SMK_SERIAL_UPPER, false);
	write_close(writer, ']');
	write_open(writer, "consolePorts", '[');
	write_open(writer, NULL, '{');
	write_bool(writer, "isConsole", true);
	write_close(writer, '}');
	write_open(writer, NULL, '{');
	write_string(writer, "name", SMK_PORT_CONTROL);
	write_close(writer, '}');
	write_close(writer, ']');
	write_close(writer, '}');
}

static int print_vz(const struct vmm *vmm, const struct baked *baked, FILE *out, struct failure *f)
{
	return print_json(write_vz, vmm, baked, out, f);
}
