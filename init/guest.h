// SPDX-License-Identifier: Apache-2.0
/*
 * What the stages of init-oci hand to each other. Each struct is written by one stage and only read
 * by later ones; the stages' contracts stand with their functions.
 *
 *   bootargs -> discover -> (oci: parse -> plan) -> apply -> spawn -> supervise -> report
 */
#ifndef INIT_GUEST_H
#define INIT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "oci/message.h"
#include "oci/plan.h"

/* ---- bootargs ------------------------------------------------------------------------------- */

#define BOOTARGS_TEXT_MAX 4096 /* the kernel's own limit on arm64 is 2048 */

enum control_kind {
	CONTROL_AUTO, /* the port SMK_PORT_CONTROL when it is there */
	CONTROL_NONE,
	CONTROL_PORT,
	CONTROL_VSOCK,
	CONTROL_FD, /* inherited from whoever started init-oci, which is no kernel then */
};

struct bootargs {
	char text[BOOTARGS_TEXT_MAX]; /* the command line; the strings below point into it */
	const char *config;           /* "file:PATH", "disk:ID", or NULL */
	const char *layers;           /* comma list, or NULL */
	const char *upper;            /* value of smk.upper, or NULL */
	enum control_kind control;
	const char *control_port;
	uint32_t control_vsock_port;
	int control_fd;
	const char *dns;            /* comma list of addresses, or NULL */
	const char *search;         /* comma list of domains, or NULL */
	bool has_autoconfiguration; /* the kernel was asked to configure the network (ip=) */
};

/* Pure: splits text (a copy is made) into ret. An unknown smk. key is an error that lists all. */
int bootargs_parse(const char *text, struct bootargs *ret, struct failure *f) FAIL_MUST_CHECK;
/* Reads /proc/cmdline. */
int bootargs_read(struct bootargs *ret, struct failure *f) FAIL_MUST_CHECK;

/* ---- early ---------------------------------------------------------------------------------- */

/*
 * /proc, /sys, a device directory and a console good enough to complain on. Works on the initramfs
 * and on a read-only root of the VMM's (init=); a tmpfs takes its place. After it PID
 * 1's root and working directory are the work tree: an absolute path ("/proc", "/dev",
 * "/layer/000") is always our own, never an image's.
 */
struct early {
	int boot_root_fd; /* O_PATH: the root we were started from, below the work tree */
	int work_fd;      /* O_PATH directory: init-oci's own work tree (layers, upper, root) */
	int proc_fd;      /* O_PATH: our own procfs, never one of the image's */
	int sys_fd;       /* O_PATH: our own sysfs */
	bool is_initramfs;
	bool has_devtmpfs; /* on /dev; else nodes are made as they are needed */
};

int early_setup(struct early *ret, struct failure *f) FAIL_MUST_CHECK;

/* Until grace_relax(), RCU grace periods wait for no tick. False: nothing was changed. */
bool grace_expedite(const struct early *early);
void grace_relax(const struct early *early);

/* ---- discover ------------------------------------------------------------------------------- */

struct discovered {
	char *config; /* bytes of config.json; wiped and freed by discover_forget() */
	size_t config_length;
	char config_path[256]; /* where it was read from: a file of the initramfs, or "" */
	char config_disk[32];  /* or a disk, by its kernel name, or "" */
	struct plan_sources sources;
	struct source_store *store; /* what sources point to; lives as long as init-oci */
	int control_fd;             /* control channel, O_NONBLOCK; -1: none */
	int stdio_fd[3]; /* dedicated ports smk.stdin, .stdout, .stderr, O_NONBLOCK; -1: none */
};

/* On failure *ret holds the channels found so far: the failure is to leave through them. */
int discover(const struct bootargs *args, const struct early *early, struct discovered *ret,
	     struct failure *f) FAIL_MUST_CHECK;
/* Overwrites and unlinks the configuration everywhere it was readable from. */
int discover_forget(struct discovered *found, const struct early *early,
		    struct failure *f) FAIL_MUST_CHECK;

/* ---- apply ---------------------------------------------------------------------------------- */

struct container {
	int root_fd;   /* O_PATH directory: the container's root, as PID 1 has mounted it */
	int upper_fd;  /* O_PATH: the mount of an upper on a disk, unmounted at the end; -1: none */
	int cgroup_fd; /* directory: the cgroup that the child is born in; -1: PID 1's own */
	int *step_fds; /* NULL, or for each step of the plan what PID 1 hands to the child; -1 */
};

/*
 * Executes the machine's steps in order and enters the root; a STEP_OPTIONAL one that fails is
 * printed with console_warn().
 */
int apply(const struct plan *plan, const struct oci_namespace *namespaces,
	  const struct early *early, struct container *ret, struct failure *f) FAIL_MUST_CHECK;
/*
 * The container's steps, in its namespaces: of the child, whose current directory is the root. It
 * stays that. *ret_new_cwd: the last directory of the plan, which is the working directory, was not there.
 */
int apply_container(const struct plan *plan, const struct oci_namespace *namespaces,
		    const struct early *early, int *step_fds, bool *ret_new_cwd,
		    struct failure *f) FAIL_MUST_CHECK;
/* Syncs and unmounts everything apply() mounted, upper last; best effort, results printed. */
void apply_undo(const struct early *early, const struct container *container);

/* ---- spawn ---------------------------------------------------------------------------------- */

struct child {
	pid_t pid; /* as PID 1 sees it */
	int pid_fd;
	int cgroup_fd;       /* that it was born in, see struct container */
	uint64_t applied_ns; /* when the container's steps were done; 0: not */
	int input_fd;        /* our ends, O_NONBLOCK: write end of its stdin, -1 when none */
	int output_fd; /* read end of its stdout, or the terminal's master (then input_fd is a dup)
			*/
	int error_fd;  /* read end of its stderr; -1 with a terminal */
};

/*
 * Makes the child in the container's namespaces, where it does the container's steps. Returns when
 * the exec is known to have worked (0) or the failure has come back from the child.
 */
int spawn(const struct oci_spec *spec, const struct plan *plan, const struct container *container,
	  const struct early *early, struct child *ret, struct failure *f) FAIL_MUST_CHECK;

/* ---- supervise and report ------------------------------------------------------------------- */

struct channel;    /* init/channel.h */
struct supervisor; /* init/supervise.h */

/* Nanoseconds of CLOCK_BOOTTIME, for the flight recorder. */
uint64_t mark_now(void);

/*
 * Runs until the entrypoint has ended and its output is delivered (bounded). Fills the record but
 * for its marks, of which it sets MARK_EXIT. supervisor: zeroed memory.
 */
int supervise(struct supervisor *supervisor, const struct child *child,
	      const struct discovered *found, struct channel *channel, struct exit_record *record,
	      struct failure *f) FAIL_MUST_CHECK;
/*
 * The record leaves, file systems are synced and unmounted, the machine powers off. Never returns.
 * early and container: NULL when it did not come to that.
 */
_Noreturn void report(struct exit_record *record, struct channel *channel,
		      const struct early *early, const struct container *container);

/* init-oci as a command (not PID 1): its exit code. */
int tool_main(int argc, char *argv[]);

/* ---- console -------------------------------------------------------------------------------- */

/* One line on the console (and nowhere else), "init-oci: warning: ..." */
void console_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes bytes to the console, never blocking for long. */
void console_write(const char *bytes, size_t length);

#endif
