// SPDX-License-Identifier: Apache-2.0
/* Programs that smk starts, how it waits for their end, and how it ends them. */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include "host.h"

/* Absolute path of a program from $PATH and the system's sbin; names the package when missing. */
int program_find(const char *name, char **ret_path, struct failure *f) FAIL_MUST_CHECK;

struct process_setup {
	const char *path; /* stays valid as long as the process */
	char *const *argv;
	char *const *envp; /* NULL: smk's own */
	int input_fd;      /* its stdin; 0: /dev/null */
	int cwd_fd;        /* -1: smk's own */
	const char
		*readonly_path; /* a directory that it cannot write to, with all below; or NULL */
	const int *keep_fds;    /* descriptors that stay open in the program */
	size_t keep_count;
};

struct process {
	pid_t pid; /* -1: none */
	const char *path;
	int output_fd; /* its stdout and stderr, one pipe; non-blocking */
	int error_fd;
	int gate_fd;
};

/* In a child: signals do again what they do in any program. */
void process_reset_signals(void);

#define PROCESS_NONE ((struct process){.pid = -1, .output_fd = -1, .error_fd = -1, .gate_fd = -1})

/*
 * A program in a session of its own, away from the terminal and its signals. It ends when smk does,
 * whatever way smk ends.
 */
int process_start(const struct process_setup *setup, struct process *ret,
		  struct failure *f) FAIL_MUST_CHECK;
/* The same in two steps: the process is there, with its descriptors; later its program begins. */
int process_hold(const struct process_setup *setup, struct process *ret,
		 struct failure *f) FAIL_MUST_CHECK;
int process_go(struct process *process, struct failure *f) FAIL_MUST_CHECK;
/* Kills the process and its group when it still runs, and reaps it; closes its pipes. */
void process_stop(struct process *process);
/* Waits for the child's end, not for its output's, which comes sooner; false: it still runs then. */
bool process_await(pid_t pid, double deadline_ms);

#endif
