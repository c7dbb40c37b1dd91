// SPDX-License-Identifier: Apache-2.0
/*
 * From the start of QEMU to its end: one poll loop over the user's streams, signals, the guest's
 * console and its control channel. It goes on until QEMU has ended and all that the guest sent is
 * delivered; the exit record alone does not end it, because the guest still has disks to unmount.
 */
#include "session.h"
#include "volumes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POWEROFF_MS      10000 /* from the exit record to the end of QEMU */
#define END_SIGNALS      3     /* INT, TERM, HUP or QUIT in a row: by force */
#define END_SIGNAL_MS    2000  /* at most from one to the next */
#define LINES_ON_FAILURE 40    /* a panic with its call trace */

enum {
	POLL_SIGNALS,
	POLL_VMM,
	POLL_CONSOLE,
	POLL_CHANNEL,
	POLL_STDIN,
	POLL_STDOUT,
	POLL_STDERR,
	POLL_SHOWN,
	POLL_HOOK,
	POLL__COUNT,
};

static void take_signal(struct session *session, int signal)
{
	int stop_signal = session->setup->bundle->stop_signal;
	int number = signal == SIGTERM && stop_signal ? stop_signal : signals_guest_number(signal);
	double now = now_ms();

	if (signal == SIGWINCH)
		session->is_resized = session->setup->bundle->spec.process.terminal;
	if (number)
		session->pending_signals |= UINT64_C(1) << number;
	if (!signals_is_end(signal))
		return;
	if (now - session->end_signal_ms > END_SIGNAL_MS)
		session->end_signals = 0;
	session->end_signal_ms = now;
	if (++session->end_signals >= END_SIGNALS || session->has_vmm_ended)
		session->is_forced = true;
}

static void take_signals(struct session *session)
{
	int signal;
	pid_t pid;

	while ((signal = signals_next()))
		take_signal(session, signal);
	if (session->has_vmm_ended)
		return;
	pid = waitpid(session->vmm.pid, &session->vmm_status, WNOHANG);
	if (pid == session->vmm.pid) {
		session->has_vmm_ended = true;
		session->vmm.pid = -1;
		session->timeline->end_ms = now_ms();
	}
}

static void read_vmm(struct session *session)
{
	char bytes[4096];
	ssize_t got = read(session->vmm.output_fd, bytes, sizeof(bytes));

	if (got > 0) {
		tail_add(&session->vmm_tail, bytes, (size_t)got);
	} else if (!got || (errno != EAGAIN && errno != EINTR)) {
		cleanup_fd(&session->vmm.output_fd);
		session->vmm.output_fd = -1;
	}
}

static int read_channel(struct session *session, struct failure *f)
{
	int result = channel_read(&session->channel, f);

	if (result < 0 || messages_take(session, f))
		return -1;
	if (!result) {
		cleanup_fd(&session->channel.fd);
		session->channel.fd = -1;
	}
	return 0;
}

static void fill_polls(struct session *session, struct pollfd polls[POLL__COUNT])
{
	const struct output *outputs = session->outputs;
	bool wants_input = session->channel.fd >= 0 && !session->has_record &&
			   input_wants(&session->input, &session->channel);

	for (int i = 0; i < POLL__COUNT; i++)
		polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	polls[POLL_SIGNALS].fd = signals_fd();
	polls[POLL_VMM].fd = session->vmm.output_fd;
	polls[POLL_CONSOLE].fd = session->console.fd;
	polls[POLL_CHANNEL].fd = session->channel.fd;
	if (session->channel.out_length)
		polls[POLL_CHANNEL].events |= POLLOUT;
	if (wants_input)
		polls[POLL_STDIN].fd = STDIN_FILENO;
	for (int i = 0; i < 2; i++) {
		polls[POLL_STDOUT + i].events = POLLOUT;
		if (outputs[i].length)
			polls[POLL_STDOUT + i].fd = outputs[i].fd;
	}
	polls[POLL_SHOWN].events = POLLOUT;
	if (session->console.shown.length)
		polls[POLL_SHOWN].fd = session->console.shown.fd;
	polls[POLL_HOOK].fd = session->poststart.process.output_fd;
}

static int handle_polls(struct session *session, const struct pollfd polls[POLL__COUNT],
			struct failure *f)
{
	int escaped = 0;

	if (polls[POLL_VMM].revents)
		read_vmm(session);
	if (polls[POLL_CONSOLE].revents)
		console_read(&session->console);
	if (polls[POLL_SHOWN].revents)
		console_show(&session->console);
	if (polls[POLL_CHANNEL].revents & ~POLLOUT && read_channel(session, f))
		return -1;
	if (polls[POLL_STDIN].revents)
		escaped = input_read(&session->input, &session->channel, f);
	if (escaped < 0)
		return -1;
	session->is_forced |= escaped > 0;
	for (int i = 0; i < 2; i++)
		if (polls[POLL_STDOUT + i].revents && output_write(&session->outputs[i], f))
			return -1;
	return 0;
}

/* A reader of ours that went away is told to the workload as the kernel would tell it. */
static void pass_on_broken_pipe(struct session *session)
{
	for (int i = 0; i < 2; i++) {
		if (session->outputs[i].has_broken)
			session->pending_signals |= UINT64_C(1) << 13; /* Linux's SIGPIPE */
		session->outputs[i].has_broken = false;
	}
}

/*
 * One that fails is the end of the workload: it is killed, so that the machine goes down as it
 * should, and the run has failed whatever the guest says.
 */
static void work_on_hooks(struct session *session)
{
	struct failure f = {0};

	if (!hooks_work(&session->poststart, &f))
		return;
	hooks_stop(&session->poststart);
	session->hook_failure = f;
	session->hook_failed_ms = now_ms();
	session->pending_signals |= UINT64_C(1) << 9; /* Linux's SIGKILL */
}

/* Whether the entrypoint's start is waited for, and for less long than the run's end. */
static bool is_late(const struct session *session)
{
	unsigned init = session->setup->init_timeout_s;
	unsigned run = session->setup->timeout_s;

	return init && !session->has_started && (!run || init < run);
}

static unsigned timeout_s(const struct session *session)
{
	return is_late(session) ? session->setup->init_timeout_s : session->setup->timeout_s;
}

/*
 * When patience ends, or 0: for the power-off after the record, or after a hook's failure, before
 * it for --timeout.
 */
static double deadline_ms(const struct session *session)
{
	if (session->has_vmm_ended)
		return 0;
	if (session->has_record)
		return session->timeline->exit_ms + POWEROFF_MS;
	if (session->hook_failed_ms > 0)
		return session->hook_failed_ms + POWEROFF_MS;
	return timeout_s(session) ? session->timeline->started_ms + 1e3 * timeout_s(session) : 0;
}

/* The sooner of that and the end of a hook's time; 0: none. */
static double wake_ms(const struct session *session)
{
	double end = deadline_ms(session);
	double hook = session->poststart.deadline_ms;

	if (hooks_are_over(&session->poststart) || hook == 0)
		return end;
	return end == 0 || hook < end ? hook : end;
}

/* Without a volume's server the guest would wait for ever; at the end it is the first to go. */
static int check_volumes(const struct session *session, struct failure *f)
{
	if (session->has_vmm_ended || session->has_record)
		return 0;
	return volumes_check(session->setup->volumes, 0, f);
}

static int check_end(const struct session *session, struct failure *f)
{
	if (session->is_forced)
		return fail_err(f, 0, "", NULL, "the VM was ended by force");
	if (deadline_ms(session) == 0 || now_ms() < deadline_ms(session))
		return 0;
	if (session->has_record)
		return fail_err(f, 0, "", NULL, "the VM did not power off after its exit record");
	return fail_err(f, 0, "", NULL, "the VM was ended after %u seconds (%s)",
			timeout_s(session), is_late(session) ? "--init-timeout" : "--timeout");
}

static bool is_over(const struct session *session)
{
	return session->has_vmm_ended && session->vmm.output_fd < 0 && session->console.fd < 0 &&
	       session->channel.fd < 0 && !session->outputs[0].length &&
	       !session->outputs[1].length && !session->console.shown.length &&
	       hooks_are_over(&session->poststart);
}

static int loop(struct session *session, struct failure *f)
{
	struct pollfd polls[POLL__COUNT];

	while (!is_over(session)) {
		fill_polls(session, polls);
		if (poll(polls, POLL__COUNT, poll_timeout(wake_ms(session))) < 0) {
			if (errno != EINTR)
				return fail_sys(f, "poll", NULL);
			continue;
		}
		take_signals(session);
		if (handle_polls(session, polls, f))
			return -1;
		pass_on_broken_pipe(session);
		work_on_hooks(session);
		messages_send(session);
		if (channel_flush(&session->channel, f) || check_volumes(session, f) ||
		    check_end(session, f))
			return -1;
	}
	return 0;
}

/*
 * After QEMU's end: is there a record, and if not, what is the best that can be said? A guest with
 * a channel has its record there: once hello has come, a line on the console may be the workload's.
 */
static int conclude(struct session *session, struct failure *f)
{
	static const char qemu[] = "qemu-system-aarch64";
	const char *why;
	char line[128];

	if (!session->has_record && session->console.has_record && !session->has_hello) {
		session->record = session->console.record;
		session->has_record = true;
		session->timeline->exit_ms = session->timeline->end_ms;
	}
	if (session->has_record)
		return 0;
	tail_last_words(&session->vmm_tail, qemu, line, sizeof(line));
	if (*line && (!WIFEXITED(session->vmm_status) || WEXITSTATUS(session->vmm_status)))
		return fail_err(f, 0, qemu, NULL, "%s%s", line,
				strstr(line, "guest memory") ? ": try less --memory" : "");
	if (WIFSIGNALED(session->vmm_status))
		return fail_err(f, 0, qemu, NULL, "killed by signal %d",
				WTERMSIG(session->vmm_status));
	if (session->console.has_record)
		return fail_err(
			f, 0, "", NULL,
			"the VM ended without an exit record on its control channel; one "
			"on the console, of code %d, is not believed: a workload can print it",
			session->console.record.code);
	why = session->fatal[0] ? session->fatal : session->console.panic;
	return fail_err(f, 0, "", NULL, "the VM ended without an exit record%s%s", *why ? ": " : "",
			why);
}

static void start(struct session *session, const struct session_setup *setup,
		  struct timeline *timeline)
{
	session->setup = setup;
	session->timeline = timeline;
	session->vmm = *setup->vmm;
	session->vmm_pid = setup->vmm->pid;
	*setup->vmm = PROCESS_NONE;
	hooks_init(&session->poststart);
	channel_init(&session->channel, setup->control_fd);
	console_init(&session->console, setup->console_fd, setup->show_console);
	session->input.credit = SMK_STREAM_CREDIT;
	output_init(&session->outputs[0], STDOUT_FILENO, SMK_STREAM_OUTPUT);
	output_init(&session->outputs[1], STDERR_FILENO, SMK_STREAM_ERROR);
	timeline->started_ms = now_ms();
}

static int run(struct session *session, struct failure *f)
{
	int result;

	if (process_go(&session->vmm, f))
		return -1;
	session->input.is_terminal =
		session->setup->bundle->spec.process.terminal && terminal_raw();
	result = loop(session, f);
	terminal_restore();
	return result ? -1 : conclude(session, f);
}

int session_run(const struct session_setup *setup, struct timeline *timeline,
		struct exit_record *ret, struct failure *f)
{
	AUTO_FREE struct session *session = must_alloc(sizeof(*session));
	int result;

	start(session, setup, timeline);
	result = run(session, f);
	if (session->hook_failed_ms > 0) {
		*f = session->hook_failure; /* what came after it came of it */
		result = -1;
	} else if (!result) {
		*ret = session->record;
	} else if (!setup->show_console) {
		tail_print(&session->console.tail, LINES_ON_FAILURE, "  console: ");
	}
	hooks_stop(&session->poststart);
	process_stop(&session->vmm);
	channel_finish(&session->channel);
	console_finish(&session->console);
	for (int i = 0; i < 2; i++)
		output_finish(&session->outputs[i]);
	return result;
}
