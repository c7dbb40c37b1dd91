// SPDX-License-Identifier: Apache-2.0
/* UDP from the guest. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/t.h"
#include "tests/tsi/units.h"

#define S 90000u

static const struct tsi_setup open_setup = {
	.traits = &tsi_traits_smk,
	.policy = {.allows_loopback = true},
};

static void send_data(struct guest *guest, uint32_t port, const void *body, size_t length)
{
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = S,
		.dst_port = port,
		.length = (uint32_t)length,
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};

	guest_send(guest, &header, body, length);
}

static void send_to(struct guest *guest, const void *address, socklen_t length)
{
	struct tsi_connect message = {.port = S, .address = {.length = length}};

	memcpy(message.address.bytes, address, length);
	guest_message(guest, TSI_PORT_SENDTO_ADDR, &message, sizeof(message));
}

static bool receive_data(struct guest *guest, const void *bytes, size_t length)
{
	return guest_receive(guest) && guest->header.type == VSOCK_DATAGRAM &&
	       guest->header.dst_port == S && guest->header.op == VSOCK_RW &&
	       guest->header.length == length && !memcmp(guest->body, bytes, length);
}

static void connected(void)
{
	static uint8_t big[GUEST_RX_SIZE];
	struct sockaddr_storage address;
	struct sockaddr_storage from;
	socklen_t length;
	socklen_t from_length = sizeof(from);
	struct guest guest;
	char bytes[16];
	int peer = local_socket(SOCK_DGRAM, &address, &length);

	guest_start(&guest, &open_setup, 16);
	send_data(&guest, S, "nobody", 6);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_DATAGRAM);
	send_data(&guest, S, "not connected", 13);
	CHECK_INT(guest_connect(&guest, S, &address, length), 0);
	send_data(&guest, S, "question", 8);
	CHECK_INT(recvfrom(peer, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_length),
		  8);
	CHECK(!memcmp(bytes, "question", 8));
	/* What does not fit the guest's buffer is lost, whole; an empty one is not nothing. */
	CHECK_INT(sendto(peer, big, sizeof(big), 0, (struct sockaddr *)&from, from_length),
		  sizeof(big));
	CHECK_INT(sendto(peer, "", 0, 0, (struct sockaddr *)&from, from_length), 0);
	CHECK_INT(sendto(peer, "answer", 6, 0, (struct sockaddr *)&from, from_length), 6);
	CHECK(receive_data(&guest, "", 0));
	CHECK(receive_data(&guest, "answer", 6));
	CHECK_INT(sendto(peer, big, GUEST_RX_BYTES, 0, (struct sockaddr *)&from, from_length),
		  GUEST_RX_BYTES);
	CHECK(receive_data(&guest, big, GUEST_RX_BYTES));
	send_data(&guest, S, "", 0);
	CHECK_INT(recv(peer, bytes, sizeof(bytes), 0), 0);
	guest_release(&guest, S, TSI_PORT_STREAM);
	send_data(&guest, S, "late", 4);
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

/* Who is not the peer is not heard, and nobody there is no end. */
static void others(void)
{
	struct sockaddr_storage address;
	struct sockaddr_storage other_address;
	struct sockaddr_storage from;
	socklen_t length;
	socklen_t from_length = sizeof(from);
	struct guest guest;
	char bytes[16];
	int peer = local_socket(SOCK_DGRAM, &address, &length);
	int other = local_socket(SOCK_DGRAM, &other_address, &length);

	guest_start(&guest, &open_setup, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_DATAGRAM);
	CHECK_INT(guest_connect(&guest, S, &address, length), 0);
	send_data(&guest, S, "x", 1);
	CHECK_INT(recvfrom(peer, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_length),
		  1);
	CHECK_INT(sendto(other, "evil", 4, 0, (struct sockaddr *)&from, from_length), 4);
	CHECK_INT(sendto(peer, "good", 4, 0, (struct sockaddr *)&from, from_length), 4);
	CHECK(receive_data(&guest, "good", 4));
	close(peer);
	for (int i = 0; i < 3; i++)
		send_data(&guest, S, "gone", 4);
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(guest_connect(&guest, S, &other_address, length), 0); /* to another */
	send_data(&guest, S, "y", 1);
	CHECK_INT(recv(other, bytes, sizeof(bytes), 0), 1);
	close(other);
	CHECK_INT(guest_stop(&guest), 0);
}

static void one_socket_and_two_peers(void)
{
	struct sockaddr_storage addresses[2];
	struct sockaddr_storage from[2];
	socklen_t length;
	struct guest guest;
	char bytes[16];
	int peers[2];

	guest_start(&guest, &open_setup, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_DATAGRAM);
	send_data(&guest, TSI_PORT_SENDTO_DATA, "nowhere", 7);
	for (int i = 0; i < 2; i++) {
		socklen_t from_length = sizeof(from[i]);

		peers[i] = local_socket(SOCK_DGRAM, &addresses[i], &length);
		send_to(&guest, &addresses[i], length);
		send_data(&guest, TSI_PORT_SENDTO_DATA, "ab" + i, 1);
		CHECK_INT(recvfrom(peers[i], bytes, sizeof(bytes), 0, (struct sockaddr *)&from[i],
				   &from_length),
			  1);
		CHECK_INT(bytes[0], "ab"[i]);
	}
	CHECK(!memcmp(&from[0], &from[1], sizeof(struct sockaddr_in)));
	CHECK_INT(sendto(peers[0], "0", 1, 0, (struct sockaddr *)&from[0], length), 1);
	CHECK(receive_data(&guest, "0", 1));
	CHECK_INT(sendto(peers[1], "1", 1, 0, (struct sockaddr *)&from[0], length), 1);
	CHECK(receive_data(&guest, "1", 1));
	/* An address that is none takes the last one's place. */
	send_to(&guest, &addresses[0], 12);
	send_data(&guest, TSI_PORT_SENDTO_DATA, "c", 1);
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(recv(peers[0], bytes, sizeof(bytes), MSG_DONTWAIT), -1);
	CHECK_INT(recv(peers[1], bytes, sizeof(bytes), MSG_DONTWAIT), -1);
	close(peers[0]);
	close(peers[1]);
	CHECK_INT(guest_stop(&guest), 0);
}

static void the_standard_policy(void)
{
	static const struct tsi_setup setup = {.traits = &tsi_traits_smk};
	struct sockaddr_storage address;
	socklen_t length;
	struct guest guest;
	char byte;
	int peer = local_socket(SOCK_DGRAM, &address, &length);

	guest_start(&guest, &setup, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_DATAGRAM);
	CHECK_INT(guest_connect(&guest, S, &address, length), -ECONNREFUSED);
	send_data(&guest, S, "x", 1);
	send_to(&guest, &address, length);
	send_data(&guest, TSI_PORT_SENDTO_DATA, "x", 1);
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(recv(peer, &byte, 1, MSG_DONTWAIT), -1);
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
}

/* A datagram proxy does not listen, and that is not even answered. */
static void no_listening(void)
{
	const struct tsi_listen message = {.port = S};
	struct guest guest;

	guest_start(&guest, &open_setup, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_DATAGRAM);
	guest_message(&guest, TSI_PORT_LISTEN, &message, sizeof(message));
	CHECK(guest_is_quiet(&guest));
	CHECK_INT(guest_stop(&guest), 0);
}

static const struct t_case cases[] = {
	{"connected", connected},
	{"others", others},
	{"one-socket-and-two-peers", one_socket_and_two_peers},
	{"the-standard-policy", the_standard_policy},
	{"no-listening", no_listening},
};

int datagram_units(void)
{
	return t_run("tsi-datagram", cases, sizeof(cases) / sizeof(cases[0]));
}
