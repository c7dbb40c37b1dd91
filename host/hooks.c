// SPDX-License-Identifier: Apache-2.0
/*
 * The hooks that the specification gives to the runtime outside of the container, as smk runs them:
 * prestart and createRuntime while the VMM's process is there and its program has not begun,
 * poststart once the guest says that the entrypoint runs, poststop after the VM's end.
 *
 * One after the other, each in a session of its own, in the bundle's directory, with nothing but its
 * own arguments and environment. The state is a file on its stdin: whoever does not read it, or
 * reads slowly, stops nobody. Its output is kept for the message of its failure. What it leaves
 * behind is not waited for.
 */
#include "hooks.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oci/state.h"

#define PIPE_BYTES 65536 /* what a pipe holds: one read takes all that a hook has left in it */

static const struct {
	const char *status; /* NULL: not ours */
	bool has_process;
} moments[OCI_HOOK__COUNT] = {
	[OCI_HOOK_PRESTART] = {"creating", true},
	[OCI_HOOK_CREATE_RUNTIME] = {"creating", true},
	[OCI_HOOK_POSTSTART] = {"running", true},
	[OCI_HOOK_POSTSTOP] = {"stopped", false},
};

const char *hooks_of_host(const struct oci_hooks *hooks)
{
	for (int kind = 0; kind < OCI_HOOK__COUNT; kind++)
		if (moments[kind].status && hooks->counts[kind])
			return hooks->items[kind][0].field;
	return NULL;
}

void hooks_init(struct hooks *hooks)
{
	*hooks = (struct hooks){.process = PROCESS_NONE};
}

void hooks_begin(struct hooks *hooks, const struct bundle *bundle, enum oci_hook_kind kind,
		 pid_t vmm_pid)
{
	AUTO_FREE char *id = must_format("smk-%d", (int)vmm_pid);
	const struct state state = {
		.id = id,
		.status = moments[kind].status,
		.pid = moments[kind].has_process ? vmm_pid : 0,
		.bundle = bundle->real_path,
	};

	hooks_init(hooks);
	hooks->bundle = bundle;
	hooks->kind = kind;
	hooks->count = bundle->spec.hooks.counts[kind];
	if (hooks->count)
		hooks->state = state_text(&bundle->spec, &state);
}

static const struct oci_hook *current(const struct hooks *hooks)
{
	return &hooks->bundle->spec.hooks.items[hooks->kind][hooks->next];
}

/* A new file for each: none of them reads where another one has stopped, or what it wrote. */
static int open_state(const char *text, int *ret_fd, struct failure *f)
{
	AUTO_FD fd = memfd_create("smk-state", MFD_CLOEXEC);

	if (!text)
		return fail_err(f, ENOMEM, "malloc", NULL, "state");
	if (fd < 0 || dprintf(fd, "%s", text) < 0 || lseek(fd, 0, SEEK_SET))
		return fail_sys(f, "memfd_create", NULL);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int start(struct hooks *hooks, struct failure *f)
{
	const struct oci_hook *hook = current(hooks);
	struct process_setup setup = {
		.path = hook->path,
		.argv = hook->args.items,
		.envp = hook->env.items,
		.cwd_fd = hooks->bundle->dir_fd,
	};
	AUTO_FD state_fd = -1;

	if (open_state(hooks->state, &state_fd, f))
		return -1;
	setup.input_fd = state_fd;
	if (process_start(&setup, &hooks->process, f))
		return -1;
	hooks->tail.written = 0;
	hooks->deadline_ms = hook->has_timeout ? now_ms() + 1e3 * hook->timeout_s : 0;
	return 0;
}

static void read_output(struct hooks *hooks)
{
	char bytes[PIPE_BYTES];
	ssize_t got = read(hooks->process.output_fd, bytes, sizeof(bytes));

	if (got > 0)
		tail_add(&hooks->tail, bytes, (size_t)got);
	if (got)
		return;
	cleanup_fd(&hooks->process.output_fd); /* its end, which poll() would go on to tell */
	hooks->process.output_fd = -1;
}

static int judge(const struct hooks *hooks, int status, struct failure *f)
{
	const char *path = current(hooks)->path;
	char words[128];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	tail_last_line(&hooks->tail, words, sizeof(words));
	return fail_err(f, 0, "", path, "%s %d%s%s",
			WIFSIGNALED(status) ? "was ended by signal" : "ended with code",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			*words ? ": " : "", words);
}

/* The one that runs: 0 as long as it does, 1 when it has ended well. */
static int look(struct hooks *hooks, struct failure *f)
{
	const struct oci_hook *hook = current(hooks);
	int status;

	read_output(hooks);
	if (waitpid(hooks->process.pid, &status, WNOHANG) == hooks->process.pid) {
		read_output(hooks);
		hooks->process.pid = -1; /* what it left in its group goes on */
		process_stop(&hooks->process);
		return judge(hooks, status, f) ? -1 : 1;
	}
	if (!hooks->deadline_ms || now_ms() < hooks->deadline_ms)
		return 0;
	process_stop(&hooks->process);
	return fail_err(f, 0, "", hook->path, "took longer than %u s", hook->timeout_s);
}

bool hooks_are_over(const struct hooks *hooks)
{
	return hooks->next == hooks->count;
}

int hooks_work(struct hooks *hooks, struct failure *f)
{
	while (!hooks_are_over(hooks)) {
		bool is_new = hooks->process.pid < 0;
		int result = is_new ? start(hooks, f) : look(hooks, f);

		if (!result && !is_new)
			return 0;
		if (result < 0)
			fail_at(f, STAGE_NONE, current(hooks)->field);
		hooks->next += result != 0;
		if (result < 0)
			return -1;
	}
	return 0;
}

void hooks_stop(struct hooks *hooks)
{
	process_stop(&hooks->process);
	hooks->next = hooks->count;
}

/* Until there may be something to do; fails when a signal asks smk to end. */
static int wait_for_news(struct hooks *hooks, struct failure *f)
{
	struct pollfd polls[] = {{.fd = signals_fd(), .events = POLLIN},
				 {.fd = hooks->process.output_fd, .events = POLLIN}};

	if (poll(polls, 2, poll_timeout(hooks->deadline_ms)) < 0 && errno != EINTR) {
		fail_sys(f, "poll", NULL);
	} else if (signals_want_end()) {
		signals_forget(); /* it ends this hook, not the next one */
		fail_err(f, 0, "", current(hooks)->path, "interrupted by a signal to smk");
	} else {
		return 0;
	}
	fail_at(f, STAGE_NONE, current(hooks)->field);
	process_stop(&hooks->process);
	hooks->next++;
	return -1;
}

/* Until all have ended, or one has failed. */
static int go_on(struct hooks *hooks, struct failure *f)
{
	do {
		if (hooks_work(hooks, f) || (!hooks_are_over(hooks) && wait_for_news(hooks, f)))
			return -1;
	} while (!hooks_are_over(hooks));
	return 0;
}

int hooks_run(const struct bundle *bundle, enum oci_hook_kind kind, pid_t vmm_pid,
	      struct failure *f)
{
	struct hooks hooks;

	hooks_begin(&hooks, bundle, kind, vmm_pid);
	return go_on(&hooks, f);
}

void hooks_run_tolerant(const struct bundle *bundle, enum oci_hook_kind kind, pid_t vmm_pid)
{
	struct hooks hooks;

	signals_forget();
	hooks_begin(&hooks, bundle, kind, vmm_pid);
	for (;;) {
		struct failure f = {0};

		if (!go_on(&hooks, &f))
			return;
		say_tolerated(&f);
	}
}
