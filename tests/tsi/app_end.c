// SPDX-License-Identifier: Apache-2.0
/* How connections end: halves, resets, data that nobody reads, and a host that dies. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tsi/app.h"

static int connect_service(const char *ip, unsigned service)
{
	struct address address = peer_address(ip, service);

	return stream_connect(&address);
}

/* Reads to the end: how many bytes there were; an error is one. */
static uint64_t read_rest(int fd)
{
	static char bytes[65536];
	uint64_t ret = 0;
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		ret += (uint64_t)got;
	if (got < 0)
		fail_errno("read behind %llu bytes", (unsigned long long)ret);
	return ret;
}

/* The guest has said all, the peer has not. */
static int half_close(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_SLOW);
	char bytes[5] = "";

	(void)argc;
	write_all(fd, "ab", 2);
	MUST(shutdown(fd, SHUT_WR));
	MUST_FAIL(send(fd, "c", 1, MSG_NOSIGNAL), EPIPE);
	read_all(fd, bytes, 2);
	read_all(fd, bytes + 2, 2);
	CHECK(!strcmp(bytes, "abla"), "the answer is %s", bytes);
	CHECK(read_rest(fd) == 2, "it is not over");
	close(fd);
	return 0;
}

/* The peer has said all, the guest has not: with hosts that tell the difference. */
static int peer_half_close(int argc, char **argv)
{
	struct address any = address_make("127.0.0.1", 8401);
	const struct peer_dial dial = {
		.ip = "127.0.0.1", .port = 8401, .kind = DIAL_READ, .count = 1};
	int listener_fd = stream_listen(&any, 4);
	int dial_fd = peer_dial("127.0.0.1", &dial);
	int fd = (int)MUST(accept(listener_fd, NULL, NULL));

	(void)argc;
	(void)argv;
	CHECK(read_rest(fd) == 0, "there is something to read");
	CHECK(wait_events(fd, POLLIN | POLLOUT | POLLRDHUP, 0) == (POLLIN | POLLOUT | POLLRDHUP),
	      "events%s", events_text((unsigned)wait_events(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
	for (int i = 0; i < 100; i++)
		write_all(fd, "still here", 10);
	close(fd);
	peer_dialled(dial_fd, 1);
	close(listener_fd);
	return 0;
}

/* Writes until the connection is known to be gone: errno. */
static int write_until_error(int fd, int flags)
{
	for (;;) {
		if (send(fd, "a", 1, flags) < 0)
			return errno;
		wait_events(fd, 0, 10);
	}
}

static int peer_says_bye(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_BYE);
	char bytes[5] = "";
	int status;
	int error;
	pid_t pid;

	(void)argc;
	read_all(fd, bytes, 4);
	CHECK(!strcmp(bytes, "bye\n"), "it says %s", bytes);
	CHECK(read_rest(fd) == 0, "it is not over");
	error = write_until_error(fd, MSG_NOSIGNAL);
	CHECK(error == EPIPE || error == ECONNRESET, "write: %s", strerror(error));
	MUST_FAIL(send(fd, "a", 1, MSG_NOSIGNAL), EPIPE);
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		MUST(write(fd, "a", 1));
		exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "the writer ended with 0x%x",
	      status);
	CHECK(read_rest(fd) == 0, "it is not over any more");
	close(fd);
	return 0;
}

/* Connections that are closed with much to read, before, in the middle of and behind a transfer. */
static int close_early(int argc, char **argv)
{
	static const uint64_t length = 4u << 20;
	static char bytes[65536];
	const struct linger lingers[] = {{0}, {.l_onoff = 1}};

	(void)argc;
	for (int i = 0; i < 12; i++) {
		int fd = connect_service(argv[1], i % 2 ? PEER_SOURCE : PEER_SINK);

		MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &lingers[i / 2 % 2],
				sizeof(lingers[0])));
		write_all(fd, &length, sizeof(length));
		if (i % 2 && i > 5)
			read_all(fd, bytes, sizeof(bytes));
		else if (i > 5)
			write_all(fd, bytes, sizeof(bytes));
		MUST(close(fd));
	}
	return 0;
}

/* What was written before close() arrives. */
static int close_delivers(int argc, char **argv)
{
	static char bytes[100000];
	struct address any = address_make("127.0.0.1", 8402);
	const struct peer_dial dial = {.ip = "127.0.0.1",
				       .port = 8402,
				       .kind = DIAL_ECHO,
				       .count = 4,
				       .bytes = sizeof(bytes)};
	int listener_fd = stream_listen(&any, 4);
	int dial_fd = peer_dial("127.0.0.1", &dial);

	(void)argc;
	(void)argv;
	for (int i = 0; i < 4; i++) {
		int fd = (int)MUST(accept(listener_fd, NULL, NULL));

		for (size_t left = sizeof(bytes); left;) {
			size_t part = left < 4096 ? left : 4096;

			read_all(fd, bytes, part);
			write_all(fd, bytes, part);
			left -= part;
		}
		MUST(close(fd));
	}
	peer_dialled(dial_fd, 4);
	close(listener_fd);
	return 0;
}

/* close() waits until everything is on its way, and no longer. */
static int lingering(int argc, char **argv)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 10};
	int fd = connect_service(argv[1], PEER_ECHO);
	double begin;

	(void)argc;
	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	write_all(fd, "a", 1);
	wait_events(fd, POLLIN, -1);
	begin = now_ms();
	MUST(close(fd));
	CHECK(now_ms() - begin < 9000, "close() waits for the whole time");
	return 0;
}

/* The peer resets the connection in the middle: an end, or its error, then nothing but EPIPE. */
static int peer_reset(int argc, char **argv)
{
	static char bytes[65536];
	uint64_t length = 300000;
	int fd = connect_service(argv[1], PEER_RESET);
	ssize_t got;
	int error;

	(void)argc;
	write_all(fd, &length, sizeof(length));
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		length -= (uint64_t)got <= length ? (uint64_t)got : 0;
	CHECK(!got || errno == ECONNRESET, "read: %s", strerror(errno));
	CHECK(wait_events(fd, POLLIN | POLLRDHUP, -1) & POLLIN, "no event of its end");
	error = write_until_error(fd, MSG_NOSIGNAL);
	CHECK(error == EPIPE || error == ECONNRESET, "write: %s", strerror(error));
	CHECK(MUST(read(fd, bytes, 1)) == 0, "it is not over");
	close(fd);
	return 0;
}

static int client_reset(int argc, char **argv)
{
	struct address any = address_make("127.0.0.1", 8403);
	const struct peer_dial dial = {
		.ip = "127.0.0.1", .port = 8403, .kind = DIAL_RESET, .count = 20, .bytes = 10000};
	int listener_fd = stream_listen(&any, 64);
	int dial_fd = peer_dial("127.0.0.1", &dial);
	char bytes[4096];
	ssize_t got;

	(void)argc;
	(void)argv;
	for (int i = 0; i < 20; i++) {
		int fd = (int)MUST(accept(listener_fd, NULL, NULL));

		while ((got = read(fd, bytes, sizeof(bytes))) > 0)
			;
		CHECK(!got || errno == ECONNRESET, "read: %s", strerror(errno));
		close(fd);
	}
	peer_dialled(dial_fd, 20);
	close(listener_fd);
	return 0;
}

/* ---- the host dies -------------------------------------------------------------------------- */

static int host_dies(int argc, char **argv)
{
	const struct timeval limit = {.tv_sec = 1};
	struct address address = peer_address("127.0.0.1", PEER_ECHO);
	int fd = stream_connect(&address);
	int other_fd = socket_new(&address, SOCK_STREAM);
	char byte;

	(void)argc;
	(void)argv;
	write_all(fd, "a", 1);
	read_all(fd, &byte, 1);
	dprintf(STDOUT_FILENO, "kill it\n");
	wait_events(fd, POLLIN, 3000); /* whatever it says, or nothing */
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	CHECK(recv(fd, &byte, 1, 0) <= 0, "the dead answer");
	MUST(setsockopt(other_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	CHECK(connect(other_fd, &address.any, address.length) < 0, "the dead take connections");
	close(fd);
	close(other_fd);
	return 0;
}

const struct command end_commands[] = {
	{"half-close", "IP", half_close},       {"peer-half-close", "", peer_half_close},
	{"peer-end", "IP", peer_says_bye},      {"close-early", "IP", close_early},
	{"close-delivers", "", close_delivers}, {"linger", "IP", lingering},
	{"peer-reset", "IP", peer_reset},       {"client-reset", "", client_reset},
	{"host-dies", "", host_dies},           {NULL, NULL, NULL},
};
