// SPDX-License-Identifier: Apache-2.0
/* UDP: one socket of the host for each of the guest's; what it cannot send or take at once is lost. */
#include "host/tsi/muxer.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ERRORS_MAX 8 /* of earlier packets, that a receive may bring instead of one */

static int open_socket(struct proxy *proxy)
{
	if (proxy->fd >= 0)
		return 0;
	proxy->fd = socket(proxy->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (proxy->fd < 0)
		return -errno;
	if (proxy_watch(proxy))
		return 0;
	proxy_close(proxy);
	return -ENOMEM;
}

int datagram_connect(struct proxy *proxy, const struct sockaddr *address, socklen_t length)
{
	int error = open_socket(proxy);

	if (error)
		return error;
	if (connect(proxy->fd, address, length))
		return -errno;
	proxy->state = PROXY_CONNECTED;
	return 0;
}

static void datagram_take(struct muxer *muxer, struct proxy *proxy, const struct packet *packet)
{
	bool has_address = packet->header.dst_port == TSI_PORT_SENDTO_DATA;
	struct iovec iov[CHAIN_MAX];
	struct msghdr message = {.msg_iov = iov};

	(void)muxer;
	if (has_address && proxy->destination_length && !open_socket(proxy)) {
		message.msg_name = &proxy->destination;
		message.msg_namelen = proxy->destination_length;
	} else if (has_address || proxy->state != PROXY_CONNECTED) {
		return;
	}
	message.msg_iovlen = iov_part(packet->chain->iov, packet->chain->out_count,
				      sizeof(packet->header), packet->header.length, iov);
	/* An error may be an earlier packet's; it is told once, instead of sending. */
	if (sendmsg(proxy->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
		sendmsg(proxy->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void datagram_ready(struct muxer *muxer, struct proxy *proxy, uint32_t events)
{
	(void)muxer;
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	proxy->is_readable = true;
	proxy_wake(proxy);
}

/* The next that fits the buffer: its length, or -1. What does not fit is lost, not cut. */
static ssize_t receive(struct proxy *proxy, const struct chain *chain)
{
	struct iovec iov[CHAIN_MAX];
	struct msghdr message = {.msg_iov = iov};
	ssize_t got;

	message.msg_iovlen = iov_part(chain->iov, chain->in_count, sizeof(struct vsock_header),
				      TSI_DATAGRAM_MAX, iov);
	for (int errors = 0; errors < ERRORS_MAX; errors++) {
		message.msg_flags = 0;
		got = recvmsg(proxy->fd, &message, MSG_DONTWAIT);
		if (got >= 0 && !(message.msg_flags & MSG_TRUNC))
			return got;
		if (got < 0 && errno == EAGAIN)
			break;
	}
	return -1;
}

static size_t datagram_fill(struct muxer *muxer, struct proxy *proxy, const struct chain *chain)
{
	bool is_swapped = muxer->setup->traits->swaps_cids;
	struct vsock_header header = {
		.src_cid = is_swapped ? VSOCK_CID_GUEST : VSOCK_CID_HOST,
		.dst_cid = is_swapped ? VSOCK_CID_HOST : VSOCK_CID_GUEST,
		.src_port = is_swapped ? 0 : TSI_PORT_STREAM,
		.dst_port = proxy->guest_port,
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};
	ssize_t got = proxy->is_readable ? receive(proxy, chain) : -1;

	if (got < 0) {
		proxy->is_readable = false;
		return 0;
	}
	header.length = (uint32_t)got;
	iov_copy_in(chain->iov, chain->in_count, &header, sizeof(header));
	return sizeof(header) + (size_t)got;
}

static void datagram_release(struct muxer *muxer, struct proxy *proxy)
{
	unsigned linger_ms = muxer->setup->traits->linger_ms;

	proxy_sleep(proxy);
	proxy_close(proxy);
	proxy->state = PROXY_ENDED;
	if (linger_ms)
		proxy_set_deadline(proxy, tsi_now_ms() + linger_ms);
	else
		proxy_remove(proxy);
}

const struct proxy_ops datagram_ops = {datagram_take, datagram_ready, datagram_fill,
				       datagram_release};
