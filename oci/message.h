// SPDX-License-Identifier: Apache-2.0
/*
 * The control channel's JSON messages (smk/channel.h) to and from plain structs. Both ends use
 * this: init-oci encodes events and decodes requests, smk the other way round. Pure.
 */
#ifndef OCI_MESSAGE_H
#define OCI_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smk/fail.h>

/* Flight recorder: when (CLOCK_BOOTTIME, nanoseconds) each stage of the boot was done. */
enum mark {
	MARK_MAIN, /* PID 1's main begins */
	MARK_BOOTARGS,
	MARK_DISCOVER,
	MARK_PARSE,
	MARK_PLAN,
	MARK_APPLY,
	MARK_SPAWN,  /* the entrypoint's exec was seen to work */
	MARK_EXIT,   /* the entrypoint ended */
	MARK_REPORT, /* the report is about to leave */
	MARK__COUNT,
};

struct marks {
	uint64_t at_ns[MARK__COUNT]; /* 0: not reached */
};

const char *mark_name(enum mark mark);

/* How far the run got when it ended: a workload's own 125 is so told from a failed set-up. */
enum phase {
	PHASE_SETUP, /* before exec */
	PHASE_RUN,   /* the entrypoint ran */
	PHASE__COUNT,
};

struct exit_record {
	enum phase phase;
	int code;   /* what the host's command exits with: 0-255 */
	int signal; /* the signal that ended the entrypoint, or 0 */
	bool core_dumped;
	bool oom_killed;
	bool has_failure;
	struct failure failure;
	struct marks marks;
	uint64_t user_us; /* CPU time of the entrypoint and its reaped children */
	uint64_t system_us;
	uint64_t max_rss_bytes;
	uint64_t dropped_bytes; /* output that could not be delivered */
};

struct hello {
	unsigned version; /* SMK_CHANNEL_VERSION */
	char init_version[32];
	struct marks marks;
};

enum event_kind {
	EVENT_HELLO,
	EVENT_STARTED, /* pid */
	EVENT_EXIT,
	EVENT_ERROR, /* text */
	EVENT__COUNT,
};

struct event {
	enum event_kind kind;
	union {
		struct hello hello;
		int pid;
		struct exit_record exit;
		char text[512];
	};
};

enum request_kind {
	REQUEST_SIGNAL, /* signal number 1-64 to the entrypoint */
	REQUEST_RESIZE, /* terminal size */
	REQUEST__COUNT,
};

struct request {
	enum request_kind kind;
	union {
		int signal;
		struct {
			uint16_t rows;
			uint16_t columns;
		} size;
	};
};

#define MESSAGE_MAX_BYTES 8192

/* Encode into buffer (MESSAGE_MAX_BYTES is always enough); return the length, without NUL. */
size_t event_encode(const struct event *event, char *buffer, size_t size);
size_t request_encode(const struct request *request, char *buffer, size_t size);
/* The exit record alone, for the console line. */
size_t exit_record_encode(const struct exit_record *record, char *buffer, size_t size);

/* Decode one message; text is not NUL-terminated. */
int event_decode(const char *text, size_t length, struct event *ret,
		 struct failure *f) FAIL_MUST_CHECK;
int request_decode(const char *text, size_t length, struct request *ret,
		   struct failure *f) FAIL_MUST_CHECK;
int exit_record_decode(const char *text, size_t length, struct exit_record *ret,
		       struct failure *f) FAIL_MUST_CHECK;

#endif
