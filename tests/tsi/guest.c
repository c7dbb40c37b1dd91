// SPDX-License-Identifier: Apache-2.0
/* guest.h. Waiting is for events, for ten seconds at most. */
#include "tests/tsi/guest.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/tsi/vhost_message.h"

#define WAIT_MS 10000

#define RX_BUFFERS 0x100000u
#define TX_BUFFERS 0x400000u

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- vhost-user -------------------------------------------------------------------------------- */

int64_t guest_say(struct guest *guest, uint32_t request, const void *payload, uint32_t size, int fd,
		  bool answers)
{
	const struct message_header header = {request, MESSAGE_VERSION, size};

	return guest_say_flags(guest, &header, payload, fd, answers);
}

int64_t guest_say_flags(struct guest *guest, const struct message_header *sent, const void *payload,
			int fd, bool answers)
{
	struct message_header header = *sent;
	size_t size = sent->size;
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)payload, size}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	int64_t number = -1;

	if (fd >= 0) {
		struct cmsghdr *c = (void *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	must(sendmsg(guest->fd, &message, MSG_NOSIGNAL) == (ssize_t)(sizeof(header) + size));
	if (!answers)
		return 0;
	if (recv(guest->fd, &header, sizeof(header), MSG_WAITALL) != sizeof(header))
		return -1;
	must(header.size <= 64);
	if (header.size) {
		uint8_t bytes[64];

		must(recv(guest->fd, bytes, header.size, MSG_WAITALL) == (ssize_t)header.size);
		memcpy(&number, bytes, sizeof(number));
	}
	return number;
}

static void set_ring(struct guest *guest, uint32_t index)
{
	struct guest_ring *ring = &guest->rings[index];
	uint64_t base = GUEST_USER + index * 0x10000;
	struct vring_state state = {index, GUEST_RING};
	struct vring_address address = {index, 0, base, base + 0x8000, base + 0x4000, 0};
	uint64_t number = index;

	guest_say(guest, 8, &state, sizeof(state), -1, false);
	state.number = 0;
	guest_say(guest, 10, &state, sizeof(state), -1, false);
	guest_say(guest, 9, &address, sizeof(address), -1, false);
	guest_say(guest, 13, &number, sizeof(number), ring->call_fd, false);
	guest_say(guest, 12, &number, sizeof(number), ring->kick_fd, false);
	state.number = 1;
	guest_say(guest, 18, &state, sizeof(state), -1, false);
}

static void *serve(void *context)
{
	struct guest *guest = context;

	guest->result = tsi_serve(guest->setup, guest->theirs_fd);
	shutdown(guest->theirs_fd, SHUT_RDWR);
	return NULL;
}

void guest_start(struct guest *guest, const struct tsi_setup *setup, unsigned buffers)
{
	struct memory_table table = {
		.count = 1,
		.entries = {{GUEST_BASE, GUEST_MEMORY, GUEST_USER, 0}},
	};
	uint64_t features = UINT64_C(1) << 32 | UINT64_C(1) << 30 | 1u << 3;
	int fds[2];

	*guest = (struct guest){.setup = setup};
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	guest->fd = fds[0];
	guest->theirs_fd = fds[1];
	guest->memory_fd = memfd_create("guest", MFD_CLOEXEC);
	must(guest->memory_fd >= 0 && !ftruncate(guest->memory_fd, GUEST_MEMORY));
	guest->memory =
		mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, guest->memory_fd, 0);
	must(guest->memory != MAP_FAILED);
	must(!pthread_create(&guest->thread, NULL, serve, guest));
	must(guest_say(guest, 1, NULL, 0, -1, true) == (int64_t)features);
	guest_say(guest, 2, &features, sizeof(features), -1, false);
	guest_say(guest, 5, &table, offsetof(struct memory_table, entries[1]), guest->memory_fd,
		  false);
	for (uint32_t i = 0; i < 2; i++) {
		struct guest_ring *ring = &guest->rings[i];
		uint8_t *base = guest->memory + i * 0x10000;

		*ring = (struct guest_ring){(void *)base,
					    (void *)(base + 0x4000),
					    (void *)(base + 0x8000),
					    0,
					    eventfd(0, EFD_NONBLOCK),
					    eventfd(0, EFD_NONBLOCK)};
		set_ring(guest, i);
	}
	guest_post_buffers(guest, buffers);
}

int guest_stop(struct guest *guest)
{
	shutdown(guest->fd, SHUT_RDWR);
	pthread_join(guest->thread, NULL);
	close(guest->fd);
	close(guest->theirs_fd);
	close(guest->memory_fd);
	munmap(guest->memory, GUEST_MEMORY);
	for (int i = 0; i < 2; i++) {
		close(guest->rings[i].kick_fd);
		close(guest->rings[i].call_fd);
	}
	return guest->result;
}

/* ---- rings ------------------------------------------------------------------------------------- */

void guest_kick(struct guest *guest, enum vhost_ring ring)
{
	uint64_t one = 1;

	must(write(guest->rings[ring].kick_fd, &one, sizeof(one)) == sizeof(one));
}

void guest_offer(struct guest *guest, enum vhost_ring index, uint16_t head)
{
	struct vring_avail *avail = guest->rings[index].avail;

	avail->ring[avail->idx % GUEST_RING] = head;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_RELEASE);
}

void guest_describe(struct guest *guest, enum vhost_ring ring, uint16_t index, uint64_t address,
		    uint32_t length, uint16_t flags, uint16_t next)
{
	guest->rings[ring].descriptors[index] = (struct vring_desc){address, length, flags, next};
}

static void post_buffer(struct guest *guest, uint16_t index)
{
	guest_describe(guest, VHOST_RX, index, GUEST_BASE + RX_BUFFERS + index * GUEST_RX_SIZE,
		       GUEST_RX_SIZE, VRING_DESC_F_WRITE, 0);
	guest_offer(guest, VHOST_RX, index);
}

void guest_post_buffers(struct guest *guest, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		post_buffer(guest, (uint16_t)i);
	guest_kick(guest, VHOST_RX);
}

/* Until the backend has used more than `seen`. */
static bool wait_used(struct guest_ring *ring, uint16_t seen)
{
	struct pollfd poll_fd = {.fd = ring->call_fd, .events = POLLIN};
	uint64_t count;

	while (__atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) == seen) {
		if (poll(&poll_fd, 1, WAIT_MS) <= 0)
			return false;
		if (read(ring->call_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return false;
	}
	return true;
}

bool guest_push(struct guest *guest, const struct vsock_header *header, const void *body,
		size_t length)
{
	uint16_t slot = (uint16_t)(guest->sent % GUEST_TX_SLOTS);
	uint32_t offset = TX_BUFFERS + slot * GUEST_TX_SIZE;
	uint16_t index = (uint16_t)(2 * slot);

	must(length + sizeof(*header) <= GUEST_TX_SIZE);
	memcpy(guest->memory + offset, header, sizeof(*header));
	if (length)
		memcpy(guest->memory + offset + sizeof(*header), body, length);
	guest_describe(guest, VHOST_TX, index, GUEST_BASE + offset, sizeof(*header),
		       length ? VRING_DESC_F_NEXT : 0, (uint16_t)(index + 1));
	guest_describe(guest, VHOST_TX, (uint16_t)(index + 1),
		       GUEST_BASE + offset + sizeof(*header), (uint32_t)length, 0, 0);
	guest_offer(guest, VHOST_TX, index);
	guest_kick(guest, VHOST_TX);
	guest->sent++;
	return true;
}

bool guest_send(struct guest *guest, const struct vsock_header *header, const void *body,
		size_t length)
{
	struct guest_ring *ring = &guest->rings[VHOST_TX];
	uint16_t seen = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);

	must(guest_push(guest, header, body, length) && wait_used(ring, seen));
	return true;
}

bool guest_message(struct guest *guest, enum tsi_port port, const void *body, size_t length)
{
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = GUEST_CONTROL,
		.dst_port = port,
		.length = (uint32_t)length,
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};

	return guest_send(guest, &header, body, length);
}

bool guest_stream(struct guest *guest, uint32_t from, uint32_t to, enum vsock_op op,
		  const void *body, size_t length)
{
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = from,
		.dst_port = to,
		.length = (uint32_t)length,
		.type = VSOCK_STREAM,
		.op = op,
		.flags = op == VSOCK_SHUTDOWN ? 3 : 0,
		.buf_alloc = GUEST_BUFFER,
	};

	return guest_send(guest, &header, body, length);
}

bool guest_receive(struct guest *guest)
{
	struct guest_ring *ring = &guest->rings[VHOST_RX];
	const struct vring_used_elem *element;
	const uint8_t *bytes;

	if (!wait_used(ring, ring->used_seen))
		return false;
	element = &ring->used->ring[ring->used_seen++ % GUEST_RING];
	must(element->id < GUEST_RING && element->len <= GUEST_RX_SIZE);
	bytes = guest->memory + RX_BUFFERS + element->id * GUEST_RX_SIZE;
	memcpy(&guest->header, bytes, sizeof(guest->header));
	memcpy(guest->body, bytes + sizeof(guest->header), GUEST_RX_BYTES);
	must(element->len == sizeof(guest->header) + guest->header.length);
	post_buffer(guest, (uint16_t)element->id);
	guest_kick(guest, VHOST_RX);
	return true;
}

bool guest_expect(struct guest *guest, uint32_t from, uint32_t to, enum vsock_op op)
{
	return guest_receive(guest) && guest->header.type == VSOCK_STREAM &&
	       guest->header.src_port == from && guest->header.dst_port == to &&
	       guest->header.op == op;
}

int guest_result(struct guest *guest, enum tsi_port port)
{
	struct tsi_result result;

	if (!guest_receive(guest) || guest->header.type != VSOCK_DATAGRAM ||
	    guest->header.src_port != port || guest->header.dst_port != GUEST_CONTROL)
		return 1;
	memcpy(&result, guest->body, sizeof(result));
	return result.result;
}

bool guest_is_quiet(struct guest *guest)
{
	const struct tsi_getname question = {.port = 1};

	return guest_message(guest, TSI_PORT_GETNAME, &question, sizeof(question)) &&
	       guest_result(guest, TSI_PORT_GETNAME) == -EINVAL;
}

/* ---- messages ---------------------------------------------------------------------------------- */

void guest_create(struct guest *guest, uint32_t port, uint16_t family, uint16_t type)
{
	const struct tsi_create create = {port, family, type};

	guest_message(guest, TSI_PORT_CREATE, &create, sizeof(create));
}

int guest_connect(struct guest *guest, uint32_t port, const void *address, socklen_t length)
{
	struct tsi_connect connect = {.port = port, .address = {.length = length}};

	memcpy(connect.address.bytes, address,
	       length < sizeof(connect.address.bytes) ? length : sizeof(connect.address.bytes));
	guest_message(guest, TSI_PORT_CONNECT, &connect, sizeof(connect));
	return guest_result(guest, TSI_PORT_CONNECT);
}

int guest_listen(struct guest *guest, uint32_t port, uint32_t vm_port, uint16_t guest_port)
{
	struct tsi_listen listen = {
		.port = port,
		.vm_port = vm_port,
		.backlog = 16,
		.address = {.length = TSI_LENGTH_INET},
	};
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(guest_port)};

	memcpy(listen.address.bytes, &any, sizeof(any));
	guest_message(guest, TSI_PORT_LISTEN, &listen, sizeof(listen));
	return guest_result(guest, TSI_PORT_LISTEN);
}

void guest_release(struct guest *guest, uint32_t port, uint32_t host_port)
{
	const struct tsi_release release = {port, host_port};

	guest_message(guest, TSI_PORT_RELEASE, &release, sizeof(release));
}

int local_socket(int type, struct sockaddr_storage *ret, socklen_t *ret_length)
{
	struct sockaddr_in inet = {.sin_family = AF_INET};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(ret, 0, sizeof(*ret));
	*ret_length = sizeof(inet);
	must(fd >= 0 && !bind(fd, (struct sockaddr *)&inet, sizeof(inet)) &&
	     !getsockname(fd, (struct sockaddr *)ret, ret_length));
	must(type != SOCK_STREAM || !listen(fd, 128));
	return fd;
}
