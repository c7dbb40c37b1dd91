// SPDX-License-Identifier: Apache-2.0
// The container's namespaces, and what PID 1 writes about its child into procfs.
#ifndef INIT_NAMESPACE_H
#define INIT_NAMESPACE_H

#include "init/guest.h"

/* Those that are joined; -1: not this kind. */
struct namespaces {
	int joined_fd[OCI_NAMESPACE__COUNT];
};

/* Opens the one that config.json names by its path, which has to be of this kind. */
int namespace_open(const struct early *early, const struct oci_namespace *namespace_, int kind,
		   int *ret_fd, struct failure *f) FAIL_MUST_CHECK;
/* Opens those that config.json names by a path. namespaces_close() also after a failure. */
int namespaces_open(struct namespaces *namespaces, const struct oci_linux *linux_,
		    const struct early *early, struct failure *f) FAIL_MUST_CHECK;
void namespaces_close(struct namespaces *namespaces);
/* CLONE_NEW* of those that begin with the child. */
uint64_t namespaces_clone_flags(const struct oci_linux *linux_);
/* In the child: those that it joins or makes itself. */
int namespaces_join(const struct namespaces *namespaces, const struct oci_linux *linux_,
		    struct failure *f) FAIL_MUST_CHECK;
/* timeOffsets of the time namespace that pid has made and not yet entered; pid 0: the caller. */
int namespaces_set_time(const struct oci_linux *linux_, int proc_fd, pid_t pid,
			struct failure *f) FAIL_MUST_CHECK;

/* userns.c: of a new user namespace */
static inline bool namespaces_has_new_user(const struct oci_linux *linux_)
{
	const struct oci_namespace *user = &linux_->namespaces[OCI_NAMESPACE_USER];

	return user->present && !user->path;
}
/* By PID 1: pid's ID maps. */
int userns_map(const struct oci_id_maps *uids, const struct oci_id_maps *gids, int proc_fd,
	       pid_t pid, struct failure *f) FAIL_MUST_CHECK;
/* By the child: from nobody to the root of its user namespace. */
int userns_become_root(struct failure *f) FAIL_MUST_CHECK;
/* The ID outside of the user namespace; without maps the same. An ID without a mapping is -1. */
uint32_t userns_outside(const struct oci_id_maps *maps, uint32_t id);

/* A file of a process in procfs; pid 0: the caller. */
#define PROC_PATH_MAX 64
void proc_path(char path[static PROC_PATH_MAX], pid_t pid, const char *name);
/* Written in one piece, through our own procfs, and only if it is one. */
int proc_write(int proc_fd, const char *path, const char *text, struct failure *f) FAIL_MUST_CHECK;

#endif
