// SPDX-License-Identifier: Apache-2.0
/* Names and what else a socket says of itself, at each moment, against a native one; and IPv6. */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/tsi/app.h"

/* A port of the machine's choice, and the host's other addresses, are only there or not. */
static const char *name_text(const struct address *address)
{
	static char texts[4][80];
	static unsigned turn;
	struct address shown = *address;
	char *text = texts[turn++ % 4];

	if (address_port(address) >= 32768)
		address_set_port(&shown, 65535);
	snprintf(text, sizeof(texts[0]), "%s of %u", address_text(&shown), address->length);
	return text;
}

static void note_names(const char *when, int fd)
{
	struct address name = {.length = sizeof(name.storage)};
	struct address peer = {.length = sizeof(peer.storage)};
	int result = getsockname(fd, &name.any, &name.length);

	note("%s: name %s", when, result ? strerror(errno) : name_text(&name));
	result = getpeername(fd, &peer.any, &peer.length);
	note("%s: peer %s", when, result ? strerror(errno) : name_text(&peer));
}

static void note_socket(const char *when, int fd, bool is_stream)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	note_names(when, fd);
	note("%s: domain %d type %d protocol %d listens %d error %d", when,
	     socket_option(fd, SOL_SOCKET, SO_DOMAIN), socket_option(fd, SOL_SOCKET, SO_TYPE),
	     socket_option(fd, SOL_SOCKET, SO_PROTOCOL),
	     socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN), socket_option(fd, SOL_SOCKET, SO_ERROR));
	if (!is_stream)
		return;
	MUST(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
	note("%s: TCP_INFO of %d, state %d", when, length > 100, info.tcpi_state);
}

/* What was not bound before a connect that failed, is not after it. */
static void see_refused(const char *ip, const struct address *here)
{
	struct address closed = address_make(ip, 6999);
	struct address any = {.any.sa_family = AF_UNSPEC, .length = sizeof(any.any)};
	int fd = socket_new(here, SOCK_STREAM);

	NOTE_CALL(connect(fd, &closed.any, closed.length));
	NOTE_CALL(bind(fd, &here->any, here->length));
	note_names("refused and bound", fd);
	NOTE_CALL(connect(fd, &closed.any, closed.length));
	NOTE_CALL(bind(fd, &here->any, here->length));
	NOTE_CALL(connect(fd, &any.any, any.length));
	NOTE_CALL(bind(fd, &here->any, here->length));
	close(fd);
}

/* Each state of a client's TCP socket. */
static void see_client(const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	struct address closed = address_make(ip, 6999);
	struct address here = address_make(strchr(ip, ':') ? "::1" : "127.0.0.1", 0);
	int fd = socket_new(&echo, SOCK_STREAM);

	note_socket("new", fd, true);
	connect(fd, &closed.any, closed.length);
	note_socket("refused", fd, true);
	MUST(connect(fd, &echo.any, echo.length));
	note_socket("connected", fd, true);
	MUST(shutdown(fd, SHUT_WR));
	wait_events(fd, POLLIN, -1);
	note_names("ended", fd);
	close(fd);
	fd = socket_new(&echo, SOCK_STREAM);
	MUST(bind(fd, &here.any, here.length));
	note_socket("bound", fd, true);
	MUST(connect(fd, &echo.any, echo.length));
	note_socket("bound and connected", fd, true);
	close(fd);
	see_refused(ip, &here);
}

static void see_server(const char *ip)
{
	bool is_inet6 = strchr(ip, ':');
	struct address any = address_make(is_inet6 ? "::" : "0.0.0.0", 8700);
	struct peer_dial dial = {.port = 8700, .count = 1, .kind = DIAL_HOLD};
	int listener_fd = stream_listen(&any, 4);
	struct address from = {.length = sizeof(from.storage)};
	int dial_fd;
	int fd;

	strcpy(dial.ip, is_inet6 ? "::1" : "127.0.0.1");
	note_socket("listening", listener_fd, true);
	dial_fd = peer_dial(ip, &dial);
	fd = (int)MUST(accept(listener_fd, &from.any, &from.length));
	note("accepted from %s", name_text(&from));
	note_socket("accepted", fd, true);
	close(fd);
	peer_dialled(dial_fd, 1);
	close(listener_fd);
}

static void see_datagram(const char *ip)
{
	struct address echo = peer_address(ip, PEER_UDP_ECHO);
	int fd = socket_new(&echo, SOCK_DGRAM);
	char byte = 'a';

	note_socket("new", fd, false);
	MUST(sendto(fd, &byte, 1, 0, &echo.any, echo.length));
	MUST(recv(fd, &byte, 1, 0));
	note_socket("used", fd, false);
	MUST(connect(fd, &echo.any, echo.length));
	note_socket("connected", fd, false);
	MUST(send(fd, &byte, 1, 0));
	MUST(recv(fd, &byte, 1, 0));
	note_socket("connected and used", fd, false);
	close(fd);
}

static int names(int argc, char **argv)
{
	static void (*const scenarios[])(const char *ip) = {see_client, see_server, see_datagram};

	(void)argc;
	return compare(scenarios[number(argv[1])], argv[2]);
}

/* An address of the network: the peer's is the one asked for, our own never a constant. */
static int names_lan(int argc, char **argv)
{
	struct address peer = peer_address(argv[1], PEER_ECHO);
	int fds[] = {stream_connect(&peer), stream_connect(&peer)};
	struct address got = socket_peer(fds[0]);
	struct address own[] = {socket_name(fds[0]), socket_name(fds[1])};

	(void)argc;
	CHECK(address_is_equal(&got, &peer), "the peer is %s", address_text(&got));
	for (int i = 0; i < 2; i++)
		CHECK(address_port(&own[i]) > 1024 && address_port(&own[i]) != 1234,
		      "its name is %s", address_text(&own[i]));
	CHECK(address_port(&own[0]) != address_port(&own[1]), "both are %s", address_text(&own[0]));
	got = socket_name(fds[0]);
	CHECK(address_is_equal(&got, &own[0]), "its name changes to %s", address_text(&got));
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* ---- IPv6 ----------------------------------------------------------------------------------- */

static struct address make_mapped(const char *ip, unsigned port)
{
	char text[64];

	snprintf(text, sizeof(text), "::ffff:%s", ip);
	return address_make(text, port);
}

/* A socket of IPv6 that is asked for an address of IPv4. */
static void see_mapped(const char *ip)
{
	struct address echo = make_mapped(ip, PEER_PORT + PEER_ECHO);
	struct address udp = make_mapped(ip, PEER_PORT + PEER_UDP_ECHO);
	struct address from = {.length = sizeof(from.storage)};
	int only = 1;
	char byte = 'a';
	int fd = socket_new(&echo, SOCK_STREAM);

	NOTE_CALL(connect(fd, &echo.any, echo.length));
	note_names("TCP", fd);
	NOTE_CALL(send(fd, &byte, 1, 0));
	NOTE_CALL(recv(fd, &byte, 1, 0));
	close(fd);
	fd = socket_new(&udp, SOCK_DGRAM);
	NOTE_CALL(sendto(fd, &byte, 1, 0, &udp.any, udp.length));
	NOTE_CALL(recvfrom(fd, &byte, 1, 0, &from.any, &from.length));
	note("UDP from %s", name_text(&from));
	NOTE_CALL(connect(fd, &udp.any, udp.length));
	note_names("UDP", fd);
	close(fd);
	fd = socket_new(&echo, SOCK_STREAM);
	MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)));
	NOTE_CALL(connect(fd, &echo.any, echo.length));
	close(fd);
}

static int mapped(int argc, char **argv)
{
	(void)argc;
	return compare(see_mapped, argv[1]);
}

/* dual 0|1: a listener on [::], with IPV6_V6ONLY or not, and a local client of IPv4. */
static int dual(int argc, char **argv)
{
	int only = (int)number(argv[1]);
	struct address any = address_make("::", 8701);
	struct address local = address_make("127.0.0.1", 8701);
	int listener_fd = socket_new(&any, SOCK_STREAM);
	int fd = socket_new(&local, SOCK_STREAM);
	struct peer_dial dial = {.ip = "::1", .port = 8701, .count = 1, .kind = DIAL_HOLD};
	struct address from = {.length = sizeof(from.storage)};
	int dial_fd;
	int child_fd;

	(void)argc;
	MUST(setsockopt(listener_fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)));
	MUST(bind(listener_fd, &any.any, any.length));
	MUST(listen(listener_fd, 4));
	if (only) {
		MUST_FAIL(connect(fd, &local.any, local.length), ECONNREFUSED);
	} else {
		MUST(connect(fd, &local.any, local.length));
		child_fd = (int)MUST(accept(listener_fd, &from.any, &from.length));
		CHECK(IN6_IS_ADDR_V4MAPPED(&from.inet6.sin6_addr), "it is %s", address_text(&from));
		close(child_fd);
	}
	close(fd);
	dial_fd = peer_dial("127.0.0.1", &dial);
	child_fd = (int)MUST(accept(listener_fd, &from.any, &from.length));
	CHECK(from.any.sa_family == AF_INET6 && from.length == sizeof(from.inet6),
	      "it is of family %d and length %u", from.any.sa_family, from.length);
	close(child_fd);
	peer_dialled(dial_fd, 1);
	close(listener_fd);
	return 0;
}

/* An address of a link needs the link's number, and reaches the host with it. */
static void see_scope(const char *ip)
{
	struct address address = address_make("fe80::1", PEER_PORT);
	int fd = socket_new(&address, SOCK_STREAM);

	(void)ip;
	NOTE_CALL(connect(fd, &address.any, address.length));
	close(fd);
}

static int scope(int argc, char **argv)
{
	(void)argc;
	return compare(see_scope, argv[1]);
}

const struct command name_commands[] = {
	{"names", "NUMBER IP", names}, {"names-lan", "IP", names_lan}, {"mapped", "IP", mapped},
	{"dual", "0|1", dual},         {"scope", "IP", scope},         {NULL, NULL, NULL},
};
