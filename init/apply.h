// SPDX-License-Identifier: Apache-2.0
/*
 * The steps' handlers, each in the file of its subject. A handler does one step; apply() adds stage
 * and field to what it reports.
 */
#ifndef INIT_APPLY_H
#define INIT_APPLY_H

#include "init/guest.h"
#include "init/sys.h"
#include "init/target.h"

struct apply_state {
	const struct early *early;
	int root_mount_fd; /* the root file system's mount while it is attached nowhere yet; -1 */
	int root_fd;       /* the container's root, from STEP_ENTER on; -1 before */
	int upper_fd;      /* see struct container */
	int cgroup_fd;     /* the same */
	bool is_upper_new; /* its root directory has no owner and mode of its own yet */
	int work_fd;       /* in the container's mount namespace: the work tree; -1 before */
	int boot_fd;       /* and the boot root, opened for the first bind; -1 */
	const struct oci_namespace *namespaces; /* of the configuration */
	int handed_fd;                          /* for this step, see idmap.c; -1: nothing */
	int mask_fd; /* the empty directory that hides others, once it is mounted; -1 */
	struct target_parent parent;
	bool has_made; /* the last STEP_MKDIR has made its directory */
};

#define STEP_HANDLER(name)                                                              \
	int name(struct apply_state *state, const struct step *step, struct failure *f) \
		FAIL_MUST_CHECK

/* step_root.c: from nothing to a container's root */
STEP_HANDLER(step_layer);
STEP_HANDLER(step_upper);
STEP_HANDLER(step_overlay);
STEP_HANDLER(step_bind_work);
STEP_HANDLER(step_enter);
STEP_HANDLER(step_root_readonly);
STEP_HANDLER(step_root_propagation);
/*
 * In the child of a new user namespace: a mount of the container's root that may be moved. Then that
 * is the current directory.
 */
int step_cover(struct apply_state *state, struct failure *f) FAIL_MUST_CHECK;
/* Another mount of the boot root at STEP_BOOT_PATH, for the container's binds. */
int step_open_boot(const struct early *early, struct failure *f) FAIL_MUST_CHECK;
/* step_mount.c: a new file system */
STEP_HANDLER(step_mount);
/* step_attach.c: what all mounts have in common */
#define STEP_ATTRS_ALL                                                                  \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
	 MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)
/* Where a container's binds find the boot root, when there are some. */
#define STEP_BOOT_PATH "/boot"
/* What these do to a mount's attributes, for mount_setattr(2). */
struct mount_attr step_attr(uint64_t set, uint64_t clear);
/* A mount over the container's root would not be seen. */
int step_refuse_root(const struct apply_state *state, const struct step *step, int target_fd,
		     struct failure *f) FAIL_MUST_CHECK;
/* Attaches a mount; not over the root. */
int step_attach(struct apply_state *state, const struct step *step, int mount_fd, int target_fd,
		struct failure *f) FAIL_MUST_CHECK;
/* The attributes and the propagation for the mounts below too, of a mount that is attached. */
int step_set_recursive(int mount_fd, const struct step *step, struct failure *f) FAIL_MUST_CHECK;
/* Gives a mount the propagation that the step asks for, if any. path: for messages */
int step_set_propagation(int mount_fd, const struct step *step, const char *path,
			 struct failure *f) FAIL_MUST_CHECK;
/* step_mount.c: the file system of a STEP_MOUNT, attached nowhere */
int step_make_mount(const struct step *step, int *ret_mount_fd, struct failure *f) FAIL_MUST_CHECK;
/* step_bind.c: what is there already, seen again or with other attributes */
STEP_HANDLER(step_bind);
STEP_HANDLER(step_remount);
/* A mount of a bind's source, attached nowhere. In the child it stays -1 for a link: that is made. */
int step_clone_source(struct apply_state *state, const struct step *step, int *ret_mount_fd,
		      struct failure *f) FAIL_MUST_CHECK;
/*
 * idmap.c: a descriptor for each step that maps IDs, or whose mount PID 1 makes. First, user
 * namespaces with the maps; then, for binds, the mounts themselves. *ret_fds: NULL when there is no
 * such step; idmaps_close() also after a failure.
 */
int idmaps_open(const struct plan *plan, int proc_fd, int **ret_fds,
		struct failure *f) FAIL_MUST_CHECK;
int idmaps_prepare(const struct plan *plan, struct apply_state *state, int *fds,
		   struct failure *f) FAIL_MUST_CHECK;
void idmaps_close(const struct plan *plan, int **fds);
int idmap_set(int mount_fd, const struct step *step, int namespace_fd,
	      struct failure *f) FAIL_MUST_CHECK;
/* step_path.c */
STEP_HANDLER(step_readonly_path);
STEP_HANDLER(step_mask);
/* copy_up.c: copies what is below from_fd into the empty to_fd. path: for messages */
int copy_up(int from_fd, int to_fd, const char *path, struct failure *f) FAIL_MUST_CHECK;
/* step_node.c */
STEP_HANDLER(step_mkdir);
STEP_HANDLER(step_symlink);
STEP_HANDLER(step_mknod);
#define STEP_DEVICE_DIR "device" /* of work paths of nodes */
STEP_HANDLER(step_file);
/* step_system.c */
STEP_HANDLER(step_hostname);
STEP_HANDLER(step_domainname);
STEP_HANDLER(step_loopback);
STEP_HANDLER(step_net_device);
/* sysctl.c */
STEP_HANDLER(step_sysctl);
/* cgroup.c, cgroup_devices.c */
STEP_HANDLER(step_cgroup);
STEP_HANDLER(step_cgroup_write);
STEP_HANDLER(step_cgroup_devices);

#endif
