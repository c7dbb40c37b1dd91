// SPDX-License-Identifier: Apache-2.0
/* smk's own stdin, stdout and stderr as ends of the channel's streams. */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include "host.h"

#include <smk/channel.h>

/* stdin: read only as far as the guest has given credit. */
struct input {
	bool is_terminal; /* raw: watch for the escape */
	bool is_ended;
	uint32_t credit;
	unsigned escapes; /* ^] in a row */
};

/* stdout or stderr: what the guest has sent and nobody has taken yet. */
struct output {
	int fd;
	uint16_t stream;
	size_t chunk;    /* most bytes of one write: what cannot block after a poll */
	bool is_broken;  /* the reader went away: the rest is dropped */
	bool has_broken; /* just now, and the workload is still to be told */
	char *bytes;     /* SMK_STREAM_CREDIT of them */
	size_t begin;
	size_t length;
	uint32_t owed; /* credit to be given back */
};

#define ESCAPE_COUNT 3

/* Whether stdin is to be polled. */
bool input_wants(const struct input *input, const struct channel *channel);
/* Reads stdin once and queues a frame. Returns 1 when the user escaped, 0, or -1. */
int input_read(struct input *input, struct channel *channel, struct failure *f) FAIL_MUST_CHECK;

void output_init(struct output *output, int fd, uint16_t stream);
void output_finish(struct output *output);
/* Takes a frame's payload; more than the guest had credit for is its failure. */
int output_take(struct output *output, const struct channel_frame *frame,
		struct failure *f) FAIL_MUST_CHECK;
/* Writes once. */
int output_write(struct output *output, struct failure *f) FAIL_MUST_CHECK;
/* Gives credit back when enough is owed. */
void output_credit(struct output *output, struct channel *channel);

#endif
