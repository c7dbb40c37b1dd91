// SPDX-License-Identifier: Apache-2.0
/*
 * The relay over socket pairs in the ports' places. Linked with readv(2)'s relatives wrapped: the next
 * calls say what the kernel may say at any time. Whatever it is, bytes arrive in order or are counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "init/relay.h"
#include "init/relay_input.h"
#include "init/sys.h"
#include "tests/t.h"

enum { ZERO = -1 }; /* no error, and no byte */

static struct relay relay;
static struct channel channel;
static int workload[3], host[3]; /* the far ends of the streams, and of the ports */
static int failing_fd, failing, failing_error;

static bool fails(int fd, ssize_t *ret)
{
	if (failing == 0 || fd != failing_fd)
		return false;
	failing--;
	errno = failing_error;
	*ret = failing_error == ZERO ? 0 : -1;
	return true;
}

ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
	ssize_t result;

	return fails(fd, &result) ? result : __real_read(fd, bytes, size);
}

ssize_t __real_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t result;

	return fails(fd, &result) ? result : __real_writev(fd, parts, count);
}

static void fail_next(int fd, int count, int error)
{
	failing_fd = fd;
	failing = count;
	failing_error = error;
}

static void pair(int *ret_near, int *ret_far)
{
	int ends[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	*ret_near = ends[0];
	*ret_far = ends[1];
}

static void begin(void)
{
	struct failure f = {.stage = STAGE_NONE};
	struct discovered found = {.control_fd = -1};
	struct child child = {.pid = 0};

	signal(SIGPIPE, SIG_IGN);
	memset(&relay, 0, sizeof(relay));
	channel_init(&channel, -1);
	pair(&child.input_fd, &workload[0]);
	pair(&child.output_fd, &workload[1]);
	pair(&child.error_fd, &workload[2]);
	for (int i = 0; i < 3; i++)
		pair(&found.stdio_fd[i], &host[i]);
	CHECK_INT(relay_init(&relay, &child, &found, &channel, &f), 0);
	fail_next(-1, 0, 0);
}

static void end(void)
{
	fail_next(-1, 0, 0);
	input_close(&relay.input);
	sys_close(&relay.input.from.fd);
	relay_drop_rest(&relay);
	for (int i = 0; i < 3; i++) {
		close(workload[i]);
		close(host[i]);
	}
}

/* As the loop does when each descriptor has news. */
static void pump(void)
{
	for (int round = 0; round < 20; round++) {
		relay.input.from.is_readable = relay.input.to.is_writable = true;
		for (int i = 0; i < 2; i++)
			relay.outputs[i].from.is_readable = relay.outputs[i].to.is_writable = true;
		relay_pump(&relay);
	}
}

/* What has come to the far end; "-" for nothing, "" for its end. */
static const char *arrived(int fd)
{
	static char bytes[64];
	ssize_t got = __real_read(fd, bytes, sizeof(bytes) - 1);

	bytes[got > 0 ? got : 0] = '\0';
	return got < 0 ? "-" : bytes;
}

static const struct {
	int error, count;
	const char *arrives;
	uint64_t dropped; /* of the output, when it is the write that fails */
} rows[] = {
	{EINTR, 5, "abc", 0},
	{EAGAIN, 3, "abc", 0},
	{EIO, ENDPOINT_TRIES - 1, "abc", 0},
	{EIO, ENDPOINT_TRIES, "", 3},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void output_is_read_in_spite_of(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin();
		CHECK_INT(write(workload[1], "abc", 3), 3);
		fail_next(relay.outputs[0].from.fd, rows[i].count, rows[i].error);
		pump();
		CHECK_INT(failing, 0);
		CHECK_STR(arrived(host[1]), rows[i].dropped ? "-" : "abc");
		CHECK_INT(relay.outputs[0].from.fd<0, rows[i].dropped> 0);
		end();
	}
}

static void output_is_written_in_spite_of(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin();
		CHECK_INT(write(workload[1], "abc", 3), 3);
		relay.outputs[0].from.is_readable = true;
		relay_pump(&relay); /* now it is in the buffer */
		CHECK_INT(relay.outputs[0].buffer.used, 3);
		CHECK(relay_waits_for_host(&relay));
		CHECK(!relay_is_drained(&relay));
		fail_next(relay.outputs[0].to.fd, rows[i].count, rows[i].error);
		pump();
		CHECK_INT(failing, 0);
		CHECK_STR(arrived(host[1]), rows[i].arrives);
		CHECK_INT(relay_dropped_bytes(&relay), rows[i].dropped);
		end();
	}
}

static void input_is_written_in_spite_of(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin();
		CHECK_INT(write(host[0], "abc", 3), 3);
		relay.input.from.is_readable = true;
		relay_pump(&relay);
		CHECK_INT(relay.input.buffer.used, 3);
		fail_next(relay.input.to.fd, rows[i].count, rows[i].error);
		pump();
		CHECK_INT(failing, 0);
		CHECK_STR(arrived(workload[0]), rows[i].arrives);
		CHECK_INT(relay.input.to.fd<0, rows[i].dropped> 0);
		end();
	}
}

static void input_is_read_in_spite_of(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		begin();
		CHECK_INT(write(host[0], "abc", 3), 3);
		for (int call = 0; call < rows[i].count; call++) {
			relay.input.from.is_readable = true;
			fail_next(relay.input.from.fd, 1, rows[i].error);
			relay_pump(&relay);
		}
		pump();
		CHECK_STR(arrived(workload[0]), rows[i].arrives);
		end();
	}
}

/* A port that the host has not opened says end of file with a hang-up; later it has ended. */
static void a_port_begins_late(void)
{
	begin();
	relay.input.from.is_readable = relay.input.from.is_hung_up = true;
	fail_next(relay.input.from.fd, 1, ZERO);
	relay_pump(&relay);
	CHECK(!relay.input.has_ended);
	CHECK_INT(write(host[0], "abc", 3), 3);
	pump();
	CHECK_STR(arrived(workload[0]), "abc");
	relay.input.from.is_readable = true;
	fail_next(relay.input.from.fd, 1, ZERO);
	relay_pump(&relay);
	CHECK(relay.input.has_ended);
	pump();
	CHECK_STR(arrived(workload[0]), "");
	end();
}

/* What nobody takes is read and counted: the writer does not hang. */
static void lost_output_is_counted(void)
{
	begin();
	CHECK_INT(write(workload[2], "abc", 3), 3);
	pump();
	CHECK_STR(arrived(host[2]), "abc");
	CHECK_INT(write(workload[2], "defg", 4), 4);
	relay.outputs[1].from.is_readable = true;
	relay_pump(&relay);
	fail_next(relay.outputs[1].to.fd, ENDPOINT_TRIES, EIO);
	pump();
	CHECK_INT(relay_dropped_bytes(&relay), 4);
	CHECK_INT(write(workload[2], "hi", 2), 2);
	pump();
	CHECK_INT(relay_dropped_bytes(&relay), 6);
	close(workload[2]);
	workload[2] = -1;
	pump();
	CHECK_INT(relay.outputs[1].from.fd, -1);
	end();
}

static void the_rest_is_dropped_and_counted(void)
{
	begin();
	CHECK_INT(write(workload[1], "abc", 3), 3);
	relay_entrypoint_ended(&relay);
	CHECK(relay.outputs[0].is_orphan && relay.input.to.fd == -1);
	relay_pump(&relay); /* three bytes wait in the buffer, two more in the socket */
	CHECK_INT(write(workload[1], "de", 2), 2);
	relay_drop_rest(&relay);
	CHECK_INT(relay_dropped_bytes(&relay), 5);
	CHECK(relay_is_drained(&relay));
	CHECK_STR(arrived(host[1]), "");
	end();
}

static const struct t_case cases[] = {
	{"output-is-read-in-spite-of-errors", output_is_read_in_spite_of},
	{"output-is-written-in-spite-of-errors", output_is_written_in_spite_of},
	{"input-is-read-in-spite-of-errors", input_is_read_in_spite_of},
	{"input-is-written-in-spite-of-errors", input_is_written_in_spite_of},
	{"a-port-begins-late", a_port_begins_late},
	{"lost-output-is-counted", lost_output_is_counted},
	{"the-rest-is-dropped-and-counted", the_rest_is_dropped_and_counted},
};

T_MAIN("init-relay", cases)
