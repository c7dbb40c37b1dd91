// SPDX-License-Identifier: Apache-2.0
// The table of a run's life, and wait statuses, without a process.
#include <signal.h>

#include "init/life.h"
#include "tests/t.h"

#define EXITED(code) ((code) << 8)
#define CORE_FLAG    0x80

/* Feeds events; returns the last state, and the actions as bits. */
static enum life_state feed(const enum life_event *events, size_t count, unsigned *ret_actions)
{
	enum life_state state = LIFE_RUN;

	*ret_actions = 0;
	for (size_t i = 0; i < count; i++) {
		struct life_rule rule = life_rule(state, events[i]);

		*ret_actions |= 1u << rule.action;
		state = rule.next;
	}
	return state;
}

#define FEED(actions, ...)                           \
	feed((const enum life_event[]){__VA_ARGS__}, \
	     sizeof((enum life_event[]){__VA_ARGS__}) / sizeof(enum life_event), actions)

static void ends_in_either_order(void)
{
	unsigned actions;

	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_DRAINED, LIFE_REAPED), LIFE_DONE);
	CHECK_INT(actions, 1u << LIFE_KILL | 1u << LIFE_NOTHING);
	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_REAPED, LIFE_DRAINED), LIFE_DONE);
	CHECK_INT(actions, 1u << LIFE_KILL | 1u << LIFE_NOTHING);
}

/* A workload that closes its output, or whose orphans are gone, still runs. */
static void only_the_entrypoint_ends_a_run(void)
{
	unsigned actions;

	CHECK_INT(FEED(&actions, LIFE_DRAINED, LIFE_REAPED, LIFE_STALLED), LIFE_RUN);
	CHECK_INT(actions, 1u << LIFE_NOTHING);
}

static void both_must_be_over(void)
{
	unsigned actions;

	CHECK_INT(FEED(&actions, LIFE_ENDED), LIFE_END);
	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_DRAINED, LIFE_DRAINED), LIFE_REAP);
	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_REAPED, LIFE_REAPED), LIFE_DRAIN);
}

static void stalling_drops_output_only_where_there_is_some(void)
{
	unsigned actions;

	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_STALLED), LIFE_DONE);
	CHECK(actions & 1u << LIFE_DROP);
	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_REAPED, LIFE_STALLED), LIFE_DONE);
	CHECK(actions & 1u << LIFE_DROP);
	CHECK_INT(FEED(&actions, LIFE_ENDED, LIFE_DRAINED, LIFE_STALLED), LIFE_DONE);
	CHECK(!(actions & 1u << LIFE_DROP));
}

/* Once it has ended, its pid may be another's: nothing may be sent there. */
static void nothing_is_sent_after_the_end(void)
{
	for (enum life_state state = LIFE_RUN; state < LIFE__STATES; state++) {
		bool runs = state == LIFE_RUN;

		CHECK_INT(life_rule(state, LIFE_SIGNAL).action, runs ? LIFE_FORWARD : LIFE_NOTHING);
		CHECK_INT(life_rule(state, LIFE_REQUEST).action, runs ? LIFE_SERVE : LIFE_REFUSE);
		CHECK_INT(life_rule(state, LIFE_SIGNAL).next, state);
		CHECK_INT(life_rule(state, LIFE_REQUEST).next, state);
	}
}

static void everything_is_killed_once(void)
{
	for (enum life_state state = LIFE_RUN; state < LIFE__STATES; state++) {
		for (enum life_event event = 0; event < LIFE__EVENTS; event++) {
			bool is_end = state == LIFE_RUN && event == LIFE_ENDED;

			CHECK_INT(life_rule(state, event).action == LIFE_KILL, is_end);
		}
	}
}

static void done_is_the_end(void)
{
	for (enum life_event event = 0; event < LIFE__EVENTS; event++)
		CHECK_INT(life_rule(LIFE_DONE, event).next, LIFE_DONE);
}

static void exit_codes(void)
{
	for (int code = 0; code < 256; code++) {
		struct exit_record record = {0};

		life_exit(EXITED(code), &record);
		CHECK_INT(record.phase, PHASE_RUN);
		CHECK_INT(record.code, code);
		CHECK_INT(record.signal, 0);
		CHECK(!record.core_dumped);
	}
}

static void deaths_by_signal(void)
{
	for (int sig = 1; sig <= 64; sig++) {
		struct exit_record record = {0};

		life_exit(sig, &record);
		CHECK_INT(record.phase, PHASE_RUN);
		CHECK_INT(record.code, 128 + sig);
		CHECK_INT(record.signal, sig);
		CHECK(!record.core_dumped);
	}
}

static void core_dumps(void)
{
	struct exit_record record = {0};

	life_exit(SIGSEGV | CORE_FLAG, &record);
	CHECK_INT(record.code, 128 + SIGSEGV);
	CHECK(record.core_dumped);
}

static const struct t_case cases[] = {
	{"ends-in-either-order", ends_in_either_order},
	{"only-the-entrypoint-ends-a-run", only_the_entrypoint_ends_a_run},
	{"both-must-be-over", both_must_be_over},
	{"stalling", stalling_drops_output_only_where_there_is_some},
	{"nothing-is-sent-after-the-end", nothing_is_sent_after_the_end},
	{"everything-is-killed-once", everything_is_killed_once},
	{"done-is-the-end", done_is_the_end},
	{"exit-codes", exit_codes},
	{"deaths-by-signal", deaths_by_signal},
	{"core-dumps", core_dumps},
};

T_MAIN("init-life", cases)
