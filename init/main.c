// SPDX-License-Identifier: Apache-2.0
/*
 * init-oci: PID 1 of a virtual machine that is one OCI container.
 *
 * Theory of operation. A run is a list of stages (design: the guest pipeline). Each takes what
 * earlier ones left in struct guest, adds its own part, and notes the time; none looks back at an
 * earlier one's input. The first failure ends the list. Whatever happened, report() is next and
 * last: it sends the exit record and switches the machine off.
 *
 *   bootargs   early's file systems and console; the kernel's command line
 *   discover   disks, shares, ports, config.json; the channel opens and says hello
 *   parse      config.json into a spec; the text is wiped wherever it was
 *   plan       the spec into steps
 *   apply      the machine's steps: the container's root
 *   spawn      the entrypoint's process, which does the container's steps first; done when its
 *              execve is known to have worked
 *   supervise  until it has ended and its output is delivered
 *
 * From the first line of run() on, PID 1 must not exit, for that is a kernel panic: nothing here or
 * below calls exit() (report.c says what it does when it is not allowed to switch off), and a signal
 * cannot end it, because all are blocked. As any process but PID
 * 1, init-oci is a tool (tool.c).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <smk/contract.h>

#include "init/channel.h"
#include "init/guest.h"
#include "init/supervise.h"
#include "init/verity.h"

struct guest {
	struct bootargs args;
	struct early early;
	bool has_early;
	bool has_expedited; /* grace periods, until the entrypoint runs */
	struct discovered found;
	struct oci_spec spec;
	struct plan plan;
	struct container container;
	struct child child;
	struct channel channel;
	struct supervisor supervisor;
	struct exit_record record;
};

/* Zeroed memory that costs no page until it is used; too large for the stack. */
static struct guest guest;

static int do_bootargs(struct guest *g, struct failure *f)
{
	/* Nobody may trace PID 1 or open its files, nor those of a child before its execve. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail_sys(f, "prctl(PR_SET_DUMPABLE)", NULL);
	if (signals_block(f) < 0 || early_setup(&g->early, f) < 0)
		return -1;
	g->has_early = true;
	g->has_expedited = grace_expedite(&g->early);
	return bootargs_read(&g->args, f);
}

static void say_hello(struct guest *g)
{
	struct event event = {.kind = EVENT_HELLO, .hello = {.version = SMK_CHANNEL_VERSION}};

	snprintf(event.hello.init_version, sizeof(event.hello.init_version), "%s", SMK_VERSION);
	event.hello.marks = g->record.marks;
	if (channel_event(&g->channel, &event))
		channel_flush(&g->channel);
}

static int do_discover(struct guest *g, struct failure *f)
{
	/* A failed discover still hands out the channel it found: the failure leaves through it. */
	int status = discover(&g->args, &g->early, &g->found, f);

	channel_init(&g->channel, g->found.control_fd);
	if (status == 0)
		g->record.marks.at_ns[MARK_DISCOVER] = mark_now(); /* hello tells it */
	say_hello(g);
	return status;
}

/* Random bytes that the kernel gave this process anyway; the first eight are libc's. */
static uint32_t hash_seed(void)
{
	const uint8_t *bytes = (const uint8_t *)getauxval(AT_RANDOM);
	uint32_t seed = 0;

	if (bytes)
		memcpy(&seed, bytes + 8, sizeof(seed));
	return seed;
}

static int do_parse(struct guest *g, struct failure *f)
{
	if (oci_parse(g->found.config, g->found.config_length, hash_seed(), &g->spec, f) < 0)
		return -1;
	return discover_forget(&g->found, &g->early, f);
}

static int do_plan(struct guest *g, struct failure *f)
{
	return plan_build(&g->spec, &g->found.sources, &g->plan, f);
}

static int do_apply(struct guest *g, struct failure *f)
{
	return apply(&g->plan, g->spec.linux_.namespaces, &g->early, &g->container, f);
}

static int do_spawn(struct guest *g, struct failure *f)
{
	if (spawn(&g->spec, &g->plan, &g->container, &g->early, &g->child, f) < 0)
		return -1;
	g->record.marks.at_ns[MARK_APPLY] = g->child.applied_ns;
	return 0;
}

/* The warnings come only now, so that no console delays the entrypoint. */
static int do_supervise(struct guest *g, struct failure *f)
{
	if (g->has_expedited)
		grace_relax(&g->early);
	for (size_t i = 0; i < g->spec.warning_count; i++)
		console_warn("parse: %s: %s", g->spec.warnings[i].field, g->spec.warnings[i].why);
	return supervise(&g->supervisor, &g->child, &g->found, &g->channel, &g->record, f);
}

/* mark: the moment when the stage was done; apply's half is spawn's, supervise's means another. */
static const struct {
	enum stage stage;
	enum mark mark;
	int (*run)(struct guest *, struct failure *);
} stages[] = {
	{STAGE_BOOTARGS, MARK_BOOTARGS, do_bootargs}, {STAGE_DISCOVER, MARK_DISCOVER, do_discover},
	{STAGE_PARSE, MARK_PARSE, do_parse},          {STAGE_PLAN, MARK_PLAN, do_plan},
	{STAGE_APPLY, MARK__COUNT, do_apply},         {STAGE_SPAWN, MARK_SPAWN, do_spawn},
	{STAGE_SUPERVISE, MARK__COUNT, do_supervise},
};
_Static_assert(sizeof(stages) / sizeof(stages[0]) == STAGE_SUPERVISE - STAGE_BOOTARGS + 1,
	       "every stage before report is run");

static void run_stages(struct guest *g)
{
	struct exit_record *record = &g->record;

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		if (stages[i].run(g, &record->failure) < 0) {
			fail_at(&record->failure, stages[i].stage, NULL);
			record->has_failure = true;
			record->code = fail_exit_code(&record->failure);
			return;
		}
		if (stages[i].mark < MARK__COUNT)
			record->marks.at_ns[stages[i].mark] = mark_now();
	}
}

/* A damaged layer is the cause, whatever else was seen of it: an error, a signal, or nothing. */
static void blame_layers(struct guest *g)
{
	struct exit_record *record = &g->record;
	struct failure failure = {.stage = record->failure.stage};

	if (!verity_check(&g->plan, &failure))
		return;
	record->failure = failure;
	record->has_failure = true;
	record->code = fail_exit_code(&failure);
}

/* Point of no return: PID 1 never comes back from here. */
static _Noreturn void run(void)
{
	guest.container = (struct container){.root_fd = -1, .upper_fd = -1, .cgroup_fd = -1};
	guest.channel.end.fd = -1;
	guest.record.marks.at_ns[MARK_MAIN] = mark_now();
	run_stages(&guest);
	if (guest.record.has_failure)
		kill(-1, SIGKILL); /* most often there is nobody, which is an error, and is fine */
	blame_layers(&guest);
	report(&guest.record, &guest.channel, guest.has_early ? &guest.early : NULL,
	       &guest.container);
}

int main(int argc, char *argv[])
{
	SMK_MARK();
	if (getpid() != 1)
		return tool_main(argc, argv);
	run();
}
