// SPDX-License-Identifier: Apache-2.0
/* What all commands need: see app.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "tests/tsi/app.h"

#define SWITCH "/sys/module/kernel/parameters/tsi_hijack"

/* One write, so that lines of several processes stay lines. */
static void put_line(const char *fmt, va_list arguments, const char *more)
{
	char text[1200];
	int length = vsnprintf(text, sizeof(text) - 128, fmt, arguments);

	if (length > (int)sizeof(text) - 129)
		length = (int)sizeof(text) - 129;
	length += snprintf(text + length, 128, "%s%s\n", more ? ": " : "", more ? more : "");
	if (write(STDERR_FILENO, text, (size_t)length) < 0)
		exit(2);
}

void say(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	put_line(fmt, arguments, NULL);
	va_end(arguments);
}

void fail(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	put_line(fmt, arguments, NULL);
	va_end(arguments);
	exit(1);
}

void fail_errno(const char *fmt, ...)
{
	const char *text = strerror(errno);
	va_list arguments;

	va_start(arguments, fmt);
	put_line(fmt, arguments, text);
	va_end(arguments);
	exit(1);
}

long app_must(long result, const char *what)
{
	if (result < 0)
		fail_errno("%s", what);
	return result;
}

void app_must_fail(long result, int error, const char *what)
{
	int got = errno;

	CHECK(result < 0, "%s: %ld, not %s", what, result, strerror(error));
	CHECK(got == error, "%s: %s, not %s", what, strerror(got), strerror(error));
}

double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 0);

	CHECK(!*end && end != text, "%s: not a number", text);
	return value;
}

/* ---- addresses ------------------------------------------------------------------------------ */

struct address address_make(const char *text, unsigned port)
{
	struct address ret = {.length = sizeof(ret.inet)};
	size_t length = strcspn(text, "%");
	char ip[INET6_ADDRSTRLEN] = "";

	CHECK(length < sizeof(ip), "%s: not an address", text);
	memcpy(ip, text, length);

	if (inet_pton(AF_INET, ip, &ret.inet.sin_addr) == 1) {
		ret.inet.sin_family = AF_INET;
		ret.inet.sin_port = htons((uint16_t)port);
		return ret;
	}
	CHECK(inet_pton(AF_INET6, ip, &ret.inet6.sin6_addr) == 1, "%s: not an address", text);
	ret.inet6.sin6_scope_id = text[length] ? (uint32_t)number(text + length + 1) : 0;
	ret.inet6.sin6_family = AF_INET6;
	ret.inet6.sin6_port = htons((uint16_t)port);
	ret.length = sizeof(ret.inet6);
	return ret;
}

/* Both families have it at the same place. */
unsigned address_port(const struct address *address)
{
	return ntohs(address->inet.sin_port);
}

void address_set_port(struct address *address, unsigned port)
{
	address->inet.sin_port = htons((uint16_t)port);
}

bool address_is_equal(const struct address *a, const struct address *b)
{
	if (a->any.sa_family != b->any.sa_family || address_port(a) != address_port(b))
		return false;
	if (a->any.sa_family == AF_INET)
		return a->inet.sin_addr.s_addr == b->inet.sin_addr.s_addr;
	return !memcmp(&a->inet6.sin6_addr, &b->inet6.sin6_addr, sizeof(a->inet6.sin6_addr));
}

const char *address_text(const struct address *address)
{
	static char texts[4][80];
	static unsigned turn;
	char *text = texts[turn++ % 4];
	char ip[INET6_ADDRSTRLEN];
	const void *bytes = address->any.sa_family == AF_INET
				    ? (const void *)&address->inet.sin_addr
				    : (const void *)&address->inet6.sin6_addr;

	if (!inet_ntop(address->any.sa_family, bytes, ip, sizeof(ip)))
		snprintf(ip, sizeof(ip), "family %d", address->any.sa_family);
	snprintf(text, sizeof(texts[0]), "[%s]:%u", ip, address_port(address));
	return text;
}

struct address socket_name(int fd)
{
	struct address ret = {.length = sizeof(ret.storage)};

	MUST(getsockname(fd, &ret.any, &ret.length));
	return ret;
}

struct address socket_peer(int fd)
{
	struct address ret = {.length = sizeof(ret.storage)};

	MUST(getpeername(fd, &ret.any, &ret.length));
	return ret;
}

/* ---- sockets -------------------------------------------------------------------------------- */

int socket_new(const struct address *address, int type)
{
	return (int)MUST(socket(address->any.sa_family, type | SOCK_CLOEXEC, 0));
}

int stream_connect(const struct address *address)
{
	int fd = socket_new(address, SOCK_STREAM);

	if (connect(fd, &address->any, address->length))
		fail_errno("connect to %s", address_text(address));
	return fd;
}

int stream_listen(const struct address *address, int backlog)
{
	int fd = socket_new(address, SOCK_STREAM);
	int one = 1;

	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (bind(fd, &address->any, address->length))
		fail_errno("bind to %s", address_text(address));
	MUST(listen(fd, backlog));
	return fd;
}

int wait_events(int fd, int events, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = (short)events};

	MUST(poll(&poll_fd, 1, timeout_ms));
	return poll_fd.revents;
}

int socket_option(int fd, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	MUST(getsockopt(fd, level, name, &value, &length));
	return value;
}

void write_all(int fd, const void *bytes, size_t length)
{
	ssize_t done;

	for (size_t at = 0; at < length; at += (size_t)done) {
		done = send(fd, (const char *)bytes + at, length - at, MSG_NOSIGNAL);
		if (done < 0)
			fail_errno("write of %zu at %zu", length, at);
	}
}

void read_all(int fd, void *bytes, size_t length)
{
	ssize_t done;

	for (size_t at = 0; at < length; at += (size_t)done) {
		done = read(fd, (char *)bytes + at, length - at);
		if (done < 0)
			fail_errno("read of %zu at %zu", length, at);
		CHECK(done, "the end after %zu of %zu bytes", at, length);
	}
}

static uint8_t pattern_byte(uint64_t offset, uint32_t seed)
{
	uint64_t value = (offset >> 3) * 0x9e3779b97f4a7c15u + seed;

	value ^= value >> 29;
	return (uint8_t)(value >> (8 * (offset & 7)));
}

void pattern_fill(void *bytes, size_t length, uint64_t offset, uint32_t seed)
{
	for (size_t i = 0; i < length; i++)
		((uint8_t *)bytes)[i] = pattern_byte(offset + i, seed);
}

long pattern_differs(const void *bytes, size_t length, uint64_t offset, uint32_t seed)
{
	for (size_t i = 0; i < length; i++)
		if (((const uint8_t *)bytes)[i] != pattern_byte(offset + i, seed))
			return (long)i;
	return -1;
}

/* ---- processes ------------------------------------------------------------------------------ */

void process_join(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	CHECK(!status, "a child ended with 0x%x", status);
}

void hijack_set(bool is_on)
{
	int fd = (int)MUST(open(SWITCH, O_WRONLY | O_CLOEXEC));

	MUST(write(fd, is_on ? "Y" : "N", 1));
	close(fd);
}

bool hijack_get(void)
{
	int fd = (int)MUST(open(SWITCH, O_RDONLY | O_CLOEXEC));
	char byte = 'N';

	MUST(read(fd, &byte, 1));
	close(fd);
	return byte == 'Y';
}
