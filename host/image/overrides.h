// SPDX-License-Identifier: Apache-2.0
/* What the command line changes about an image, in the forms that podman's options have. */
#ifndef HOST_IMAGE_OVERRIDES_H
#define HOST_IMAGE_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smk/fail.h>

#include "oci/run_config.h"

#define OVERRIDES_MAX 64 /* of each repeatable option */
#define VOLUMES_MAX   10 /* the machine has 32 places for devices, and most have an owner */

/* How the guest reaches directories of the host. */
enum volume_fs {
	VOLUME_FS_AUTO, /* virtiofs where it can be had */
	VOLUME_FS_VIRTIOFS,
	VOLUME_FS_9P,
	VOLUME_FS__COUNT,
};

/* A directory of the host that the guest mounts. */
struct volume {
	char *path; /* absolute, without links */
	char tag[16];
	char *destination;
	const char *options; /* as given, or NULL */
	bool is_readonly;
	int vmm_fd; /* virtiofs: QEMU's end of the server's socket; -1: none */
};

struct tmpfs_option {
	char *destination;
	const char *options; /* "": none */
};

/* The options as they were checked; image_overrides() makes what oci/ takes of them. */
struct image_options {
	const char *given; /* the first option that only images have: bundles refuse it */
	const char *entrypoint;
	char *const *args;
	size_t arg_count;
	const char *working_dir;
	const char *user;
	const char *hostname;
	const char *stop_signal;
	uint64_t capabilities_add;
	uint64_t capabilities_drop;
	bool read_only;
	bool fixed_root; /* of --upper none */
	bool terminal;
	bool no_new_privileges;
	bool unconfined;
	struct tmpfs_option tmpfs[OVERRIDES_MAX];
	size_t tmpfs_count;
	enum volume_fs volume_fs;
	struct volume volumes[VOLUMES_MAX];
	size_t volume_count;
	struct oci_run_limit limits[OVERRIDES_MAX];
	size_t limit_count;
	struct oci_pair sysctls[OVERRIDES_MAX]; /* owned */
	size_t sysctl_count;
	struct oci_pair annotations[OVERRIDES_MAX];
	size_t annotation_count;
	const char *layer_fs;
	uint64_t max_layer_bytes;
	bool flatten;
};

void image_options_init(struct image_options *options);
void image_options_finish(struct image_options *options);

/* Setters: values are checked here, once. */
int image_set_cap_add(struct image_options *o, const char *value, struct failure *f);
int image_set_cap_drop(struct image_options *o, const char *value, struct failure *f);
int image_set_user(struct image_options *o, const char *value, struct failure *f);
int image_set_workdir(struct image_options *o, const char *value, struct failure *f);
int image_set_hostname(struct image_options *o, const char *value, struct failure *f);
int image_set_tmpfs(struct image_options *o, const char *value, struct failure *f);
int image_set_volume_fs(struct image_options *o, const char *value, struct failure *f);
int image_set_volume(struct image_options *o, const char *value, struct failure *f);
int image_set_ulimit(struct image_options *o, const char *value, struct failure *f);
int image_set_sysctl(struct image_options *o, const char *value, struct failure *f);
int image_set_annotation(struct image_options *o, const char *value, struct failure *f);
int image_set_layer_fs(struct image_options *o, const char *value, struct failure *f);
int image_set_max_layer_size(struct image_options *o, const char *value, struct failure *f);

/* What no option can say alone. */
int image_options_check(const struct image_options *o, struct failure *f) FAIL_MUST_CHECK;

/* The runtime configuration of the image with the options; env: NAME=VALUE of --env, --env-file. */
struct image;
struct strings;
int image_config_text(const struct image *image, const struct image_options *options,
		      const struct strings *env, char **ret_text, size_t *ret_length,
		      struct failure *f) FAIL_MUST_CHECK;

#endif
