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
 *
 * Sides. The steps up to STEP_ENTER are the machine's: PID 1 does them in its own namespaces, with
 * all its privileges. What follows is the container's: done by the child that becomes the workload,
 * in the namespaces of the configuration. No step after STEP_ENTER needs more than those namespaces
 * give, but for an idmap, which PID 1 prepares.
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
	const char *resolv_conf;   /* the machine's name servers as resolv.conf text; NULL */
	bool is_resolv_conf_given; /* by whoever starts the VM: it replaces the image's */
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
	STEP_ROOT_PROPAGATION, /* propagation of the container's root mount */
	STEP_NET_DEVICE, /* network device src moves to the network namespace at `network` (a path of
			  * the boot root; NULL: stays in the machine's) and is called dst there */
	STEP_CGROUP,     /* make cgroup src (relative to the top of the hierarchy) and its parents,
			  * with the controllers that the next steps need enabled above it */
	STEP_CGROUP_WRITE,   /* write src into file dst of that cgroup */
	STEP_CGROUP_DEVICES, /* that cgroup may use devices by `rules`, count of them */
	STEP_SYSCTL,  /* write src into dst below /proc/sys, with the namespaces of this side */
	STEP_REMOUNT, /* the mount at container path dst gets these attrs and no others; with fstype
		       * also its file system: data, and read-only as STEP_SB_READONLY says */
	STEP_READONLY_PATH, /* container path dst, when it is there, becomes read-only with all below */
	STEP_MASK, /* container path dst, when it is there, is covered: a directory by an empty
			* read-only one, anything else by a null device */
	STEP__COUNT,
};

enum step_flag {
	STEP_OPTIONAL = 1 << 0,      /* a failure is printed as a warning */
	STEP_IF_MISSING = 1 << 1,    /* STEP_FILE: only when dst is missing or empty */
	STEP_RECURSIVE = 1 << 2,     /* STEP_BIND: rbind */
	STEP_SB_READONLY = 1 << 3,   /* STEP_MOUNT: the superblock too is read-only */
	STEP_SRC_CONTAINER = 1 << 4, /* STEP_BIND: src is a container path, else of the boot root */
	STEP_COPY_UP = 1 << 5,       /* STEP_MOUNT: the new tmpfs begins with what it covers */
	STEP_COPY_SYMLINK = 1 << 6,  /* STEP_BIND: a src that is a link is made again at dst */
	STEP_SRC_WORK = 1 << 7,      /* STEP_BIND: src is a work path */
	STEP_WORK = 1 << 8,          /* STEP_MKNOD: dst is a work path */
	STEP_BY_MACHINE = 1 << 9,    /* STEP_MOUNT: PID 1 makes it and hands it to the child */
	STEP_COPY_OWNER = 1 << 10,   /* with STEP_COPY_UP: and has its owner and mode */
	STEP_IF_STUB = 1 << 11,      /* with STEP_IF_MISSING: or a resolv.conf of no name server but
				      * loopback ones */
	STEP_NO_LINK = 1 << 12,      /* STEP_FILE: takes the place of a symbolic link at dst */
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
	uint64_t attr_set_recursive; /* for the mounts below too, after the others */
	uint64_t attr_clear_recursive;
	enum oci_propagation propagation;
	bool propagation_recursive;
	enum oci_idmap idmap; /* STEP_MOUNT, STEP_BIND: before it is attached, with these maps */
	struct oci_id_maps uid_maps;
	struct oci_id_maps gid_maps;
	uint32_t mode; /* STEP_MKNOD: permissions and S_IFCHR, S_IFBLK or S_IFIFO */
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t uid; /* STEP_MKNOD: owner */
	uint32_t gid;
	size_t count; /* STEP_OVERLAY: number of lowers; STEP_CGROUP_DEVICES: of rules */
	const struct oci_device_rule *rules; /* STEP_CGROUP_DEVICES */
	const char *network;                 /* STEP_NET_DEVICE */
	uint64_t verity_blocks;              /* STEP_LAYER: of data; 0: nothing is verified */
	const char *verity_root;             /* 64 hexadecimal digits */
};

struct plan {
	struct step *steps;
	size_t count;
	size_t machine_count; /* steps before STEP_ENTER, which is the machine's last */
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
