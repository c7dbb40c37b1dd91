// SPDX-License-Identifier: Apache-2.0
/* Bytes of TCP, many of them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "tests/tsi/app.h"

#define BUFFER (1u << 20)

/* Sizes of writes and reads when 0 is asked for: of each kind that takes another way. */
static const size_t mixed[] = {1,     2,     43,    44,    4095,  4096,   4097,       16384,
			       28672, 32768, 65535, 65536, 65537, 262145, BUFFER - 1, BUFFER};

static size_t next_size(size_t size, unsigned turn, uint64_t left)
{
	size_t ret = size ? size : mixed[turn % (sizeof(mixed) / sizeof(mixed[0]))];

	return left < ret ? (size_t)left : ret;
}

static int connect_service(const char *ip, unsigned service, uint64_t length)
{
	struct address address = peer_address(ip, service);
	int fd = stream_connect(&address);

	write_all(fd, &length, sizeof(length));
	return fd;
}

/* What the peer has got is what went into it. */
static void send_hashed(int fd, uint64_t length, size_t size)
{
	uint8_t *bytes = malloc(BUFFER);
	uint8_t want[SHA256_SIZE];
	uint8_t got[SHA256_SIZE];
	struct sha256 hash;
	size_t part;

	pattern_fill(bytes, BUFFER, 0, 3);
	sha256_init(&hash);
	for (unsigned turn = 0; length; length -= part, turn++) {
		part = next_size(size, turn, length);
		bytes[0] = (uint8_t)turn;
		sha256_update(&hash, bytes, part);
		write_all(fd, bytes, part);
	}
	sha256_finish(&hash, want);
	free(bytes);
	read_all(fd, got, sizeof(got));
	CHECK(!memcmp(want, got, sizeof(want)), "the peer has got something else");
}

static void receive(int fd, uint64_t length, size_t size)
{
	uint8_t *bytes = malloc(BUFFER);
	uint64_t at = 0;
	ssize_t got;
	long differs;

	for (unsigned turn = 0; at < length; at += (uint64_t)got, turn++) {
		got = read(fd, bytes, next_size(size, turn, length - at));
		if (got <= 0)
			fail_errno("read: %zd at %llu", got, (unsigned long long)at);
		differs = pattern_differs(bytes, (size_t)got, at, 1);
		CHECK(differs < 0, "byte %llu differs", (unsigned long long)at + (uint64_t)differs);
	}
	free(bytes);
}

static int upload(int argc, char **argv)
{
	uint64_t length = (uint64_t)number(argv[2]);
	int fd = connect_service(argv[1], PEER_SINK, length);

	send_hashed(fd, length, argc > 3 ? (size_t)number(argv[3]) : 0);
	close(fd);
	return 0;
}

static int download(int argc, char **argv)
{
	uint64_t length = (uint64_t)number(argv[2]);
	int fd = connect_service(argv[1], PEER_SOURCE, length);
	char byte;

	receive(fd, length, argc > 3 ? (size_t)number(argv[3]) : 0);
	CHECK(MUST(read(fd, &byte, 1)) == 0, "bytes behind the last");
	close(fd);
	return 0;
}

/* ---- both at once --------------------------------------------------------------------------- */

struct writer {
	int fd;
	uint64_t length;
	uint8_t want[SHA256_SIZE];
};

static void *write_bytes(void *argument)
{
	struct writer *writer = argument;
	uint8_t *bytes = malloc(BUFFER);
	struct sha256 hash;
	size_t part;
	uint64_t left = writer->length;

	pattern_fill(bytes, BUFFER, 0, 4);
	sha256_init(&hash);
	for (unsigned turn = 0; left; left -= part, turn++) {
		part = next_size(0, turn, left);
		sha256_update(&hash, bytes, part);
		write_all(writer->fd, bytes, part);
	}
	sha256_finish(&hash, writer->want);
	free(bytes);
	return NULL;
}

static int both(int argc, char **argv)
{
	struct writer writer = {.length = (uint64_t)number(argv[2])};
	uint8_t got[SHA256_SIZE];
	pthread_t thread;

	(void)argc;
	writer.fd = connect_service(argv[1], PEER_BOTH, writer.length);
	CHECK(!pthread_create(&thread, NULL, write_bytes, &writer), "no thread");
	receive(writer.fd, writer.length, 65536);
	pthread_join(thread, NULL);
	read_all(writer.fd, got, sizeof(got));
	CHECK(!memcmp(writer.want, got, sizeof(got)), "the peer has got something else");
	close(writer.fd);
	return 0;
}

/* While one thread waits for bytes, another may do everything else. */
static void *wait_for_byte(void *fd)
{
	char byte;

	read_all(*(int *)fd, &byte, 1);
	return NULL;
}

static void *wait_for_end(void *fd)
{
	char byte;

	CHECK(MUST(read(*(int *)fd, &byte, 1)) == 0, "a byte behind the end");
	return NULL;
}

static int while_reading(int argc, char **argv)
{
	struct address address = peer_address(argv[1], PEER_ECHO);
	int fd = stream_connect(&address);
	pthread_t thread;

	(void)argc;
	CHECK(!pthread_create(&thread, NULL, wait_for_byte, &fd), "no thread");
	for (int i = 0; i < 200; i++) {
		CHECK(!(wait_events(fd, 1, 1)), "there is something to read");
		socket_peer(fd);
		socket_name(fd);
		socket_option(fd, SOL_SOCKET, SO_ERROR);
	}
	write_all(fd, "x", 1);
	pthread_join(thread, NULL);
	/* And one whose end another thread decides. */
	CHECK(!pthread_create(&thread, NULL, wait_for_end, &fd), "no thread");
	MUST(shutdown(fd, SHUT_RDWR));
	pthread_join(thread, NULL);
	close(fd);
	return 0;
}

const struct command stream_commands[] = {
	{"upload", "IP BYTES [SIZE]", upload},
	{"download", "IP BYTES [SIZE]", download},
	{"both", "IP BYTES", both},
	{"while-reading", "IP", while_reading},
	{NULL, NULL, NULL},
};
