// SPDX-License-Identifier: Apache-2.0
/* Ports of the guest that are published: who comes in, and who does not. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/t.h"
#include "tests/tsi/units.h"

#define S 80000u
#define V 80001u

/* A published port of the loopback address, and how to reach it. */
struct published {
	struct tsi_publish publish;
	struct tsi_setup setup;
};

static void publish(struct published *published, uint16_t guest_port)
{
	struct tsi_publish *p = &published->publish;
	struct sockaddr_in inet = {.sin_family = AF_INET};

	inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*published = (struct published){
		.publish = {.guest_port = guest_port, .length = sizeof(inet)},
		.setup = {.traits = &tsi_traits_smk, .publishes = p, .publish_count = 1},
	};
	/* A port that the kernel has chosen it would also take back: it is asked for by its number. */
	for (int i = 0; i < 2; i++) {
		if (i)
			close(p->fd);
		p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		CHECK_INT(bind(p->fd, (struct sockaddr *)&inet, sizeof(inet)), 0);
		CHECK_INT(getsockname(p->fd, (struct sockaddr *)&inet, &p->length), 0);
	}
	memcpy(&p->address, &inet, sizeof(inet));
}

/* A connection to it, or a negative errno. */
static int reach(const struct published *published)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (!connect(fd, (const struct sockaddr *)&published->publish.address,
		     published->publish.length))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static int accept_message(struct guest *guest, uint32_t flags)
{
	const struct tsi_accept request = {S, flags};

	guest_message(guest, TSI_PORT_ACCEPT, &request, sizeof(request));
	return guest_result(guest, TSI_PORT_ACCEPT);
}

static void a_published_port(void)
{
	struct published published;
	struct tsi_getname question = {.is_peer = 1};
	struct sockaddr_in ours;
	socklen_t length = sizeof(ours);
	struct tsi_name name;
	struct guest guest;
	uint32_t port;
	char bytes[4];
	int peer;

	publish(&published, 80);
	guest_start(&guest, &published.setup, 16);
	CHECK_INT(reach(&published), -ECONNREFUSED); /* bound, but nobody listens */
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_listen(&guest, S, V, 80), 0);
	CHECK_INT(accept_message(&guest, TSI_NONBLOCK), -EAGAIN);
	peer = reach(&published);
	CHECK(peer >= 0);
	CHECK_INT(write(peer, "early", 5), 5);
	CHECK(guest_receive(&guest));
	port = guest.header.src_port;
	CHECK_INT(guest.header.op, VSOCK_REQUEST);
	CHECK_INT(guest.header.dst_port, V);
	CHECK_INT(guest.header.buf_alloc, tsi_traits_smk.buf_alloc);
	CHECK(guest_is_quiet(&guest)); /* nothing before the guest has taken it */
	guest_stream(&guest, V, port, VSOCK_RESPONSE, NULL, 0);
	CHECK(guest_expect(&guest, port, V, VSOCK_RW));
	CHECK(!memcmp(guest.body, "early", 5));
	CHECK_INT(accept_message(&guest, TSI_NONBLOCK), 0);
	CHECK_INT(accept_message(&guest, TSI_NONBLOCK), -EAGAIN);
	question.port = V;
	question.host_port = port;
	guest_message(&guest, TSI_PORT_GETNAME, &question, sizeof(question));
	CHECK_INT(guest_result(&guest, TSI_PORT_GETNAME), 0);
	memcpy(&name, guest.body, sizeof(name));
	CHECK_INT(getsockname(peer, (struct sockaddr *)&ours, &length), 0);
	CHECK_INT(name.address.length, sizeof(ours));
	CHECK(!memcmp(name.address.bytes, &ours, sizeof(ours)));
	guest_stream(&guest, V, port, VSOCK_RW, "hi", 2);
	CHECK(read_all(peer, bytes, 2) && !memcmp(bytes, "hi", 2));
	guest_stream(&guest, V, port, VSOCK_SHUTDOWN, NULL, 0);
	CHECK(guest_expect(&guest, port, V, VSOCK_RST));
	guest_release(&guest, V, port);
	CHECK(is_at_end(peer));
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
	close(published.publish.fd);
}

/* It is the guest's to open and close; it is never anybody else's meanwhile. */
static void a_port_is_opened_again(void)
{
	struct published published;
	struct guest guest;
	int one = 1;
	int other;
	int peer;

	publish(&published, 80);
	guest_start(&guest, &published.setup, 16);
	for (int i = 0; i < 3; i++) {
		guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
		CHECK_INT(guest_listen(&guest, S, V, 80), 0);
		guest_create(&guest, S + 5, AF_INET, TSI_SOCKET_STREAM);
		CHECK_INT(guest_listen(&guest, S + 5, V + 5, 80), -EADDRINUSE);
		guest_release(&guest, S + 5, TSI_PORT_STREAM);
		peer = reach(&published);
		CHECK(peer >= 0);
		CHECK(guest_receive(&guest));
		CHECK_INT(guest.header.op, VSOCK_REQUEST);
		guest_stream(&guest, V, guest.header.src_port, VSOCK_RST, NULL, 0);
		CHECK(is_at_end(peer)); /* and this host remembers the connection for a minute */
		close(peer);
		guest_release(&guest, S, TSI_PORT_STREAM);
		CHECK(guest_is_quiet(&guest));
		CHECK_INT(reach(&published), -ECONNREFUSED);
		other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK_INT(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
		CHECK_INT(bind(other, (struct sockaddr *)&published.publish.address,
			       published.publish.length),
			  -1);
		close(other);
	}
	CHECK_INT(guest_stop(&guest), 0);
	close(published.publish.fd);
}

static void a_port_that_is_not_published(void)
{
	static const struct tsi_setup deny = {.traits = &tsi_traits_smk,
					      .policy = {.listen_refusal = EACCES}};
	struct published published;
	struct guest guest;

	publish(&published, 80);
	guest_start(&guest, &published.setup, 16);
	CHECK_INT(guest_listen(&guest, S, V, 80), -EPERM); /* no proxy */
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_listen(&guest, S, V, 81), -EPERM);
	CHECK_INT(guest_listen(&guest, S, V, 80), 0);
	CHECK_INT(guest_listen(&guest, S, V, 80), -EINVAL); /* it does already */
	guest_create(&guest, S + 1, AF_INET, TSI_SOCKET_DATAGRAM);
	CHECK_INT(guest_stop(&guest), 0);
	close(published.publish.fd);
	guest_start(&guest, &deny, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_listen(&guest, S, V, 80), -EACCES);
	CHECK_INT(guest_stop(&guest), 0);
}

/* It is answered when there is something to answer. */
static void an_accept_that_waits(void)
{
	const struct tsi_accept request = {S, 0};
	struct published published;
	struct guest guest;
	uint32_t port;
	int peer;

	publish(&published, 80);
	guest_start(&guest, &published.setup, 16);
	CHECK_INT(accept_message(&guest, 0), -EINVAL); /* nobody listens */
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_listen(&guest, S, V, 80), 0);
	guest_message(&guest, TSI_PORT_ACCEPT, &request, sizeof(request));
	CHECK(guest_is_quiet(&guest));
	peer = reach(&published);
	CHECK(guest_receive(&guest));
	port = guest.header.src_port;
	guest_stream(&guest, V, port, VSOCK_RESPONSE, NULL, 0);
	CHECK_INT(guest_result(&guest, TSI_PORT_ACCEPT), 0);
	CHECK_INT(accept_message(&guest, TSI_NONBLOCK), -EAGAIN);
	close(peer);
	CHECK_INT(guest_stop(&guest), 0);
	close(published.publish.fd);
}

/* Those that the guest resets are closed; those that it leaves unanswered wait, and end with it. */
static void a_guest_that_does_not_take_them(void)
{
	struct published published;
	struct guest guest;
	int refused;
	int waiting;

	publish(&published, 80);
	guest_start(&guest, &published.setup, 16);
	guest_create(&guest, S, AF_INET, TSI_SOCKET_STREAM);
	CHECK_INT(guest_listen(&guest, S, V, 80), 0);
	refused = reach(&published);
	CHECK(guest_receive(&guest));
	guest_stream(&guest, V, guest.header.src_port, VSOCK_RST, NULL, 0);
	CHECK(is_at_end(refused));
	waiting = reach(&published);
	CHECK(guest_receive(&guest));
	CHECK_INT(guest.header.op, VSOCK_REQUEST);
	CHECK_INT(guest_stop(&guest), 0);
	CHECK(is_at_end(waiting));
	close(refused);
	close(waiting);
	close(published.publish.fd);
}

static const struct t_case cases[] = {
	{"a-published-port", a_published_port},
	{"a-port-is-opened-again", a_port_is_opened_again},
	{"a-port-that-is-not-published", a_port_that_is_not_published},
	{"an-accept-that-waits", an_accept_that_waits},
	{"a-guest-that-does-not-take-them", a_guest_that_does_not_take_them},
};

int listen_units(void)
{
	return t_run("tsi-listen", cases, sizeof(cases) / sizeof(cases[0]));
}
