// SPDX-License-Identifier: Apache-2.0
/*
 * init-oci's end of the control channel (smk/channel.h): frames in and out of a descriptor that
 * never blocks. Knows nothing of what the messages mean.
 *
 * Outgoing bytes wait in a ring. DATA frames leave CHANNEL_CONTROL_ROOM of it free, so that an
 * event finds room however far the host is behind. A channel that fails is closed, once and for
 * all; every call on a closed channel is harmless.
 */
#ifndef INIT_CHANNEL_H
#define INIT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <smk/channel.h>

#include "init/ring.h"
#include "oci/message.h"

#define CHANNEL_OUT_BYTES    (128u << 10)
#define CHANNEL_CONTROL_ROOM (24u << 10)

/* One descriptor of the event loop. Edge-triggered: a flag holds until a call says EAGAIN. */
struct endpoint {
	int fd;
	bool is_readable;
	bool is_writable;
	bool is_hung_up;
	uint8_t failures; /* in a row */
};

/*
 * A call on it failed, and not by EAGAIN or EINTR. True: for good. Once may be a moment's, for want of
 * memory say; what fails each time is broken.
 */
#define ENDPOINT_TRIES 3
static inline bool endpoint_is_broken(struct endpoint *end)
{
	return ++end->failures >= ENDPOINT_TRIES;
}

struct channel {
	struct endpoint end;
	bool is_closing;    /* nothing more is read; closed when the ring is empty */
	bool was_connected; /* a virtio port has no host end until the host opens it */
	struct ring out;
	uint64_t data_bytes; /* payload of all DATA frames so far */
	uint64_t lost_bytes; /* that a close left in the ring */
	size_t in_used;
	size_t in_taken; /* bytes of `in` that channel_next() has handed out */
	uint8_t out_bytes[CHANNEL_OUT_BYTES];
	uint8_t in[SMK_FRAME_HEADER_SIZE + SMK_FRAME_MAX_PAYLOAD];
	char message[MESSAGE_MAX_BYTES];
};

/* fd -1: a closed channel. Takes the descriptor over. */
void channel_init(struct channel *channel, int fd);
void channel_close(struct channel *channel);
static inline bool channel_is_open(const struct channel *channel)
{
	return channel->end.fd >= 0 && !channel->is_closing;
}

/* False: there was no room, the event is lost. */
bool channel_event(struct channel *channel, const struct event *event);
/* An error event with this text. */
bool channel_error(struct channel *channel, const char *text);
/* Room for the payload of one DATA frame. */
size_t channel_data_room(const struct channel *channel);
/* Reads at most max (<= room) bytes of from_fd into a DATA frame; returns what read(2) does. */
ssize_t channel_data_from(struct channel *channel, uint16_t stream, int from_fd, size_t max);
/* Needs no more room than is kept free for events. */
void channel_data_end(struct channel *channel, uint16_t stream);
void channel_credit(struct channel *channel, uint16_t stream, uint32_t bytes);

/* Writes what the host takes now. True: something moved. */
bool channel_flush(struct channel *channel);
/* Writes everything, waiting for the host up to timeout_ms. False: it did not all leave. */
bool channel_deliver(struct channel *channel, int timeout_ms);
/* Workload's bytes that have not left, give or take the events among them. */
uint64_t channel_undelivered(const struct channel *channel);
/*
 * After the last frame: of a socket, waits up to timeout_ms for the host to close its end, because
 * bytes may still be on their way in the transport when the machine is switched off. A port's bytes
 * are the host's as soon as they are written.
 */
void channel_linger(const struct channel *channel, int timeout_ms);
/* Reads what is there. True: something came. */
bool channel_receive(struct channel *channel);
/* The next whole frame: 1 and its parts, which hold until the next call; 0: none; -1: malformed. */
int channel_next(struct channel *channel, struct smk_frame *ret, const uint8_t **ret_payload);
/* Says why and closes the channel as soon as that has left. */
void channel_reject(struct channel *channel, const char *why);

#endif
