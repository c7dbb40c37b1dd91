// SPDX-License-Identifier: Apache-2.0
/*
 * The life of a run as a table of state and event. Pure: supervise feeds events and does the
 * actions.
 *
 *   RUN ----ended----> END --drained--> REAP --reaped--> DONE
 *                       \---reaped----> DRAIN --drained--/
 *
 * and STALLED leads from each state after RUN to DONE.
 */
#ifndef INIT_LIFE_H
#define INIT_LIFE_H

#include "oci/message.h"

enum life_state {
	LIFE_RUN,   /* the entrypoint is there */
	LIFE_END,   /* it has ended: the rest is killed, its output and its processes remain */
	LIFE_REAP,  /* processes remain */
	LIFE_DRAIN, /* output remains */
	LIFE_DONE,
	LIFE__STATES,
};

enum life_event {
	LIFE_ENDED,   /* the entrypoint was reaped */
	LIFE_DRAINED, /* all output was handed over */
	LIFE_REAPED,  /* no process is left */
	LIFE_STALLED, /* nothing has moved for too long */
	LIFE_SIGNAL,  /* PID 1 got a signal */
	LIFE_REQUEST, /* the host sent a request */
	LIFE__EVENTS,
};

enum life_action {
	LIFE_NOTHING,
	LIFE_KILL,    /* kill every process */
	LIFE_DROP,    /* give up on the output */
	LIFE_FORWARD, /* the signal to the entrypoint */
	LIFE_SERVE,   /* the request */
	LIFE_REFUSE,  /* the request: there is no entrypoint any more */
	LIFE__ACTIONS,
};

struct life_rule {
	enum life_state next;
	enum life_action action;
};

struct life_rule life_rule(enum life_state state, enum life_event event);

/* A wait status as the exit record's code, signal and core flag. */
void life_exit(int wait_status, struct exit_record *ret);

#endif
