// SPDX-License-Identifier: Apache-2.0
/*
 * The failure contract: one fixed-size record says where a run went wrong. The first failure wins,
 * nothing is allocated, and every message has the same form:
 *
 *   init-oci: fatal: apply: /mounts/2/source: /newroot/data: mount(virtiofs): No such file or
 *   directory (errno 2)
 *
 * A fallible function takes `struct failure *f` last, returns 0 or -1 and leaves its outputs
 * untouched on failure. All fail_*() return -1, so that a check is one statement:
 *
 *   if (fd < 0)
 *           return fail_sys(f, "open", path);
 */
#ifndef SMK_FAIL_H
#define SMK_FAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage {
	STAGE_NONE,
	STAGE_BOOTARGS,
	STAGE_DISCOVER,
	STAGE_PARSE,
	STAGE_PLAN,
	STAGE_APPLY,
	STAGE_SPAWN,
	STAGE_SUPERVISE,
	STAGE_REPORT,
	STAGE__COUNT,
};

/* Exit codes of the failure contract; the workload's own codes are passed through unchanged. */
enum smk_exit_code {
	SMK_EXIT_SETUP = 125,      /* something before the exec failed */
	SMK_EXIT_CANNOT_RUN = 126, /* the entrypoint was found but cannot be executed */
	SMK_EXIT_NOT_FOUND = 127, /* the entrypoint, its interpreter or its loader does not exist */
	SMK_EXIT_SIGNAL = 128,    /* + n: killed by signal n */
};

struct failure {
	enum stage stage; /* STAGE_NONE: no failure recorded */
	int code;         /* exit code, an enum smk_exit_code; 0 means SMK_EXIT_SETUP */
	int err;          /* errno, 0 when the cause is no system call */
	char field[96];   /* JSON pointer into config.json, or <builtin:NAME>, or "" */
	char path[256];   /* object in the file system, or "" */
	char op[48];      /* the operation, like a system call: "mount(virtiofs)", or "" */
	char why[160];    /* words, when errno does not say it all, or "" */
};

/* The message line, without newline, fits this buffer. */
#define FAIL_LINE_MAX 768

#define FAIL_MUST_CHECK __attribute__((warn_unused_result))

/* A system call failed: takes errno. path may be NULL. */
int fail_sys(struct failure *f, const char *op, const char *path);
/* As fail_sys, with the error given and words added (a printf format). */
int fail_err(struct failure *f, int err, const char *op, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* A value of the configuration (field: JSON pointer) is wrong; fmt says why. */
int fail_config(struct failure *f, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Callers up the stack add what they know; what is already set stays. Return -1. */
int fail_at(struct failure *f, enum stage stage, const char *field);
/* Sets the exit code (126, 127). Returns -1. */
int fail_code(struct failure *f, enum smk_exit_code code);

/* The exit code that the failure stands for. */
int fail_exit_code(const struct failure *f);
/* "init-oci: fatal: apply: ..." into buf, always terminated, control characters escaped. */
void fail_format(const struct failure *f, char buf[static FAIL_LINE_MAX]);
const char *stage_name(enum stage stage);

#endif
