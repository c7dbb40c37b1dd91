// SPDX-License-Identifier: Apache-2.0
/* Sockets that nobody uses, slow readers, families by number, and the switch. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define FAMILY_TSI  46
#define FAMILY_TSI6 47
#define FAMILY_TSIU 48

/* ---- lazy sockets ---------------------------------------------------------------------------- */

static long kernel_kib(void)
{
	char line[128];
	long ret = -1;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &ret) == 1)
			break;
	CHECK(ret > 0, "no SUnreclaim in /proc/meminfo");
	fclose(file);
	return ret;
}

/* Sockets are freed after a grace period, which may take long where others are busy. */
static long settled_kib(void)
{
	long before;
	long now = kernel_kib();

	do {
		before = now;
		usleep(300000);
		now = kernel_kib();
	} while (now < before);
	return now;
}

static int make_lazy(int number)
{
	struct address address = address_make(number & 1 ? "::1" : "127.0.0.1", 0);
	int fd = socket_new(&address, (number & 2 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK);
	int one = 1;

	MUST(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
	wait_events(fd, POLLIN, 0);
	socket_name(fd);
	if (number & 4)
		MUST(bind(fd, &address.any, address.length));
	return fd;
}

static void make_all(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		fds[i] = make_lazy(i);
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

/*
 * All open at once, then closed, and again. The first time fills the kernel's caches; of what comes
 * after it nothing may stay: the smallest object for each socket would be three times the limit.
 */
static int lazy(int argc, char **argv)
{
	int count = argc > 1 ? (int)number(argv[1]) : 5000;
	struct rlimit limit = {(rlim_t)count + 100, (rlim_t)count + 100};
	int *fds = calloc((size_t)count, sizeof(*fds));
	long before;
	long after;

	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	make_all(fds, count);
	before = settled_kib();
	for (int i = 0; i < 5; i++)
		make_all(fds, count);
	after = settled_kib();
	free(fds);
	CHECK((after - before) * 1024 < 5 * count * 32, "%ld KiB became %ld", before, after);
	return 0;
}

/* ---- slow readers ---------------------------------------------------------------------------- */

#define SLOW_BYTES (10u << 20)

static unsigned long device_interrupts(void)
{
	char line[512];
	unsigned long ret = 0;
	unsigned long value;
	bool is_found = false;
	FILE *file = fopen("/proc/interrupts", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, "virtio") && sscanf(line, "%*[^:]: %lu", &value) == 1) {
			is_found = true;
			ret += value;
		}
	CHECK(is_found, "no virtio in /proc/interrupts");
	fclose(file);
	return ret;
}

/* The peer has it all; what is taken much later is whole. When the buffers are full, nobody is busy. */
static int slow_reader(int argc, char **argv)
{
	static uint8_t bytes[65536];
	struct address source = peer_address(argc > 1 ? argv[1] : "127.0.0.1", PEER_SOURCE);
	const struct timespec pause = {.tv_sec = 2};
	unsigned long before;
	unsigned long after;
	uint64_t length = SLOW_BYTES;
	int fd = stream_connect(&source);
	ssize_t got;

	write_all(fd, &length, sizeof(length));
	CHECK(wait_events(fd, POLLIN, 10000) & POLLIN, "nothing comes");
	nanosleep(&pause, NULL);
	before = device_interrupts();
	nanosleep(&pause, NULL);
	after = device_interrupts();
	CHECK(after - before < 100, "%lu interrupts while nothing can be sent", after - before);
	for (uint64_t at = 0; at < length; at += (uint64_t)got) {
		got = MUST(read(fd, bytes, sizeof(bytes)));
		CHECK(got, "the end after %llu bytes", (unsigned long long)at);
		CHECK(pattern_differs(bytes, (size_t)got, at, 1) < 0, "other bytes at %llu",
		      (unsigned long long)at);
	}
	CHECK(MUST(read(fd, bytes, 1)) == 0, "more bytes than were sent");
	close(fd);
	return 0;
}

/* ---- families and the switch ----------------------------------------------------------------- */

/* An echo over the host, by a socket that was made like this. */
static void check_echo(int fd, const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	char byte = 'e';

	if (connect(fd, &echo.any, echo.length))
		fail_errno("connect to %s", address_text(&echo));
	write_all(fd, &byte, 1);
	read_all(fd, &byte, 1);
	close(fd);
}

static void check_family(int family, int native, const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	int fd = (int)MUST(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	char byte = 'd';
	int fds[2];

	CHECK(socket_option(fd, SOL_SOCKET, SO_DOMAIN) == native, "SO_DOMAIN is %d",
	      socket_option(fd, SOL_SOCKET, SO_DOMAIN));
	CHECK(socket_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP, "another SO_PROTOCOL");
	check_echo(fd, ip);
	fd = (int)MUST(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
	MUST(sendto(fd, &byte, 1, 0, &echo.any, echo.length));
	CHECK(wait_events(fd, POLLIN, 10000) == POLLIN, "no answer");
	CHECK(MUST(recv(fd, &byte, 1, 0)) == 1 && byte == 'd', "another answer");
	close(fd);
	MUST_FAIL(socket(family, SOCK_RAW, IPPROTO_ICMP), ESOCKTNOSUPPORT);
	MUST_FAIL(socket(family, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	MUST_FAIL(socketpair(family, SOCK_STREAM, 0, fds), EOPNOTSUPP);
}

/* By their numbers they go through the host, whatever the switch says. */
static int families(int argc, char **argv)
{
	int fds[2];

	(void)argc;
	(void)argv;
	for (int is_on = 0; is_on < 2; is_on++) {
		hijack_set(is_on);
		check_family(FAMILY_TSI, AF_INET, "127.0.0.1");
		check_family(FAMILY_TSI6, AF_INET6, "::1");
		MUST_FAIL(socket(FAMILY_TSIU, SOCK_STREAM, 0), EAFNOSUPPORT);
		MUST_FAIL(socketpair(FAMILY_TSIU, SOCK_STREAM, 0, fds), EAFNOSUPPORT);
	}
	return 0;
}

/* The switch is for sockets to come. */
static int switched(int argc, char **argv)
{
	struct address echo = peer_address("127.0.0.1", PEER_ECHO);
	int native_fd;
	int hijacked_fd;

	(void)argc;
	(void)argv;
	hijack_set(false);
	native_fd = socket_new(&echo, SOCK_STREAM);
	hijack_set(true);
	CHECK(hijack_get(), "the switch stays off");
	hijacked_fd = socket_new(&echo, SOCK_STREAM);
	MUST_FAIL(connect(native_fd, &echo.any, echo.length), ECONNREFUSED);
	close(native_fd);
	hijack_set(false);
	check_echo(hijacked_fd, "127.0.0.1");
	return 0;
}

/* From the command line: off. */
static int is_off(int argc, char **argv)
{
	struct address echo = peer_address(argc > 1 ? argv[1] : "127.0.0.1", PEER_ECHO);
	int fd = socket_new(&echo, SOCK_STREAM);

	CHECK(!hijack_get(), "tsi_hijack is on");
	MUST_FAIL(connect(fd, &echo.any, echo.length), ECONNREFUSED);
	close(fd);
	return 0;
}

const struct command hard_commands[] = {
	{"lazy", "COUNT", lazy},    {"slow-reader", "IP", slow_reader}, {"families", "", families},
	{"switched", "", switched}, {"is-off", "IP", is_off},           {NULL, NULL, NULL},
};
