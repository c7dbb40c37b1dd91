// SPDX-License-Identifier: Apache-2.0
/* TCP from the guest: what it may reach, bytes and credit, and the end. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "tests/t.h"
#include "tests/tsi/units.h"

#define S 70000u

static const struct tsi_setup open_setup = {
	.traits = &tsi_traits_smk,
	.policy = {.allows_loopback = true},
};

/* A proxy that is connected to a socket of ours, which is returned; -1. */
static int connect_to_us(struct guest *guest, uint32_t port)
{
	struct sockaddr_storage address;
	socklen_t length;
	int listener = local_socket(SOCK_STREAM, &address, &length);
	int peer;

	guest_create(guest, port, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(guest, port, &address, length), 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return peer;
}

/* The same, and both ends of the stream are open. */
static int open_to_us(struct guest *guest, uint32_t port)
{
	int peer = connect_to_us(guest, port);

	CHECK(guest_stream(guest, port, TSI_PORT_STREAM, VSOCK_REQUEST, NULL, 0));
	CHECK(guest_expect(guest, TSI_PORT_STREAM, port, VSOCK_RESPONSE));
	return peer;
}

static void bytes_go_both_ways(void)
{
	struct guest guest;
	char bytes[8];
	int peer;

	guest_start(&guest, &open_setup, 16);
	peer = connect_to_us(&guest, S);
	/* What the peer says before the guest's REQUEST is held back. */
	CHECK_INT(write(peer, "early", 5), 5);
	CHECK(guest_is_quiet(&guest));
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_REQUEST, NULL, 0);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RESPONSE));
	CHECK_INT(guest.header.buf_alloc, tsi_traits_smk.buf_alloc);
	CHECK_INT(guest.header.src_cid, VSOCK_CID_HOST);
	CHECK_INT(guest.header.dst_cid, VSOCK_CID_GUEST);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RW));
	CHECK_INT(guest.header.length, 5);
	CHECK(!memcmp(guest.body, "early", 5));
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_RW, "answer", 6);
	CHECK(read_all(peer, bytes, 6) && !memcmp(bytes, "answer", 6));
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

static void the_peers_end_is_half(void)
{
	struct guest guest;
	char byte;
	int peer;

	guest_start(&guest, &open_setup, 16);
	peer = open_to_us(&guest, S);
	shutdown(peer, SHUT_WR);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_SHUTDOWN));
	CHECK_INT(guest.header.flags, VSOCK_SHUTDOWN_SEND);
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_RW, "x", 1);
	CHECK(read_all(peer, &byte, 1) && byte == 'x');
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_SHUTDOWN, NULL, 0);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RST));
	CHECK(is_at_end(peer));
	guest_release(&guest, S, TSI_PORT_STREAM);
	CHECK(guest_is_quiet(&guest));
	/* The name is free. */
	close(peer);
	peer = open_to_us(&guest, S);
	CHECK(peer >= 0);
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

static void the_guests_end_is_half(void)
{
	struct vsock_header header = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = S,
		.dst_port = TSI_PORT_STREAM,
		.type = VSOCK_STREAM,
		.op = VSOCK_SHUTDOWN,
		.flags = VSOCK_SHUTDOWN_SEND,
		.buf_alloc = GUEST_BUFFER,
	};
	struct guest guest;
	int peer;

	guest_start(&guest, &open_setup, 16);
	peer = open_to_us(&guest, S);
	guest_send(&guest, &header, NULL, 0);
	CHECK(is_at_end(peer));
	CHECK_INT(write(peer, "still", 5), 5);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RW));
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

static void a_broken_connection_is_a_reset(void)
{
	const struct linger now = {.l_onoff = 1};
	struct guest guest;
	int peer;

	guest_start(&guest, &open_setup, 16);
	peer = open_to_us(&guest, S);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(peer);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RST));
	/* And it is gone: what the guest still says is answered so. */
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_RW, "x", 1);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RST));
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_RST, NULL, 0);
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(guest_stop(&guest), 0);
}

static void refusals(void)
{
	struct sockaddr_storage address;
	struct guest guest;
	socklen_t length;
	int listener = local_socket(SOCK_STREAM, &address, &length);

	guest_start(&guest, &open_setup, 16);
	CHECK_INT(guest_connect(&guest, S, &address, length), -ECONNREFUSED); /* no proxy */
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(&guest, S, &address, 128), -EINVAL);
	CHECK_INT(guest_connect(&guest, S, &address, TSI_LENGTH_INET6), -EINVAL);
	close(listener);
	CHECK_INT(guest_connect(&guest, S, &address, length), -ECONNREFUSED); /* nobody listens */
	CHECK_INT(guest_connect(&guest, S, &address, length), -ECONNREFUSED); /* it is used up */
	/* One that is not connected, and one that is not there, say nothing to a REQUEST. */
	guest_stream(&guest, S + 1, TSI_PORT_STREAM, VSOCK_REQUEST, NULL, 0);
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(guest_stop(&guest), 0);
}

static void the_standard_policy_is_applied(void)
{
	static const struct tsi_setup setup = {.traits = &tsi_traits_smk};
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
	struct sockaddr_storage address;
	struct guest guest;
	socklen_t length;
	int listener = local_socket(SOCK_STREAM, &address, &length);

	guest_start(&guest, &setup, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(&guest, S, &address, length), -ECONNREFUSED);
	/* On the wire, too, it may be wrapped into IPv6. */
	mapped.sin6_port = ((struct sockaddr_in *)&address)->sin_port;
	CHECK_INT(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
	memcpy(&address, &mapped, sizeof(mapped));
	guest_create(&guest, S + 1, AF_INET6, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(&guest, S + 1, &address, sizeof(mapped)), -ECONNREFUSED);
	CHECK_INT(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(accept(listener, NULL, NULL), -1);
	CHECK_INT(guest_stop(&guest), 0);
	close(listener);
}

/* The guest is never given more than it has said there is room for. */
static void credit_of_the_guest(void)
{
	static uint8_t bytes[GUEST_BUFFER + 1000];
	struct vsock_header update = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = S,
		.dst_port = TSI_PORT_STREAM,
		.type = VSOCK_STREAM,
		.op = VSOCK_CREDIT_UPDATE,
		.buf_alloc = GUEST_BUFFER,
	};
	struct guest guest;
	size_t got = 0;
	int peer;

	guest_start(&guest, &open_setup, 64);
	peer = open_to_us(&guest, S);
	CHECK_INT(write(peer, bytes, sizeof(bytes)), sizeof(bytes));
	while (got < GUEST_BUFFER && guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RW))
		got += guest.header.length;
	CHECK_INT(got, GUEST_BUFFER);
	CHECK(guest_is_quiet(&guest));
	update.fwd_cnt = 400;
	guest_send(&guest, &update, NULL, 0);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RW));
	CHECK_INT(guest.header.length, 400);
	/* Nonsense, more taken than was given: nothing is given then. */
	update.fwd_cnt = 1u << 31;
	guest_send(&guest, &update, NULL, 0);
	CHECK(guest_is_quiet(&guest));
	update.fwd_cnt = GUEST_BUFFER;
	guest_send(&guest, &update, NULL, 0);
	CHECK(guest_expect(&guest, TSI_PORT_STREAM, S, VSOCK_RW));
	CHECK_INT(guest.header.length, 600);
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

/* Sends until the stream is reset: how many bytes went before. */
static size_t send_until_reset(struct guest *guest, const uint8_t *bytes, size_t size)
{
	size_t sent = 0;

	while (guest_stream(guest, S, TSI_PORT_STREAM, VSOCK_RW, bytes, size)) {
		struct tsi_getname question = {.port = 1};

		guest_message(guest, TSI_PORT_GETNAME, &question, sizeof(question));
		if (!guest_receive(guest) || guest->header.op == VSOCK_RST)
			return sent;
		if (guest->header.op == VSOCK_CREDIT_UPDATE && !guest_receive(guest))
			break;
		sent += size;
	}
	return 0;
}

/* A peer that does not read: as much is kept for it as was promised, and no more. */
static void a_slow_peer_is_bounded(void)
{
	static uint8_t bytes[65536];
	struct guest guest;
	ssize_t got;
	size_t sent;
	int peer;

	guest_start(&guest, &open_setup, 64);
	peer = open_to_us(&guest, S);
	sent = send_until_reset(&guest, bytes, sizeof(bytes));
	CHECK(sent >= tsi_traits_smk.buf_alloc);
	CHECK(sent < tsi_traits_smk.buf_alloc + (16u << 20)); /* the kernel's own buffers */
	/* The peer is not made to believe that this was all. */
	while ((got = read(peer, bytes, sizeof(bytes))) > 0)
		;
	CHECK_INT(got, -1);
	CHECK_INT(errno, ECONNRESET);
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

/* The same for all together, however much each alone was promised. */
static void all_peers_are_bounded(void)
{
	static const uint8_t bytes[65536];
	struct tsi_traits traits = tsi_traits_smk;
	const struct tsi_setup setup = {.traits = &traits, .policy = {.allows_loopback = true}};
	struct guest guest;
	size_t sent;
	int peer;

	traits.buf_alloc = 64u << 20;
	traits.queued_max = 1u << 20;
	guest_start(&guest, &setup, 64);
	peer = open_to_us(&guest, S);
	sent = send_until_reset(&guest, bytes, sizeof(bytes));
	CHECK(sent >= traits.queued_max);
	CHECK(sent < traits.queued_max + (16u << 20));
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

/* Within its credit, all that the guest has sent arrives, although it has closed long before. */
static void what_was_sent_arrives(void)
{
	static uint8_t bytes[65536];
	static uint8_t got[65536];
	size_t sent = 0;
	uint32_t forwarded = 0;
	struct guest guest;
	int peer;

	guest_start(&guest, &open_setup, 64);
	peer = open_to_us(&guest, S);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 >> 3);
	while (sent + sizeof(bytes) - forwarded <= tsi_traits_smk.buf_alloc) {
		const struct tsi_getname question = {.port = 1};

		guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_RW, bytes, sizeof(bytes));
		sent += sizeof(bytes);
		guest_message(&guest, TSI_PORT_GETNAME, &question, sizeof(question));
		CHECK(guest_receive(&guest));
		if (guest.header.op == VSOCK_CREDIT_UPDATE) {
			forwarded = guest.header.fwd_cnt;
			CHECK(guest_receive(&guest));
		}
	}
	guest_stream(&guest, S, TSI_PORT_STREAM, VSOCK_SHUTDOWN, NULL, 0);
	guest_release(&guest, S, TSI_PORT_STREAM);
	for (size_t i = 0; i < sent; i += sizeof(got))
		CHECK(read_all(peer, got, sizeof(got)) && !memcmp(got, bytes, sizeof(got)));
	CHECK(is_at_end(peer));
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

static void services(void)
{
	struct tsi_service service = {.port = 4000};
	const struct tsi_setup setup = {
		.traits = &tsi_traits_smk, .services = &service, .service_count = 1};
	struct guest guest;
	char bytes[4];
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	service.fd = fds[1];
	guest_start(&guest, &setup, 16);
	guest_stream(&guest, S, 4001, VSOCK_REQUEST, NULL, 0);
	CHECK(guest_expect(&guest, 4001, S, VSOCK_RST));
	guest_stream(&guest, S, 4000, VSOCK_REQUEST, NULL, 0);
	CHECK(guest_expect(&guest, 4000, S, VSOCK_RESPONSE));
	guest_stream(&guest, S + 1, 4000, VSOCK_REQUEST, NULL, 0);
	CHECK(guest_expect(&guest, 4000, S + 1, VSOCK_RST)); /* once */
	CHECK_INT(write(fds[0], "in", 2), 2);
	CHECK(guest_expect(&guest, 4000, S, VSOCK_RW));
	guest_stream(&guest, S, 4000, VSOCK_RW, "out", 3);
	CHECK_INT(read(fds[0], bytes, sizeof(bytes)), 3);
	guest_stream(&guest, S, 4000, VSOCK_SHUTDOWN, NULL, 0);
	CHECK(guest_expect(&guest, 4000, S, VSOCK_RST));
	CHECK_INT(read(fds[0], bytes, sizeof(bytes)), 0);
	close(fds[0]);
	CHECK_INT(guest_stop(&guest), 0);
}

static const struct t_case cases[] = {
	{"bytes-go-both-ways", bytes_go_both_ways},
	{"the-peers-end-is-half", the_peers_end_is_half},
	{"the-guests-end-is-half", the_guests_end_is_half},
	{"a-broken-connection-is-a-reset", a_broken_connection_is_a_reset},
	{"refusals", refusals},
	{"the-standard-policy-is-applied", the_standard_policy_is_applied},
	{"credit-of-the-guest", credit_of_the_guest},
	{"a-slow-peer-is-bounded", a_slow_peer_is_bounded},
	{"all-peers-are-bounded", all_peers_are_bounded},
	{"what-was-sent-arrives", what_was_sent_arrives},
	{"services", services},
};

int stream_units(void)
{
	return t_run("tsi-stream", cases, sizeof(cases) / sizeof(cases[0]));
}
