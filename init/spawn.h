// SPDX-License-Identifier: Apache-2.0
/*
 * The parts of spawn: what happens between the fork and the execve, in the order of child.c. All
 * but the terminal's opening run in the child, already inside the container's root.
 */
#ifndef INIT_SPAWN_H
#define INIT_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/guest.h"
#include "oci/seccomp_filter.h"

/* What the child needs beside the configuration; descriptors are the child's ends. */
struct child_setup {
	const struct oci_spec *spec;
	const struct oci_process *process;
	const struct oci_linux *linux_;
	const struct plan *plan;
	const struct early *early;
	struct namespaces *namespaces;
	struct arena *arena; /* the spec's */
	int *step_fds;       /* see struct container */
	int root_fd;         /* the container's root, O_PATH, in PID 1's mount namespace */
	int proc_fd;         /* our own procfs */
	int cgroup_fd;       /* the cgroup to be born in; -1: PID 1's own */
	int stdio_fd[3];     /* become 0, 1, 2; with a terminal the child opens it itself */
	bool has_new_cwd;    /* the working directory was not there */
	bool has_terminal;   /* stdio_fd[0] is the slave: make it the controlling terminal */
	int news_fd;         /* the child's ends, see birth.c */
	int talk_fd;
};

/*
 * The child's process in its namespaces; it does child_exec(). Returns when its execve is known to
 * have worked. *ret_talk_fd: the socket on which it may have sent its terminal; -1: none.
 */
int birth(const struct child_setup *setup, struct child *child, int *ret_talk_fd,
	  struct failure *f) FAIL_MUST_CHECK;
/* In the child: the container's steps are done, now. */
void birth_tell_applied(const struct child_setup *setup);
/* In the child of a new user namespace: waits until PID 1 has done its part. */
int birth_ask_user(const struct child_setup *setup, struct failure *f) FAIL_MUST_CHECK;

/* Everything after the fork. Returns only when it failed. */
void child_exec(struct child_setup *setup, struct failure *f);

/*
 * Opens a new terminal of the container's own devpts and puts its slave on /dev/console. Everything
 * goes by descriptor: no name in the image can lead to another device.
 */
int pty_open(int root_fd, const struct oci_process *process, int *ret_master_fd, int *ret_slave_fd,
	     struct failure *f) FAIL_MUST_CHECK;
/* The master's way from the child to PID 1. *ret_fd: -1 when none was sent. */
int pty_send(int talk_fd, int master_fd, struct failure *f) FAIL_MUST_CHECK;
int pty_receive(int talk_fd, int *ret_fd, struct failure *f) FAIL_MUST_CHECK;
int pty_resize(int master_fd, uint16_t rows, uint16_t columns);

/* The privileged half of a process's limits: rlimits, oom_score_adj. As root. pid 0: the caller's */
int limits_apply(const struct oci_process *process, int proc_fd, pid_t pid,
		 struct failure *f) FAIL_MUST_CHECK;
/* Scheduler and I/O priority, if the configuration has one. As root of the machine. pid 0: the caller */
int sched_set_priority(const struct oci_process *process, pid_t pid,
		       struct failure *f) FAIL_MUST_CHECK;
/* Memory policy and execution domain, of the caller. */
int sched_apply(const struct oci_linux *linux_, struct failure *f) FAIL_MUST_CHECK;
/* Runs the hooks of one kind, createContainer or startContainer. In the child, as root. */
int hooks_run(const struct child_setup *setup, enum oci_hook_kind kind,
	      struct failure *f) FAIL_MUST_CHECK;
/* Sets the filter, which needs CAP_SYS_ADMIN or no_new_privs. */
int seccomp_load(const struct oci_seccomp *seccomp, const struct seccomp_filter *filter,
		 struct failure *f) FAIL_MUST_CHECK;
/* From root with all capabilities to the process's own ids and sets; no way back. */
int cred_apply(const struct oci_process *process, struct failure *f) FAIL_MUST_CHECK;

/* The container's root takes the work tree's place in the child's own mount namespace. */
int enter_root(int root_fd, const struct oci_linux *linux_, struct failure *f) FAIL_MUST_CHECK;
/* Changes to the working directory, which apply() has made, as the user; is_there: root has. */
int cwd_enter(const char *cwd, bool is_there, struct failure *f) FAIL_MUST_CHECK;

/* The home directory of uid as the image's /etc/passwd has it, "/" when it says nothing. */
#define LOOKUP_HOME_MAX 256
int lookup_home(uint32_t uid, char ret[static LOOKUP_HOME_MAX], struct failure *f) FAIL_MUST_CHECK;
/* Pure: the same from the text of a passwd file. False: no such user. */
bool passwd_home(const char *text, size_t length, uint32_t uid, char ret[static LOOKUP_HOME_MAX]);
/* The value of name in an environment, or NULL. */
const char *lookup_env(char *const env[], const char *name);

/* execve of args[0], found on the PATH of env when it has no slash. Returns only when it failed. */
void exec_entrypoint(char *const args[], char *const env[], struct failure *f);
/* Pure: the exit code that an errno of execve stands for. */
int exec_error_code(int err);
/*
 * Pure: the interpreter that a program's first bytes ask for: of a "#!" line or of an ELF file's
 * PT_INTERP. False: none that these bytes can tell.
 */
bool exec_interpreter(const uint8_t *head, size_t length, char *ret, size_t size);

#endif
