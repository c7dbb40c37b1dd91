# SPDX-License-Identifier: Apache-2.0
# Pure code: configurations, plans, messages. Linked into init-oci, smk and tests; needs -ljansson.

OCI_SRCS := oci/arena.c oci/device_filter.c oci/document.c oci/fail.c oci/fate.c oci/features.c oci/field.c \
	oci/message.c oci/message_decode.c oci/names.c oci/names_linux.c oci/number.c oci/parse.c \
	oci/parse_block_io.c oci/parse_cpu_memory.c oci/parse_devices.c oci/parse_hooks.c \
	oci/parse_limits.c oci/parse_linux.c oci/parse_mount.c oci/parse_namespaces.c \
	oci/parse_paths.c oci/parse_process.c oci/parse_resources.c oci/parse_schedule.c \
	oci/parse_seccomp.c oci/plan.c oci/plan_dev.c oci/plan_files.c oci/plan_line.c \
	oci/plan_machine.c oci/plan_mount.c oci/plan_print.c oci/plan_root.c oci/plan_seal.c oci/reader.c \
	oci/reader_text.c oci/seccomp_filter.c oci/state.c oci/syscalls.c oci/value.c oci/writer.c
# Images: only smk links these, they are no part of init-oci.
IMAGE_SRCS := oci/default_seccomp.c oci/image_config.c oci/image_parse.c oci/run_config.c oci/run_mounts.c oci/run_process.c
