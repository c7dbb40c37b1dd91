// SPDX-License-Identifier: Apache-2.0
/*
 * What comes from the host. Frames are told apart by type, requests by kind, each through a table:
 * a new request is a row. What the host gets wrong never ends the run: a request that is not
 * understood is answered with an error event, and a broken frame, after which nothing can be
 * trusted, with one more and a closed channel.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "init/spawn.h"
#include "init/supervise.h"

/* Frames are only taken while each can be answered. */
#define ANSWER_ROOM (MESSAGE_MAX_BYTES + SMK_FRAME_HEADER_SIZE)

static void serve_signal(struct supervisor *s)
{
	if (s->request.signal == SIGKILL)
		oom_forget(s);
	if (!signals_send(s, s->request.signal))
		(void)channel_error(s->channel, "signal: the entrypoint did not take it");
}

static void serve_resize(struct supervisor *s)
{
	const struct request *request = &s->request;

	if (!s->relay.input.is_terminal ||
	    pty_resize(s->child->output_fd, request->size.rows, request->size.columns) < 0)
		(void)channel_error(s->channel, "resize: the entrypoint has no terminal");
}

static void (*const servers[])(struct supervisor *) = {
	[REQUEST_SIGNAL] = serve_signal,
	[REQUEST_RESIZE] = serve_resize,
};
_Static_assert(sizeof(servers) / sizeof(servers[0]) == REQUEST__COUNT, "a server for each request");

void requests_run(struct supervisor *s)
{
	servers[s->request.kind](s);
}

void requests_refuse(struct supervisor *s)
{
	(void)channel_error(s->channel, "request: the entrypoint has ended");
}

static bool on_control(struct supervisor *s, const struct smk_frame *frame, const uint8_t *payload)
{
	struct failure failure = {0};

	if (request_decode((const char *)payload, frame->length, &s->request, &failure) == 0) {
		supervise_event(s, LIFE_REQUEST);
	} else {
		char text[sizeof(failure.field) + sizeof(failure.why) + 16];

		snprintf(text, sizeof(text), "request: %s%s%s", failure.field,
			 failure.field[0] ? ": " : "", failure.why);
		(void)channel_error(s->channel, text);
	}
	return true;
}

static bool on_data(struct supervisor *s, const struct smk_frame *frame, const uint8_t *payload)
{
	return relay_on_data(&s->relay, frame, payload);
}

static bool on_credit(struct supervisor *s, const struct smk_frame *frame, const uint8_t *payload)
{
	return relay_on_credit(&s->relay, frame, payload);
}

static const struct {
	uint8_t flags; /* that a frame of this type may have */
	bool (*handle)(struct supervisor *, const struct smk_frame *, const uint8_t *);
	const char *complaint;
} frame_types[] = {
	[0] = {0, NULL, "frame: unknown type 0"},
	[SMK_FRAME_CONTROL] = {0, on_control, "frame: CONTROL with unknown flags"},
	[SMK_FRAME_DATA] = {SMK_FRAME_END, on_data, "frame: DATA that no stream can take"},
	[SMK_FRAME_CREDIT] = {0, on_credit, "frame: CREDIT that no stream can take"},
};
#define FRAME_TYPES (sizeof(frame_types) / sizeof(frame_types[0]))

static void handle(struct supervisor *s, const struct smk_frame *frame, const uint8_t *payload)
{
	char unknown[48];
	uint8_t type = frame->type < FRAME_TYPES ? frame->type : 0;

	if (type == 0) {
		snprintf(unknown, sizeof(unknown), "frame: unknown type %u", frame->type);
		channel_reject(s->channel, unknown);
	} else if ((frame->flags & ~frame_types[type].flags) ||
		   !frame_types[type].handle(s, frame, payload)) {
		channel_reject(s->channel, frame_types[type].complaint);
	}
}

bool requests_serve(struct supervisor *s)
{
	bool moved = false;

	while (ring_free(&s->channel->out) >= ANSWER_ROOM) {
		struct smk_frame frame;
		const uint8_t *payload;
		int found = channel_next(s->channel, &frame, &payload);

		if (found == 0)
			break;
		moved = true;
		if (found > 0)
			handle(s, &frame, payload);
		else
			channel_reject(s->channel, "frame: too long");
	}
	return moved;
}
