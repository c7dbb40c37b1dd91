// SPDX-License-Identifier: Apache-2.0
/*
 * QEMU's command line for one container, as docs/boot-contract.md wants it. Nothing of the image or
 * of config.json stands in it: the configuration travels in the initramfs.
 */
#include "host.h"
#include "net.h"
#include "image/overrides.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <smk/contract.h>

#define MMIO_LAYERS_MAX  16
#define PCI_FUNCTIONS    8
#define COMMAND_LINE_MAX 2047 /* arm64's COMMAND_LINE_SIZE, less the NUL */

/*
 * For TCG a core without pointer authentication, whose emulation makes every function of the kernel
 * dearer, but with the atomics that today's distributions are built to use.
 */
static const struct {
	const char *accel;
	const char *cpu;
	const char *gic;
} accels[] = {
	[ACCEL_AUTO] = {NULL, NULL, NULL},
	[ACCEL_KVM] = {"kvm", "host", "max"},
	[ACCEL_TCG] = {"tcg", "neoverse-n1", "3"},
};
static_assert(sizeof(accels) / sizeof(accels[0]) == ACCEL__COUNT, "a row for each");

/* What the kernel is told, beside --append. */
static const char *const kernel_words[] = {
	"console=hvc0", "quiet",
	"panic=-1", /* a panic ends the VM at once: QEMU runs with -no-reboot */
};

static bool is_arm64_host(void)
{
	struct utsname name;

	return !uname(&name) && !strcmp(name.machine, "aarch64");
}

enum accel machine_accel(enum accel asked)
{
	if (asked != ACCEL_AUTO)
		return asked;
	if (!is_arm64_host())
		return ACCEL_TCG;
	return access("/dev/kvm", R_OK | W_OK) ? ACCEL_TCG : ACCEL_KVM;
}

int machine_check_accel(enum accel accel, struct failure *f)
{
	if (accel == ACCEL_TCG)
		return 0;
	if (!is_arm64_host())
		return fail_config(f, "",
				   "--accel %s: this host is no arm64 machine: use --accel tcg",
				   accels[accel].accel);
	if (accel == ACCEL_KVM && access("/dev/kvm", R_OK | W_OK))
		return fail_sys(f, "--accel kvm", "/dev/kvm");
	return 0;
}

/* QEMU ends a value at a comma; a doubled one is a comma. */
static char *escape_commas(const char *text)
{
	char *escaped = must_alloc(2 * strlen(text) + 1);
	size_t length = 0;

	for (; *text; text++) {
		escaped[length++] = *text;
		if (*text == ',')
			escaped[length++] = ',';
	}
	return escaped;
}

/* One line of them, in memory that the caller frees. */
static char *join_words(const struct strings *words)
{
	char *line = must_copy("");

	for (size_t i = 0; i < words->count; i++) {
		AUTO_FREE char *shorter = line;

		line = must_format("%s%s%s", shorter, i ? " " : "", words->items[i]);
	}
	return line;
}

static int add_command_line(const struct machine *machine, struct strings *argv, struct failure *f)
{
	struct strings words = {0};
	AUTO_FREE char *line = NULL;

	for (size_t i = 0; i < sizeof(kernel_words) / sizeof(kernel_words[0]); i++)
		strings_add(&words, "%s", kernel_words[i]);
	if (machine->upper_key)
		strings_add(&words, SMK_KEY_UPPER "=%s", machine->upper_key);
	net_add_words(machine->net, machine->net_fd, machine->append, &words);
	for (size_t i = 0; i < machine->append->count; i++)
		strings_add(&words, "%s", machine->append->items[i]);
	line = join_words(&words);
	strings_finish(&words);
	if (strlen(line) > COMMAND_LINE_MAX)
		return fail_config(
			f, "", "--append: the kernel's command line would be %zu bytes: at most %d",
			strlen(line), COMMAND_LINE_MAX);
	strings_add(argv, "-append");
	strings_add(argv, "%s", line);
	return 0;
}

static void add_drive(struct strings *argv, const char *id, const char *path, const char *options)
{
	AUTO_FREE char *escaped = escape_commas(path);

	strings_add(argv, "-drive");
	strings_add(argv, "if=none,id=%s,format=raw,%s,file=%s", id, options, escaped);
	strings_add(argv, "-device");
}

/*
 * The machine has 32 places for virtio devices over MMIO, found without a search. More layers than
 * those can take go to PCI Express: a port for each eight, eight ports in a slot.
 */
static void add_port(struct strings *argv, size_t port)
{
	strings_add(argv, "-device");
	strings_add(argv, "pcie-root-port,id=port%zu,chassis=%zu,addr=%zu.%zu%s", port, port + 1,
		    1 + port / PCI_FUNCTIONS, port % PCI_FUNCTIONS,
		    port % PCI_FUNCTIONS ? "" : ",multifunction=on");
}

static void add_layers(const struct machine *machine, struct strings *argv)
{
	const struct strings *layers = machine->layers;
	bool is_pci = layers->count > MMIO_LAYERS_MAX;

	for (size_t i = 0; i < layers->count; i++) {
		AUTO_FREE char *id = must_format("layer%zu", i);
		char serial[32];

		snprintf(serial, sizeof(serial), SMK_SERIAL_LAYER_FORMAT, (unsigned)i);
		if (is_pci && i % PCI_FUNCTIONS == 0)
			add_port(argv, i / PCI_FUNCTIONS);
		add_drive(argv, id, layers->items[i], "readonly=on");
		if (is_pci)
			strings_add(argv,
				    "virtio-blk-pci,drive=%s,serial=%s,bus=port%zu,addr=0.%zu%s,"
				    "disable-legacy=on,vectors=0,num-queues=1",
				    id, serial, i / PCI_FUNCTIONS, i % PCI_FUNCTIONS,
				    i % PCI_FUNCTIONS ? "" : ",multifunction=on");
		else
			strings_add(argv, "virtio-blk-device,drive=%s,serial=%s", id, serial);
	}
}

static void add_disks(const struct machine *machine, struct strings *argv)
{
	add_layers(machine, argv);
	if (!machine->upper)
		return;
	add_drive(argv, "upper", machine->upper,
		  machine->upper_is_temporary ? "cache=unsafe" : "cache=writeback");
	strings_add(argv, "virtio-blk-device,drive=upper,serial=" SMK_SERIAL_UPPER);
}

/* In QEMU itself: what the guest makes there is QEMU's user's. */
static void add_9p(struct strings *argv, const struct volume *volume, size_t index)
{
	AUTO_FREE char *path = escape_commas(volume->path);

	strings_add(argv, "-fsdev");
	strings_add(argv, "local,id=volume%zu,security_model=none,multidevs=remap%s,path=%s", index,
		    volume->is_readonly ? ",readonly=on" : "", path);
	strings_add(argv, "-device");
	strings_add(argv, "virtio-9p-device,fsdev=volume%zu,mount_tag=%s", index, volume->tag);
}

/* The server is at the socket's other end. */
static void add_virtiofs(struct strings *argv, const struct volume *volume, size_t index)
{
	strings_add(argv, "-chardev");
	strings_add(argv, "socket,id=volume%zu,fd=%d", index, volume->vmm_fd);
	strings_add(argv, "-device");
	strings_add(argv, "vhost-user-fs-device,chardev=volume%zu,tag=%s", index, volume->tag);
}

static void add_volumes(const struct machine *machine, struct strings *argv)
{
	for (size_t i = 0; i < machine->image->volume_count; i++) {
		const struct volume *volume = &machine->image->volumes[i];

		if (machine->image->volume_fs == VOLUME_FS_VIRTIOFS)
			add_virtiofs(argv, volume, i);
		else
			add_9p(argv, volume, i);
	}
}

/* A vhost-user device is a process beside QEMU, which has to see the guest's memory. */
static bool has_vhost_user(const struct machine *machine)
{
	return machine->net_fd >= 0 ||
	       (machine->image->volume_fs == VOLUME_FS_VIRTIOFS && machine->image->volume_count);
}

static void add_memory(const struct machine *machine, struct strings *argv)
{
	strings_add(argv, "-m");
	strings_add(argv, "%uM", machine->memory_mib);
	if (!has_vhost_user(machine))
		return;
	strings_add(argv, "-object");
	strings_add(argv, "memory-backend-memfd,id=memory,size=%uM,share=on", machine->memory_mib);
	strings_add(argv, "-machine");
	strings_add(argv, "memory-backend=memory");
}

/* The console and the control port; without descriptors the console is on stdio. */
static void add_console(const struct machine *machine, struct strings *argv)
{
	strings_add(argv, "-device");
	strings_add(argv, "virtio-serial-device,max_ports=4");
	strings_add(argv, "-chardev");
	if (machine->console_fd >= 0)
		strings_add(argv, "socket,id=console,fd=%d", machine->console_fd);
	else
		strings_add(argv, "stdio,id=console,signal=on");
	strings_add(argv, "-device");
	strings_add(argv, "virtconsole,chardev=console");
	if (machine->control_fd < 0)
		return;
	strings_add(argv, "-chardev");
	strings_add(argv, "socket,id=control,fd=%d", machine->control_fd);
	strings_add(argv, "-device");
	strings_add(argv, "virtserialport,chardev=control,name=" SMK_PORT_CONTROL);
}

static void add_words(struct strings *argv, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strings_add(argv, "%s", words[i]);
}

int machine_argv(const struct machine *machine, const char *program, struct strings *ret,
		 struct failure *f)
{
	static const char *const bare[] = {
		"-nodefaults",
		"-no-user-config",
		"-no-reboot",
		"-display",
		"none",
		"-monitor",
		"none",
		"-nic",
		"none",
		"-global",
		"virtio-mmio.force-legacy=false",
		/* A guest that breaks into QEMU finds no exec, no setuid and no odd system call. */
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
	};
	static const char *const rng[] = {
		"-object",
		"rng-random,id=rng,filename=/dev/urandom",
		"-device",
		"virtio-rng-device,rng=rng",
	};

	strings_add(ret, "%s", program);
	strings_add(ret, "-machine");
	strings_add(ret, "virt,gic-version=%s", accels[machine->accel].gic);
	strings_add(ret, "-accel");
	strings_add(ret, "%s", accels[machine->accel].accel);
	strings_add(ret, "-cpu");
	strings_add(ret, "%s", accels[machine->accel].cpu);
	strings_add(ret, "-smp");
	strings_add(ret, "%u", machine->cpus);
	add_memory(machine, ret);
	add_words(ret, bare, sizeof(bare) / sizeof(bare[0]));
	strings_add(ret, "-kernel");
	strings_add(ret, "%s", machine->kernel);
	strings_add(ret, "-initrd");
	strings_add(ret, "%s", machine->initramfs);
	if (add_command_line(machine, ret, f))
		return -1;
	add_disks(machine, ret);
	add_volumes(machine, ret);
	net_add_argv(machine->net, machine->net_fd, ret);
	add_console(machine, ret);
	add_words(ret, rng, sizeof(rng) / sizeof(rng[0]));
	return 0;
}
