// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that does anything: packets that are nearly right, descriptors that are not, buffers or none,
 * while peers on the host's side come, write, read and go. There is no network: what the muxer connects
 * is one end of a socket pair. After every step its books have to be right, and at the end nothing is
 * left open.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/tsi/muxer.h"

#define MEMORY      0x20000u
#define BASE        0x40000000u
#define RING        16u
#define RX_BUFFERS  0x4000u
#define TX_BUFFERS  0x10000u
#define BUFFER      0x800u
#define PEERS_MAX   64
#define STEPS_MAX   200
#define ROUNDS_LAST 8

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_listen(int fd, int backlog);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

static struct muxer muxer;
static struct vhost vhost;
static uint8_t *memory;
static int peers[PEERS_MAX];
static int peer_count;
static unsigned clients; /* that wait to be accepted */
static uint16_t rx_seen;

/* ---- the host's network ------------------------------------------------------------------------ */

static int new_peer(int type)
{
	int fds[2];

	require(!socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	if (peer_count == PEERS_MAX)
		close(peers[--peer_count]);
	peers[peer_count++] = fds[1];
	return fds[0];
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	const uint8_t *bytes = (const void *)address;
	socklen_t size = sizeof(int);
	int type = 0;
	int end;

	require(length == TSI_LENGTH_INET || length == TSI_LENGTH_INET6);
	if (bytes[3] == 1) {
		errno = ENETUNREACH;
		return -1;
	}
	require(!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size));
	end = new_peer(type);
	require(dup3(end, fd, O_CLOEXEC) == fd);
	close(end);
	if (bytes[3] != 2 || type == SOCK_DGRAM)
		return 0;
	errno = EINPROGRESS;
	return -1;
}

int __wrap_listen(int fd, int backlog)
{
	require(fd >= 0 && backlog >= 0);
	return 0;
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	require(fd >= 0 && !address && !length && flags == (SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (clients) {
		clients--;
		return new_peer(SOCK_STREAM);
	}
	errno = EAGAIN;
	return -1;
}

/* What goes to an address goes nowhere. */
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct msghdr sent = *message;

	require(fd >= 0 && flags == (MSG_DONTWAIT | MSG_NOSIGNAL));
	sent.msg_name = NULL;
	sent.msg_namelen = 0;
	return __real_sendmsg(fd, &sent, flags);
}

static void act_peer(struct choices *c)
{
	static uint8_t bytes[8192];
	unsigned act = choose(c);
	unsigned length = choose(c) * 32u;
	int fd;

	if (!peer_count)
		return;
	fd = peers[act / 8 % (unsigned)peer_count];
	switch (act % 8) {
	case 0:
		shutdown(fd, SHUT_WR);
		break;
	case 1:
		close(fd);
		peers[act / 8 % (unsigned)peer_count] = peers[peer_count - 1];
		peer_count--;
		break;
	case 2:
	case 3:
		while (read(fd, bytes, sizeof(bytes)) > 0)
			;
		break;
	default:
		if (send(fd, bytes, length, MSG_NOSIGNAL) < 0)
			require(errno == EAGAIN || errno == EPIPE || errno == ENOTCONN ||
				errno == ECONNREFUSED);
	}
}

/* ---- the guest --------------------------------------------------------------------------------- */

static void offer(enum vhost_ring index, uint16_t head)
{
	struct vring_avail *avail = vhost.rings[index].avail;

	avail->ring[avail->idx % RING] = head;
	avail->idx++;
}

static void describe(enum vhost_ring ring, uint16_t index, uint64_t address, uint32_t length,
		     uint16_t flags)
{
	vhost.rings[ring].descriptors[index] =
		(struct vring_desc){address, length, flags, (uint16_t)(index + 1)};
}

static uint32_t choose_port(struct choices *c)
{
	uint8_t word = choose(c);

	if (word < 200)
		return 100 + word % 8;
	return word < 240 ? TSI_PORT_STREAM : (uint32_t)choose_number(c, 4);
}

/* A message in which what has a sense mostly has one. */
static size_t choose_message(struct choices *c, uint8_t *body)
{
	uint32_t words[TSI_MESSAGE_MAX / 4] = {0};
	uint16_t family = choose(c) % 8 ? AF_INET : AF_INET6;

	words[0] = choose_port(c);
	switch (choose(c) % 4) {
	case 0: /* CREATE */
		words[1] = family | (1u + choose(c) % 2) << 16;
		break;
	case 1: /* CONNECT, SENDTO_ADDR */
		words[1] = family == AF_INET ? TSI_LENGTH_INET : TSI_LENGTH_INET6;
		words[2] = family | (uint32_t)choose(c) % 4 << 24;
		words[3] = 0x08080808u;
		break;
	case 2: /* LISTEN */
		words[1] = choose_port(c);
		words[2] = choose(c);
		words[3] = TSI_LENGTH_INET;
		words[4] = family | 80u << 24;
		break;
	default: /* the others */
		words[1] = choose_port(c);
		break;
	}
	memcpy(body, words, sizeof(words));
	return choose(c) % 16 ? sizeof(words) : choose(c);
}

static void act_packet(struct choices *c)
{
	uint16_t index = 2 * (choose(c) % (RING / 2));
	uint32_t offset = TX_BUFFERS + index / 2 * BUFFER;
	struct vsock_header header = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = choose(c) % 32 ? VSOCK_CID_HOST : choose(c),
		.src_port = choose_port(c),
		.dst_port = choose(c) % 4 ? TSI_PORT_CREATE + choose(c) % 9 : choose_port(c),
		.type = choose(c) % 3 ? VSOCK_DATAGRAM : VSOCK_STREAM,
		.op = VSOCK_RW,
		.buf_alloc = (uint32_t)choose(c) << 8,
		.fwd_cnt = choose(c),
	};
	size_t length = choose_message(c, memory + offset + sizeof(header));

	if (header.type == VSOCK_STREAM) {
		header.dst_port = choose(c) % 4 ? TSI_PORT_STREAM : choose_port(c);
		header.op = choose(c) % 9;
		header.flags = choose(c) % 4;
		length = choose(c) * 4u;
	}
	header.length = choose(c) % 16 ? (uint32_t)length : (uint32_t)choose_number(c, 4);
	memcpy(memory + offset, &header, sizeof(header));
	describe(VHOST_TX, index, BASE + offset, sizeof(header), VRING_DESC_F_NEXT);
	describe(VHOST_TX, index + 1, BASE + offset + sizeof(header), (uint32_t)length, 0);
	offer(VHOST_TX, index);
}

/* Descriptors that are anything, and bytes of the rings themselves. */
static void act_descriptor(struct choices *c)
{
	enum vhost_ring ring = choose(c) % 2;
	uint64_t address = choose(c) % 2 ? BASE + choose_number(c, 3) : choose_number(c, 8);

	vhost.rings[ring].descriptors[choose(c) % RING] = (struct vring_desc){
		address, (uint32_t)choose_number(c, 2), choose(c) % 8, choose(c) % (RING + 1)};
	if (choose(c) % 4 == 0)
		memory[choose_number(c, 2) % 0x2000] = choose(c);
	else
		offer(ring, choose(c) % (RING + 1));
}

/* Some of the buffers that are with the guest, in turn. */
static void act_buffers(struct choices *c)
{
	const struct ring *ring = &vhost.rings[VHOST_RX];

	for (unsigned count = choose(c) % RING + 1; count; count--) {
		uint16_t index = ring->avail->idx % RING;

		if ((uint16_t)(ring->avail->idx - ring->used_next) >= RING)
			break;
		describe(VHOST_RX, index, BASE + RX_BUFFERS + index * BUFFER, BUFFER,
			 VRING_DESC_F_WRITE);
		offer(VHOST_RX, index);
	}
}

/* ---- what has to hold -------------------------------------------------------------------------- */

static void check_books(void)
{
	unsigned proxies = 0;
	unsigned ready = 0;
	unsigned deadlines = 0;
	size_t queued = 0;
	unsigned listed = 0;

	for (unsigned i = 0; i < MUXER_BUCKETS; i++) {
		for (struct proxy *p = muxer.buckets[i]; p; p = p->next) {
			proxies++;
			ready += p->is_ready;
			deadlines += p->deadline_ms > 0;
			queued += p->queue.length;
			require(p->queue.length <= tsi_traits_smk.buf_alloc);
			require(p->queue.length <= p->queue.capacity);
			require(p->fd >= 0 || !p->queue.length);
			require(proxy_find(&muxer, p->guest_port, p->host_port) == p);
		}
	}
	for (struct proxy *p = muxer.ready; p && listed <= ready; p = p->ready_next) {
		require(p->is_ready && p->ready_next->ready_previous == p);
		listed++;
		if (p->ready_next == muxer.ready)
			break;
	}
	require(proxies == muxer.proxies && proxies <= TSI_PROXIES_MAX);
	require(listed == ready && deadlines == muxer.deadlines);
	require(queued == muxer.queued && queued <= tsi_traits_smk.queued_max);
	require(muxer.small_count <= MUXER_SMALLS);
}

/* What the guest was given, as long as it has left its buffers alone. */
static void check_given(bool is_honest)
{
	const struct ring *ring = &vhost.rings[VHOST_RX];

	while (rx_seen != ring->used_next) {
		const struct vring_used_elem *element = &ring->used->ring[rx_seen++ % RING];
		struct vsock_header header;

		if (!is_honest)
			continue;
		require(element->id < RING && element->len >= sizeof(header) &&
			element->len <= BUFFER);
		memcpy(&header, memory + RX_BUFFERS + element->id * BUFFER, sizeof(header));
		require(element->len == sizeof(header) + header.length);
		require(header.op >= VSOCK_REQUEST && header.op < VSOCK_OP__COUNT);
		require(header.type == VSOCK_STREAM || header.type == VSOCK_DATAGRAM);
	}
}

static void act_round(bool is_honest)
{
	struct epoll_event events[16];
	int count = epoll_wait(muxer.epoll_fd, events, 16, 0);

	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;

		source->ready(source, events[i].events);
	}
	muxer_tick(&muxer);
	muxer_take(&muxer);
	muxer_give(&muxer);
	muxer_bury(&muxer);
	check_books();
	check_given(is_honest);
}

/* ---- one run ----------------------------------------------------------------------------------- */

static void begin(const struct tsi_setup *setup)
{
	vhost_init(&vhost, -1);
	memory = calloc(1, MEMORY);
	require(memory != NULL);
	vhost.memory.count = 1;
	vhost.memory.regions[0] = (struct memory_region){BASE, BASE, MEMORY, memory, NULL, 0};
	for (unsigned i = 0; i < 2; i++) {
		struct ring *ring = &vhost.rings[i];

		ring->size = RING;
		ring->addresses[0] = BASE + i * 0x1000;
		ring->addresses[1] = BASE + i * 0x1000 + 0x800;
		ring->addresses[2] = BASE + i * 0x1000 + 0x400;
		require(ring_map(ring, &vhost.memory));
		ring->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ring->is_enabled = true;
	}
	muxer_init(&muxer, setup, &vhost, epoll_create1(EPOLL_CLOEXEC));
	muxer.next_port = 0;
	peer_count = 0;
	clients = 0;
	rx_seen = 0;
}

static void end(void)
{
	for (int i = 0; i < ROUNDS_LAST; i++)
		act_round(false);
	muxer_release_all(&muxer);
	check_books();
	muxer_finish(&muxer);
	require(!muxer.proxies && !muxer.queued && !muxer.deadlines && !muxer.ready);
	while (peer_count)
		close(peers[--peer_count]);
	close(muxer.epoll_fd);
	vhost.memory.count = 0;
	vhost_finish(&vhost);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices choices = {data, data + size};
	struct tsi_publish publish = {.guest_port = 80};
	const struct tsi_setup setup = {
		.traits = &tsi_traits_smk, .publishes = &publish, .publish_count = 1};
	int free_fd = dup(0);
	bool is_honest = true;

	require(free_fd >= 0);
	close(free_fd);
	publish.fd = eventfd(0, EFD_CLOEXEC);
	begin(&setup);
	for (int i = 0; i < STEPS_MAX && choices.at < choices.end; i++) {
		uint8_t act = choose(&choices);

		if (act < 100)
			act_packet(&choices);
		else if (act < 105)
			is_honest = false, act_descriptor(&choices);
		else if (act < 130)
			act_buffers(&choices);
		else if (act < 180)
			act_peer(&choices);
		else if (act < 190)
			clients = clients % 8 + 1;
		else
			act_round(is_honest);
	}
	end();
	close(publish.fd);
	require(dup(0) == free_fd); /* nothing was left open */
	close(free_fd);
	return 0;
}
