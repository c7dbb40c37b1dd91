// SPDX-License-Identifier: Apache-2.0
/* io_uring on proxied sockets: its own way to poll, accept, connect, send and receive. */
#include <errno.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define ENTRIES      16u
#define GROUP        7u /* of buffers that receiving chooses from */
#define BUFFER_BYTES 4096u

struct ring {
	int fd;
	struct io_uring_params params;
	uint8_t *queues; /* both are in one mapping */
	struct io_uring_sqe *entries;
};

static _Atomic unsigned *ring_field(struct ring *ring, unsigned offset)
{
	return (_Atomic unsigned *)(void *)(ring->queues + offset);
}

static struct ring ring_new(void)
{
	struct ring ret = {0};
	void *mapping;
	size_t size;

	ret.fd = (int)MUST(syscall(SYS_io_uring_setup, ENTRIES, &ret.params));
	CHECK(ret.params.features & IORING_FEAT_SINGLE_MMAP, "two mappings");
	size = ret.params.cq_off.cqes + ret.params.cq_entries * sizeof(struct io_uring_cqe) +
	       ret.params.sq_off.array + ret.params.sq_entries * sizeof(unsigned);
	mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ret.fd, IORING_OFF_SQ_RING);
	CHECK(mapping != MAP_FAILED, "the rings cannot be mapped");
	ret.queues = mapping;
	mapping = mmap(NULL, ret.params.sq_entries * sizeof(struct io_uring_sqe),
		       PROT_READ | PROT_WRITE, MAP_SHARED, ret.fd, IORING_OFF_SQES);
	CHECK(mapping != MAP_FAILED, "the entries cannot be mapped");
	ret.entries = mapping;
	return ret;
}

static void ring_submit(struct ring *ring, const struct io_uring_sqe *entry)
{
	_Atomic unsigned *tail = ring_field(ring, ring->params.sq_off.tail);
	unsigned at = atomic_load(tail) & (ring->params.sq_entries - 1);

	ring->entries[at] = *entry;
	atomic_store(ring_field(ring, ring->params.sq_off.array) + at, at);
	atomic_fetch_add(tail, 1);
	CHECK(MUST(syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0)) == 1,
	      "it is not taken");
}

/* The next completion. */
static struct io_uring_cqe ring_wait(struct ring *ring)
{
	_Atomic unsigned *head = ring_field(ring, ring->params.cq_off.head);
	_Atomic unsigned *tail = ring_field(ring, ring->params.cq_off.tail);
	const struct io_uring_cqe *cqes = (const void *)(ring->queues + ring->params.cq_off.cqes);
	struct io_uring_cqe ret;

	while (atomic_load(head) == atomic_load(tail))
		MUST(syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	ret = cqes[atomic_load(head) & (ring->params.cq_entries - 1)];
	atomic_fetch_add(head, 1);
	return ret;
}

static int ring_do(struct ring *ring, const struct io_uring_sqe *entry)
{
	ring_submit(ring, entry);
	return ring_wait(ring).res;
}

static struct io_uring_sqe transfer(uint8_t op, int fd, void *bytes, size_t length)
{
	return (struct io_uring_sqe){
		.opcode = op, .fd = fd, .addr = (uintptr_t)bytes, .len = (uint32_t)length};
}

static struct io_uring_sqe connecting(int fd, const struct address *address)
{
	return (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
				     .fd = fd,
				     .addr = (uintptr_t)&address->any,
				     .off = address->length};
}

/* ---- what is done with it ------------------------------------------------------------------- */

/* A connection's whole life, on a socket that waits, or does not. */
static void live(struct ring *ring, const struct address *echo, int type)
{
	int fd = socket_new(echo, type);
	struct io_uring_sqe entry = connecting(fd, echo);
	char bytes[] = "abc";
	char got[4] = "";
	int result = ring_do(ring, &entry);

	CHECK(!result, "connect: %s", strerror(-result));
	/* The answer is waited for before there is any. */
	entry = transfer(IORING_OP_RECV, fd, got, 3);
	ring_submit(ring, &entry);
	write_all(fd, bytes, 3);
	CHECK(ring_wait(ring).res == 3 && !strcmp(got, bytes), "recv: %s", got);
	entry = transfer(IORING_OP_SEND, fd, bytes, 3);
	CHECK(ring_do(ring, &entry) == 3, "send");
	entry = transfer(IORING_OP_READ, fd, got, 3);
	CHECK(ring_do(ring, &entry) == 3, "read");
	entry = (struct io_uring_sqe){.opcode = IORING_OP_SHUTDOWN, .fd = fd, .len = SHUT_WR};
	CHECK(ring_do(ring, &entry) == 0, "shutdown");
	entry = transfer(IORING_OP_RECV, fd, got, 3);
	CHECK(ring_do(ring, &entry) == 0, "the end");
	entry = (struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .fd = fd};
	CHECK(ring_do(ring, &entry) == 0, "close");
}

static int ring_connect(int argc, char **argv)
{
	struct address echo = peer_address(argv[1], PEER_ECHO);
	struct ring ring = ring_new();

	(void)argc;
	/* Often: connect() is called again when something wakes it while the host connects. */
	for (int i = 0; i < 50; i++)
		live(&ring, &echo, i % 2 ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_STREAM);
	close(ring.fd);
	return 0;
}

static int ring_refused(int argc, char **argv)
{
	struct address closed = address_make(argv[1], 6999);
	struct ring ring = ring_new();
	int fd = socket_new(&closed, SOCK_STREAM);
	struct io_uring_sqe entry = connecting(fd, &closed);
	int result = ring_do(&ring, &entry);

	(void)argc;
	CHECK(result == -ECONNREFUSED, "connect: %s", strerror(-result));
	close(fd);
	close(ring.fd);
	return 0;
}

static int ring_accept(int argc, char **argv)
{
	struct address any = address_make("127.0.0.1", 8901);
	const struct peer_dial dial = {
		.ip = "127.0.0.1", .port = 8901, .count = 8, .kind = DIAL_HOLD, .parallel = 8};
	int listener_fd = stream_listen(&any, 16);
	struct ring ring = ring_new();
	struct io_uring_sqe entry = {.opcode = IORING_OP_ACCEPT, .fd = listener_fd};
	struct io_uring_cqe done;
	int dial_fd;

	(void)argc;
	(void)argv;
	ring_submit(&ring, &entry);
	dial_fd = peer_dial("127.0.0.1", &dial);
	done = ring_wait(&ring);
	CHECK(done.res >= 0, "accept: %s", strerror(-done.res));
	close(done.res);
	entry.ioprio = IORING_ACCEPT_MULTISHOT;
	ring_submit(&ring, &entry);
	for (int i = 0; i < 7; i++) {
		done = ring_wait(&ring);
		CHECK(done.res >= 0, "accept: %s", strerror(-done.res));
		CHECK(done.flags & IORING_CQE_F_MORE, "no more connections than %d", i);
		close(done.res);
	}
	peer_dialled(dial_fd, 8);
	close(listener_fd);
	close(ring.fd);
	return 0;
}

/* Bytes as they come, into buffers of the ring's choice, until the end. */
static int ring_multishot(int argc, char **argv)
{
	static uint8_t buffers[ENTRIES][BUFFER_BYTES];
	uint64_t length = 100000;
	struct address source = peer_address(argv[1], PEER_SOURCE);
	int fd = stream_connect(&source);
	struct ring ring = ring_new();
	struct io_uring_sqe provide = {.opcode = IORING_OP_PROVIDE_BUFFERS,
				       .addr = (uintptr_t)buffers,
				       .len = BUFFER_BYTES,
				       .fd = ENTRIES,
				       .buf_group = GROUP};
	struct io_uring_sqe entry = {.opcode = IORING_OP_RECV,
				     .fd = fd,
				     .flags = IOSQE_BUFFER_SELECT,
				     .buf_group = GROUP,
				     .ioprio = IORING_RECV_MULTISHOT};
	struct io_uring_cqe done = {0};
	uint64_t at = 0;

	(void)argc;
	write_all(fd, &length, sizeof(length));
	CHECK(ring_do(&ring, &provide) >= 0, "no buffers");
	for (;;) {
		if (!(done.flags & IORING_CQE_F_MORE))
			ring_submit(&ring, &entry);
		done = ring_wait(&ring);
		if (done.res == -ENOBUFS) { /* all are used: once more */
			CHECK(ring_do(&ring, &provide) >= 0, "no buffers");
			continue;
		}
		CHECK(done.res >= 0, "recv: %s", strerror(-done.res));
		if (!done.res)
			break;
		CHECK(pattern_differs(buffers[done.flags >> IORING_CQE_BUFFER_SHIFT],
				      (size_t)done.res, at, 1) < 0,
		      "it differs after %llu bytes", (unsigned long long)at);
		at += (uint64_t)done.res;
	}
	CHECK(at == length, "%llu bytes", (unsigned long long)at);
	close(fd);
	close(ring.fd);
	return 0;
}

/* It says that it cannot, or sends, and then tells that the bytes are ours again. */
static int ring_zero_copy(int argc, char **argv)
{
	static uint8_t bytes[100000];
	static uint8_t got[sizeof(bytes)];
	struct address echo = peer_address(argv[1], PEER_ECHO);
	int fd = stream_connect(&echo);
	struct ring ring = ring_new();
	struct io_uring_sqe entry = transfer(IORING_OP_SEND_ZC, fd, bytes, sizeof(bytes));
	struct io_uring_cqe done;

	(void)argc;
	entry.msg_flags = MSG_WAITALL;
	pattern_fill(bytes, sizeof(bytes), 0, 6);
	ring_submit(&ring, &entry);
	done = ring_wait(&ring);
	if (done.res == -EOPNOTSUPP)
		write_all(fd, bytes, sizeof(bytes));
	else
		CHECK(done.res == (int)sizeof(bytes), "send: %d", done.res);
	if (done.flags & IORING_CQE_F_MORE)
		CHECK(ring_wait(&ring).flags & IORING_CQE_F_NOTIF, "no notification");
	read_all(fd, got, sizeof(got));
	CHECK(!memcmp(bytes, got, sizeof(got)), "the echo differs");
	close(fd);
	close(ring.fd);
	return 0;
}

const struct command ring_commands[] = {
	{"ring-connect", "IP", ring_connect},     {"ring-refused", "IP", ring_refused},
	{"ring-accept", "", ring_accept},         {"ring-multishot", "IP", ring_multishot},
	{"ring-zero-copy", "IP", ring_zero_copy}, {NULL, NULL, NULL},
};
