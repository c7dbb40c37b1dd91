// SPDX-License-Identifier: Apache-2.0
/*
 * The plan: everything that turns an empty machine into the container, as an array of steps,
 * decided before the first one is done. Pure: plan_build() looks at structs only; init/ executes
 * the steps in order and knows nothing of JSON.
 *
 * Paths. `src` and `dst` of a step are of one of two worlds, said by the step's kind:
 *   work paths are relative to init-oci's own work directory ("layer/000", "upper", "root");
 *   container paths start with "/" and are resolved inside the container's root with
 *   openat2(RESOLVE_IN_ROOT): no image can point them outside. Missing parents, and missing targets
 *   of mounts, are made.
 */
#ifndef OCI_PLAN_H
#define OCI_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci.h"

/* ---- what discover found ------------------------------------------------------------------- */

enum source_kind {
	SOURCE_BLOCK,     /* a block device; id: device name below the device directory, "vda" */
	SOURCE_VIRTIOFS,  /* id: the tag */
	SOURCE_9P,        /* id: the tag */
	SOURCE_BOOT_ROOT, /* the root file system the VMM booted init-oci from (init=) */
	SOURCE__COUNT,
};

#define PLAN_LAYERS_MAX 500 /* overlayfs refuses more lower directories */

struct plan_layer {
	enum source_kind kind;
	const char *id;     /* see source_kind */
	const char *fstype; /* "squashfs", "erofs", "ext4", "virtiofs", "9p"; NULL for BOOT_ROOT */
};

enum upper_kind {
	UPPER_TMPFS,
	UPPER_DISK, /* ext4 on a block device */
	UPPER_NONE, /* asked for: the root is read-only whatever root.readonly says */
};

struct plan_sources {
	const struct plan_layer *layers; /* lowest first */
	size_t layer_count;
	enum upper_kind upper;
	const char *upper_id; /* UPPER_DISK: device name */
	const char
		*upper_size; /* UPPER_TMPFS: size=, as tmpfs takes it; NULL: the kernel's default */
	const char *resolv_conf; /* name servers of kernel autoconfiguration as resolv.conf text;
				    NULL */
};

/* ---- steps ---------------------------------------------------------------------------------- */

enum step_kind {
	STEP_LAYER,     /* mount layer `source`/`src` (fstype) read-only at work path dst */
	STEP_UPPER,     /* mount tmpfs or src (fstype) at work path dst; make dst/upper, dst/work */
	STEP_OVERLAY,   /* overlay: lowers = work paths layer/000..count-1, upper at src; at dst */
	STEP_BIND_WORK, /* one layer, no overlay: the layer at work path src is the root: dst */
	STEP_ENTER,     /* container root = container path src inside work path dst; open it */
	STEP_MOUNT, /* new file system: fstype, src = its source, data, attrs; at container path */
	STEP_BIND,  /* bind mount of src at container path dst; recursive; attrs */
	STEP_MKDIR, /* container path dst with mode; present is fine */
	STEP_SYMLINK, /* container path dst -> src; an existing entry is left alone */
	STEP_MKNOD,   /* node at container path dst: mode with its S_IF type, dev_major, dev_minor,
		       * uid, gid; a node of the same type and numbers is fine, another entry is
		       * EEXIST */
	STEP_FILE,    /* write src (text) to container path dst when STEP_IF_MISSING allows; mode */
	STEP_HOSTNAME,         /* sethostname(src) */
	STEP_DOMAINNAME,       /* setdomainname(src) */
	STEP_LOOPBACK,         /* lo up */
	STEP_ROOT_READONLY,    /* the container's root mount becomes read-only */
	STEP_ROOT_PROPAGATION, /* reserved for rootfsPropagation: propagation */
	STEP__COUNT,
};

enum step_flag {
	STEP_OPTIONAL = 1 << 0,      /* a failure is printed as a warning */
	STEP_IF_MISSING = 1 << 1,    /* STEP_FILE: only when dst is missing or empty */
	STEP_RECURSIVE = 1 << 2,     /* STEP_BIND: rbind */
	STEP_SB_READONLY = 1 << 3,   /* STEP_MOUNT: the superblock too is read-only */
	STEP_SRC_CONTAINER = 1 << 4, /* STEP_BIND: src is a container path, else of the boot root */
};

struct step {
	enum step_kind kind;
	unsigned flags;
	enum source_kind source; /* STEP_LAYER */
	const char *field;       /* JSON pointer, or <builtin:NAME> */
	const char *src;
	const char *dst;
	const char *fstype;
	struct oci_strings data;
	uint64_t attr_set; /* MOUNT_ATTR_* */
	uint64_t attr_clear;
	enum oci_propagation propagation;
	bool propagation_recursive;
	uint32_t mode; /* STEP_MKNOD: permissions and S_IFCHR, S_IFBLK or S_IFIFO */
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t uid; /* STEP_MKNOD: owner */
	uint32_t gid;
	size_t count; /* STEP_OVERLAY: number of lowers */
};

struct plan {
	struct step *steps;
	size_t count;
};

/*
 * The plan's memory comes from the spec's arena and lives as long as the spec. Sources must live as
 * long as the plan.
 */
int plan_build(const struct oci_spec *spec, const struct plan_sources *sources, struct plan *ret,
	       struct failure *f) FAIL_MUST_CHECK;

/* One step as one line without newline, always terminated; returns the length it needs. */
size_t plan_print_step(const struct step *step, char *buffer, size_t size);
const char *step_name(enum step_kind kind);

#endif
