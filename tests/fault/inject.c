// SPDX-License-Identifier: Apache-2.0
/*
 * inject REPORT IMAGE SNAPSHOT FAULT PROGRAM...: runs PROGRAM, which starts a PID 1, and makes one
 * system call of it or of its children fail.
 *
 * The first child of PROGRAM that executes something is the PID 1 ("init" from then on); its n-th
 * child is "init.n", and so on. Each is traced until it executes something else. FAULT is
 * ROLE:NUMBER:OCCURRENCE:ERRNO, or "-": the call is not made and returns the error. When PID 1 is
 * about to switch the machine off, the file IMAGE is copied to SNAPSHOT: what a power cut would leave.
 *
 * REPORT gets a line for each role and call, "call ROLE NUMBER COUNT", then "injected" when the
 * fault was, and "end STATUS", the wait status of PID 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define INIT        "init"
#define CALLS_MAX   512
#define ROLES_MAX   32
#define TRACEES_MAX 64
#define ROLE_MAX    32
#define OPTIONS                                                                                 \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define STATUS_EVENT(status) ((unsigned)(status) >> 16)

struct role {
	char name[ROLE_MAX];
	bool is_late; /* of PID 1's children one that may be there to switch off */
	unsigned children;
	unsigned counts[CALLS_MAX];
};

struct tracee {
	pid_t pid;         /* 0: a free place */
	struct role *role; /* NULL: not known yet, and it waits, or PROGRAM itself */
	bool is_launcher;
	bool is_stopped;
	bool is_injected;
};

static struct {
	const char *image, *snapshot;
	char role[ROLE_MAX];
	unsigned long number, occurrence;
	long error;
	bool is_injected, has_snapshot;
	struct role roles[ROLES_MAX];
	unsigned role_count;
	struct tracee tracees[TRACEES_MAX];
	pid_t init_pid;
	int init_status;
	volatile sig_atomic_t is_over;
} run;

static long need(long result, const char *what)
{
	if (result >= 0)
		return result;
	perror(what);
	_exit(99);
}

static struct tracee *tracee_of(pid_t pid)
{
	struct tracee *place = NULL;

	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (run.tracees[i].pid == pid)
			return &run.tracees[i];
		if (!run.tracees[i].pid && !place)
			place = &run.tracees[i];
	}
	need(place ? 0 : -1, "too many processes");
	*place = (struct tracee){.pid = pid};
	return place;
}

static struct role *role_new(const char *parent, unsigned child)
{
	need(run.role_count < ROLES_MAX ? 0 : -1, "too many roles");
	struct role *role = &run.roles[run.role_count++];

	snprintf(role->name, sizeof(role->name), child ? "%.20s.%u" : "%s", parent, child);
	role->is_late = child && (child > 1 || run.is_injected) && strcmp(parent, INIT) == 0;
	return role;
}

/*
 * Each stop costs more than the call itself: without a fault every call is looked at, with one those
 * of its role until it has happened, and those of who may switch the machine off.
 */
static bool is_watched(const struct tracee *tracee)
{
	const struct role *role = tracee->role;

	if (!role || !run.role[0] || role->is_late)
		return role;
	if (tracee->is_injected)
		return true;
	return strcmp(role->name, run.role) == 0 &&
	       (!run.is_injected || strcmp(role->name, INIT) == 0);
}

/* A process may die at any moment, of a SIGKILL; its end is told in any case. */
static void resume(struct tracee *tracee, int sig)
{
	tracee->is_stopped = false;
	(void)ptrace(is_watched(tracee) ? PTRACE_SYSCALL : PTRACE_CONT, tracee->pid, NULL,
		     (long)sig);
}

static void release(struct tracee *tracee)
{
	(void)ptrace(PTRACE_DETACH, tracee->pid, NULL, NULL);
	*tracee = (struct tracee){.pid = 0};
}

static void take_snapshot(void)
{
	struct stat st;

	if (run.has_snapshot || strcmp(run.image, "-") == 0)
		return;
	run.has_snapshot = true;
	int in = (int)need(open(run.image, O_RDONLY | O_CLOEXEC), run.image);
	int out = (int)need(open(run.snapshot, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
			    run.snapshot);

	need(fstat(in, &st), run.image);
	for (off_t at = 0; at < st.st_size;)
		need(sendfile(out, in, &at, (size_t)(st.st_size - at)), "sendfile");
	close(in);
	close(out);
}

static bool is_the_one(const struct tracee *tracee, unsigned long number)
{
	return !run.is_injected && number == run.number &&
	       strcmp(tracee->role->name, run.role) == 0 &&
	       tracee->role->counts[number] == run.occurrence;
}

/*
 * The call is not made. A close is all the same: whatever it returns, the descriptor is gone. In the
 * place of the others stands one that no filter of system calls objects to.
 */
static void replace(pid_t pid, unsigned long number)
{
	if (number != SYS_close)
		(void)ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax),
			     (long)SYS_getpid);
}

static void on_syscall(struct tracee *tracee)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr < CALLS_MAX) {
		tracee->role->counts[info.entry.nr]++;
		if (info.entry.nr == SYS_reboot)
			take_snapshot();
		if (is_the_one(tracee, info.entry.nr)) {
			run.is_injected = tracee->is_injected = true;
			replace(tracee->pid, info.entry.nr);
		}
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->is_injected) {
		tracee->is_injected = false;
		(void)ptrace(PTRACE_POKEUSER, tracee->pid, offsetof(struct user_regs_struct, rax),
			     -run.error);
	}
}

/* A child's first stop may come before or after its parent's news of it. */
static void on_fork(struct tracee *parent)
{
	unsigned long pid = 0;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) < 0)
		return;
	struct tracee *child = tracee_of((pid_t)pid);

	if (parent->is_launcher) {
		run.init_pid = child->pid;
		child->is_launcher = true;
	} else {
		child->role = role_new(parent->role->name, ++parent->role->children);
	}
	if (child->is_stopped)
		resume(child, 0);
	if (parent->is_launcher)
		release(parent);
	else
		resume(parent, 0);
}

/* PID 1 begins, or a child's time with us is over; PROGRAM's own is nothing. */
static void on_exec(struct tracee *tracee)
{
	if (tracee->role) {
		release(tracee);
		return;
	}
	if (tracee->pid == run.init_pid) {
		tracee->is_launcher = false;
		tracee->role = role_new(INIT, 0);
	}
	resume(tracee, 0);
}

static void on_event(struct tracee *tracee, unsigned event, int sig)
{
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE) {
		on_fork(tracee);
	} else if (event == PTRACE_EVENT_EXEC) {
		on_exec(tracee);
	} else if (event == PTRACE_EVENT_STOP && sig == SIGTRAP) {
		tracee->is_stopped = true;
		if (tracee->role || tracee->is_launcher)
			resume(tracee, 0);
	} else {
		(void)ptrace(PTRACE_LISTEN, tracee->pid, NULL, NULL);
	}
}

static void on_stop(pid_t pid, int status)
{
	struct tracee *tracee = tracee_of(pid);
	int sig = WSTOPSIG(status);

	if (STATUS_EVENT(status)) {
		on_event(tracee, STATUS_EVENT(status), sig);
	} else if (sig == (SIGTRAP | 0x80)) {
		on_syscall(tracee);
		resume(tracee, 0);
	} else {
		resume(tracee, sig);
	}
}

static void end(int sig)
{
	(void)sig;
	run.is_over = 1;
}

/* Until all have ended, or somebody has waited long enough and ends us: then all are killed. */
static void trace(pid_t program)
{
	const struct sigaction by_end = {.sa_handler = end};
	int status;

	need(sigaction(SIGTERM, &by_end, NULL), "sigaction");
	while (!run.is_over) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		if (WIFSTOPPED(status)) {
			on_stop(pid, status);
			continue;
		}
		if (pid == run.init_pid)
			run.init_status = status;
		if (pid != program)
			*tracee_of(pid) = (struct tracee){.pid = 0};
	}
}

static void print_report(FILE *report)
{
	for (unsigned i = 0; i < run.role_count; i++) {
		for (unsigned number = 0; number < CALLS_MAX; number++) {
			if (run.roles[i].counts[number])
				fprintf(report, "call %s %u %u\n", run.roles[i].name, number,
					run.roles[i].counts[number]);
		}
	}
	if (run.is_injected)
		fputs("injected\n", report);
	fprintf(report, "end %d\n", run.init_status);
}

static pid_t start(char *argv[])
{
	int gate[2];
	char byte = 0;

	need(pipe2(gate, O_CLOEXEC), "pipe2");
	pid_t pid = fork();

	need(pid, "fork");
	if (pid == 0) {
		need(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
		need(read(gate[0], &byte, 1) == 1 ? 0 : -1, "gate");
		execv(argv[0], argv);
		need(-1, argv[0]);
	}
	need(ptrace(PTRACE_SEIZE, pid, NULL, (long)OPTIONS), "ptrace");
	tracee_of(pid)->is_launcher = true;
	need(write(gate[1], &byte, 1), "gate");
	return pid;
}

int main(int argc, char *argv[])
{
	if (argc < 6)
		return 2;
	run.image = argv[2];
	run.snapshot = argv[3];
	if (strcmp(argv[4], "-") && sscanf(argv[4], "%31[^:]:%lu:%lu:%ld", run.role, &run.number,
					   &run.occurrence, &run.error) != 4)
		return 2;
	FILE *report = fopen(argv[1], "we");

	need(report ? 0 : -1, argv[1]);
	need(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	pid_t program = start(argv + 5);

	for (int fd = 0; fd < 64; fd++) {
		if (fd != fileno(report))
			close(fd);
	}
	trace(program);
	print_report(report);
	return fclose(report) ? 1 : 0;
}
