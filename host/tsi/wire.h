// SPDX-License-Identifier: Apache-2.0
/*
 * TSI on the wire, version 3: what a guest without a network card and its host say to each other over
 * one virtio-vsock device. Everything is little endian, and so is every host that smk is built for.
 *
 * A packet is a header of 44 bytes and `length` bytes of payload. Type 1, a stream, carries a TCP
 * connection's bytes; type 3, a datagram, carries UDP payload and the control messages below, told
 * apart by the port that they are sent to. Datagrams have no credit and are never answered by RST.
 *
 * The guest is CID 3, the host CID 2. A proxy, the host's socket on behalf of one of the guest's, is
 * named by two ports: the guest's (S, which the guest chose), and 620 for what the guest created, or
 * the host's (P, which the host chose) for an accepted connection. Requests come from the socket's
 * control port C, and their answers go to it, from the port that the request was sent to. Results
 * are 0 or a negative errno of Linux.
 *
 *   outgoing TCP   CREATE, CONNECT -> result 0, REQUEST S->620 -> RESPONSE, then RW both ways
 *   listening      CREATE, LISTEN -> result; for each connection REQUEST P->V -> RESPONSE
 *   UDP            CREATE, then CONNECT -> result or SENDTO_ADDR; data from S; data to S
 *   the end        RELEASE, once, for each CREATE and each accepted connection
 */
#ifndef HOST_TSI_WIRE_H
#define HOST_TSI_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structs are laid over the wire's bytes");

#define VSOCK_CID_HOST  2u
#define VSOCK_CID_GUEST 3u

enum vsock_type {
	VSOCK_STREAM = 1,
	VSOCK_DATAGRAM = 3,
};

enum vsock_op {
	VSOCK_REQUEST = 1,
	VSOCK_RESPONSE,
	VSOCK_RST,
	VSOCK_SHUTDOWN,
	VSOCK_RW,
	VSOCK_CREDIT_UPDATE,
	VSOCK_CREDIT_REQUEST,
	VSOCK_OP__COUNT,
};

/* Flags of VSOCK_SHUTDOWN: its sender will not do this any more. */
enum vsock_shutdown {
	VSOCK_SHUTDOWN_RECEIVE = 1,
	VSOCK_SHUTDOWN_SEND = 2,
};

struct vsock_header {
	uint64_t src_cid;
	uint64_t dst_cid;
	uint32_t src_port;
	uint32_t dst_port;
	uint32_t length; /* bytes of payload */
	uint16_t type;
	uint16_t op;
	uint32_t flags;
	uint32_t buf_alloc; /* streams: bytes that the sender's receive buffer has room for */
	uint32_t fwd_cnt;   /* streams: bytes that the sender has taken out of it, modulo 2^32 */
} __attribute__((packed));
static_assert(sizeof(struct vsock_header) == 44, "on the wire");
static_assert(offsetof(struct vsock_header, length) == 24, "on the wire");
static_assert(offsetof(struct vsock_header, type) == 28, "on the wire");
static_assert(offsetof(struct vsock_header, buf_alloc) == 36, "on the wire");

#define TSI_DATAGRAM_MAX 65536u

enum tsi_port {
	TSI_PORT_TIME = 123,   /* the host's clock, if it sends it */
	TSI_PORT_STREAM = 620, /* a stream's other end, on the host */
	TSI_PORT_CREATE = 1024,
	TSI_PORT_CONNECT,
	TSI_PORT_GETNAME,
	TSI_PORT_SENDTO_ADDR,
	TSI_PORT_SENDTO_DATA, /* the payload is the user's datagram, the source port S */
	TSI_PORT_LISTEN,
	TSI_PORT_ACCEPT,
	TSI_PORT_RELEASE,
	TSI_PORT__END,
};
static_assert(TSI_PORT__END == 1032, "on the wire");

enum tsi_socket {
	TSI_SOCKET_STREAM = 1,
	TSI_SOCKET_DATAGRAM = 2,
};

/* A Linux sockaddr: `length` is 16 for AF_INET (2), 28 for AF_INET6 (10); what is behind is zero. */
#define TSI_LENGTH_INET  16u
#define TSI_LENGTH_INET6 28u
struct tsi_address {
	uint32_t length;
	uint8_t bytes[128];
};
static_assert(sizeof(struct tsi_address) == 132, "on the wire");

struct tsi_create { /* not answered */
	uint32_t port;
	uint16_t family;
	uint16_t type;
};
static_assert(sizeof(struct tsi_create) == 8, "on the wire");

struct tsi_connect { /* answered with a tsi_result; SENDTO_ADDR is the same, not answered */
	uint32_t port;
	struct tsi_address address;
};
static_assert(sizeof(struct tsi_connect) == 136, "on the wire");

struct tsi_getname { /* answered with a tsi_name: always the peer's */
	uint32_t port;
	uint32_t host_port;
	uint32_t is_peer;
};
static_assert(sizeof(struct tsi_getname) == 12, "on the wire");

struct tsi_listen { /* answered with a tsi_result, but for datagrams */
	uint32_t port;
	uint32_t vm_port; /* where each connection's REQUEST is to be sent */
	uint32_t backlog;
	struct tsi_address address;
};
static_assert(sizeof(struct tsi_listen) == 144, "on the wire");
static_assert(offsetof(struct tsi_listen, address) == 12, "on the wire");

#define TSI_NONBLOCK 0x800u /* Linux's O_NONBLOCK */
struct tsi_accept { /* answered with a tsi_result: at once when flags say so, else when one is there */
	uint32_t port;
	uint32_t flags;
};
static_assert(sizeof(struct tsi_accept) == 8, "on the wire");

struct tsi_release { /* not answered */
	uint32_t port;
	uint32_t host_port;
};
static_assert(sizeof(struct tsi_release) == 8, "on the wire");

struct tsi_result {
	int32_t result;
};
static_assert(sizeof(struct tsi_result) == 4, "on the wire");

struct tsi_name {
	int32_t result;
	struct tsi_address address;
};
static_assert(sizeof(struct tsi_name) == 136, "on the wire");

/* The longest message of either direction. */
#define TSI_MESSAGE_MAX sizeof(struct tsi_listen)

#endif
