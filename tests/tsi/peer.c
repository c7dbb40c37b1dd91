// SPDX-License-Identifier: Apache-2.0
/*
 * The peer that guests talk to: its services are in app.h. A process for each connection, one for
 * all datagrams. It runs on the host as `app peer IP...`, and in the guest for what a native socket does.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "tests/tsi/app.h"
#include "tests/tsi/peer.h"

#define ADDRESSES_MAX 6
#define CHUNK         65536

static uint8_t chunk[CHUNK];

static uint64_t read_number(int fd)
{
	uint64_t ret;

	read_all(fd, &ret, sizeof(ret));
	return ret;
}

static void send_pattern(int fd, uint64_t length)
{
	size_t part;

	for (uint64_t at = 0; at < length; at += part) {
		part = length - at < CHUNK ? (size_t)(length - at) : CHUNK;
		pattern_fill(chunk, part, at, 1);
		write_all(fd, chunk, part);
	}
}

static void hash_bytes(int fd, uint64_t length, uint8_t ret_digest[SHA256_SIZE])
{
	struct sha256 hash;
	ssize_t got;

	sha256_init(&hash);
	for (uint64_t left = length; left; left -= (uint64_t)got) {
		got = read(fd, chunk, left < CHUNK ? (size_t)left : CHUNK);
		if (got <= 0)
			fail_errno("%llu bytes before the end", (unsigned long long)left);
		sha256_update(&hash, chunk, (size_t)got);
	}
	sha256_finish(&hash, ret_digest);
}

/* ---- services ------------------------------------------------------------------------------- */

static void echo(int fd)
{
	ssize_t got;

	while ((got = read(fd, chunk, CHUNK)) > 0)
		write_all(fd, chunk, (size_t)got);
	shutdown(fd, SHUT_WR);
}

static void sink(int fd)
{
	uint8_t digest[SHA256_SIZE];

	hash_bytes(fd, read_number(fd), digest);
	write_all(fd, digest, sizeof(digest));
}

static void source(int fd)
{
	send_pattern(fd, read_number(fd));
}

static void hold(int fd)
{
	wait_events(fd, POLLRDHUP, -1);
}

static void bye(int fd)
{
	write_all(fd, "bye\n", 4);
}

void socket_reset(int fd)
{
	const struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void reset(int fd)
{
	send_pattern(fd, read_number(fd));
	socket_reset(fd);
}

static void slow(int fd)
{
	char byte;

	while (read(fd, &byte, 1) == 1)
		write_all(fd, &byte, 1);
	write_all(fd, "late", 4);
}

static void dial(int fd)
{
	struct peer_dial order;
	struct peer_dialled result;

	read_all(fd, &order, sizeof(order));
	dial_all(&order, &result);
	write_all(fd, &result, sizeof(result));
}

static void both(int fd)
{
	uint64_t length = read_number(fd);
	uint8_t digest[SHA256_SIZE];
	pid_t pid = fork();

	if (!pid) {
		send_pattern(fd, length);
		exit(0);
	}
	hash_bytes(fd, length, digest);
	process_join(pid);
	write_all(fd, digest, sizeof(digest));
}

static void (*const services[])(int fd) = {
	[PEER_ECHO] = echo, [PEER_SINK] = sink, [PEER_SOURCE] = source,
	[PEER_HOLD] = hold, [PEER_BYE] = bye,   [PEER_RESET] = reset,
	[PEER_SLOW] = slow, [PEER_DIAL] = dial, [PEER_BOTH] = both,
};
static_assert(sizeof(services) / sizeof(services[0]) == PEER_SERVICE__COUNT);

/* ---- datagrams ------------------------------------------------------------------------------ */

static void answer(int fd, unsigned service)
{
	struct address from = {.length = sizeof(from.storage)};
	struct sha256 hash;
	ssize_t got = recvfrom(fd, chunk, CHUNK, 0, &from.any, &from.length);
	uint64_t length = (uint64_t)got;

	if (got < 0 || service == PEER_UDP_MUTE)
		return;
	if (service == PEER_UDP_SIZE) {
		memcpy(&length, chunk, sizeof(length));
		length = length < CHUNK ? length : CHUNK;
		pattern_fill(chunk, (size_t)length, 0, 1);
		got = (ssize_t)length;
	} else if (service == PEER_UDP_HASH) {
		sha256_init(&hash);
		sha256_update(&hash, chunk, (size_t)got);
		sha256_finish(&hash, chunk);
		memcpy(chunk + SHA256_SIZE, &length, sizeof(length));
		got = SHA256_SIZE + sizeof(length);
	}
	sendto(fd, chunk, (size_t)got, 0, &from.any, from.length);
}

/* ---- all of them ---------------------------------------------------------------------------- */

struct peer {
	struct pollfd fds[ADDRESSES_MAX * (PEER_SERVICE__COUNT + PEER_DATAGRAM__COUNT)];
	unsigned services[ADDRESSES_MAX * (PEER_SERVICE__COUNT + PEER_DATAGRAM__COUNT)];
	nfds_t streams; /* the first ones */
	nfds_t count;
};

static void peer_add(struct peer *peer, int fd, unsigned service)
{
	peer->fds[peer->count] = (struct pollfd){.fd = fd, .events = POLLIN};
	peer->services[peer->count++] = service;
}

static void peer_open(struct peer *peer, char *const *ips, int count)
{
	for (int i = 0; i < count * (int)PEER_SERVICE__COUNT; i++) {
		unsigned service = (unsigned)i % PEER_SERVICE__COUNT;
		struct address address = peer_address(ips[i / (int)PEER_SERVICE__COUNT], service);

		peer_add(peer, stream_listen(&address, 1024), service);
	}
	peer->streams = peer->count;
	for (int i = 0; i < count * (int)PEER_DATAGRAM__COUNT; i++) {
		unsigned service = (unsigned)i % PEER_DATAGRAM__COUNT;
		struct address address = peer_address(ips[i / (int)PEER_DATAGRAM__COUNT], service);
		int fd = socket_new(&address, SOCK_DGRAM);

		MUST(bind(fd, &address.any, address.length));
		peer_add(peer, fd, service);
	}
}

static void serve_one(const struct peer *peer, int listener_fd, unsigned service)
{
	int fd = accept(listener_fd, NULL, NULL);

	if (fd >= 0 && !fork()) {
		signal(SIGCHLD, SIG_DFL);
		for (nfds_t i = 0; i < peer->count; i++)
			close(peer->fds[i].fd);
		services[service](fd);
		exit(0);
	}
	close(fd);
}

static _Noreturn void peer_serve(struct peer *peer)
{
	signal(SIGCHLD, SIG_IGN); /* they are not waited for */
	for (;;) {
		if (poll(peer->fds, peer->count, -1) < 0)
			continue;
		for (nfds_t i = 0; i < peer->count; i++) {
			if (!peer->fds[i].revents)
				continue;
			if (i < peer->streams)
				serve_one(peer, peer->fds[i].fd, peer->services[i]);
			else
				answer(peer->fds[i].fd, peer->services[i]);
		}
	}
}

struct address peer_address(const char *ip, unsigned service)
{
	return address_make(ip, PEER_PORT + service);
}

pid_t peer_start(void)
{
	static char *const ips[] = {(char *)"127.0.0.1", (char *)"::1"};
	static struct peer peer;
	pid_t pid;

	peer = (struct peer){0};
	peer_open(&peer, ips, 2);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		peer_serve(&peer);
	}
	setpgid(pid, pid);
	for (nfds_t i = 0; i < peer.count; i++)
		close(peer.fds[i].fd);
	return pid;
}

/* A child of its that is left would keep its ports: then connections would not leave the machine. */
void peer_end(pid_t pid)
{
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	while (!kill(-pid, 0))
		wait_events(-1, 0, 5);
}

static int run_peer(int argc, char **argv)
{
	static struct peer peer;

	CHECK(argc > 1 && argc - 1 <= ADDRESSES_MAX, "peer IP...");
	peer_open(&peer, argv + 1, argc - 1);
	printf("listening\n");
	fflush(stdout);
	peer_serve(&peer);
}

const struct command peer_commands[] = {
	{"peer", "IP...", run_peer},
	{NULL, NULL, NULL},
};
