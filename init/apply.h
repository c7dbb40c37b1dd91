// SPDX-License-Identifier: Apache-2.0
/*
 * The steps' handlers, each in the file of its subject. A handler does one step; apply() adds stage
 * and field to what it reports.
 */
#ifndef INIT_APPLY_H
#define INIT_APPLY_H

#include "init/guest.h"
#include "init/target.h"

struct apply_state {
	const struct early *early;
	int root_mount_fd; /* the root file system's mount while it is attached nowhere yet; -1 */
	int root_fd;       /* the container's root, from STEP_ENTER on; -1 before */
	int upper_fd;      /* see struct container */
	bool is_upper_new; /* its root directory has no owner and mode of its own yet */
	int boot_mount_fd; /* another mount of the boot root, made for the first bind; -1 */
	struct target_parent parent;
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
/* Attaches a mount at a path of the work tree, whose directory is made. */
int step_attach_work(int mount_fd, const char *path, struct failure *f) FAIL_MUST_CHECK;
/* step_mount.c */
STEP_HANDLER(step_mount);
STEP_HANDLER(step_bind);
/* Gives a mount the propagation that the step asks for, if any. path: for messages */
int step_set_propagation(int mount_fd, const struct step *step, const char *path,
			 struct failure *f) FAIL_MUST_CHECK;
/* step_node.c */
STEP_HANDLER(step_mkdir);
STEP_HANDLER(step_symlink);
STEP_HANDLER(step_mknod);
STEP_HANDLER(step_file);
/* step_system.c */
STEP_HANDLER(step_hostname);
STEP_HANDLER(step_domainname);
STEP_HANDLER(step_loopback);
/* sysctl.c */
STEP_HANDLER(step_sysctl);

#endif
