// SPDX-License-Identifier: Apache-2.0
/* A running VM. session.c waits, messages.c understands what the guest says. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "console.h"
#include "hooks.h"
#include "stream.h"

struct session {
	const struct session_setup *setup;
	struct timeline *timeline;
	struct process vmm;
	pid_t vmm_pid; /* also when it has ended */
	int vmm_status;
	bool has_vmm_ended;
	struct tail vmm_tail; /* what QEMU itself said */
	struct channel channel;
	struct console console;
	struct input input;
	struct output outputs[2]; /* stdout, stderr */
	bool has_hello;
	bool has_started;
	struct hooks poststart;
	struct failure hook_failure; /* of one of these: the run has failed by it */
	double hook_failed_ms;       /* 0: none has */
	bool has_record;
	struct exit_record record;
	char fatal[sizeof(
		((struct event *)0)->text)]; /* the guest's failure line, ahead of the record */
	uint64_t pending_signals;            /* by the guest's number */
	bool is_resized;
	unsigned end_signals; /* in a row, each soon after the other */
	double end_signal_ms;
	bool is_forced; /* the user wants the VM gone */
};

/* Handles all whole frames that have come in. */
int messages_take(struct session *session, struct failure *f) FAIL_MUST_CHECK;
/* Queues what the guest is to be told: signals, the terminal's size, credit. */
void messages_send(struct session *session);

#endif
