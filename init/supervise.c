// SPDX-License-Identifier: Apache-2.0
/*
 * supervise: from the entrypoint's start to the last byte of its output. One thread, one epoll.
 *
 * Theory of operation. Every descriptor is non-blocking and watched edge-triggered, so the loop
 * adds each once and never touches the epoll set again. An event only sets flags of its endpoint; a
 * turn of the loop does a bounded piece of every kind of work that the flags allow, and the loop
 * sleeps when a whole turn moved nothing. Edges also keep a virtio port without a host end, which
 * reports a hang-up all the time, from spinning the loop. What may happen when is life.c's table.
 *
 * When the entrypoint ends, everything else in the machine is killed at once, as at the end of a
 * container's PID namespace: an orphan that holds standard output cannot delay the exit. What is in
 * the pipes by then is still delivered, for as long as the host takes some of it every
 * STALL_HOST_MS.
 *
 * Should: outlive whatever the host or the workload does. Must not: block, or fail once it has
 * begun.
 */
#include "init/supervise.h"
#include "init/sys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define STALL_HOST_MS  5000 /* the host takes no output */
#define STALL_GUEST_MS 1000 /* a process survives SIGKILL: it is stuck in the kernel */
#define RETRY_MS       1    /* the entrypoint's signal queue is full, or a wait failed */
#define SETTLED_MS     100  /* the entrypoint has started, and nothing happens any more */
#define RECHECK_MS     20
#define EVENTS         16
#define ENDS           8

static void do_nothing(struct supervisor *s)
{
	(void)s;
}

static void kill_rest(struct supervisor *s)
{
	kill(-1, SIGKILL); /* nobody left is an error, and is fine */
	s->has_children = true;
	s->moved_ms = sys_now_ms();
	s->record->marks.at_ns[MARK_EXIT] = mark_now();
	relay_entrypoint_ended(&s->relay);
}

static void drop_output(struct supervisor *s)
{
	relay_drop_rest(&s->relay);
}

static void (*const actions[])(struct supervisor *) = {
	[LIFE_NOTHING] = do_nothing, [LIFE_KILL] = kill_rest,
	[LIFE_DROP] = drop_output,   [LIFE_FORWARD] = signals_forward,
	[LIFE_SERVE] = requests_run, [LIFE_REFUSE] = requests_refuse,
};
_Static_assert(sizeof(actions) / sizeof(actions[0]) == LIFE__ACTIONS, "a function for each action");

void supervise_event(struct supervisor *s, enum life_event event)
{
	struct life_rule rule = life_rule(s->state, event);

	s->state = rule.next;
	actions[rule.action](s);
}

/* Files that epoll cannot watch (a regular file, /dev/null) are always ready. */
static int watch(struct supervisor *s, struct endpoint *end, struct failure *f)
{
	const uint32_t edge = end == &s->signals ? 0 : EPOLLOUT | EPOLLET;
	struct epoll_event event = {.events = EPOLLIN | edge, .data.ptr = end};

	if (end->fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, end->fd, &event) == 0)
		return 0;
	if (errno != EPERM || end == &s->signals)
		return fail_sys(f, "epoll_ctl", NULL);
	end->is_readable = end->is_writable = true;
	return 0;
}

static void list_ends(struct supervisor *s, struct endpoint *ret[static ENDS])
{
	struct relay *relay = &s->relay;
	struct endpoint *const ends[ENDS] = {
		&s->signals,
		&s->channel->end,
		&relay->input.from,
		&relay->input.to,
		&relay->outputs[0].from,
		&relay->outputs[0].to,
		&relay->outputs[1].from,
		&relay->outputs[1].to,
	};

	memcpy(ret, ends, sizeof(ends));
}

static int watch_all(struct supervisor *s, struct failure *f)
{
	struct endpoint *ends[ENDS];

	list_ends(s, ends);
	for (size_t i = 0; i < ENDS; i++) {
		if (watch(s, ends[i], f) < 0)
			return -1;
	}
	return 0;
}

/*
 * No edge follows an EAGAIN that had another reason than the state of its file. So when nothing has
 * come for a moment everything is tried once more, and once only.
 */
static void recheck(struct supervisor *s)
{
	struct endpoint *ends[ENDS];

	list_ends(s, ends);
	for (size_t i = 0; i < ENDS; i++)
		ends[i]->is_readable = ends[i]->is_writable = true;
}

static void note(const struct epoll_event *event)
{
	struct endpoint *end = event->data.ptr;

	if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		end->is_readable = true;
	if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		end->is_writable = true;
	end->is_hung_up = event->events & EPOLLHUP;
	if (event->events & EPOLLPRI)
		pressure_relieve();
}

/* A bounded piece of all work there is. True: something moved. */
static bool turn(struct supervisor *s)
{
	bool moved = signals_take(s);

	moved |= reap_all(s);
	moved |= channel_receive(s->channel);
	moved |= requests_serve(s);
	moved |= relay_pump(&s->relay);
	moved |= channel_flush(s->channel);
	return moved;
}

/* How long nothing may go on moving, from now. */
static int64_t patience_ms(const struct supervisor *s)
{
	int64_t limit = relay_waits_for_host(&s->relay) ? STALL_HOST_MS : STALL_GUEST_MS;
	int64_t left = s->moved_ms + limit - sys_now_ms();

	return left > 0 ? left : 0;
}

/* After the entrypoint's end: what has come about without an event of its own. */
static void observe(struct supervisor *s, bool moved)
{
	if (s->state == LIFE_RUN)
		return;
	if (moved)
		s->moved_ms = sys_now_ms();
	if (relay_is_drained(&s->relay))
		supervise_event(s, LIFE_DRAINED);
	if (s->is_alone)
		supervise_event(s, LIFE_REAPED);
	if (!moved && patience_ms(s) == 0)
		supervise_event(s, LIFE_STALLED);
}

static int wait_ms(const struct supervisor *s, bool moved)
{
	if (moved)
		return 0;
	if (s->has_children)
		return RETRY_MS;
	if (s->state != LIFE_RUN)
		return (int)patience_ms(s);
	return s->is_watching_pressure ? -1 : SETTLED_MS;
}

/* Waits for what comes next. False: nothing did, for RECHECK_MS. */
static bool wait_for_events(struct supervisor *s, int limit_ms, bool is_rechecked)
{
	struct epoll_event events[EVENTS];
	bool is_short = !is_rechecked && (limit_ms < 0 || limit_ms > RECHECK_MS);
	/* Less than 0 is EINTR: nothing has come. */
	int count = epoll_wait(s->epoll_fd, events, EVENTS, is_short ? RECHECK_MS : limit_ms);

	for (int i = 0; i < count; i++)
		note(&events[i]);
	if (count < 0 && errno != EINTR) {
		poll(NULL, 0, RETRY_MS); /* no way to wait: all is tried, again and again */
		return false;
	}
	if (count == 0 && !is_short && limit_ms == SETTLED_MS)
		pressure_watch(s);
	return count != 0 || !is_short;
}

static void run(struct supervisor *s)
{
	bool is_rechecked = false;

	while (s->state != LIFE_DONE) {
		bool moved = turn(s);

		observe(s, moved);
		if (s->state == LIFE_DONE)
			break;
		if (s->has_held)
			poll(NULL, 0, RETRY_MS); /* the signals behind it would end any wait */
		is_rechecked = is_rechecked && !moved;
		is_rechecked = !wait_for_events(s, wait_ms(s, moved), is_rechecked);
		if (is_rechecked)
			recheck(s);
	}
}

int supervise(struct supervisor *s, const struct child *child, const struct discovered *found,
	      struct channel *channel, struct exit_record *record, struct failure *f)
{
	struct event started = {.kind = EVENT_STARTED, .pid = child->pid};

	s->child = child;
	s->record = record;
	s->channel = channel;
	s->has_children = true;
	record->phase = PHASE_RUN;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		fail_sys(f, "epoll_create1", NULL);
	if (s->epoll_fd < 0 || signals_open(&s->signals, f) < 0 ||
	    relay_init(&s->relay, child, found, channel, f) < 0 || watch_all(s, f) < 0)
		return fail_at(f, STAGE_SUPERVISE, NULL);
	(void)channel_event(channel, &started); /* a host that is not there needs no news */
	run(s);
	relay_end_lines(&s->relay);
	record->dropped_bytes = relay_dropped_bytes(&s->relay);
	return 0;
}
