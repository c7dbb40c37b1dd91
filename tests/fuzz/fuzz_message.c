// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a message of the control channel. What is accepted survives another round. */
#include "fuzz.h"
#include "oci/message.h"

static void fuzz_event(const char *text, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	char first[MESSAGE_MAX_BYTES];
	char second[MESSAGE_MAX_BYTES];
	struct event event;
	size_t length;

	if (event_decode(text, size, &event, &f)) {
		require_failure(&f);
		return;
	}
	length = event_encode(&event, first, sizeof(first));
	require(length < sizeof(first));
	require(event_decode(first, length, &event, &f) == 0);
	require(event_encode(&event, second, sizeof(second)) == length);
	require(memcmp(first, second, length) == 0);
}

static void fuzz_request(const char *text, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	char back[MESSAGE_MAX_BYTES];
	struct request request;
	size_t length;

	if (request_decode(text, size, &request, &f)) {
		require_failure(&f);
		return;
	}
	require(request.kind != REQUEST_SIGNAL || (request.signal >= 1 && request.signal <= 64));
	length = request_encode(&request, back, sizeof(back));
	require(request_decode(back, length, &request, &f) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure f = {.stage = STAGE_NONE};
	struct exit_record record;

	fuzz_event((const char *)data, size);
	fuzz_request((const char *)data, size);
	if (exit_record_decode((const char *)data, size, &record, &f))
		require_failure(&f);
	return 0;
}
