// SPDX-License-Identifier: Apache-2.0
/* Addresses of one link, whose scope names the device. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/tsi/app.h"

struct inet6_request { /* the C library has none that goes with its own headers */
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

static void add_address(const char *name, const char *ip)
{
	int fd = (int)MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq up = {.ifr_flags = IFF_UP};
	struct inet6_request request = {
		.address = address_make(ip, 0).inet6.sin6_addr,
		.prefix = 64,
		.index = (int)if_nametoindex(name),
	};

	strcpy(up.ifr_name, name);
	MUST(ioctl(fd, SIOCSIFFLAGS, &up));
	MUST(ioctl(fd, SIOCSIFADDR, &request));
	close(fd);
}

/* errno, or 0, of the call on a new socket, which may be bound to a device. */
static int connect_error(const struct address *to, int type, const char *device)
{
	int fd = socket_new(to, type | SOCK_NONBLOCK);
	int ret;

	if (device)
		MUST(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				(socklen_t)strlen(device)));
	ret = connect(fd, &to->any, to->length) ? errno : 0;
	close(fd);
	return ret;
}

static int send_error(const struct address *to)
{
	int fd = socket_new(to, SOCK_DGRAM);
	int ret = sendto(fd, "a", 1, 0, &to->any, to->length) < 0 ? errno : 0;

	close(fd);
	return ret;
}

/* scope-refused IP: without a link, or with another than the socket's, as natively. */
static int refused(int argc, char **argv)
{
	struct address nowhere = address_make(argv[1], PEER_PORT);
	struct address elsewhere = nowhere;
	int natively = 0;
	int got;

	(void)argc;
	elsewhere.inet6.sin6_scope_id = if_nametoindex("dummy0");
	CHECK(elsewhere.inet6.sin6_scope_id, "no dummy0");
	for (int is_on = 0; is_on < 2; is_on++) {
		hijack_set(is_on);
		got = connect_error(&nowhere, SOCK_STREAM, NULL);
		CHECK(got == EINVAL, "TCP without a link: %s", strerror(got));
		got = connect_error(&nowhere, SOCK_DGRAM, NULL);
		CHECK(got == EINVAL, "UDP without a link: %s", strerror(got));
		got = connect_error(&elsewhere, SOCK_STREAM, "lo");
		CHECK(got == EINVAL, "TCP on another link: %s", strerror(got));
		got = connect_error(&elsewhere, SOCK_DGRAM, "lo");
		CHECK(got == EINVAL, "UDP on another link: %s", strerror(got));
		got = send_error(&nowhere);
		natively = is_on ? natively : got;
		CHECK(got == natively, "sendto without a link: %s, natively %s", strerror(got),
		      strerror(natively));
	}
	return 0;
}

static void check_scope(const char *what, const struct address *got, const struct address *want)
{
	CHECK(address_is_equal(got, want), "%s is %s", what, address_text(got));
	CHECK(got->inet6.sin6_scope_id == want->inet6.sin6_scope_id, "%s is of link %u", what,
	      got->inet6.sin6_scope_id);
}

static void exchange_datagram(int fd, const struct address *to, bool is_connected)
{
	struct address from = {.length = sizeof(from.storage)};
	char byte = 'd';

	if (is_connected)
		MUST(send(fd, &byte, 1, 0));
	else
		MUST(sendto(fd, &byte, 1, 0, &to->any, to->length));
	CHECK(wait_events(fd, POLLIN, 10000) == POLLIN, "no answer");
	MUST(recvfrom(fd, &byte, 1, 0, &from.any, &from.length));
	check_scope("the answer's source", &from, to);
}

/* scope-host IP%LINK: this machine has no such link, so it is the host's that is meant. */
static int host(int argc, char **argv)
{
	struct address stream = peer_address(argv[1], PEER_ECHO);
	struct address datagram = peer_address(argv[1], PEER_UDP_ECHO);
	struct address name;
	char byte = 's';
	int fd;

	(void)argc;
	fd = stream_connect(&stream);
	write_all(fd, &byte, 1);
	read_all(fd, &byte, 1);
	name = socket_peer(fd);
	check_scope("the peer", &name, &stream);
	close(fd);
	fd = socket_new(&datagram, SOCK_DGRAM);
	exchange_datagram(fd, &datagram, false);
	MUST(connect(fd, &datagram.any, datagram.length));
	exchange_datagram(fd, &datagram, true);
	name = socket_peer(fd);
	check_scope("the peer", &name, &datagram);
	close(fd);
	return 0;
}

/* scope-device IP%LINK: the link is that of the socket's device. */
static int device(int argc, char **argv)
{
	struct address stream = peer_address(argv[1], PEER_ECHO);
	struct address to = stream;
	struct address name;
	int fd = socket_new(&stream, SOCK_STREAM);

	(void)argc;
	to.inet6.sin6_scope_id = 0;
	MUST(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	MUST(connect(fd, &to.any, to.length));
	name = socket_peer(fd);
	check_scope("the peer", &name, &stream);
	close(fd);
	return 0;
}

/* scope-local IP: an address of this machine's own, whose listeners are found. */
static int local(int argc, char **argv)
{
	struct address here = address_make(argv[1], 8610);
	int listener_fd;
	int server_fd;
	int fd;

	(void)argc;
	add_address("dummy0", argv[1]);
	here.inet6.sin6_scope_id = if_nametoindex("dummy0");
	listener_fd = stream_listen(&here, 4);
	fd = stream_connect(&here);
	CHECK(wait_events(listener_fd, POLLIN, 5000) == POLLIN, "nobody has come");
	server_fd = (int)MUST(accept(listener_fd, NULL, NULL));
	close(server_fd);
	close(fd);
	close(listener_fd);

	server_fd = socket_new(&here, SOCK_DGRAM);
	MUST(bind(server_fd, &here.any, here.length));
	fd = socket_new(&here, SOCK_DGRAM);
	MUST(sendto(fd, "a", 1, 0, &here.any, here.length));
	CHECK(wait_events(server_fd, POLLIN, 5000) == POLLIN, "the datagram went elsewhere");
	close(server_fd);
	close(fd);
	return 0;
}

/* scope-native IP%LINK IP: the other address makes the link this machine's own; nobody is there. */
static int native(int argc, char **argv)
{
	struct address there = peer_address(argv[1], PEER_UDP_ECHO);
	int fd = socket_new(&there, SOCK_DGRAM);

	(void)argc;
	add_address("lo", argv[2]);
	MUST(sendto(fd, "a", 1, 0, &there.any, there.length));
	CHECK(!wait_events(fd, POLLIN, 1000), "an answer");
	close(fd);
	return 0;
}

const struct command scope_commands[] = {
	{"scope-refused", "IP", refused},       {"scope-host", "IP%LINK", host},
	{"scope-device", "IP%LINK", device},    {"scope-local", "IP", local},
	{"scope-native", "IP%LINK IP", native}, {NULL, NULL, NULL},
};
