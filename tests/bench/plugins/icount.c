// SPDX-License-Identifier: Apache-2.0
// TCG plugin: how many instructions the guest executed up to each marker instruction.
//
//	-plugin build/bench/icount.so,out=FILE
//
// Each line of FILE: the marker's number, the instructions that all CPUs executed since reset, and
// how often all CPUs were idle at once until then (under -icount sleep=off: how often virtual time
// had to be skipped, that is, how many waits the boot contained). Blocks count as whole; the error
// is below one block.
#include "marker.h"
#include "plugin_api.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_CPUS 64

int qemu_plugin_version = PLUGIN_API_VERSION;

static uint64_t executed;
static uint64_t waits;
static bool is_idle[MAX_CPUS];
static unsigned int cpus = 1;
static FILE *out;

static void on_marker(unsigned int cpu, void *data)
{
	(void)cpu;
	fprintf(out, "%" PRIuPTR " %" PRIu64 " %" PRIu64 "\n", (uintptr_t)data, executed, waits);
	fflush(out);
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *block)
{
	size_t count = qemu_plugin_tb_n_insns(block);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(block, PLUGIN_ADD_U64, &executed, count);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
		int number = marker_number(qemu_plugin_insn_data(insn));

		if (number)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, PLUGIN_NO_REGISTERS,
							       (void *)(uintptr_t)number);
	}
}

static void on_idle(uint64_t id, unsigned int cpu)
{
	(void)id;
	is_idle[cpu] = true;
	for (unsigned int i = 0; i < cpus; i++)
		if (!is_idle[i])
			return;
	waits++;
}

static void on_resume(uint64_t id, unsigned int cpu)
{
	(void)id;
	is_idle[cpu] = false;
}

int qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "cpus=", 5))
			cpus = (unsigned int)strtoul(argv[i] + 5, NULL, 10);
	}
	if (!out || cpus < 1 || cpus > MAX_CPUS) {
		fprintf(stderr, "icount: needs out=FILE (writable) and cpus=1..%d\n", MAX_CPUS);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	qemu_plugin_register_vcpu_idle_cb(id, on_idle);
	qemu_plugin_register_vcpu_resume_cb(id, on_resume);
	return 0;
}
