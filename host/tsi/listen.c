// SPDX-License-Identifier: Apache-2.0
/*
 * Listeners. A port of the guest is served where the host's user has said so (tsi_publish), and
 * nowhere else. Connections are taken at once and announced to the guest.
 */
#include "host/tsi/muxer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

/* On the loopback address of the family, on the guest's own port. */
static int listen_loopback(uint16_t family, uint16_t port, int backlog)
{
	struct sockaddr_storage address = {.ss_family = family};
	struct sockaddr_in *inet = (void *)&address;
	struct sockaddr_in6 *inet6 = (void *)&address;
	socklen_t length = family == AF_INET6 ? sizeof(*inet6) : sizeof(*inet);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;
	int error;

	if (family == AF_INET6) {
		inet6->sin6_port = htons(port);
		inet6->sin6_addr = in6addr_loopback;
	} else {
		inet->sin_port = htons(port);
		inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(fd, (struct sockaddr *)&address, length) && !listen(fd, backlog))
		return fd;
	error = errno;
	if (fd >= 0)
		close(fd);
	return -error;
}

void publish_set_reuse(const struct tsi_publish *publish, int is_on)
{
	setsockopt(publish->fd, SOL_SOCKET, SO_REUSEADDR, &is_on, sizeof(is_on));
}

/* The descriptor that listens, or a negative errno. */
static int start(struct proxy *proxy, uint16_t port, int backlog)
{
	const struct tsi_setup *setup = proxy->muxer->setup;

	for (size_t i = 0; i < setup->publish_count; i++) {
		struct tsi_publish *publish = &setup->publishes[i];

		if (publish->guest_port != port)
			continue;
		if (publish->is_used)
			return -EADDRINUSE;
		/* While it listens, for its connections: they keep nobody from the port when they are over. */
		publish_set_reuse(publish, true);
		if (listen(publish->fd, backlog))
			return -errno;
		publish->is_used = true;
		proxy->publish = publish;
		return publish->fd;
	}
	return setup->policy.publishes_all ? listen_loopback(proxy->family, port, backlog) : -EPERM;
}

int listener_listen(struct proxy *proxy, const struct tsi_listen *request,
		    const struct sockaddr_storage *address)
{
	const struct tsi_policy *policy = &proxy->muxer->setup->policy;
	uint32_t backlog = request->backlog < SOMAXCONN ? request->backlog : SOMAXCONN;
	int fd;

	if (policy->listen_refusal)
		return -policy->listen_refusal;
	if (proxy->ops != &stream_ops || proxy->state != PROXY_NEW)
		return -EINVAL;
	fd = start(proxy, policy_port(address), (int)backlog);
	if (fd < 0)
		return fd;
	proxy->fd = fd;
	proxy->ops = &listener_ops;
	proxy->state = PROXY_LISTENING;
	proxy->vm_port = request->vm_port;
	if (proxy_watch(proxy))
		return 0;
	proxy_close(proxy);
	proxy->state = PROXY_ENDED;
	return -ENOMEM;
}

int listener_accept(struct proxy *proxy, uint32_t flags)
{
	if (proxy->waiting) {
		proxy->waiting--;
		return 0;
	}
	if (flags & proxy->muxer->setup->traits->nonblock_flags)
		return -EAGAIN;
	proxy->is_accept_parked = true;
	return 1;
}

void listener_feed(struct muxer *muxer, struct proxy *proxy)
{
	int one = 1;

	while (proxy->is_readable) {
		struct proxy *child;
		int fd;

		if (muxer->proxies == TSI_PROXIES_MAX) {
			muxer->has_hungry = true;
			return;
		}
		fd = accept4(proxy->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0) {
			proxy->is_readable = errno != EAGAIN;
			muxer->has_hungry |= proxy->is_readable;
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		child = stream_adopt(muxer, proxy->vm_port, muxer_new_port(muxer, proxy->vm_port),
				     fd, PROXY_REQUESTED);
		if (!child) {
			close(fd);
			continue;
		}
		child->family = proxy->family;
		child->listener_port = proxy->guest_port;
	}
}

static void listener_ready(struct muxer *muxer, struct proxy *proxy, uint32_t events)
{
	(void)events;
	proxy->is_readable = true;
	listener_feed(muxer, proxy);
}

static size_t listener_fill(struct muxer *muxer, struct proxy *proxy, const struct chain *chain)
{
	(void)muxer;
	(void)proxy;
	(void)chain;
	return 0;
}

static void listener_release(struct muxer *muxer, struct proxy *proxy)
{
	(void)muxer;
	proxy_remove(proxy);
}

const struct proxy_ops listener_ops = {NULL, listener_ready, listener_fill, listener_release};
