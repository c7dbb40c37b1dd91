// SPDX-License-Identifier: Apache-2.0
// The life of a run: the table.
#include "init/life.h"

#include <sys/wait.h>

#include <smk/fail.h>

static const struct life_rule rules[LIFE__STATES][LIFE__EVENTS] =
	{
		[LIFE_RUN] =
			{
				[LIFE_ENDED] = {LIFE_END, LIFE_KILL},
				[LIFE_DRAINED] = {LIFE_RUN, LIFE_NOTHING},
				[LIFE_REAPED] = {LIFE_RUN, LIFE_NOTHING},
				[LIFE_STALLED] = {LIFE_RUN, LIFE_NOTHING},
				[LIFE_SIGNAL] = {LIFE_RUN, LIFE_FORWARD},
				[LIFE_REQUEST] = {LIFE_RUN, LIFE_SERVE},
			},
		[LIFE_END] =
			{
				[LIFE_ENDED] = {LIFE_END, LIFE_NOTHING},
				[LIFE_DRAINED] = {LIFE_REAP, LIFE_NOTHING},
				[LIFE_REAPED] = {LIFE_DRAIN, LIFE_NOTHING},
				[LIFE_STALLED] = {LIFE_DONE, LIFE_DROP},
				[LIFE_SIGNAL] = {LIFE_END, LIFE_NOTHING},
				[LIFE_REQUEST] = {LIFE_END, LIFE_REFUSE},
			},
		[LIFE_REAP] =
			{
				[LIFE_ENDED] = {LIFE_REAP, LIFE_NOTHING},
				[LIFE_DRAINED] = {LIFE_REAP, LIFE_NOTHING},
				[LIFE_REAPED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_STALLED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_SIGNAL] = {LIFE_REAP, LIFE_NOTHING},
				[LIFE_REQUEST] = {LIFE_REAP, LIFE_REFUSE},
			},
		[LIFE_DRAIN] =
			{
				[LIFE_ENDED] = {LIFE_DRAIN, LIFE_NOTHING},
				[LIFE_DRAINED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_REAPED] = {LIFE_DRAIN, LIFE_NOTHING},
				[LIFE_STALLED] = {LIFE_DONE, LIFE_DROP},
				[LIFE_SIGNAL] = {LIFE_DRAIN, LIFE_NOTHING},
				[LIFE_REQUEST] = {LIFE_DRAIN, LIFE_REFUSE},
			},
		[LIFE_DONE] =
			{
				[LIFE_ENDED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_DRAINED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_REAPED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_STALLED] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_SIGNAL] = {LIFE_DONE, LIFE_NOTHING},
				[LIFE_REQUEST] = {LIFE_DONE, LIFE_REFUSE},
			},
};

struct life_rule life_rule(enum life_state state, enum life_event event)
{
	return rules[state][event];
}

void life_exit(int wait_status, struct exit_record *ret)
{
	ret->phase = PHASE_RUN;
	ret->signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	ret->core_dumped = WIFSIGNALED(wait_status) && WCOREDUMP(wait_status);
	ret->code = ret->signal ? SMK_EXIT_SIGNAL + ret->signal : WEXITSTATUS(wait_status);
}
