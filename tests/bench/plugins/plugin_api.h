// SPDX-License-Identifier: Apache-2.0
// The part of QEMU's TCG plugin interface, version 1, that our two plugins use.
// The distribution ships no header for it; QEMU resolves these names when it loads a plugin.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_API_VERSION 1
#define PLUGIN_EXPORT      __attribute__((visibility("default")))

enum plugin_callback_flags { PLUGIN_NO_REGISTERS = 0 };
enum plugin_inline_op { PLUGIN_ADD_U64 = 0 };

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_info;

typedef void (*plugin_block_translated)(uint64_t id, struct qemu_plugin_tb *block);
typedef void (*plugin_executed)(unsigned int cpu, void *data);
typedef void (*plugin_at_exit)(uint64_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, plugin_block_translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, plugin_executed callback,
					  int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int op, void *counter,
					      uint64_t amount);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, plugin_executed callback,
					    int flags, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, plugin_at_exit callback, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

// What a plugin must define.
PLUGIN_EXPORT extern int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc,
				      char **argv);
