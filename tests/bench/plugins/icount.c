// SPDX-License-Identifier: Apache-2.0
// TCG plugin: how many instructions the guest executed up to each marker instruction.
//
//	-plugin build/bench/icount.so,out=FILE
//
// A marker from hint #87 to #93 prints "NUMBER INSTRUCTIONS", what all CPUs executed since reset.
// Blocks count as whole; the error is below one block. Hints #94 and #95 are the bits 0 and 1 of a
// number, most significant first; 64 of them print "value NUMBER". So the guest can report its
// virtual clock when it has no console: value minus instructions is the time that the boot spent
// waiting.
#include "marker.h"
#include "plugin_api.h"

#include <inttypes.h>
#include <stdio.h>

#define MARKER_BIT_0 94
#define VALUE_BITS   64

int qemu_plugin_version = PLUGIN_API_VERSION;

static uint64_t executed;
static uint64_t value;
static unsigned int value_bits;
static FILE *out;

static void on_bit(uint64_t bit)
{
	value = value << 1 | bit;
	if (++value_bits < VALUE_BITS)
		return;
	fprintf(out, "value %" PRIu64 "\n", value);
	fflush(out);
	value_bits = 0;
}

static void on_marker(unsigned int cpu, void *data)
{
	uintptr_t number = (uintptr_t)data;

	(void)cpu;
	if (number >= MARKER_BIT_0) {
		on_bit(number - MARKER_BIT_0);
		return;
	}
	fprintf(out, "%" PRIuPTR " %" PRIu64 "\n", number, executed);
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

int qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	if (!out) {
		fprintf(stderr, "icount: needs out=FILE (writable)\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	return 0;
}
