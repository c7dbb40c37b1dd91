// SPDX-License-Identifier: Apache-2.0
/*
 * TCP connections, and services of vsock. What the guest sends is written to the host's socket from
 * its own memory; what that does not take is queued, at most the room that the guest was told of.
 * What comes from the host's socket is read into the guest's buffers, at most what it has room for.
 */
#include "host/tsi/muxer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define DRAIN_MS      30000 /* for a peer to take what the guest left behind */
#define SHUTDOWN_BOTH (VSOCK_SHUTDOWN_RECEIVE | VSOCK_SHUTDOWN_SEND)

static void owe(struct proxy *proxy, unsigned owed)
{
	proxy->owed |= owed;
	proxy_wake(proxy);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

/* The host's socket is gone and the guest knows: the name may go too. */
static void settle(struct proxy *proxy)
{
	unsigned linger_ms = proxy->muxer->setup->traits->linger_ms;

	if (proxy->state != PROXY_ENDED || proxy->owed & OWED_RST)
		return;
	if (!linger_ms)
		proxy_remove(proxy);
	else if (proxy->deadline_ms <= 0)
		proxy_set_deadline(proxy, tsi_now_ms() + linger_ms);
}

static void end(struct proxy *proxy)
{
	proxy_close(proxy);
	proxy_set_deadline(proxy, 0);
	proxy->state = PROXY_ENDED;
	settle(proxy);
}

/* The connection is broken, which the guest is told. */
static void stream_break(struct proxy *proxy)
{
	proxy->owed = OWED_RST;
	end(proxy);
	proxy_wake(proxy);
}

/* The guest is done with it: what it has sent is still delivered. */
static void leave(struct proxy *proxy)
{
	proxy->guest_shutdown = SHUTDOWN_BOTH;
	if (!proxy->queue.length)
		end(proxy);
	else if (proxy->deadline_ms <= 0)
		proxy_set_deadline(proxy, tsi_now_ms() + DRAIN_MS);
}

static void stream_release(struct muxer *muxer, struct proxy *proxy)
{
	(void)muxer;
	proxy->owed = 0;
	proxy_sleep(proxy);
	if (proxy->state == PROXY_ENDED)
		settle(proxy);
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
		owe(proxy, OWED_CREDIT);
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

/* Writes of the queue what can be written. */
static void drain(struct proxy *proxy)
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
		end(proxy);
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
	    muxer->queued + length > TSI_QUEUED_MAX || !queue_add(&proxy->queue, iov, count)) {
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
	owe(proxy, OWED_RESPONSE);
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
	end(proxy);
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
			owe(proxy, OWED_RST);
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
		owe(proxy, OWED_CREDIT);
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

/* ---- host to guest -----------------------------------------------------------------------------
 */

static void fill_header(struct proxy *proxy, const struct chain *chain, enum vsock_op op,
			size_t length)
{
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_HOST,
		.dst_cid = VSOCK_CID_GUEST,
		.src_port = proxy->host_port,
		.dst_port = proxy->guest_port,
		.length = (uint32_t)length,
		.type = VSOCK_STREAM,
		.op = op,
		.flags = op == VSOCK_SHUTDOWN ? VSOCK_SHUTDOWN_SEND : 0,
		.buf_alloc = proxy->muxer->setup->traits->buf_alloc,
		.fwd_cnt = proxy->forwarded,
	};

	proxy->told = proxy->forwarded;
	proxy->owed &= ~OWED_CREDIT;
	iov_copy_in(chain->iov, chain->in_count, &header, sizeof(header));
}

static size_t fill_owed(struct proxy *proxy, const struct chain *chain)
{
	static const struct {
		enum owed owed;
		enum vsock_op op;
	} rows[] = {
		{OWED_REQUEST, VSOCK_REQUEST},      {OWED_RESPONSE, VSOCK_RESPONSE},
		{OWED_CREDIT, VSOCK_CREDIT_UPDATE}, {OWED_ASK, VSOCK_CREDIT_REQUEST},
		{OWED_SHUTDOWN, VSOCK_SHUTDOWN},    {OWED_RST, VSOCK_RST},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(proxy->owed & rows[i].owed))
			continue;
		fill_header(proxy, chain, rows[i].op, 0);
		proxy->owed &= ~(unsigned)rows[i].owed;
		if (rows[i].owed == OWED_RST)
			settle(proxy);
		return sizeof(struct vsock_header);
	}
	return 0;
}

/* How much more the guest can take. What it says may be nonsense: then nothing. */
static uint32_t credit_of(const struct proxy *proxy)
{
	uint32_t under_way = proxy->sent - proxy->guest_taken;

	return under_way < proxy->guest_alloc ? proxy->guest_alloc - under_way : 0;
}

/* Reads into the buffer: what was read, or 0. */
static size_t read_some(struct proxy *proxy, const struct chain *chain, size_t size)
{
	struct iovec iov[CHAIN_MAX];
	unsigned count =
		iov_part(chain->iov, chain->in_count, sizeof(struct vsock_header), size, iov);
	ssize_t got;

	do {
		got = readv(proxy->fd, iov, (int)count);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		return (size_t)got;
	proxy->is_readable = false;
	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0 || proxy->muxer->setup->traits->resets_at_end) {
		stream_break(proxy);
		return 0;
	}
	proxy->has_host_end = true;
	owe(proxy, OWED_SHUTDOWN);
	return 0;
}

static size_t stream_fill(struct muxer *muxer, struct proxy *proxy, const struct chain *chain)
{
	size_t size = chain->in_bytes - sizeof(struct vsock_header);
	size_t got = 0;

	if (!proxy->owed && proxy->state == PROXY_OPEN && proxy->is_readable &&
	    !proxy->has_host_end && !(proxy->guest_shutdown & VSOCK_SHUTDOWN_RECEIVE)) {
		uint32_t credit = credit_of(proxy);

		size = size < credit ? size : credit;
		if (size)
			got = read_some(proxy, chain, size);
		if (got) {
			fill_header(proxy, chain, VSOCK_RW, got);
			proxy->sent += (uint32_t)got;
			return sizeof(struct vsock_header) + got;
		}
		if (!credit && !proxy->has_asked && muxer->setup->traits->asks_credit) {
			proxy->has_asked = true;
			proxy->owed |= OWED_ASK;
		}
	}
	return fill_owed(proxy, chain);
}

/* ---- the host's socket ------------------------------------------------------------------------- */

static void finish_connect(struct muxer *muxer, struct proxy *proxy)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(proxy->fd, SOL_SOCKET, SO_ERROR, &error, &length))
		error = errno;
	if (error && muxer->setup->traits->refuses_all)
		error = ECONNREFUSED;
	proxy->state = error ? PROXY_ENDED : PROXY_CONNECTED;
	if (error)
		proxy_close(proxy);
	control_result(muxer, TSI_PORT_CONNECT, proxy->control_port, -error);
}

static void stream_ready(struct muxer *muxer, struct proxy *proxy, uint32_t events)
{
	if (proxy->state == PROXY_CONNECTING) {
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		finish_connect(muxer, proxy);
	}
	if (proxy->fd >= 0 && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		proxy->is_readable = true;
		if (proxy->state == PROXY_OPEN)
			proxy_wake(proxy);
	}
	if (proxy->state == PROXY_OPEN && proxy->queue.length)
		drain(proxy);
}

int stream_connect(struct proxy *proxy, const struct sockaddr *address, socklen_t length)
{
	int one = 1;

	if (proxy->state != PROXY_NEW)
		return proxy->state == PROXY_CONNECTING ? -EALREADY : -ECONNREFUSED;
	proxy->fd = socket(proxy->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (proxy->fd < 0)
		return -errno;
	setsockopt(proxy->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(proxy->fd, address, length) && errno != EINPROGRESS) {
		int error = errno;

		proxy_close(proxy);
		proxy->state = PROXY_ENDED;
		return -error;
	}
	proxy->state = PROXY_CONNECTING;
	return proxy_watch(proxy) ? 1 : -ENOMEM;
}

struct proxy *stream_adopt(struct muxer *muxer, uint32_t guest_port, uint32_t host_port, int fd,
			   enum proxy_state state)
{
	struct proxy *proxy = proxy_new(muxer, &stream_ops, guest_port, host_port);

	if (!proxy)
		return NULL;
	proxy->fd = fd;
	proxy->state = state;
	owe(proxy, state == PROXY_REQUESTED ? OWED_REQUEST : OWED_RESPONSE);
	if (proxy_watch(proxy))
		return proxy;
	proxy->fd = -1; /* the caller's */
	proxy_remove(proxy);
	return NULL;
}

void stream_serve(struct muxer *muxer, const struct packet *packet)
{
	const struct vsock_header *header = &packet->header;
	const struct tsi_setup *setup = muxer->setup;
	struct proxy *proxy;

	for (size_t i = 0; i < setup->service_count; i++) {
		if (setup->services[i].port != header->dst_port || muxer->services_used[i])
			continue;
		proxy = stream_adopt(muxer, header->src_port, header->dst_port,
				     setup->services[i].fd, PROXY_OPEN);
		if (!proxy)
			break;
		muxer->services_used[i] = true;
		proxy->guest_alloc = header->buf_alloc;
		return;
	}
	/* Of a proxy that is not there nothing is said, as by other hosts. */
	if (header->dst_port != TSI_PORT_STREAM)
		muxer_reset(muxer, header);
}

const struct proxy_ops stream_ops = {stream_take, stream_ready, stream_fill, stream_release};
