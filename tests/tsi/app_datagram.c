// SPDX-License-Identifier: Apache-2.0
/* UDP: to the host, inside the guest, and both on one socket. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "tests/tsi/app.h"

#define DATAGRAM_MAX 65507u

static uint8_t bytes[65536];

static void send_to(int fd, const struct address *to, const void *data, size_t length)
{
	if (sendto(fd, data, length, 0, &to->any, to->length) != (ssize_t)length)
		fail_errno("sendto %s of %zu", address_text(to), length);
}

/* The next datagram: its length, and where it came from. */
static size_t receive(int fd, struct address *ret_from)
{
	ssize_t got;

	ret_from->length = sizeof(ret_from->storage);
	CHECK(wait_events(fd, POLLIN, 10000) == POLLIN, "no answer");
	got = recvfrom(fd, bytes, sizeof(bytes), 0, &ret_from->any, &ret_from->length);
	if (got < 0)
		fail_errno("recvfrom");
	return (size_t)got;
}

static void check_from(const struct address *from, const struct address *want)
{
	CHECK(address_is_equal(from, want), "an answer from %s, not %s", address_text(from),
	      address_text(want));
}

/* A resolver's question: it is answered with so many bytes. */
static void ask(int fd, const struct address *resolver, uint64_t size, bool is_connected)
{
	struct address from;
	size_t got;

	if (is_connected)
		MUST(send(fd, &size, sizeof(size), 0));
	else
		send_to(fd, resolver, &size, sizeof(size));
	got = receive(fd, &from);
	check_from(&from, resolver);
	CHECK(got == size, "%zu bytes of %zu", got, (size_t)size);
	CHECK(pattern_differs(bytes, got, 0, 1) < 0, "an answer of %zu bytes differs", got);
}

/* ---- resolvers ------------------------------------------------------------------------------ */

/* resolve connected|sendto IP BYTES */
static int resolve(int argc, char **argv)
{
	bool is_connected = *argv[1] == 'c';
	struct address resolver = peer_address(argv[2], PEER_UDP_SIZE);
	int fd = socket_new(&resolver, SOCK_DGRAM | SOCK_NONBLOCK);

	(void)argc;
	if (is_connected)
		MUST(connect(fd, &resolver.any, resolver.length));
	for (int i = 0; i < 3; i++)
		ask(fd, &resolver, (uint64_t)number(argv[3]), is_connected);
	MUST_FAIL(recv(fd, bytes, sizeof(bytes), 0), EAGAIN);
	close(fd);
	return 0;
}

/* two-resolvers IP IP: asked at once, and each answer comes from who gave it. */
static int two_resolvers(int argc, char **argv)
{
	struct address resolvers[] = {peer_address(argv[1], PEER_UDP_SIZE),
				      peer_address(argv[2], PEER_UDP_SIZE)};
	int fd = socket_new(&resolvers[0], SOCK_DGRAM);
	const uint64_t sizes[] = {100, 200};
	bool seen[2] = {false, false};
	struct address from;
	size_t got;

	(void)argc;
	for (int i = 0; i < 2; i++)
		send_to(fd, &resolvers[i], &sizes[i], sizeof(sizes[i]));
	for (int i = 0; i < 2; i++) {
		got = receive(fd, &from);
		CHECK(got == 100 || got == 200, "an answer of %zu bytes", got);
		check_from(&from, &resolvers[got / 100 - 1]);
		seen[got / 100 - 1] = true;
	}
	CHECK(seen[0] && seen[1], "one answered twice");
	/* The C library connects the socket to one after another, with nothing in between. */
	for (int i = 0; i < 6; i++) {
		MUST(connect(fd, &resolvers[i % 2].any, resolvers[i % 2].length));
		ask(fd, &resolvers[i % 2], 512, true);
	}
	close(fd);
	return 0;
}

/* upload IP BYTES: what arrived is what was sent. */
static int send_big(int argc, char **argv)
{
	struct address peer = peer_address(argv[1], PEER_UDP_HASH);
	size_t length = (size_t)number(argv[2]);
	int fd = socket_new(&peer, SOCK_DGRAM);
	uint8_t want[SHA256_SIZE];
	struct sha256 hash;
	struct address from;
	uint64_t seen;

	(void)argc;
	pattern_fill(bytes, length, 0, 9);
	sha256_init(&hash);
	sha256_update(&hash, bytes, length);
	sha256_finish(&hash, want);
	send_to(fd, &peer, bytes, length);
	CHECK(receive(fd, &from) == SHA256_SIZE + sizeof(seen), "the answer's length");
	memcpy(&seen, bytes + SHA256_SIZE, sizeof(seen));
	CHECK(seen == length, "%llu bytes arrived", (unsigned long long)seen);
	CHECK(!memcmp(bytes, want, sizeof(want)), "something else arrived");
	/* One byte more than a datagram has room for. */
	MUST_FAIL(sendto(fd, bytes, DATAGRAM_MAX + 1, 0, &peer.any, peer.length), EMSGSIZE);
	close(fd);
	return 0;
}

/* Each message is one, however they come, and a part that does not fit is gone. */
static int boundaries(int argc, char **argv)
{
	struct address echo = peer_address(argv[1], PEER_UDP_ECHO);
	int fd = socket_new(&echo, SOCK_DGRAM);
	char part[4] = "";

	(void)argc;
	MUST(connect(fd, &echo.any, echo.length));
	for (int i = 1; i <= 8; i++)
		MUST(send(fd, "12345678", (size_t)i, 0));
	for (int i = 1; i <= 8; i++) {
		struct iovec iov = {part, sizeof(part)};
		struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t got = MUST(recvmsg(fd, &message, MSG_TRUNC));

		CHECK(got == i, "message %d of %zd bytes", i, got);
		CHECK(!(message.msg_flags & MSG_TRUNC) == (i <= 4), "MSG_TRUNC of message %d", i);
	}
	close(fd);
	return 0;
}

/* ---- inside --------------------------------------------------------------------------------- */

/* local IP: two processes, one of which talks to the host with the same socket. */
static int local(int argc, char **argv)
{
	struct address here = address_make(argv[1], 8600);
	struct address there = peer_address(argv[1], PEER_UDP_ECHO);
	int fds[] = {socket_new(&here, SOCK_DGRAM), socket_new(&here, SOCK_DGRAM)};
	struct address from;
	pid_t pid;

	(void)argc;
	MUST(bind(fds[0], &here.any, here.length));
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 10; i++) {
			size_t got = receive(fds[0], &from);

			send_to(fds[0], &from, bytes, got);
		}
		exit(0);
	}
	for (int i = 0; i < 10; i++) {
		send_to(fds[1], &here, "here", 4);
		CHECK(receive(fds[1], &from) == 4 && !memcmp(bytes, "here", 4), "not what it was");
		check_from(&from, &here);
		send_to(fds[1], &there, "there", 5);
		CHECK(receive(fds[1], &from) == 5 && !memcmp(bytes, "there", 5), "not what it was");
		check_from(&from, &there);
	}
	process_join(pid);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* A server and a client, neither of which talks to anybody else. */
static int inside(int argc, char **argv)
{
	struct address here = address_make(argv[1], 8602);
	int server_fd = socket_new(&here, SOCK_DGRAM);
	int client_fd = socket_new(&here, SOCK_DGRAM);
	struct address from;

	(void)argc;
	MUST(bind(server_fd, &here.any, here.length));
	for (int i = 0; i < 4; i++) {
		if (i == 2)
			MUST(connect(client_fd, &here.any, here.length));
		send_to(client_fd, &here, "question", 8);
		CHECK(receive(server_fd, &from) == 8, "its length");
		send_to(server_fd, &from, "answer", 6);
		CHECK(receive(client_fd, &from) == 6, "its length");
		check_from(&from, &here);
	}
	close(server_fd);
	close(client_fd);
	return 0;
}

/* The server's own socket talks to the host, and goes on to serve. */
static int local_server(int argc, char **argv)
{
	struct address here = address_make(argv[1], 8601);
	struct address there = peer_address(argv[1], PEER_UDP_ECHO);
	int server_fd = socket_new(&here, SOCK_DGRAM);
	int client_fd = socket_new(&here, SOCK_DGRAM);
	struct address from;

	(void)argc;
	MUST(bind(server_fd, &here.any, here.length));
	MUST(connect(client_fd, &here.any, here.length));
	for (int i = 0; i < 10; i++) {
		MUST(send(client_fd, "question", 8, 0));
		send_to(server_fd, &there, "upstream", 8);
		for (int answers = 0; answers < 2; answers++) {
			CHECK(receive(server_fd, &from) == 8, "its length");
			if (address_is_equal(&from, &there))
				CHECK(!memcmp(bytes, "upstream", 8), "upstream's answer");
			else
				send_to(server_fd, &from, bytes, 8);
		}
		CHECK(receive(client_fd, &from) == 8 && !memcmp(bytes, "question", 8),
		      "the answer is %.8s", bytes);
		check_from(&from, &here);
	}
	close(server_fd);
	close(client_fd);
	return 0;
}

/* ---- connecting and not --------------------------------------------------------------------- */

/* How the C library finds the source address of each destination; then the socket is used. */
static void see_unspecified(const char *ip)
{
	const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
	struct address echo = peer_address(ip, PEER_UDP_ECHO);
	int fd = socket_new(&echo, SOCK_DGRAM);
	struct address name = {.length = sizeof(name.storage)};
	char byte = 'a';

	for (int i = 0; i < 3; i++) {
		NOTE_CALL(connect(fd, &echo.any, echo.length));
		name = socket_name(fd);
		note("has a port: %d", address_port(&name) != 0);
		NOTE_CALL(send(fd, &byte, 1, 0));
		NOTE_CALL(recv(fd, &byte, 1, 0));
		NOTE_CALL(connect(fd, &unspecified, sizeof(unspecified)));
		NOTE_CALL(send(fd, &byte, 1, 0));
		NOTE_CALL(getpeername(fd, &name.any, &name.length));
	}
	NOTE_CALL(connect(fd, &echo.any, 4));
	NOTE_CALL(connect(fd, &echo.any, sizeof(echo.storage))); /* 128, as libraries have it */
	NOTE_CALL(send(fd, &byte, 1, 0));
	NOTE_CALL(recv(fd, &byte, 1, 0));
	NOTE_CALL(sendto(fd, &byte, 1, 0, &echo.any, sizeof(echo.storage)));
	NOTE_CALL(recv(fd, &byte, 1, 0));
	close(fd);
}

static void *connect_blocking(void *context)
{
	const int *fd = context;
	struct address silent = peer_address("127.0.0.1", PEER_UDP_ECHO);

	MUST(connect(*fd, &silent.any, silent.length));
	return NULL;
}

/* The host answers nothing; what another thread does to the socket ends the wait. */
static int given_up(int argc, char **argv)
{
	const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	double begin = now_ms();
	pthread_t thread;

	(void)argc;
	(void)argv;
	CHECK(!pthread_create(&thread, NULL, connect_blocking, &fd), "no thread");
	usleep(300000);
	MUST(connect(fd, &unspecified, sizeof(unspecified)));
	pthread_join(thread, NULL);
	CHECK(now_ms() - begin < 3000, "the wait goes on for %.0f ms", now_ms() - begin);
	close(fd);
	return 0;
}

static int unspecified_family(int argc, char **argv)
{
	(void)argc;
	return compare(see_unspecified, argv[1]);
}

const struct command datagram_commands[] = {
	{"resolve", "connected|sendto IP BYTES", resolve},
	{"two-resolvers", "IP IP", two_resolvers},
	{"send-big", "IP BYTES", send_big},
	{"boundaries", "IP", boundaries},
	{"udp-inside", "IP", inside},
	{"udp-local", "IP", local},
	{"udp-local-server", "IP", local_server},
	{"unspecified", "IP", unspecified_family},
	{"given-up", "", given_up},
	{NULL, NULL, NULL},
};
