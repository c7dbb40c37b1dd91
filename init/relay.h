// SPDX-License-Identifier: Apache-2.0
/*
 * The entrypoint's standard streams between its descriptors and the host. Each stream goes its own
 * way, decided once: a dedicated port, the control channel, or the console.
 *
 * Nothing here blocks and every buffer is bounded: a stream whose far end stalls stops being read,
 * and so stalls its writer, and nothing else.
 */
#ifndef INIT_RELAY_H
#define INIT_RELAY_H

#include "init/channel.h"
#include "init/guest.h"

#define RELAY_OUTPUT_BYTES (16u << 10)
#define RELAY_SPLICE_BYTES (64u << 10)

enum route {
	ROUTE_NOWHERE, /* read and counted as dropped, so that its writer does not hang */
	ROUTE_FD,      /* a port or the console */
	ROUTE_CHANNEL,
};

/* stdout or stderr; with a terminal one output, whose `from` is the terminal's master. */
struct output {
	enum route route;
	uint16_t stream;
	bool is_terminal;
	bool is_orphan;       /* the entrypoint has ended */
	bool is_line_open;    /* the last byte written was no newline */
	bool is_console;      /* ROUTE_FD */
	struct endpoint from; /* fd -1: the stream has ended */
	struct endpoint to;   /* ROUTE_FD */
	uint32_t credit;      /* ROUTE_CHANNEL */
	uint64_t dropped_bytes;
	struct ring buffer; /* ROUTE_FD: read and not yet written */
	uint8_t bytes[RELAY_OUTPUT_BYTES];
};

struct input {
	enum route route;
	bool is_terminal;
	bool has_ended; /* nothing more comes from the host */
	bool was_connected;
	struct endpoint from; /* ROUTE_FD */
	struct endpoint to;   /* fd -1: the entrypoint takes no more */
	uint32_t consumed;    /* ROUTE_CHANNEL: bytes that the host has not got credit back for */
	struct ring buffer;
	uint8_t bytes[SMK_STREAM_CREDIT];
};

struct relay {
	struct input input;
	struct output outputs[2]; /* by stream number - 1 */
	struct channel *channel;
};

/* Decides the routes and takes the descriptors over. */
int relay_init(struct relay *relay, const struct child *child, const struct discovered *found,
	       struct channel *channel, struct failure *f) FAIL_MUST_CHECK;

/* Moves what can be moved, at most one buffer a stream. True: something moved. */
bool relay_pump(struct relay *relay);

/* Frames from the host. False: it broke the protocol. */
bool relay_on_data(struct relay *relay, const struct smk_frame *frame, const uint8_t *payload);
bool relay_on_credit(struct relay *relay, const struct smk_frame *frame, const uint8_t *payload);

/* After the entrypoint's end: a terminal without a slave has ended, too. */
void relay_entrypoint_ended(struct relay *relay);
/* All output has been handed over, and its end been told. */
bool relay_is_drained(const struct relay *relay);
/* There is output that only the host keeps from leaving. */
bool relay_waits_for_host(const struct relay *relay);
/* Ends the workload's last line on the console, so that init-oci's own begin at a margin. */
void relay_end_lines(const struct relay *relay);
/* Gives up on what is left, counts it and tells the end. */
void relay_drop_rest(struct relay *relay);
uint64_t relay_dropped_bytes(const struct relay *relay);

#endif
