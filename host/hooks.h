// SPDX-License-Identifier: Apache-2.0
/* The hooks of the host, see hooks.c. */
#ifndef HOST_HOOKS_H
#define HOST_HOOKS_H

#include "process.h"

struct hooks {
	const struct bundle *bundle;
	enum oci_hook_kind kind;
	const char *state; /* JSON */
	size_t next;       /* in the kind's list: the one that runs, or is to run */
	size_t count;
	struct process process;
	double deadline_ms; /* 0: none */
	struct tail tail;   /* what the one that runs has said */
};

void hooks_init(struct hooks *hooks);
/* vmm_pid: the process whose program is, will be or was the VMM. */
void hooks_begin(struct hooks *hooks, const struct bundle *bundle, enum oci_hook_kind kind,
		 pid_t vmm_pid);
/*
 * Goes on as far as it can without waiting. A failure is that of one hook, which has ended; when
 * called again it goes on with the next one.
 */
int hooks_work(struct hooks *hooks, struct failure *f) FAIL_MUST_CHECK;
bool hooks_are_over(const struct hooks *hooks);
/* Ends the one that runs; the rest does not run. */
void hooks_stop(struct hooks *hooks);
/* From the first to the last, or to the first that fails. A signal that asks smk to end ends them. */
int hooks_run(const struct bundle *bundle, enum oci_hook_kind kind, pid_t vmm_pid,
	      struct failure *f) FAIL_MUST_CHECK;
/* The same, where each failure is a warning and a signal ends one hook only. */
void hooks_run_tolerant(const struct bundle *bundle, enum oci_hook_kind kind, pid_t vmm_pid);
/* Whether there is any hook that smk runs: the first one's field, or NULL. */
const char *hooks_of_host(const struct oci_hooks *hooks);

#endif
