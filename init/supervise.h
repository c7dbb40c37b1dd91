// SPDX-License-Identifier: Apache-2.0
// What the parts of supervise share: the event loop's state.
#ifndef INIT_SUPERVISE_H
#define INIT_SUPERVISE_H

#include <sys/signalfd.h>

#include "init/life.h"
#include "init/relay.h"

struct supervisor {
	const struct child *child;
	struct exit_record *record;
	struct channel *channel;
	struct relay relay;
	struct endpoint signals; /* a signalfd of every signal */
	struct endpoint pressure;
	bool is_watching_pressure; /* as far as the kernel can */
	int epoll_fd;
	enum life_state state;
	int64_t moved_ms;  /* when something last moved, after the entrypoint's end */
	bool has_children; /* a SIGCHLD came: someone may wait to be reaped */
	bool is_alone;     /* no process is left */
	bool has_held;     /* a signal that the entrypoint's queue had no place for */
	struct signalfd_siginfo held;
	uint64_t oom_kills; /* of the kernel's memory killer, that have not hit the entrypoint */
	struct request request; /* the one being served */
};

/* What the table says about the event, done. */
void supervise_event(struct supervisor *s, enum life_event event);

/* Every signal blocked, 32 to 34 too, which libc would keep for itself. */
int signals_block(struct failure *f) FAIL_MUST_CHECK;
int signals_open(struct endpoint *ret, struct failure *f) FAIL_MUST_CHECK;
/* Takes what is pending: SIGCHLD sets has_children, the others are forwarded. True: some came. */
bool signals_take(struct supervisor *s);
/* The action of LIFE_SIGNAL: sends `held` on; it stays held when the entrypoint's queue is full. */
void signals_forward(struct supervisor *s);
/* A request's signal, as kill(2) would send it. False: there is nobody to take it. */
bool signals_send(const struct supervisor *s, int sig);

/* Collects every ended process; the entrypoint's end goes into the record. True: some had ended. */
bool reap_all(struct supervisor *s);

/* The host is about to kill the entrypoint: what was killed until now is not why it will end. */
void oom_forget(struct supervisor *s);
/* Was it the kernel's memory killer that ended the entrypoint by this signal? */
bool oom_has_killed(const struct supervisor *s, int sig);

/* From now on the loop is woken when memory is scarce; then the other is to be called. */
void pressure_watch(struct supervisor *s);
void pressure_relieve(void);

/* The action of LIFE_REQUEST and its refusal. */
void requests_run(struct supervisor *s);
void requests_refuse(struct supervisor *s);
/* Handles the frames that have come from the host. True: there were some. */
bool requests_serve(struct supervisor *s);

#endif
