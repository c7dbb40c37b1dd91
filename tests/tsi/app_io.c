// SPDX-License-Identifier: Apache-2.0
/* The other ways to move bytes: sendfile, splice, vectors, many messages, flags, and what is queued. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "lib/sha256.h"
#include "tests/tsi/app.h"

#define BYTES (1u << 20)

static uint8_t bytes[BYTES];
static uint8_t got[BYTES];

static int connect_service(const char *ip, unsigned service, uint64_t length)
{
	struct address address = peer_address(ip, service);
	int fd = stream_connect(&address);

	if (length)
		write_all(fd, &length, sizeof(length));
	return fd;
}

/* What PEER_SINK says of the pattern. */
static void check_sunk(int fd)
{
	uint8_t want[SHA256_SIZE];
	struct sha256 hash;

	pattern_fill(bytes, BYTES, 0, 1);
	sha256_init(&hash);
	sha256_update(&hash, bytes, BYTES);
	sha256_finish(&hash, want);
	read_all(fd, got, sizeof(want));
	CHECK(!memcmp(got, want, sizeof(want)), "the peer has got something else");
	close(fd);
}

static int make_file(void)
{
	int fd = (int)MUST(open("/tmp/pattern", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));

	pattern_fill(bytes, BYTES, 0, 1);
	MUST(write(fd, bytes, BYTES));
	return fd;
}

static int send_file(int argc, char **argv)
{
	int file_fd = make_file();
	int fd = connect_service(argv[1], PEER_SINK, BYTES);
	off_t at = 0;

	(void)argc;
	while (at < (off_t)BYTES)
		CHECK(MUST(sendfile(fd, file_fd, &at, BYTES)) > 0, "nothing is sent");
	check_sunk(fd);
	close(file_fd);
	return 0;
}

static int splice_out(int argc, char **argv)
{
	int file_fd = make_file();
	int fd = connect_service(argv[1], PEER_SINK, BYTES);
	loff_t at = 0;
	int fds[2];
	ssize_t in;
	ssize_t out;

	(void)argc;
	MUST(pipe(fds));
	while (at < (loff_t)BYTES) {
		in = MUST(splice(file_fd, &at, fds[1], NULL, 65536, SPLICE_F_MORE));
		CHECK(in > 0, "the file's end at %lld", (long long)at);
		for (; in; in -= out)
			out = MUST(splice(fds[0], NULL, fd, NULL, (size_t)in, 0));
	}
	check_sunk(fd);
	close(file_fd);
	return 0;
}

static int splice_in(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_SOURCE, BYTES);
	size_t at = 0;
	int fds[2];
	ssize_t in;

	(void)argc;
	MUST(pipe(fds));
	while ((in = MUST(splice(fd, NULL, fds[1], NULL, 65536, 0)))) {
		CHECK(at + (size_t)in <= BYTES, "too much");
		read_all(fds[0], got + at, (size_t)in);
		at += (size_t)in;
	}
	CHECK(at == BYTES && pattern_differs(got, BYTES, 0, 1) < 0, "%zu bytes, or others", at);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	CHECK(MUST(splice(fd, NULL, fds[1], NULL, 1, SPLICE_F_NONBLOCK)) == 0, "no end");
	close(fd);
	return 0;
}

static int vectors(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_ECHO, 0);
	struct iovec iov[16];
	size_t at = 0;

	(void)argc;
	pattern_fill(bytes, BYTES, 0, 5);
	for (size_t i = 0; i < 16; i++) {
		iov[i] = (struct iovec){bytes + at, i * 137};
		at += i * 137;
	}
	CHECK((size_t)MUST(writev(fd, iov, 16)) == at, "not all is written");
	read_all(fd, got, at);
	CHECK(!memcmp(bytes, got, at), "the echo differs");
	write_all(fd, bytes, at);
	for (size_t i = 0; i < 16; i++)
		iov[i].iov_base = got + ((uint8_t *)iov[i].iov_base - bytes);
	memset(got, 0, at);
	for (int queued = 0; (size_t)queued < at;)
		MUST(ioctl(fd, SIOCINQ, &queued));
	CHECK((size_t)MUST(readv(fd, iov, 16)) == at, "not all is read");
	CHECK(!memcmp(bytes, got, at), "what is read differs");
	close(fd);
	return 0;
}

static int many_messages(int argc, char **argv)
{
	struct address echo = peer_address(argv[1], PEER_UDP_ECHO);
	int fd = socket_new(&echo, SOCK_DGRAM);
	struct mmsghdr messages[8] = {0};
	struct iovec iov[8];
	unsigned done = 0;

	(void)argc;
	for (unsigned i = 0; i < 8; i++) {
		iov[i] = (struct iovec){bytes, i + 1};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &echo.any,
						      .msg_namelen = echo.length,
						      .msg_iov = &iov[i],
						      .msg_iovlen = 1};
	}
	CHECK(MUST(sendmmsg(fd, messages, 8, 0)) == 8, "not all are sent");
	for (unsigned i = 0; i < 8; i++)
		iov[i] = (struct iovec){got + 100 * i, 100};
	while (done < 8)
		done += (unsigned)MUST(
			recvmmsg(fd, messages + done, 8 - done, MSG_WAITFORONE, NULL));
	for (unsigned i = 0; i < 8; i++)
		CHECK(messages[i].msg_len == i + 1, "message %u has %u bytes", i,
		      messages[i].msg_len);
	close(fd);
	return 0;
}

/* ---- flags ---------------------------------------------------------------------------------- */

static int flags(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_ECHO, 0);
	char part[8] = "";

	(void)argc;
	MUST_FAIL(recv(fd, part, 1, MSG_DONTWAIT), EAGAIN);
	write_all(fd, "abcdef", 6);
	CHECK(MUST(recv(fd, part, 2, MSG_PEEK)) == 2 && !memcmp(part, "ab", 2), "peek: %s", part);
	CHECK(MUST(recv(fd, part, 3, MSG_PEEK | MSG_WAITALL)) == 3 && !memcmp(part, "abc", 3),
	      "peek again: %s", part);
	CHECK(MUST(recv(fd, part, 6, MSG_WAITALL)) == 6 && !memcmp(part, "abcdef", 6), "read: %s",
	      part);
	write_all(fd, "abc", 3);
	wait_events(fd, POLLIN, -1);
	CHECK(MUST(recv(fd, part, 8, MSG_WAITALL | MSG_DONTWAIT)) <= 3, "more than there is");
	CHECK(MUST(recv(fd, NULL, 0, MSG_DONTWAIT)) == 0, "zero bytes");
	close(fd);
	return 0;
}

/* More than the receive buffer holds. */
static int wait_all(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_SOURCE, BYTES);

	(void)argc;
	CHECK(MUST(recv(fd, got, BYTES, MSG_WAITALL)) == (long)BYTES, "not all at once");
	CHECK(pattern_differs(got, BYTES, 0, 1) < 0, "something else");
	close(fd);
	fd = connect_service(argv[1], PEER_SOURCE, 1000);
	CHECK(MUST(recv(fd, got, BYTES, MSG_WAITALL)) == 1000, "not what there is at the end");
	CHECK(MUST(recv(fd, got, BYTES, MSG_WAITALL)) == 0, "no end");
	close(fd);
	return 0;
}

static int queued(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_ECHO, 0);
	int count = -1;

	(void)argc;
	MUST(ioctl(fd, SIOCINQ, &count));
	CHECK(count == 0, "%d bytes to read of none", count);
	write_all(fd, bytes, 1000);
	while (count < 1000)
		MUST(ioctl(fd, SIOCINQ, &count));
	CHECK(count == 1000, "%d bytes to read of 1000", count);
	read_all(fd, got, 400);
	MUST(ioctl(fd, FIONREAD, &count));
	CHECK(count == 600, "%d bytes to read of 600", count);
	do
		MUST(ioctl(fd, SIOCOUTQ, &count));
	while (count > 0);
	CHECK(count == 0, "%d bytes to be sent", count);
	close(fd);
	return 0;
}

/* The peer reads nothing: what is written in parts, and never blocks. */
static int full(int argc, char **argv)
{
	int fd = connect_service(argv[1], PEER_HOLD, 0);
	ssize_t done;

	(void)argc;
	/* Until nothing on the way to the peer takes any more. */
	do
		while ((done = send(fd, bytes, BYTES, MSG_DONTWAIT)) > 0)
			;
	while (done < 0 && errno == EAGAIN && wait_events(fd, POLLOUT, 300));
	CHECK(done < 0 && errno == EAGAIN, "send: %zd", done);
	MUST_FAIL(send(fd, bytes, 1, MSG_DONTWAIT), EAGAIN);
	close(fd);
	return 0;
}

const struct command io_commands[] = {
	{"sendfile", "IP", send_file},
	{"splice-out", "IP", splice_out},
	{"splice-in", "IP", splice_in},
	{"vectors", "IP", vectors},
	{"many-messages", "IP", many_messages},
	{"message-flags", "IP", flags},
	{"wait-all", "IP", wait_all},
	{"queued", "IP", queued},
	{"full", "IP", full},
	{NULL, NULL, NULL},
};
