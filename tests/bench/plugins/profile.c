// SPDX-License-Identifier: Apache-2.0
// TCG plugin: where the guest spends its instructions between two markers.
//
//	-plugin build/bench/profile.so,out=FILE[,from=N][,to=M]
//
// Counts every translated block from the first execution of hint #N (default: reset) to the first
// of hint #M (default 87), then writes FILE: "address instructions executions" a block, and
// "call FROM TO executions" for control transfers that enter another block not by falling through.
// tests/bench/profile.py turns that into a table of functions.
#include "marker.h"
#include "plugin_api.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE_SIZE (1u << 20) // open addressing; a boot translates about 60,000 blocks

struct block {
	uint64_t address;
	uint64_t instructions;
	uint64_t executions;
};

struct edge {
	uint64_t from;
	uint64_t to;
	uint64_t executions;
};

int qemu_plugin_version = PLUGIN_API_VERSION;

static struct block blocks[TABLE_SIZE];
static struct edge edges[TABLE_SIZE];
static uint64_t last_end; // address of the last executed block's last instruction
static int from_marker;
static int to_marker = MARKER_FIRST;
static bool is_counting = true;
static FILE *out;

static uint32_t hash(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;

	return (uint32_t)(h >> 40) & (TABLE_SIZE - 1);
}

static void die_full(const char *what)
{
	fprintf(stderr, "profile: table of %s is full\n", what);
	exit(1);
}

static struct block *find_block(uint64_t address, uint64_t instructions)
{
	for (uint32_t i = hash(address, instructions), tries = 0; tries < TABLE_SIZE; tries++) {
		struct block *b = &blocks[(i + tries) & (TABLE_SIZE - 1)];

		if (!b->instructions)
			*b = (struct block){address, instructions, 0};
		if (b->address == address && b->instructions == instructions)
			return b;
	}
	die_full("blocks");
	return NULL;
}

static void count_edge(uint64_t from, uint64_t to)
{
	for (uint32_t i = hash(from, to), tries = 0; tries < TABLE_SIZE; tries++) {
		struct edge *e = &edges[(i + tries) & (TABLE_SIZE - 1)];

		if (!e->executions)
			*e = (struct edge){from, to, 0};
		if (e->from == from && e->to == to) {
			e->executions++;
			return;
		}
	}
	die_full("edges");
}

static void on_block(unsigned int cpu, void *data)
{
	struct block *b = data;

	(void)cpu;
	if (!is_counting)
		return;
	b->executions++;
	if (last_end && b->address != last_end + 4)
		count_edge(last_end, b->address);
	last_end = b->address + 4 * (b->instructions - 1);
}

static void dump(void)
{
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (blocks[i].executions)
			fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", blocks[i].address,
				blocks[i].instructions, blocks[i].executions);
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (edges[i].executions)
			fprintf(out, "call %" PRIx64 " %" PRIx64 " %" PRIu64 "\n", edges[i].from,
				edges[i].to, edges[i].executions);
	fclose(out);
	out = NULL;
}

static void on_marker(unsigned int cpu, void *data)
{
	int number = (int)(uintptr_t)data;

	(void)cpu;
	if (!out)
		return;
	if (is_counting && number == to_marker) {
		is_counting = false;
		dump();
	} else if (!is_counting && number == from_marker) {
		is_counting = true;
		last_end = 0;
	}
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, PLUGIN_NO_REGISTERS,
					     find_block(qemu_plugin_tb_vaddr(tb), count));
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		int number = marker_number(qemu_plugin_insn_data(insn));

		if (number)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, PLUGIN_NO_REGISTERS,
							       (void *)(uintptr_t)number);
	}
}

static void on_exit_dump(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	if (out)
		dump();
}

int qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "from=", 5))
			from_marker = atoi(argv[i] + 5);
		else if (!strncmp(argv[i], "to=", 3))
			to_marker = atoi(argv[i] + 3);
	}
	if (!out) {
		fprintf(stderr, "profile: needs out=FILE (writable)\n");
		return -1;
	}
	is_counting = from_marker == 0;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	qemu_plugin_register_atexit_cb(id, on_exit_dump, NULL);
	return 0;
}
