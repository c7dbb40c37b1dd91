// SPDX-License-Identifier: Apache-2.0
/*
 * TCP connections and services of vsock: the guest's side. What it sends is written to the host's
 * socket from its own memory; what that does not take is queued, at most the room that the guest was
 * told of.
 */
#include "host/tsi/stream.h"

#include <errno.h>

#define DRAIN_MS      30000 /* for a peer to take what the guest left behind */
#define SHUTDOWN_BOTH (VSOCK_SHUTDOWN_RECEIVE | VSOCK_SHUTDOWN_SEND)

void stream_owe(struct proxy *proxy, unsigned owed)
{
	proxy->owed |= owed;
	proxy_wake(proxy);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

void stream_settle(struct proxy *proxy)
{
	unsigned linger_ms = proxy->muxer->setup->traits->linger_ms;

	if (proxy->state != PROXY_ENDED || proxy->owed & OWED_RST)
		return;
	if (!linger_ms)
		proxy_remove(proxy);
	else if (proxy->deadline_ms <= 0)
		proxy_set_deadline(proxy, tsi_now_ms() + linger_ms);
}

static void stream_end(struct proxy *proxy)
{
	proxy_close(proxy);
	proxy_set_deadline(proxy, 0);
	proxy->state = PROXY_ENDED;
	stream_settle(proxy);
}

void stream_break(struct proxy *proxy)
{
	proxy->owed = OWED_RST;
	stream_end(proxy);
	proxy_wake(proxy);
}

/* The guest is done with it: what it has sent is still delivered. */
static void leave(struct proxy *proxy)
{
	proxy->guest_shutdown = SHUTDOWN_BOTH;
	if (!proxy->queue.length)
		stream_end(proxy);
	else if (proxy->deadline_ms <= 0)
		proxy_set_deadline(proxy, tsi_now_ms() + DRAIN_MS);
}

static void stream_release(struct muxer *muxer, struct proxy *proxy)
{
	(void)muxer;
	proxy->owed = 0;
	proxy_sleep(proxy);
	if (proxy->state == PROXY_ENDED)
		stream_settle(proxy);
	else
		leave(proxy);
}

/* ---- guest to host -----------------------------------------------------------------------------
 */

static void count_forwarded(struct proxy *proxy, size_t length)
{
	uint32_t step = proxy->muxer->setup->traits->credit_bytes;

	proxy->forwarded += (uint32_t)length;
	if (!step)
		step = proxy->guest_alloc / 2;
	if (proxy->forwarded - proxy->told >= step &&
	    !(proxy->guest_shutdown & VSOCK_SHUTDOWN_SEND))
		stream_owe(proxy, OWED_CREDIT);
}

static ssize_t send_some(int fd, struct iovec *iov, unsigned count)
{
	const struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
	ssize_t sent;

	do {
		sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
		return 0;
	return sent;
}

void stream_drain(struct proxy *proxy)
{
	struct iovec pieces[2];
	ssize_t sent;

	while (proxy->queue.length) {
		sent = send_some(proxy->fd, pieces, queue_peek(&proxy->queue, pieces));
		if (sent < 0) {
			stream_break(proxy);
			return;
		}
		if (!sent)
			return;
		queue_drop(&proxy->queue, (size_t)sent);
		proxy->muxer->queued -= (size_t)sent;
		count_forwarded(proxy, (size_t)sent);
	}
	if (proxy->guest_shutdown == SHUTDOWN_BOTH)
		stream_end(proxy);
	else if (proxy->guest_shutdown & VSOCK_SHUTDOWN_SEND)
		shutdown(proxy->fd, SHUT_WR);
}

static void take_bytes(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	size_t length = packet->header.length;
	struct iovec iov[CHAIN_MAX];
	unsigned count = iov_part(packet->chain->iov, packet->chain->out_count,
				  sizeof(packet->header), length, iov);
	ssize_t sent = 0;

	if (proxy->state != PROXY_OPEN || proxy->guest_shutdown & VSOCK_SHUTDOWN_SEND) {
		muxer_reset(muxer, &packet->header);
		return;
	}
	if (!proxy->queue.length)
		sent = send_some(proxy->fd, iov, count);
	if (sent < 0) {
		stream_break(proxy);
		return;
	}
	count_forwarded(proxy, (size_t)sent);
	length -= (size_t)sent;
	if (!length)
		return;
	count = iov_part(packet->chain->iov, packet->chain->out_count,
			 sizeof(packet->header) + (size_t)sent, length, iov);
	/* More than it was told there is room for, or more than all may have. */
	if (proxy->queue.length + length > muxer->setup->traits->buf_alloc ||
	    muxer->queued + length > muxer->setup->traits->queued_max ||
	    !queue_add(&proxy->queue, iov, count)) {
		stream_break(proxy);
		return;
	}
	muxer->queued += length;
}

static void take_request(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	if (proxy->state != PROXY_CONNECTED) {
		muxer_reset(muxer, &packet->header);
		return;
	}
	proxy->state = PROXY_OPEN;
	stream_owe(proxy, OWED_RESPONSE);
}

static void take_response(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	struct proxy *listener = proxy_find(muxer, proxy->listener_port, TSI_PORT_STREAM);

	if (proxy->state != PROXY_REQUESTED) {
		muxer_reset(muxer, &packet->header);
		return;
	}
	proxy->state = PROXY_OPEN;
	proxy_wake(proxy);
	if (!listener || listener->ops != &listener_ops)
		return;
	if (!listener->is_accept_parked) {
		listener->waiting++;
		return;
	}
	listener->is_accept_parked = false;
	control_result(muxer, TSI_PORT_ACCEPT, listener->control_port, 0);
}

static void take_reset(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	(void)muxer;
	(void)packet;
	if (proxy->guest_shutdown == SHUTDOWN_BOTH && proxy->queue.length)
		return; /* it has left already; what it sent is on its way */
	proxy->owed = 0;
	proxy_sleep(proxy);
	stream_end(proxy);
}

static void take_shutdown(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	unsigned before = proxy->guest_shutdown;
	unsigned now = before | (packet->header.flags & SHUTDOWN_BOTH);

	if (proxy->state != PROXY_OPEN || now == before)
		return;
	proxy->guest_shutdown = now;
	if (now & ~before & VSOCK_SHUTDOWN_RECEIVE)
		shutdown(proxy->fd, SHUT_RD);
	if (now == SHUTDOWN_BOTH) {
		if (muxer->setup->traits->confirms_close)
			stream_owe(proxy, OWED_RST);
		leave(proxy);
	} else if (now & ~before & VSOCK_SHUTDOWN_SEND && !proxy->queue.length) {
		shutdown(proxy->fd, SHUT_WR);
	}
}

static void take_credit(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	(void)muxer;
	(void)packet;
	proxy->has_asked = false;
}

static void take_credit_request(struct muxer *muxer, struct proxy *proxy,
				const struct packet *packet)
{
	(void)packet;
	if (muxer->setup->traits->answers_credit && proxy->state == PROXY_OPEN)
		stream_owe(proxy, OWED_CREDIT);
}

static void stream_take(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	static void (*const takers[VSOCK_OP__COUNT])(struct muxer *, struct proxy *,
						     const struct packet *) = {
		[VSOCK_REQUEST] = take_request,
		[VSOCK_RESPONSE] = take_response,
		[VSOCK_RST] = take_reset,
		[VSOCK_SHUTDOWN] = take_shutdown,
		[VSOCK_RW] = take_bytes,
		[VSOCK_CREDIT_UPDATE] = take_credit,
		[VSOCK_CREDIT_REQUEST] = take_credit_request,
	};
	uint16_t op = packet->header.op;

	proxy->guest_alloc = packet->header.buf_alloc;
	proxy->guest_taken = packet->header.fwd_cnt;
	if (proxy->state == PROXY_OPEN && proxy->is_readable)
		proxy_wake(proxy);
	if (op < VSOCK_OP__COUNT && takers[op])
		takers[op](muxer, proxy, packet);
}

const struct proxy_ops stream_ops = {stream_take, stream_ready, stream_fill, stream_release};
