// SPDX-License-Identifier: Apache-2.0
/* VMMs that are told by a command line: a shell script that works wherever it is called from. */
#include <stdlib.h>
#include <string.h>

#include <smk/contract.h>

#include "vmm.h"

static void print_script(const struct strings *argv, FILE *out)
{
	fprintf(out, "#!/bin/sh\ncd \"$(dirname \"$0\")\" || exit\nexec");
	for (size_t i = 0; i < argv->count; i++) {
		AUTO_FREE char *word = say_quoted(argv->items[i]);

		/* An option and its value are a line. */
		fprintf(out, "%s%s", argv->items[i][0] == '-' && i ? " \\\n\t" : " ", word);
	}
	fprintf(out, " \"$@\"\n");
}

int vmm_print_qemu(const struct vmm *vmm, const struct baked *baked, FILE *out, struct failure *f)
{
	const struct machine machine = {
		.accel = ACCEL_TCG,
		.memory_mib = baked->memory_mib,
		.cpus = baked->cpus,
		.kernel = baked->kernel,
		.initramfs = baked->initramfs,
		.layers = baked->layers,
		.image = baked->image,
		.upper = baked->upper,
		.upper_key = baked->upper_key,
		.append = baked->append,
		.net_fd = -1,
		.control_fd = -1,
		.console_fd = -1,
	};
	struct strings argv = {.count = 0};
	int result = machine_argv(&machine, "qemu-system-aarch64", &argv, f);

	(void)vmm; /* machine_argv knows the command line's words */
	if (!result)
		print_script(&argv, out);
	strings_finish(&argv);
	return result;
}

int vmm_print_cloud_hypervisor(const struct vmm *vmm, const struct baked *baked, FILE *out,
			       struct failure *f)
{
	struct strings argv = {.count = 0};
	AUTO_FREE char *line = NULL;

	if (vmm_command_line(vmm, baked, &line, f))
		return -1;
	strings_add(&argv, "cloud-hypervisor");
	strings_add(&argv, "--cpus");
	strings_add(&argv, "boot=%u", baked->cpus);
	strings_add(&argv, "--memory");
	strings_add(&argv, "size=%uM", baked->memory_mib);
	strings_add(&argv, "--kernel");
	strings_add(&argv, "%s", baked->kernel);
	strings_add(&argv, "--initramfs");
	strings_add(&argv, "%s", baked->initramfs);
	strings_add(&argv, "--cmdline");
	strings_add(&argv, "%s", line);
	strings_add(&argv, "--console");
	strings_add(&argv, "tty");
	strings_add(&argv, "--serial");
	strings_add(&argv, "off");
	strings_add(&argv, "--vsock");
	strings_add(&argv, "cid=3,socket=vm.sock");
	strings_add(&argv, "--disk");
	for (size_t i = 0; i < baked->layers->count; i++)
		strings_add(&argv, "path=%s,readonly=on,serial=" SMK_SERIAL_LAYER_FORMAT,
			    baked->layers->items[i], (unsigned)i);
	if (baked->upper)
		strings_add(&argv, "path=%s,serial=" SMK_SERIAL_UPPER, baked->upper);
	print_script(&argv, out);
	strings_finish(&argv);
	return 0;
}
