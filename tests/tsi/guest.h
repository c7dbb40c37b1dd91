// SPDX-License-Identifier: Apache-2.0
/*
 * QEMU and a guest's driver in one, for the backend to talk to without a VM: memory, two rings, and
 * vhost-user over a socket pair. The backend runs in a thread.
 */
#ifndef TESTS_TSI_GUEST_H
#define TESTS_TSI_GUEST_H

#include <pthread.h>

#include "host/tsi/muxer.h"

#define GUEST_MEMORY   (8u << 20)
#define GUEST_BASE     UINT64_C(0x40000000)     /* guest-physical */
#define GUEST_USER     UINT64_C(0x7f0000000000) /* as QEMU says it has it */
#define GUEST_RING     256u
#define GUEST_RX_SIZE  4096u
#define GUEST_RX_BYTES (GUEST_RX_SIZE - sizeof(struct vsock_header))
#define GUEST_TX_SLOTS 16u
#define GUEST_TX_SIZE  (128u << 10)
#define GUEST_CONTROL  5000u
#define GUEST_BUFFER   65536u /* its receive buffer, of each stream */

struct guest_ring {
	struct vring_desc *descriptors;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t used_seen;
	int kick_fd;
	int call_fd;
};

struct guest {
	const struct tsi_setup *setup;
	pthread_t thread;
	int fd; /* our end of vhost-user */
	int theirs_fd;
	int memory_fd;
	uint8_t *memory;
	struct guest_ring rings[2];
	unsigned sent; /* packets */
	int result;    /* of the backend, at its end */
	/* The packet that was received last. */
	struct vsock_header header;
	uint8_t body[GUEST_RX_SIZE];
};

/* The backend in its thread, the device set up, that many receive buffers posted. */
void guest_start(struct guest *guest, const struct tsi_setup *setup, unsigned buffers);
/* Hangs up; what tsi_serve() returned. */
int guest_stop(struct guest *guest);

/* One message of vhost-user: the number that it is answered with, or -1 (`answers`: whether it is). */
int64_t guest_say(struct guest *guest, uint32_t request, const void *payload, uint32_t size, int fd,
		  bool answers);
/* The same with flags of one's own. */
struct message_header;
int64_t guest_say_flags(struct guest *guest, const struct message_header *sent, const void *payload,
			int fd, bool answers);

void guest_kick(struct guest *guest, enum vhost_ring ring);
/* Makes descriptors from 0 on available, unchecked. */
void guest_offer(struct guest *guest, enum vhost_ring ring, uint16_t head);
void guest_describe(struct guest *guest, enum vhost_ring ring, uint16_t index, uint64_t address,
		    uint32_t length, uint16_t flags, uint16_t next);
void guest_post_buffers(struct guest *guest, unsigned count);

/* Sends a packet in two descriptors; true: the backend has taken it. */
bool guest_push(struct guest *guest, const struct vsock_header *header, const void *body,
		size_t length);
bool guest_send(struct guest *guest, const struct vsock_header *header, const void *body,
		size_t length);
/* A control message, from GUEST_CONTROL, and a packet of a stream. */
bool guest_message(struct guest *guest, enum tsi_port port, const void *body, size_t length);
bool guest_stream(struct guest *guest, uint32_t from, uint32_t to, enum vsock_op op,
		  const void *body, size_t length);

/* Waits for a packet; false: none came. Its buffer is posted again. */
bool guest_receive(struct guest *guest);
/* Waits for one of a stream with this op. */
bool guest_expect(struct guest *guest, uint32_t from, uint32_t to, enum vsock_op op);
/* Waits for the answer from a port: its result, or 1 when something else came, or nothing. */
int guest_result(struct guest *guest, enum tsi_port port);
/* Whether nothing is under way: the answer to a question of ours is the next to come. */
bool guest_is_quiet(struct guest *guest);

/* CREATE, and CONNECT to an address of this host, or LISTEN on the guest's: the result. */
void guest_create(struct guest *guest, uint32_t port, uint16_t family, uint16_t type);
int guest_connect(struct guest *guest, uint32_t port, const void *address, socklen_t length);
int guest_listen(struct guest *guest, uint32_t port, uint32_t vm_port, uint16_t guest_port);
void guest_release(struct guest *guest, uint32_t port, uint32_t host_port);

/* A socket of the test's on 127.0.0.1, and its address. */
int local_socket(int type, struct sockaddr_storage *ret, socklen_t *ret_length);

#endif
