// SPDX-License-Identifier: Apache-2.0
/* What the guest says and what it is told, on top of the channel's frames. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take_hello(struct session *session, const struct hello *hello, struct failure *f)
{
	if (hello->version != SMK_CHANNEL_VERSION)
		return fail_err(f, 0, "control channel", NULL,
				"init-oci %s speaks version %u, smk speaks %d", hello->init_version,
				hello->version, SMK_CHANNEL_VERSION);
	session->has_hello = true;
	session->timeline->hello_ms = now_ms();
	session->timeline->hello_marks = hello->marks;
	return 0;
}

/* What a guest says again changes nothing. */
static void take_started(struct session *session)
{
	if (!session->has_started)
		hooks_begin(&session->poststart, session->setup->bundle, OCI_HOOK_POSTSTART,
			    session->vmm_pid);
	session->has_started = true;
}

static void take_exit(struct session *session, const struct exit_record *record)
{
	session->record = *record;
	session->has_record = true;
	session->timeline->exit_ms = now_ms();
}

/* The line of a failure comes again in the exit record: it is kept for when that does not come. */
static void take_error(struct session *session, const char *text)
{
	static const char prefix[] = "init-oci: fatal: ";

	if (session->hook_failed_ms > 0)
		return; /* the signal that ends the workload came too late */
	if (strncmp(text, prefix, sizeof(prefix) - 1))
		say_warning("guest: %s", text);
	else
		snprintf(session->fatal, sizeof(session->fatal), "%s", text);
}

static int take_event(struct session *session, const struct channel_frame *frame, struct failure *f)
{
	AUTO_FREE struct event *event = must_alloc(sizeof(*event));

	if (event_decode((const char *)frame->payload, frame->length, event, f))
		return fail_at(f, STAGE_NONE, "control channel");
	switch (event->kind) {
	case EVENT_HELLO:
		return take_hello(session, &event->hello, f);
	case EVENT_EXIT:
		take_exit(session, &event->exit);
		return 0;
	case EVENT_ERROR:
		take_error(session, event->text);
		return 0;
	case EVENT_STARTED:
		take_started(session);
		return 0;
	case EVENT__COUNT:
		return 0;
	}
	return 0;
}

static struct output *find_output(struct session *session, uint16_t stream)
{
	for (size_t i = 0; i < 2; i++)
		if (session->outputs[i].stream == stream)
			return &session->outputs[i];
	return NULL;
}

static int take_data(struct session *session, const struct channel_frame *frame, struct failure *f)
{
	struct output *output = find_output(session, frame->stream);

	if (!output)
		return fail_err(f, 0, "control channel", NULL, "the guest sent data on stream %u",
				frame->stream);
	return output_take(output, frame, f);
}

static int take_credit(struct session *session, const struct channel_frame *frame,
		       struct failure *f)
{
	uint32_t bytes = 0;

	if (frame->stream != SMK_STREAM_INPUT || frame->length != 4)
		return fail_err(f, 0, "control channel", NULL, "the guest sent a wrong credit");
	for (int i = 0; i < 4; i++)
		bytes |= (uint32_t)frame->payload[i] << (8 * i);
	if (bytes > UINT32_MAX - session->input.credit)
		return fail_err(f, 0, "control channel", NULL, "the guest gave too much credit");
	session->input.credit += bytes;
	return 0;
}

static int take_frame(struct session *session, const struct channel_frame *frame, struct failure *f)
{
	switch ((enum smk_frame_type)frame->type) {
	case SMK_FRAME_CONTROL:
		return take_event(session, frame, f);
	case SMK_FRAME_DATA:
		return take_data(session, frame, f);
	case SMK_FRAME_CREDIT:
		return take_credit(session, frame, f);
	}
	return 0; /* channel_next() has refused other types */
}

int messages_take(struct session *session, struct failure *f)
{
	struct channel_frame frame;
	int result;

	while ((result = channel_next(&session->channel, &frame, f)) > 0)
		if (take_frame(session, &frame, f))
			return -1;
	return result;
}

static void send_request(struct session *session, const struct request *request)
{
	char bytes[MESSAGE_MAX_BYTES];
	struct channel_frame frame = {
		.type = SMK_FRAME_CONTROL,
		.payload = (const uint8_t *)bytes,
		.length = (uint32_t)request_encode(request, bytes, sizeof(bytes)),
	};

	channel_send(&session->channel, &frame);
}

static bool has_room(const struct session *session)
{
	return channel_room(&session->channel) >= MESSAGE_MAX_BYTES;
}

void messages_send(struct session *session)
{
	struct request size = {.kind = REQUEST_RESIZE};

	/* Signals of one number that wait here become one, as in a kernel. */
	for (int number = 1; session->pending_signals && number < 64; number++) {
		struct request request = {.kind = REQUEST_SIGNAL, .signal = number};

		if (!(session->pending_signals >> number & 1) || !has_room(session))
			continue;
		send_request(session, &request);
		session->pending_signals &= ~(UINT64_C(1) << number);
	}
	if (session->is_resized && has_room(session)) {
		session->is_resized = false;
		if (terminal_size(&size.size.rows, &size.size.columns))
			send_request(session, &size);
	}
	for (size_t i = 0; i < 2; i++)
		output_credit(&session->outputs[i], &session->channel);
}
