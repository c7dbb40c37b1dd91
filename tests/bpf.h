// SPDX-License-Identifier: Apache-2.0
/*
 * Interpreters for the programs that init-oci gives to the kernel, and what their rules mean in plain
 * words: for unit tests and fuzzers. They know the instructions that the compilers use and no others.
 */
#ifndef TESTS_BPF_H
#define TESTS_BPF_H

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#include "oci/device_filter.h"
#include "oci/seccomp_filter.h"

#if defined(__aarch64__)
#define BPF_NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#define BPF_NATIVE_ARCH AUDIT_ARCH_X86_64
#endif

/* ---- linux.seccomp: classic BPF -------------------------------------------------------------- */

static inline bool bpf_jumps(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGE:
		return a >= k;
	case BPF_JGT:
		return a > k;
	default:
		return false;
	}
}

/* The answer to a system call; 1 is no action and stands for a broken program. */
static inline uint32_t bpf_answer(const struct seccomp_filter *filter,
				  const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (uint32_t i = 0; i < filter->length; i++) {
		const struct sock_filter *at = &filter->code[i];

		if (BPF_CLASS(at->code) == BPF_LD)
			memcpy(&a, (const char *)data + at->k, sizeof(a));
		else if (BPF_CLASS(at->code) == BPF_ALU)
			a &= at->k;
		else if (at->code == (BPF_JMP | BPF_JA))
			i += at->k;
		else if (BPF_CLASS(at->code) == BPF_JMP)
			i += bpf_jumps(at->code, a, at->k) ? at->jt : at->jf;
		else
			return at->k;
	}
	return 1;
}

/* ---- linux.resources.devices: eBPF ----------------------------------------------------------- */

#define MKNOD      BPF_DEVCG_ACC_MKNOD
#define READ       BPF_DEVCG_ACC_READ
#define READ_WRITE (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define ALL        7

static inline bool ebpf_jumps(uint8_t code, uint32_t value, uint32_t with)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return value == with;
	case BPF_JNE:
		return value != with;
	case BPF_JSET:
		return value & with;
	default:
		return false;
	}
}

/* -1: the program runs out of itself or never ends. */
static inline int ebpf_answer(const struct bpf_insn *code, size_t length,
			      const struct bpf_cgroup_dev_ctx *context)
{
	uint32_t r[16] = {0};

	for (size_t i = 0; i < length; i++) {
		const struct bpf_insn *at = &code[i];
		uint32_t with = at->code & BPF_X ? r[at->src_reg] : (uint32_t)at->imm;

		if (BPF_CLASS(at->code) == BPF_LDX)
			memcpy(&r[at->dst_reg], (const char *)context + at->off, 4);
		else if (at->code == (BPF_JMP | BPF_EXIT))
			return (int)r[0];
		else if (at->code == (BPF_JMP | BPF_JA))
			i += (size_t)at->off;
		else if (BPF_CLASS(at->code) == BPF_JMP32)
			i += ebpf_jumps(at->code, r[at->dst_reg], with) ? (size_t)at->off : 0;
		else if (BPF_OP(at->code) == BPF_AND)
			r[at->dst_reg] &= with;
		else if (BPF_OP(at->code) == BPF_OR)
			r[at->dst_reg] |= with;
		else if (BPF_OP(at->code) == BPF_LSH)
			r[at->dst_reg] <<= with;
		else if (BPF_OP(at->code) == BPF_RSH)
			r[at->dst_reg] >>= with;
		else
			r[at->dst_reg] = with;
	}
	return -1;
}

/* One access at a time, forwards: what the last matching rule says. */
static inline int device_meaning(const struct oci_device_rule *rules, size_t count, char type,
				 uint32_t access, uint32_t major, uint32_t minor)
{
	uint32_t allowed = MKNOD;

	for (size_t i = 0; i < count; i++) {
		const struct oci_device_rule *rule = &rules[i];
		uint32_t bits = (rule->read ? READ : 0) | (rule->write ? READ_WRITE & ~READ : 0);

		if ((rule->type != 'a' && rule->type != type) ||
		    (rule->major >= 0 && rule->major != major) ||
		    (rule->minor >= 0 && rule->minor != minor))
			continue;
		allowed = rule->allow ? allowed | bits : allowed & ~bits;
	}
	return (access & ~allowed) == 0;
}

#endif
