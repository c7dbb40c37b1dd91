// SPDX-License-Identifier: Apache-2.0
/* Proxies in their table, and in the list of those that have something to say. */
#include "host/tsi/muxer.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

double tsi_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct proxy **bucket_of(struct muxer *muxer, uint32_t guest_port, uint32_t host_port)
{
	uint32_t mixed = (guest_port * 2654435761u) ^ (host_port * 2246822519u);

	return &muxer->buckets[(mixed >> 16) % MUXER_BUCKETS];
}

struct proxy *proxy_find(struct muxer *muxer, uint32_t guest_port, uint32_t host_port)
{
	struct proxy *proxy = *bucket_of(muxer, guest_port, host_port);

	while (proxy && (proxy->guest_port != guest_port || proxy->host_port != host_port))
		proxy = proxy->next;
	return proxy;
}

static void on_ready(struct source *source, uint32_t events)
{
	struct proxy *proxy = (struct proxy *)(void *)source;

	/* One that died in this round may still have an event in it. */
	if (proxy->fd >= 0)
		proxy->ops->ready(proxy->muxer, proxy, events);
}

struct proxy *proxy_new(struct muxer *muxer, const struct proxy_ops *ops, uint32_t guest_port,
			uint32_t host_port)
{
	struct proxy **bucket = bucket_of(muxer, guest_port, host_port);
	struct proxy *proxy;

	if (muxer->proxies == TSI_PROXIES_MAX)
		return NULL;
	proxy = calloc(1, sizeof(*proxy));
	if (!proxy)
		return NULL;
	*proxy = (struct proxy){
		.source = {on_ready},
		.muxer = muxer,
		.ops = ops,
		.next = *bucket,
		.guest_port = guest_port,
		.host_port = host_port,
		.fd = -1,
	};
	*bucket = proxy;
	muxer->proxies++;
	return proxy;
}

bool proxy_watch(struct proxy *proxy)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = &proxy->source,
	};

	return !epoll_ctl(proxy->muxer->epoll_fd, EPOLL_CTL_ADD, proxy->fd, &event);
}

/*
 * A published port stays bound: its socket only stops to listen. A peer that does not get all that
 * the guest has sent is told so, by a reset.
 */
void proxy_close(struct proxy *proxy)
{
	const struct linger now = {.l_onoff = 1};
	struct muxer *muxer = proxy->muxer;

	if (proxy->queue.length)
		setsockopt(proxy->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));

	if (proxy->fd >= 0 && proxy->publish) {
		epoll_ctl(muxer->epoll_fd, EPOLL_CTL_DEL, proxy->fd, NULL);
		shutdown(proxy->fd, SHUT_RD);
		publish_set_reuse(proxy->publish, false);
		proxy->publish->is_used = false;
		proxy->publish = NULL;
	} else if (proxy->fd >= 0) {
		close(proxy->fd);
	}
	proxy->fd = -1;
	proxy->is_readable = false;
	muxer->queued -= proxy->queue.length;
	queue_free(&proxy->queue);
}

void proxy_set_deadline(struct proxy *proxy, double deadline_ms)
{
	proxy->muxer->deadlines -= proxy->deadline_ms > 0;
	proxy->deadline_ms = deadline_ms;
	proxy->muxer->deadlines += deadline_ms > 0;
}

void proxy_wake(struct proxy *proxy)
{
	struct muxer *muxer = proxy->muxer;
	struct proxy *first = muxer->ready;

	if (proxy->is_ready)
		return;
	proxy->is_ready = true;
	if (!first) {
		proxy->ready_next = proxy->ready_previous = proxy;
		muxer->ready = proxy;
		return;
	}
	proxy->ready_next = first;
	proxy->ready_previous = first->ready_previous;
	first->ready_previous->ready_next = proxy;
	first->ready_previous = proxy;
}

void proxy_sleep(struct proxy *proxy)
{
	struct muxer *muxer = proxy->muxer;

	if (!proxy->is_ready)
		return;
	proxy->is_ready = false;
	if (muxer->ready == proxy)
		muxer->ready = proxy->ready_next == proxy ? NULL : proxy->ready_next;
	proxy->ready_previous->ready_next = proxy->ready_next;
	proxy->ready_next->ready_previous = proxy->ready_previous;
}

void proxy_remove(struct proxy *proxy)
{
	struct muxer *muxer = proxy->muxer;
	struct proxy **link = bucket_of(muxer, proxy->guest_port, proxy->host_port);

	while (*link != proxy)
		link = &(*link)->next;
	*link = proxy->next;
	proxy_sleep(proxy);
	proxy_set_deadline(proxy, 0);
	proxy_close(proxy);
	proxy->state = PROXY_ENDED;
	proxy->next = muxer->dead;
	muxer->dead = proxy;
	muxer->proxies--;
}

void muxer_bury(struct muxer *muxer)
{
	while (muxer->dead) {
		struct proxy *proxy = muxer->dead;

		muxer->dead = proxy->next;
		free(proxy);
	}
}

void muxer_release_all(struct muxer *muxer)
{
	struct proxy *next;

	for (unsigned i = 0; i < MUXER_BUCKETS; i++) {
		for (struct proxy *proxy = muxer->buckets[i]; proxy; proxy = next) {
			next = proxy->next;
			proxy->ops->release(muxer, proxy);
		}
	}
}

void muxer_finish(struct muxer *muxer)
{
	for (unsigned i = 0; i < MUXER_BUCKETS; i++)
		while (muxer->buckets[i])
			proxy_remove(muxer->buckets[i]);
	muxer_bury(muxer);
}

/* A port of the host that no connection to the guest's port has. */
uint32_t muxer_new_port(struct muxer *muxer, uint32_t guest_port)
{
	uint32_t port;

	do {
		port = 0x10000u + muxer->next_port++ % 0xf0000000u;
	} while (proxy_find(muxer, guest_port, port));
	return port;
}
