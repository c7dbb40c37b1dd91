// SPDX-License-Identifier: Apache-2.0
/* Guests that keep to nothing: the backend goes on, within its bounds, and ends in order. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/tsi/vhost_message.h"
#include "tests/t.h"
#include "tests/tsi/units.h"

#define S 100000u

static const struct tsi_setup open_setup = {
	.traits = &tsi_traits_smk,
	.policy = {.allows_loopback = true},
};

/* QEMU is answered, twice: then the kicks before the first question were looked at, too. */
static bool is_alive(struct guest *guest)
{
	return guest_say(guest, 17, NULL, 0, -1, true) == VHOST_RING__COUNT &&
	       guest_say(guest, 17, NULL, 0, -1, true) == VHOST_RING__COUNT;
}

static void bad_descriptors(void)
{
	static const struct {
		uint64_t address;
		uint32_t length;
		uint16_t flags;
		uint16_t next;
	} rows[] = {
		{0, 44, 0, 0},                                   /* below the memory */
		{GUEST_BASE + GUEST_MEMORY, 44, 0, 0},           /* above it */
		{GUEST_BASE + GUEST_MEMORY - 43, 44, 0, 0},      /* across its end */
		{GUEST_BASE, UINT32_MAX, 0, 0},                  /* longer than it */
		{UINT64_MAX - 10, 44, 0, 0},                     /* around zero */
		{GUEST_USER, 44, 0, 0},                          /* QEMU's address */
		{GUEST_BASE, 44, VRING_DESC_F_NEXT, 0},          /* a loop */
		{GUEST_BASE, 44, VRING_DESC_F_NEXT, GUEST_RING}, /* no such descriptor */
		{GUEST_BASE, 44, VRING_DESC_F_INDIRECT, 0},      /* not offered */
		{GUEST_BASE, 44, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
		 1}, /* written, then read */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest guest;

		guest_start(&guest, &open_setup, 4);
		CHECK(guest_is_quiet(&guest));
		guest_describe(&guest, VHOST_TX, 0, rows[i].address, rows[i].length, rows[i].flags,
			       rows[i].next);
		guest_describe(&guest, VHOST_TX, 1, GUEST_BASE, 44, 0, 0);
		guest_describe(&guest, VHOST_TX, GUEST_RING, GUEST_BASE, 44, 0, 0);
		guest_offer(&guest, VHOST_TX, 0);
		guest_kick(&guest, VHOST_TX);
		CHECK(is_alive(&guest));
		/* The ring is dead from there on: what comes after is not used. */
		CHECK_INT(guest.rings[VHOST_TX].used->idx, 1);
		CHECK_INT(guest_stop(&guest), 0);
	}
}

static void bad_indexes(void)
{
	struct guest guest;

	guest_start(&guest, &open_setup, 4);
	guest_describe(&guest, VHOST_TX, GUEST_RING, GUEST_BASE, 44, 0, 0);
	guest_offer(&guest, VHOST_TX, GUEST_RING); /* a head that is none */
	guest_kick(&guest, VHOST_TX);
	CHECK(is_alive(&guest));
	CHECK_INT(guest.rings[VHOST_TX].used->idx, 0);
	CHECK_INT(guest_stop(&guest), 0);
	guest_start(&guest, &open_setup, 4);
	guest_describe(&guest, VHOST_TX, 0, GUEST_BASE, 44, 0, 0);
	guest.rings[VHOST_TX].avail->idx = GUEST_RING + 1; /* more than there are */
	guest_kick(&guest, VHOST_TX);
	CHECK(is_alive(&guest));
	CHECK_INT(guest.rings[VHOST_TX].used->idx, 0);
	CHECK_INT(guest_stop(&guest), 0);
}

/* A receive buffer of fewer bytes than a header, or one that may only be read. */
static void bad_buffers(void)
{
	static const uint16_t flags[] = {VRING_DESC_F_WRITE, 0};
	static const uint32_t lengths[] = {43, 4096};
	const struct tsi_getname question = {.port = 1};

	for (int i = 0; i < 2; i++) {
		struct guest guest;

		guest_start(&guest, &open_setup, 0);
		guest_describe(&guest, VHOST_RX, 0, GUEST_BASE + 0x100000, lengths[i], flags[i], 0);
		guest_offer(&guest, VHOST_RX, 0);
		guest_message(&guest, TSI_PORT_GETNAME, &question, sizeof(question));
		guest_kick(&guest, VHOST_RX);
		CHECK(is_alive(&guest));
		CHECK_INT(guest.rings[VHOST_RX].used->idx, 0);
		CHECK_INT(guest_stop(&guest), 0);
	}
}

static void bad_packets(void)
{
	const struct vsock_header good = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = GUEST_CONTROL,
		.dst_port = TSI_PORT_GETNAME,
		.length = sizeof(struct tsi_getname),
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};
	struct vsock_header bad[8];
	const struct tsi_getname body = {S, TSI_PORT_STREAM, 1};
	struct guest guest;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad[i] = good;
	bad[0].dst_cid = 3;
	bad[1].type = 2;
	bad[2].op = VSOCK_REQUEST;
	bad[3].length = UINT32_MAX;
	bad[4].length = sizeof(body) + 1; /* more than there is */
	bad[5].length = sizeof(body) - 1; /* less than the message has */
	bad[6].dst_port = TSI_PORT__END;
	bad[7].type = VSOCK_STREAM;
	bad[7].op = VSOCK_RST;
	guest_start(&guest, &open_setup, 16);
	/* Of one that is there, so that an answer is another than to the question that follows. */
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		guest_send(&guest, &bad[i], &body, sizeof(body));
		CHECK(guest_is_quiet(&guest));
	}
	/* Operations that a stream does not know. */
	for (unsigned op = 0; op < 12; op++)
		guest_stream(&guest, S, TSI_PORT_STREAM, op, NULL, 0);
	CHECK(is_alive(&guest));
	CHECK_INT(guest_stop(&guest), 0);
}

static void bad_creates(void)
{
	static const struct tsi_create rows[] = {
		{S, AF_UNIX, 1},
		{S, AF_INET, 0},
		{S, AF_INET, 3},
		{S, AF_INET6 + 1, 2},
	};
	struct sockaddr_in nowhere = {.sin_family = AF_INET};
	struct guest guest;

	guest_start(&guest, &open_setup, 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		guest_message(&guest, TSI_PORT_CREATE, &rows[i], sizeof(rows[i]));
		CHECK_INT(guest_connect(&guest, S, &nowhere, sizeof(nowhere)), -ECONNREFUSED);
	}
	/* The family of the address is the proxy's, too. */
	nowhere.sin_family = AF_INET6;
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(&guest, S, &nowhere, sizeof(nowhere)), -EINVAL);
	CHECK_INT(guest_stop(&guest), 0);
}

static void as_many_proxies_as_there_may_be(void)
{
	struct sockaddr_in nowhere = {.sin_family = AF_INET6};
	struct guest guest;

	guest_start(&guest, &open_setup, 16);
	for (uint32_t i = 0; i < TSI_PROXIES_MAX + 1; i++)
		guest_create(&guest, S + i, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(&guest, S + TSI_PROXIES_MAX, &nowhere, sizeof(nowhere)),
		  -ECONNREFUSED); /* not there */
	CHECK_INT(guest_connect(&guest, S + TSI_PROXIES_MAX - 1, &nowhere, sizeof(nowhere)),
		  -EINVAL);
	guest_release(&guest, S, TSI_PORT_STREAM);
	guest_create(&guest, S + TSI_PROXIES_MAX, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_connect(&guest, S + TSI_PROXIES_MAX, &nowhere, sizeof(nowhere)), -EINVAL);
	CHECK_INT(guest_stop(&guest), 0);
}

/* A guest that takes no answers gets no more questions answered: its packets wait. */
static void no_buffers(void)
{
	const struct tsi_getname question = {.port = 1};
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_GUEST,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = GUEST_CONTROL,
		.dst_port = TSI_PORT_GETNAME,
		.length = sizeof(question),
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};
	struct guest guest;

	guest_start(&guest, &open_setup, 0);
	for (unsigned i = 0; i < MUXER_SMALLS_TAKE; i++)
		guest_message(&guest, TSI_PORT_GETNAME, &question, sizeof(question));
	for (int i = 0; i < 3; i++)
		guest_push(&guest, &header, &question, sizeof(question));
	CHECK(is_alive(&guest));
	CHECK_INT(guest.rings[VHOST_TX].used->idx, MUXER_SMALLS_TAKE);
	guest_post_buffers(&guest, 4);
	for (unsigned i = 0; i < MUXER_SMALLS_TAKE + 3; i++)
		CHECK_INT(guest_result(&guest, TSI_PORT_GETNAME), -EINVAL);
	CHECK_INT(guest.rings[VHOST_TX].used->idx, MUXER_SMALLS_TAKE + 3);
	CHECK_INT(guest_stop(&guest), 0);
}

/* vhost-user messages that cannot be: each is refused, and the next is heard. */
static void bad_messages(void)
{
	static const struct vring_state three = {0, 3}, none = {0, 0}, huge = {0, 2048},
					no_ring = {9, 256};
	static const struct vring_address far_away = {.descriptors = 64};
	static const struct vring_address of_no_ring = {.index = 9};
	static const uint64_t flags = 1u << 3, ring_nine = 9;
	static const struct memory_table table = {
		.count = 1, .entries = {{GUEST_BASE, GUEST_MEMORY + 4096, GUEST_USER, 0}}};
	static const struct memory_table good = {
		.count = 1, .entries = {{GUEST_BASE, GUEST_MEMORY, GUEST_USER, 0}}};
	static const struct memory_table round = {
		.count = 1, .entries = {{GUEST_BASE, UINT64_MAX, GUEST_USER, 4096}}};
	static const struct memory_table many = {.count = 9};
	static const struct config far_config = {.offset = 4, .size = 5};
	const struct {
		uint32_t request;
		const void *payload;
		size_t size;
		bool has_fd;
	} rows[] = {
		{8, &three, sizeof(three), false},
		{8, &none, sizeof(none), false},
		{8, &huge, sizeof(huge), false},
		{8, &no_ring, sizeof(no_ring), false},
		{8, &three, 4, false},
		{9, &far_away, sizeof(far_away), false},
		{9, &of_no_ring, sizeof(of_no_ring), false},
		{12, &ring_nine, sizeof(ring_nine), true},
		{13, &ring_nine, sizeof(ring_nine), true},
		{10, &no_ring, sizeof(no_ring), false},
		{11, &no_ring, sizeof(no_ring), false},
		{18, &no_ring, sizeof(no_ring), false},
		{5, &table, offsetof(struct memory_table, entries[1]), true},
		{5, &good, offsetof(struct memory_table, entries[1]), false},
		{5, &table, offsetof(struct memory_table, entries), true},
		{5, &round, offsetof(struct memory_table, entries[1]), true},
		{5, &many, sizeof(many), true},
		{24, &far_config, offsetof(struct config, bytes) + 5, false},
		{7, NULL, 0, false},
		{12345, NULL, 0, false},
	};
	struct guest guest;

	guest_start(&guest, &open_setup, 4);
	/* Descriptor 0 would do, if one that did not come were taken for it. */
	CHECK_INT(dup2(guest.memory_fd, 0), 0);
	guest_say(&guest, 16, &flags, sizeof(flags), -1, false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message_header header = {rows[i].request,
						MESSAGE_VERSION | MESSAGE_NEED_REPLY,
						(uint32_t)rows[i].size};

		CHECK_INT(guest_say_flags(&guest, &header, rows[i].payload,
					  rows[i].has_fd ? guest.memory_fd : -1, true),
			  1);
		CHECK(is_alive(&guest));
	}
	CHECK_INT(guest_stop(&guest), 0);
}

/* Without a wish for an answer there is none to give: the backend ends, and says so. */
static void a_message_without_sense(void)
{
	struct guest guest;

	guest_start(&guest, &open_setup, 4);
	guest_say(&guest, 99, NULL, 0, -1, false);
	CHECK_INT(guest_say(&guest, 1, NULL, 0, -1, true), -1);
	CHECK_INT(guest_stop(&guest), -1);
}

static const struct t_case cases[] = {
	{"bad-descriptors", bad_descriptors},
	{"bad-indexes", bad_indexes},
	{"bad-buffers", bad_buffers},
	{"bad-packets", bad_packets},
	{"bad-creates", bad_creates},
	{"as-many-proxies-as-there-may-be", as_many_proxies_as_there_may_be},
	{"no-buffers", no_buffers},
	{"bad-messages", bad_messages},
	{"a-message-without-sense", a_message_without_sense},
};

int hostile_units(void)
{
	return t_run("tsi-hostile", cases, sizeof(cases) / sizeof(cases[0]));
}
