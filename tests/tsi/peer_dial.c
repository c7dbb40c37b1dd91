// SPDX-License-Identifier: Apache-2.0
/* The peer as a client: connections to a port of the guest's, one after another or many at once. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

#include "tests/tsi/peer.h"

/* Sends `bytes`, and takes them back if wanted; errno, or 0. */
static int exchange(int fd, uint64_t bytes, bool is_echo)
{
	uint8_t sent[4096];
	uint8_t got[4096];
	size_t part;
	ssize_t done;

	for (uint64_t left = bytes; left; left -= part) {
		part = left < sizeof(sent) ? (size_t)left : sizeof(sent);
		pattern_fill(sent, part, left, 2);
		if (send(fd, sent, part, MSG_NOSIGNAL) != (ssize_t)part)
			return errno;
		for (size_t at = 0; is_echo && at < part; at += (size_t)done) {
			done = read(fd, got + at, part - at);
			if (done <= 0)
				return done ? errno : EPIPE;
		}
		if (is_echo && memcmp(sent, got, part))
			return EBADMSG;
	}
	return 0;
}

static int read_to_end(int fd)
{
	uint8_t bytes[4096];
	ssize_t got;

	shutdown(fd, SHUT_WR);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		;
	return got < 0 ? errno : 0;
}

/* errno, or 0. */
static int dial_one(const struct peer_dial *order, const struct address *address)
{
	int fd = socket_new(address, SOCK_STREAM);
	int error = connect(fd, &address->any, address->length) ? errno : 0;

	if (order->kind == DIAL_REFUSED) {
		close(fd);
		return error == ECONNREFUSED ? 0 : error ? error : EISCONN;
	}
	if (!error && (order->kind == DIAL_ECHO || order->kind == DIAL_RESET))
		error = exchange(fd, order->bytes, order->kind == DIAL_ECHO);
	if (!error && order->kind == DIAL_HOLD)
		wait_events(fd, POLLRDHUP, -1);
	if (!error && order->kind == DIAL_READ)
		error = read_to_end(fd);
	if (!error && order->kind == DIAL_RESET)
		socket_reset(fd);
	else
		close(fd);
	return error;
}

/* One of the parallel ones: its part of them all. */
static void dial_some(const struct peer_dial *order, uint64_t count, struct peer_dialled *ret)
{
	struct address address = address_make(order->ip, (unsigned)order->port);
	int error;

	for (uint64_t i = 0; i < count; i++) {
		error = dial_one(order, &address);
		ret->done += !error;
		ret->failed += !!error;
		if (error && !ret->error)
			ret->error = error;
	}
}

void dial_all(const struct peer_dial *order, struct peer_dialled *ret)
{
	const struct timespec pause = {.tv_sec = (time_t)(order->wait_ms / 1000),
				       .tv_nsec = (long)(order->wait_ms % 1000) * 1000000};
	uint64_t parallel = order->parallel ? order->parallel : 1;
	struct peer_dialled part;
	int fds[2];

	*ret = (struct peer_dialled){0};
	nanosleep(&pause, NULL);
	MUST(pipe(fds));
	for (uint64_t i = 0; i < parallel; i++) {
		if (fork())
			continue;
		part = (struct peer_dialled){0};
		dial_some(order, order->count / parallel, &part);
		MUST(write(fds[1], &part, sizeof(part)));
		exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &part, sizeof(part)) == sizeof(part)) {
		ret->done += part.done;
		ret->failed += part.failed;
		ret->error = ret->error ? ret->error : part.error;
	}
	close(fds[0]);
	while (wait(NULL) > 0)
		;
}

/* ---- the guest's side ----------------------------------------------------------------------- */

int peer_dial(const char *ip, const struct peer_dial *dial)
{
	struct address address = peer_address(ip, PEER_DIAL);
	int fd = stream_connect(&address);

	write_all(fd, dial, sizeof(*dial));
	return fd;
}

void peer_dialled(int fd, uint64_t count)
{
	struct peer_dialled result;

	read_all(fd, &result, sizeof(result));
	close(fd);
	CHECK(!result.failed, "%llu of %llu connections from outside failed, the first: %s",
	      (unsigned long long)result.failed, (unsigned long long)count,
	      strerror((int)result.error));
	CHECK(result.done == count, "%llu connections from outside, not %llu",
	      (unsigned long long)result.done, (unsigned long long)count);
}

int dialled_take(int listener_fd, unsigned port, int *ret_dial_fd, char *ret_byte)
{
	const struct peer_dial dial = {
		.ip = "127.0.0.1", .port = port, .kind = DIAL_ECHO, .count = 1, .bytes = 1};
	int fd;

	*ret_dial_fd = peer_dial("127.0.0.1", &dial);
	/* As with TCP: what made it readable may be gone when it is asked. */
	do {
		CHECK(wait_events(listener_fd, POLLIN, 10000) == POLLIN, "nobody connects");
		fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && errno == EAGAIN);
	CHECK(fd >= 0, "accept: %s", strerror(errno));
	read_all(fd, ret_byte, 1);
	return fd;
}

void dialled_serve(int listener_fd, unsigned port)
{
	int dial_fd;
	char byte;
	int fd = dialled_take(listener_fd, port, &dial_fd, &byte);

	write_all(fd, &byte, 1);
	peer_dialled(dial_fd, 1);
	close(fd);
}
