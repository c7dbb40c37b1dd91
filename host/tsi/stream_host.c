// SPDX-License-Identifier: Apache-2.0
/*
 * Streams: the host's side. What comes from the host's socket is read into the guest's buffers, at
 * most what it has room for.
 */
#include "host/tsi/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

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
			stream_settle(proxy);
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
	stream_owe(proxy, OWED_SHUTDOWN);
	return 0;
}

size_t stream_fill(struct muxer *muxer, struct proxy *proxy, const struct chain *chain)
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

void stream_ready(struct muxer *muxer, struct proxy *proxy, uint32_t events)
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
		stream_drain(proxy);
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
	stream_owe(proxy, state == PROXY_REQUESTED ? OWED_REQUEST : OWED_RESPONSE);
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
