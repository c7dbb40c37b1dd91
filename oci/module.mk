# SPDX-License-Identifier: Apache-2.0
# Pure code: configurations, plans, messages. Linked into init-oci, smk and tests; needs -ljansson.

OCI_SRCS := oci/arena.c oci/document.c oci/fail.c oci/fate.c oci/features.c oci/field.c \
	oci/message.c oci/message_decode.c oci/names.c oci/number.c oci/parse.c oci/parse_limits.c \
	oci/parse_linux.c oci/parse_mount.c oci/parse_process.c oci/plan.c oci/plan_dev.c \
	oci/plan_files.c oci/plan_mount.c oci/plan_print.c oci/plan_root.c oci/reader.c oci/reader_text.c \
	oci/value.c oci/writer.c
