// SPDX-License-Identifier: Apache-2.0
/* The backend's loop: QEMU's messages, the guest's kicks, and the host's sockets. */
#include "host/tsi/muxer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX    64
#define DRAIN_MS      5000
#define DRAIN_STEP_MS 100

const struct tsi_traits tsi_traits_smk = {
	.buf_alloc = 1u << 20,
	.queued_max = 64u << 20,
	.credit_bytes = 1u << 18,
	.descriptors_max = CHAIN_MAX,
	.nonblock_flags = TSI_NONBLOCK,
	.confirms_close = true,
	.answers_credit = true,
};

struct backend {
	struct vhost vhost;
	struct muxer muxer;
	struct source message;
	struct source kicks[VHOST_RING__COUNT];
	int epoll_fd;
	bool is_over;
	bool has_failed;
};

#define BACKEND_OF(pointer, member) \
	((struct backend *)(void *)((char *)(pointer)-offsetof(struct backend, member)))

static bool watch(struct backend *backend, int fd, struct source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return !epoll_ctl(backend->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void on_message(struct source *source, uint32_t events)
{
	struct backend *backend = BACKEND_OF(source, message);
	int result = vhost_read(&backend->vhost);

	(void)events;
	backend->is_over |= result <= 0;
	backend->has_failed |= result < 0;
}

/* What it says is looked at after each round anyway; only the counter has to go. */
static void on_kick(struct backend *backend, enum vhost_ring ring)
{
	uint64_t count;

	if (backend->vhost.rings[ring].kick_fd < 0)
		return; /* taken away in this round */
	if (read(backend->vhost.rings[ring].kick_fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		backend->is_over = backend->has_failed = true;
}

static void on_kick_rx(struct source *source, uint32_t events)
{
	(void)events;
	on_kick(BACKEND_OF(source, kicks[VHOST_RX]), VHOST_RX);
}

static void on_kick_tx(struct source *source, uint32_t events)
{
	(void)events;
	on_kick(BACKEND_OF(source, kicks[VHOST_TX]), VHOST_TX);
}

static void on_kick_event(struct source *source, uint32_t events)
{
	(void)events;
	on_kick(BACKEND_OF(source, kicks[VHOST_EVENT]), VHOST_EVENT);
}

static void kick_changed(void *context, enum vhost_ring ring, int fd)
{
	struct backend *backend = context;
	int old_fd = backend->vhost.rings[ring].kick_fd;

	if (old_fd >= 0)
		epoll_ctl(backend->epoll_fd, EPOLL_CTL_DEL, old_fd, NULL);
	if (fd >= 0 && !watch(backend, fd, &backend->kicks[ring]))
		backend->is_over = backend->has_failed = true;
}

static void round_of_events(struct backend *backend, int wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(backend->epoll_fd, events, EVENTS_MAX, wait_ms);

	if (count < 0 && errno != EINTR)
		backend->is_over = backend->has_failed = true;
	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;

		source->ready(source, events[i].events);
	}
}

/* Until the next event: 0 when the guest has more for us already. */
static int timeout_ms(const struct backend *backend, bool has_more)
{
	double deadline = muxer_deadline_ms(&backend->muxer);
	double left = deadline - tsi_now_ms();

	if (has_more || (deadline > 0 && left <= 0))
		return 0;
	return deadline > 0 ? (int)left + 1 : -1;
}

static void loop(struct backend *backend)
{
	bool has_more = false;

	while (!backend->is_over) {
		round_of_events(backend, timeout_ms(backend, has_more));
		muxer_tick(&backend->muxer);
		has_more = muxer_take(&backend->muxer);
		has_more |= muxer_give(&backend->muxer);
		muxer_bury(&backend->muxer);
	}
}

/* The guest has gone: what it has sent still goes out, for a while. */
static void drain(struct backend *backend)
{
	double deadline = tsi_now_ms() + DRAIN_MS;

	epoll_ctl(backend->epoll_fd, EPOLL_CTL_DEL, backend->vhost.fd, NULL);
	for (int i = 0; i < VHOST_RING__COUNT; i++)
		kick_changed(backend, (enum vhost_ring)i, -1);
	muxer_release_all(&backend->muxer);
	while (backend->muxer.queued && !backend->has_failed && tsi_now_ms() < deadline) {
		round_of_events(backend, DRAIN_STEP_MS);
		muxer_bury(&backend->muxer);
	}
}

int tsi_serve(const struct tsi_setup *setup, int vhost_fd)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	int result;

	if (!backend)
		return -1;
	backend->message.ready = on_message;
	backend->kicks[VHOST_RX].ready = on_kick_rx;
	backend->kicks[VHOST_TX].ready = on_kick_tx;
	backend->kicks[VHOST_EVENT].ready = on_kick_event;
	backend->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	vhost_init(&backend->vhost, vhost_fd);
	backend->vhost.kick_changed = kick_changed;
	backend->vhost.context = backend;
	muxer_init(&backend->muxer, setup, &backend->vhost, backend->epoll_fd);
	backend->has_failed = backend->epoll_fd < 0 || !watch(backend, vhost_fd, &backend->message);
	backend->is_over = backend->has_failed;
	loop(backend);
	drain(backend);
	result = backend->has_failed ? -1 : 0;
	muxer_finish(&backend->muxer);
	vhost_finish(&backend->vhost);
	if (backend->epoll_fd >= 0)
		close(backend->epoll_fd);
	free(backend);
	return result;
}
