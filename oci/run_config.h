// SPDX-License-Identifier: Apache-2.0
/*
 * From an image's configuration to a runtime configuration: image-spec's conversion.md, the
 * command line's overrides, and the defaults that people know from podman (capabilities, mounts,
 * masked and read-only paths, limits, seccomp profile), each in one table. Pure.
 *
 * What only the guest can know is left to it as an annotation: the user's name is looked up in the
 * merged root's own passwd and group.
 */
#ifndef OCI_RUN_CONFIG_H
#define OCI_RUN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"
#include "oci.h"

/* Annotation: the signal that asks the workload to end (image-spec, conversion.md). */
#define OCI_ANNOTATION_STOP_SIGNAL "org.opencontainers.image.stopSignal"

/* One more mount; it replaces a default or an earlier one with the same destination. */
struct oci_run_mount {
	const char *destination;
	const char *type; /* "bind" only with bind options */
	const char *source;
	struct oci_strings options;
};

struct oci_run_limit {
	int resource; /* as in struct oci_rlimit */
	uint64_t soft;
	uint64_t hard;
};

/* What the command line says. Zeroed: nothing. */
struct oci_overrides {
	bool has_entrypoint;
	struct oci_strings entrypoint; /* empty: the image's is taken away */
	struct oci_strings args;       /* any: instead of the image's Cmd */
	struct oci_strings env;        /* NAME=VALUE */
	const char *working_dir;
	const char *user;
	const char *hostname;
	const char *stop_signal;
	uint64_t capabilities_add;
	uint64_t capabilities_drop; /* all: only the added ones are left */
	bool read_only;
	bool fixed_root; /* cannot be written to, whatever it says: volumes need a place */
	bool terminal;
	bool unconfined; /* no seccomp profile */
	bool no_new_privileges;
	const struct oci_run_mount *mounts;
	size_t mount_count;
	const struct oci_run_limit *limits;
	size_t limit_count;
	const struct oci_pair *sysctls;
	size_t sysctl_count;
	const struct oci_pair *annotations;
	size_t annotation_count;
};

/*
 * The text of a config.json, in memory that the caller frees, for init-oci (root.path is "rootfs",
 * as in any bundle). Fails when the image has nothing to run, or says what cannot be.
 */
int oci_run_config(const struct oci_image_config *image, const struct oci_overrides *overrides,
		   char **ret_text, size_t *ret_length, struct failure *f) FAIL_MUST_CHECK;

/* The profile as a member "seccomp" of an object: default_seccomp.c. */
struct writer;
void write_default_seccomp(struct writer *writer, uint64_t capabilities);

#endif
