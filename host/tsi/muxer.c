// SPDX-License-Identifier: Apache-2.0
/* The table of proxies, and the packets' way between the rings and them. */
#include "host/tsi/muxer.h"

#include <string.h>

#define BATCH 256 /* packets of one direction before the other has its turn */

void muxer_init(struct muxer *muxer, const struct tsi_setup *setup, struct vhost *vhost,
		int epoll_fd)
{
	*muxer = (struct muxer){.setup = setup, .vhost = vhost, .epoll_fd = epoll_fd};
	muxer->next_port = (uint32_t)(uint64_t)(tsi_now_ms() * 1e3);
}

/* ---- to the guest ------------------------------------------------------------------------------
 */

void muxer_post(struct muxer *muxer, const struct vsock_header *header, const void *body,
		size_t length)
{
	struct tsi_small small = {.header = *header};
	const struct tsi_probe *probe = muxer->setup->probe;

	small.header.length = (uint32_t)length;
	if (length)
		memcpy(small.body, body, length);
	if (probe && !probe->small(probe->context, muxer, &small))
		return;
	if (muxer->small_count == MUXER_SMALLS)
		return; /* never: muxer_take() leaves room for what comes of the proxies */
	muxer->smalls[(muxer->small_begin + muxer->small_count++) % MUXER_SMALLS] = small;
}

void muxer_reset(struct muxer *muxer, const struct vsock_header *header)
{
	const struct vsock_header reset = {
		.src_cid = VSOCK_CID_HOST,
		.dst_cid = VSOCK_CID_GUEST,
		.src_port = header->dst_port,
		.dst_port = header->src_port,
		.type = VSOCK_STREAM,
		.op = VSOCK_RST,
	};

	muxer_post(muxer, &reset, NULL, 0);
}

/* The bytes of the packet; what is longer than the guest's buffer is cut. */
static size_t fill_small(struct muxer *muxer, const struct chain *chain)
{
	struct tsi_small *small = &muxer->smalls[muxer->small_begin];
	size_t room = chain->in_bytes - sizeof(small->header);

	if (small->header.length > room)
		small->header.length = (uint32_t)room;
	if (muxer->setup->traits->pads_replies && small->header.type == VSOCK_DATAGRAM)
		small->header.length = (uint32_t)room;
	muxer->small_begin = (muxer->small_begin + 1) % MUXER_SMALLS;
	muxer->small_count--;
	iov_copy_in(chain->iov, chain->in_count, small, sizeof(*small));
	return sizeof(small->header) + small->header.length;
}

static void observe(const struct muxer *muxer, const struct chain *chain)
{
	const struct tsi_probe *probe = muxer->setup->probe;
	struct vsock_header header;

	if (!probe)
		return;
	iov_copy_out(chain->iov, chain->in_count, &header, sizeof(header));
	probe->outgoing(probe->context, &header);
}

/* One packet of whoever has one: its length, or 0. */
static size_t fill(struct muxer *muxer, const struct chain *chain)
{
	size_t length = 0;

	if (muxer->small_count)
		return fill_small(muxer, chain);
	while (!length && muxer->ready) {
		struct proxy *proxy = muxer->ready;

		length = proxy->ops->fill(muxer, proxy, chain);
		if (!length)
			proxy_sleep(proxy);
		else if (muxer->ready == proxy) /* it may have removed itself */
			muxer->ready = proxy->ready_next;
	}
	return length;
}

bool muxer_give(struct muxer *muxer)
{
	struct ring *ring = &muxer->vhost->rings[VHOST_RX];
	struct chain chain;
	int given = 0;

	while (given < BATCH && (muxer->small_count || muxer->ready) &&
	       ring_next(ring, &muxer->vhost->memory, &chain)) {
		size_t length;

		/* A buffer that is none: it can be no other's fault than the guest's. */
		if (chain.out_count || chain.in_bytes < sizeof(struct vsock_header)) {
			ring->is_broken = true;
			break;
		}
		length = fill(muxer, &chain);
		if (!length) {
			ring_unget(ring);
			break;
		}
		observe(muxer, &chain);
		ring_push(ring, chain.head, (uint32_t)length);
		given++;
	}
	ring_notify(ring);
	return given == BATCH;
}

/* ---- from the guest ----------------------------------------------------------------------------
 */

static void take_stream(struct muxer *muxer, const struct packet *packet)
{
	const struct vsock_header *header = &packet->header;
	struct proxy *proxy = proxy_find(muxer, header->src_port, header->dst_port);

	if (proxy && proxy->ops == &stream_ops)
		proxy->ops->take(muxer, proxy, packet);
	else if (header->op == VSOCK_REQUEST)
		stream_serve(muxer, packet);
	else if (header->op != VSOCK_RST)
		muxer_reset(muxer, header);
}

static void take_datagram(struct muxer *muxer, const struct packet *packet)
{
	const struct vsock_header *header = &packet->header;
	struct proxy *proxy;

	if (header->op != VSOCK_RW || header->length > TSI_DATAGRAM_MAX)
		return;
	if (header->dst_port >= TSI_PORT_CREATE && header->dst_port < TSI_PORT__END &&
	    header->dst_port != TSI_PORT_SENDTO_DATA) {
		control_take(muxer, packet);
		return;
	}
	proxy = proxy_find(muxer, header->src_port, TSI_PORT_STREAM);
	if (proxy && proxy->ops == &datagram_ops)
		datagram_ops.take(muxer, proxy, packet);
}

static void take_packet(struct muxer *muxer, const struct chain *chain)
{
	const struct tsi_probe *probe = muxer->setup->probe;
	struct packet packet = {.chain = chain};
	size_t got =
		iov_copy_out(chain->iov, chain->out_count, &packet.header, sizeof(packet.header));

	if (got < sizeof(packet.header) || chain->in_count ||
	    packet.header.length > chain->out_bytes - got)
		return;
	if (probe && !probe->incoming(probe->context, muxer, &packet))
		return;
	if (packet.header.dst_cid != VSOCK_CID_HOST ||
	    chain->descriptors > muxer->setup->traits->descriptors_max)
		return;
	if (packet.header.type == VSOCK_STREAM)
		take_stream(muxer, &packet);
	else if (packet.header.type == VSOCK_DATAGRAM)
		take_datagram(muxer, &packet);
}

bool muxer_take(struct muxer *muxer)
{
	struct ring *ring = &muxer->vhost->rings[VHOST_TX];
	struct chain chain;
	int taken = 0;

	ring_want_kicks(ring, false);
	while (muxer->small_count < MUXER_SMALLS_TAKE && taken < BATCH &&
	       ring_next(ring, &muxer->vhost->memory, &chain)) {
		take_packet(muxer, &chain);
		ring_push(ring, chain.head, 0);
		taken++;
	}
	ring_notify(ring);
	return ring_want_kicks(ring, true) && muxer->small_count < MUXER_SMALLS_TAKE;
}

/* ---- time --------------------------------------------------------------------------------------
 */

#define TICK_MS 250.0

double muxer_deadline_ms(const struct muxer *muxer)
{
	return muxer->tick_ms;
}

static void tick(struct muxer *muxer, double now)
{
	muxer->has_hungry = false;
	for (unsigned i = 0; i < MUXER_BUCKETS; i++) {
		struct proxy *next;

		for (struct proxy *proxy = muxer->buckets[i]; proxy; proxy = next) {
			next = proxy->next;
			if (proxy->deadline_ms > 0 && proxy->deadline_ms <= now)
				proxy_remove(proxy);
			else if (proxy->state == PROXY_LISTENING)
				listener_feed(muxer, proxy);
		}
	}
}

void muxer_tick(struct muxer *muxer)
{
	double now;

	if (!muxer->deadlines && !muxer->has_hungry) {
		muxer->tick_ms = 0;
		return;
	}
	now = tsi_now_ms();
	if (muxer->tick_ms > 0 && now >= muxer->tick_ms)
		tick(muxer, now);
	if (muxer->tick_ms <= 0 || now >= muxer->tick_ms)
		muxer->tick_ms = now + TICK_MS;
}
