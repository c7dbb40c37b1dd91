// SPDX-License-Identifier: Apache-2.0
/* What poll, select and epoll say at each moment of a socket's life, against a native one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define ALL      (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP)
#define QUIET_MS 100 /* nothing more comes of what was done */

static void note_poll(const char *when, int fd)
{
	struct timeval none = {0};
	fd_set sets[3];
	int count;

	note("%s: poll%s", when, events_text((unsigned)wait_events(fd, (int)ALL, 0)));
	for (int i = 0; i < 3; i++) {
		FD_ZERO(&sets[i]);
		FD_SET(fd, &sets[i]);
	}
	count = select(fd + 1, &sets[0], &sets[1], &sets[2], &none);
	note("%s: select %d: %d%d%d", when, count, !!FD_ISSET(fd, &sets[0]),
	     !!FD_ISSET(fd, &sets[1]), !!FD_ISSET(fd, &sets[2]));
}

/* poll() changes nothing: what comes after it goes as it does without it. */
static void fresh(const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	struct address any = address_make(echo.any.sa_family == AF_INET ? "127.0.0.1" : "::1", 0);
	char bytes[4] = "abc";
	int fd = socket_new(&echo, SOCK_STREAM);

	note_poll("new TCP", fd);
	MUST(bind(fd, &any.any, any.length));
	note_poll("bound TCP", fd);
	MUST(listen(fd, 1));
	note_poll("listening TCP", fd);
	close(fd);
	fd = socket_new(&echo, SOCK_STREAM);
	note_poll("new TCP", fd);
	NOTE_CALL(socket_option(fd, SOL_SOCKET, SO_ERROR));
	MUST(connect(fd, &echo.any, echo.length));
	note_poll("connected TCP", fd);
	write_all(fd, bytes, 3);
	wait_events(fd, POLLIN, -1);
	note_poll("answered TCP", fd);
	close(fd);
	fd = socket_new(&echo, SOCK_DGRAM);
	note_poll("new UDP", fd);
	MUST(bind(fd, &any.any, any.length));
	note_poll("bound UDP", fd);
	MUST(connect(fd, &echo.any, echo.length));
	note_poll("connected UDP", fd);
	MUST(send(fd, bytes, 3, 0));
	wait_events(fd, POLLIN, -1);
	note_poll("answered UDP", fd);
	close(fd);
}

static int fresh_sockets(int argc, char **argv)
{
	(void)argc;
	return compare(fresh, argv[1]);
}

/* ---- epoll ---------------------------------------------------------------------------------- */

static unsigned mode; /* EPOLLET, or 0 */

static int watch(int fd)
{
	struct epoll_event event = {.events = ALL | mode};
	int epoll_fd = (int)MUST(epoll_create1(EPOLL_CLOEXEC));

	MUST(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event));
	return epoll_fd;
}

/* Edges: all that come until it is quiet, as one set. Levels: what is, once that came. */
static void note_epoll(const char *when, int epoll_fd, unsigned until)
{
	struct epoll_event event;
	unsigned seen = 0;

	while ((seen & until) != until) {
		if (MUST(epoll_wait(epoll_fd, &event, 1, 10000)) == 0)
			fail("%s: no%s after%s", when, events_text(until & ~seen),
			     events_text(seen));
		seen |= event.events;
	}
	if (mode) {
		while (MUST(epoll_wait(epoll_fd, &event, 1, QUIET_MS)) == 1)
			seen |= event.events;
		note("%s: edges%s", when, events_text(seen));
	} else {
		wait_events(-1, 0, QUIET_MS);
		seen = MUST(epoll_wait(epoll_fd, &event, 1, 0)) ? event.events : 0;
		note("%s: levels%s", when, events_text(seen));
	}
}

static void watch_connect(const char *ip)
{
	struct address address = peer_address(ip, PEER_SLOW);
	int fd = socket_new(&address, SOCK_STREAM | SOCK_NONBLOCK);
	int epoll_fd = watch(fd);
	char bytes[16];

	note_epoll("new", epoll_fd, mode ? 0 : EPOLLHUP);
	NOTE_CALL(connect(fd, &address.any, address.length));
	note_epoll("connected", epoll_fd, EPOLLOUT);
	write_all(fd, "a", 1);
	note_epoll("answered", epoll_fd, EPOLLIN);
	NOTE_CALL(read(fd, bytes, sizeof(bytes)));
	note_epoll("read", epoll_fd, 0);
	MUST(shutdown(fd, SHUT_WR));
	note_epoll("ended", epoll_fd, EPOLLIN | EPOLLRDHUP);
	NOTE_CALL(read(fd, bytes, sizeof(bytes)));
	NOTE_CALL(read(fd, bytes, sizeof(bytes)));
	note_epoll("read to the end", epoll_fd, 0);
	close(fd);
	close(epoll_fd);
}

static void watch_refused(const char *ip)
{
	struct address address = address_make(ip, 6999);
	int fd = socket_new(&address, SOCK_STREAM | SOCK_NONBLOCK);
	int epoll_fd = watch(fd);

	note_epoll("new", epoll_fd, mode ? 0 : EPOLLHUP);
	NOTE_CALL(connect(fd, &address.any, address.length));
	note_epoll("refused", epoll_fd, EPOLLERR | EPOLLHUP);
	NOTE_CALL(socket_option(fd, SOL_SOCKET, SO_ERROR));
	note_epoll("told", epoll_fd, 0);
	close(fd);
	close(epoll_fd);
}

/* The listener before it listens, and the child after it was accepted. */
static void watch_accept(const char *ip)
{
	struct address any = address_make(ip, 8301);
	struct peer_dial dial = {.port = 8301, .count = 1, .bytes = 1, .kind = DIAL_ECHO};
	int listener_fd = socket_new(&any, SOCK_STREAM | SOCK_NONBLOCK);
	int epoll_fd = watch(listener_fd);
	int one = 1;
	char bytes[16];
	int dial_fd;
	int fd;

	for (size_t i = 0; ip[i] && i + 1 < sizeof(dial.ip); i++)
		dial.ip[i] = ip[i];
	MUST(setsockopt(listener_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	note_epoll("new", epoll_fd, mode ? 0 : EPOLLHUP);
	MUST(bind(listener_fd, &any.any, any.length));
	MUST(listen(listener_fd, 4));
	note_epoll("listening", epoll_fd, 0);
	dial_fd = peer_dial(ip, &dial);
	note_epoll("asked", epoll_fd, EPOLLIN);
	fd = (int)MUST(accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK));
	note_epoll("accepted", epoll_fd, 0);
	close(epoll_fd);
	epoll_fd = watch(fd);
	note_epoll("child", epoll_fd, EPOLLIN | EPOLLOUT);
	NOTE_CALL(read(fd, bytes, sizeof(bytes)));
	note_epoll("child read", epoll_fd, 0);
	write_all(fd, bytes, 1);
	note_epoll("child's client closes", epoll_fd, EPOLLIN | EPOLLRDHUP);
	NOTE_CALL(read(fd, bytes, sizeof(bytes)));
	peer_dialled(dial_fd, 1);
	close(fd);
	close(listener_fd);
	close(epoll_fd);
}

static int epoll(int argc, char **argv)
{
	static void (*const scenarios[])(const char *ip) = {watch_connect, watch_refused,
							    watch_accept};

	(void)argc;
	mode = *argv[1] == 'e' ? EPOLLET : 0;
	return compare(scenarios[number(argv[2])], argv[3]);
}

const struct command poll_commands[] = {
	{"fresh-sockets", "IP", fresh_sockets},
	{"epoll", "edge|level NUMBER IP", epoll},
	{NULL, NULL, NULL},
};
