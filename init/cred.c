// SPDX-License-Identifier: Apache-2.0
/*
 * Credentials of the workload.
 *
 * Order, and why no other:
 *   1. bounding set   dropping needs CAP_SETPCAP, which the permitted set may be about to lose
 *   2. groups, gid    need CAP_SETGID
 *   3. uid            with "keep capabilities", else the kernel empties the permitted set here
 *   4. the three sets permitted, effective, inheritable in one call
 *   5. ambient        each must be permitted and inheritable by now
 *   6. no_new_privs   last: nothing before depends on it, and nothing after can gain
 *
 * Must not: look at the file system, or leave anything but what the configuration says. Without
 * "capabilities" in the configuration the sets stay as the kernel makes them for the uid.
 *
 * The calls are the kernel's own, not libc's: musl's setuid() family takes a lock for threads that
 * a child of fork does not have, and drags its signal machinery in.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/spawn.h"

#define CAP_BIT(n) (UINT64_C(1) << (n))

/* Capabilities that this kernel does not have are not there to be dropped: EINVAL ends the walk. */
static int drop_bounding(uint64_t keep, struct failure *f)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (keep & CAP_BIT(cap))
			continue;
		if (cap_drop_bound((cap_value_t)cap) == 0)
			continue;
		if (errno == EINVAL)
			return 0;
		return fail_err(f, errno, "cap_drop_bound", NULL, "capability %u", cap);
	}
	return 0;
}

static int set_capabilities(const struct oci_capabilities *caps, struct failure *f)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (unsigned i = 0; i < 2; i++) {
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(caps->effective >> (32 * i)),
			.permitted = (uint32_t)(caps->permitted >> (32 * i)),
			.inheritable = (uint32_t)(caps->inheritable >> (32 * i)),
		};
	}
	if (capset(&header, data) < 0)
		return fail_sys(f, "capset", NULL);
	return 0;
}

static int raise_ambient(uint64_t ambient, struct failure *f)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (!(ambient & CAP_BIT(cap)))
			continue;
		if (cap_set_ambient((cap_value_t)cap, CAP_SET) < 0)
			return fail_err(f, errno, "cap_set_ambient", NULL, "capability %u", cap);
	}
	return 0;
}

/*
 * The primary group is one of the supplementary ones too: a process that drops or changes its
 * primary group must not so escape a permission denied to that group (CVE-2022-2989 and others).
 */
static int set_groups(const struct oci_user *user, struct failure *f)
{
	size_t used = 0;
	gid_t *groups = malloc((user->additional_gid_count + 1) * sizeof(*groups));

	if (!groups)
		return fail_err(f, ENOMEM, "malloc", NULL, "groups");
	groups[used++] = user->gid;
	for (size_t i = 0; i < user->additional_gid_count; i++) {
		if (user->additional_gids[i] != user->gid)
			groups[used++] = user->additional_gids[i];
	}
	int result = 0;

	if (syscall(SYS_setgroups, used, groups) < 0)
		result = fail_sys(f, "setgroups", NULL);
	free(groups);
	return result;
}

static int set_ids(const struct oci_user *user, struct failure *f)
{
	if (set_groups(user, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/user/additionalGids");
	if (syscall(SYS_setresgid, user->gid, user->gid, user->gid) < 0) {
		fail_err(f, errno, "setresgid", NULL, "gid %u", user->gid);
		return fail_at(f, STAGE_SPAWN, "/process/user/gid");
	}
	if (syscall(SYS_setresuid, user->uid, user->uid, user->uid) < 0) {
		fail_err(f, errno, "setresuid", NULL, "uid %u", user->uid);
		return fail_at(f, STAGE_SPAWN, "/process/user/uid");
	}
	return 0;
}

int cred_apply(const struct oci_process *process, struct failure *f)
{
	const struct oci_capabilities *caps = &process->caps;

	if (caps->present && drop_bounding(caps->bounding, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/capabilities/bounding");
	if (caps->present && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail_sys(f, "prctl(PR_SET_KEEPCAPS)", NULL);
	if (set_ids(&process->user, f) < 0)
		return -1;
	if (caps->present && set_capabilities(caps, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/capabilities");
	if (caps->present && raise_ambient(caps->ambient, f) < 0)
		return fail_at(f, STAGE_SPAWN, "/process/capabilities/ambient");
	if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		fail_sys(f, "prctl(PR_SET_NO_NEW_PRIVS)", NULL);
		return fail_at(f, STAGE_SPAWN, "/process/noNewPrivileges");
	}
	return 0;
}
