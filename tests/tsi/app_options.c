// SPDX-License-Identifier: Apache-2.0
/* Options of sockets, against what native ones make of them, and with effect on what is proxied. */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/tsi/app.h"

struct option {
	const char *name;
	int level;
	int number;
	int value;
};

static const struct option table[] = {
	{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1},
	{"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 60},
	{"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 10},
	{"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 3},
	{"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 1000},
	{"TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, 1},
	{"TCP_CORK", IPPROTO_TCP, TCP_CORK, 0},
	{"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096},
	{"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1},
	{"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1},
	{"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1},
	{"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 65536},
	{"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 65536},
	{"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 1},
	{"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1},
	{"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 3},
	{"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, 1},
	{"IP_TOS", IPPROTO_IP, IP_TOS, 16},
	{"IP_TTL", IPPROTO_IP, IP_TTL, 33},
	{"IP_RECVERR", IPPROTO_IP, IP_RECVERR, 1},
	{"IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, 1},
	{"an option of TCP that there is not", IPPROTO_TCP, 9999, 1},
	{"an option of IP that there is not", IPPROTO_IP, 9999, 1},
	{"an option of sockets that there is not", SOL_SOCKET, 9999, 1},
	{"a level that there is not", 9999, 1, 1},
	{"an option of vsock", AF_VSOCK, 0, 1},
};

static void note_options(const char *when, int fd)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct option *o = &table[i];
		int value = o->value;
		socklen_t length = sizeof(value);

		note("%s: set %s = %s", when, o->name,
		     result_text(setsockopt(fd, o->level, o->number, &value, length)));
		value = -1;
		note("%s: get %s = %s", when, o->name,
		     result_text(getsockopt(fd, o->level, o->number, &value, &length)));
		note("%s: %s is %d", when, o->name, value);
	}
}

static void see_options(const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	int fd = socket_new(&echo, SOCK_STREAM);

	note_options("new", fd);
	MUST(connect(fd, &echo.any, echo.length));
	note_options("connected", fd);
	close(fd);
}

static void see_datagram_options(const char *ip)
{
	struct address echo = peer_address(ip, PEER_UDP_ECHO);
	int fd = socket_new(&echo, SOCK_DGRAM);
	char byte = 'a';

	note_options("new", fd);
	MUST(sendto(fd, &byte, 1, 0, &echo.any, echo.length));
	MUST(recv(fd, &byte, 1, 0));
	note_options("used", fd);
	MUST(connect(fd, &echo.any, echo.length));
	note_options("connected", fd);
	close(fd);
}

static int options(int argc, char **argv)
{
	(void)argc;
	return compare(*argv[1] == 't' ? see_options : see_datagram_options, argv[2]);
}

/* Whoever believes that the kernel encrypts would write plain text. */
static int no_tls(int argc, char **argv)
{
	struct address echo = peer_address(argv[1], PEER_ECHO);
	int fd = stream_connect(&echo);

	(void)argc;
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4) < 0, "TCP_ULP is taken");
	close(fd);
	return 0;
}

/* ---- time limits ---------------------------------------------------------------------------- */

static int receive_limit(int argc, char **argv)
{
	const struct timeval limit = {.tv_usec = 200000};
	struct address echo = peer_address(argv[1], PEER_ECHO);
	struct address mute = peer_address(argv[1], PEER_UDP_MUTE);
	int fds[] = {stream_connect(&echo), socket_new(&mute, SOCK_DGRAM),
		     socket_new(&mute, SOCK_DGRAM)};
	double begin;
	char byte = 'a';

	(void)argc;
	MUST(connect(fds[1], &mute.any, mute.length));
	MUST(send(fds[1], &byte, 1, 0));
	MUST(sendto(fds[2], &byte, 1, 0, &mute.any, mute.length));
	for (int i = 0; i < 3; i++) {
		MUST(setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
		begin = now_ms();
		MUST_FAIL(recv(fds[i], &byte, 1, 0), EAGAIN);
		CHECK(now_ms() - begin > 150, "socket %d did not wait", i);
		close(fds[i]);
	}
	return 0;
}

static int send_limit(int argc, char **argv)
{
	static char bytes[65536];
	const struct timeval limit = {.tv_usec = 200000};
	struct address hold = peer_address(argv[1], PEER_HOLD);
	int fd = stream_connect(&hold);
	ssize_t done;

	(void)argc;
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	while ((done = send(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	CHECK(done < 0 && errno == EAGAIN, "send: %s", strerror(errno));
	CHECK(wait_events(fd, POLLOUT, 0) == 0, "it is writable");
	close(fd);
	return 0;
}

static int low_water(int argc, char **argv)
{
	struct address echo = peer_address(argv[1], PEER_ECHO);
	int fd = stream_connect(&echo);
	int mark = 100;
	char bytes[200];

	(void)argc;
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof(mark)));
	write_all(fd, bytes, 50);
	CHECK(wait_events(fd, POLLIN, 300) == 0, "50 bytes of 100 are enough");
	write_all(fd, bytes, 50);
	CHECK(wait_events(fd, POLLIN, -1) == POLLIN, "100 bytes are not enough");
	CHECK(MUST(recv(fd, bytes, sizeof(bytes), 0)) == 100, "not 100 bytes");
	close(fd);
	return 0;
}

/* An address given to a connected TCP socket is ignored, or refused, as a native one does. */
static void see_sendto(const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	int fd = socket_new(&echo, SOCK_STREAM);
	char byte = 'a';

	NOTE_CALL(sendto(fd, &byte, 1, MSG_NOSIGNAL, &echo.any, echo.length));
	NOTE_CALL(connect(fd, &echo.any, sizeof(echo.storage)));
	NOTE_CALL(sendto(fd, &byte, 1, MSG_NOSIGNAL, &echo.any, echo.length));
	NOTE_CALL(recv(fd, &byte, 1, 0));
	NOTE_CALL(connect(fd, &echo.any, echo.length));
	NOTE_CALL(listen(fd, 1));
	NOTE_CALL(bind(fd, &echo.any, echo.length));
	close(fd);
}

static int send_to_connected(int argc, char **argv)
{
	(void)argc;
	return compare(see_sendto, argv[1]);
}

const struct command option_commands[] = {
	{"options", "tcp|udp IP", options},
	{"no-tls", "IP", no_tls},
	{"receive-limit", "IP", receive_limit},
	{"send-limit", "IP", send_limit},
	{"low-water", "IP", low_water},
	{"send-to-connected", "IP", send_to_connected},
	{NULL, NULL, NULL},
};
