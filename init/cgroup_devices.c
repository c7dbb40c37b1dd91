// SPDX-License-Identifier: Apache-2.0
// Which devices a cgroup may use: a program, as cgroup v2 has no files for it.
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/sys.h"
#include "oci/device_filter.h"

static int load(const struct bpf_insn *code, size_t length, struct failure *f)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.expected_attach_type = BPF_CGROUP_DEVICE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = (uint32_t)length;
	attr.license = (uintptr_t) "Apache-2.0";
	/* EAGAIN: the verifier was interrupted. */
	do
		fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	while (fd < 0 && errno == EAGAIN);
	return fd < 0 ? fail_sys(f, "bpf(PROG_LOAD)", NULL) : fd;
}

static int attach(int cgroup_fd, int program_fd, struct failure *f)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0
		       ? fail_sys(f, "bpf(PROG_ATTACH)", NULL)
		       : 0;
}

int step_cgroup_devices(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct bpf_insn *code = malloc(DEVICE_FILTER_LENGTH_MAX(step->count) * sizeof(*code));
	int result = -1;
	AUTO_FD fd = -1;

	if (!code)
		return fail_err(f, ENOMEM, "malloc", NULL, "%zu rules", step->count);
	fd = load(code, device_filter_make(step->rules, step->count, code), f);
	if (fd >= 0)
		result = attach(state->cgroup_fd, fd, f);
	free(code);
	return result;
}
