// SPDX-License-Identifier: Apache-2.0
/* connect() of TCP, blocking and not, that succeeds, fails, is silent, and is interrupted. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define CLOSED_PORT 6999u /* nobody listens there */

static int dial(int fd, const struct address *address)
{
	return connect(fd, &address->any, address->length);
}

static void exchange(int fd)
{
	char byte = 'a';

	write_all(fd, &byte, 1);
	read_all(fd, &byte, 1);
	CHECK(byte == 'a', "the echo is %c", byte);
}

/* The same descriptor, after failures. */
static int refused(int argc, char **argv)
{
	struct address closed = address_make(argv[1], CLOSED_PORT);
	struct address open = peer_address(argv[1], PEER_ECHO);
	int fd = socket_new(&closed, SOCK_STREAM);

	(void)argc;
	for (int i = 0; i < 3; i++)
		MUST_FAIL(dial(fd, &closed), ECONNREFUSED);
	CHECK(socket_option(fd, SOL_SOCKET, SO_ERROR) == 0, "SO_ERROR has it, too");
	MUST(dial(fd, &open));
	exchange(fd);
	close(fd);
	return 0;
}

/* An errno that the host has at once, by its number. */
static int fails(int argc, char **argv)
{
	struct address address = address_make(argv[1], 80);
	int fd = socket_new(&address, SOCK_STREAM);
	int error = (int)number(argv[2]);

	(void)argc;
	MUST_FAIL(dial(fd, &address), error);
	MUST_FAIL(dial(fd, &address), error);
	close(fd);
	return 0;
}

/* ---- hosts that do not answer --------------------------------------------------------------- */

static int times_out(int argc, char **argv)
{
	const struct timeval limit = {.tv_usec = 300000};
	struct address address = peer_address("127.0.0.1", PEER_ECHO);
	int fd = socket_new(&address, SOCK_STREAM);

	(void)argc;
	(void)argv;
	MUST_FAIL(dial(fd, &address), ETIMEDOUT); /* by net.tsi.connect_timeout */
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	MUST_FAIL(dial(fd, &address), EINPROGRESS);
	MUST_FAIL(dial(fd, &address), EALREADY);
	close(fd);
	return 0;
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

static int interrupted(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval soon = {.it_value = {.tv_usec = 300000}};
	const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
	struct address address = peer_address("127.0.0.1", PEER_ECHO);
	int fd = socket_new(&address, SOCK_STREAM);

	(void)argc;
	(void)argv;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	MUST_FAIL(dial(fd, &address), EINTR);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	MUST_FAIL(dial(fd, &address), EALREADY);
	MUST(connect(fd, &unspecified, sizeof(unspecified)));
	MUST_FAIL(dial(fd, &address), EINPROGRESS);
	CHECK(wait_events(fd, POLLIN | POLLOUT, 0) == 0, "it is ready");
	close(fd);
	return 0;
}

/* EINTR, then another attempt on the same descriptor, with a host that answers. */
static int reused(int argc, char **argv)
{
	const struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
	struct address open = peer_address(argv[1], PEER_ECHO);
	int fd = socket_new(&open, SOCK_STREAM | SOCK_NONBLOCK);

	(void)argc;
	for (int i = 0; i < 3; i++) {
		MUST_FAIL(dial(fd, &open), EINPROGRESS);
		MUST(connect(fd, &unspecified, sizeof(unspecified)));
	}
	MUST(fcntl(fd, F_SETFL, 0));
	MUST(dial(fd, &open));
	exchange(fd);
	close(fd);
	return 0;
}

/* ---- without waiting ------------------------------------------------------------------------ */

static int nonblocking(int argc, char **argv)
{
	struct address open = peer_address(argv[1], PEER_ECHO);
	int fd = socket_new(&open, SOCK_STREAM | SOCK_NONBLOCK);
	int result;

	(void)argc;
	MUST_FAIL(dial(fd, &open), EINPROGRESS);
	result = dial(fd, &open); /* already there, or not yet */
	CHECK(!result || errno == EALREADY || errno == EISCONN, "connect again: %s",
	      strerror(errno));
	CHECK(wait_events(fd, POLLIN | POLLOUT | POLLRDHUP, -1) == POLLOUT, "not writable only");
	CHECK(socket_option(fd, SOL_SOCKET, SO_ERROR) == 0, "SO_ERROR");
	/* TCP says 0 once more when nobody has asked since it was connected. */
	CHECK(!dial(fd, &open) || errno == EISCONN, "connect: %s", strerror(errno));
	MUST_FAIL(dial(fd, &open), EISCONN);
	MUST(fcntl(fd, F_SETFL, 0));
	exchange(fd);
	close(fd);
	return 0;
}

static int pending(int argc, char **argv)
{
	struct address open = peer_address("127.0.0.1", PEER_ECHO);
	int fd = socket_new(&open, SOCK_STREAM | SOCK_NONBLOCK);
	char byte = 'a';

	(void)argc;
	(void)argv;
	MUST_FAIL(dial(fd, &open), EINPROGRESS);
	MUST_FAIL(dial(fd, &open), EALREADY);
	MUST_FAIL(send(fd, &byte, 1, MSG_NOSIGNAL), EAGAIN);
	MUST_FAIL(recv(fd, &byte, 1, 0), EAGAIN);
	CHECK(wait_events(fd, POLLIN | POLLOUT | POLLRDHUP, 0) == 0, "it is ready");
	CHECK(socket_option(fd, SOL_SOCKET, SO_ERROR) == 0, "SO_ERROR");
	close(fd);
	return 0;
}

static void see_failure(const char *ip)
{
	struct address closed = address_make(ip, CLOSED_PORT);
	int fd = socket_new(&closed, SOCK_STREAM | SOCK_NONBLOCK);
	char byte;

	NOTE_CALL(dial(fd, &closed));
	note("events%s", events_text((unsigned)wait_events(fd, POLLIN | POLLOUT | POLLRDHUP, -1)));
	note("SO_ERROR %s", strerror(socket_option(fd, SOL_SOCKET, SO_ERROR)));
	note("SO_ERROR %s", strerror(socket_option(fd, SOL_SOCKET, SO_ERROR)));
	note("events%s", events_text((unsigned)wait_events(fd, POLLIN | POLLOUT | POLLRDHUP, -1)));
	NOTE_CALL(send(fd, "a", 1, MSG_NOSIGNAL));
	NOTE_CALL(recv(fd, &byte, 1, 0));
	close(fd);
}

static int failing(int argc, char **argv)
{
	(void)argc;
	return compare(see_failure, argv[1]);
}

const struct command connect_commands[] = {
	{"refused", "IP", refused},   {"fails", "IP ERRNO", fails},
	{"times-out", "", times_out}, {"interrupted", "", interrupted},
	{"reused", "IP", reused},     {"nonblocking", "IP", nonblocking},
	{"pending", "", pending},     {"failing", "IP", failing},
	{NULL, NULL, NULL},
};
