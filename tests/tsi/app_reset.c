// SPDX-License-Identifier: Apache-2.0
/*
 * The device goes away and comes back, as it does when a machine is restored: whatever the host knew
 * is gone for the guest. Connections fail, listeners are published again, datagrams go on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define DRIVER "/sys/bus/virtio/drivers/vmw_vsock_virtio_transport"
#define PORT   8600u
#define LAN    "10.77.0.9"
#define BUSY   3

static char device[32];

static void find_device(void)
{
	DIR *directory = opendir(DRIVER);
	struct dirent *entry;

	CHECK(directory, "no %s", DRIVER);
	while ((entry = readdir(directory)))
		if (!strncmp(entry->d_name, "virtio", 6) && strlen(entry->d_name) < sizeof(device))
			strcpy(device, entry->d_name);
	closedir(directory);
	CHECK(*device, "no device has the driver");
}

/* "unbind" or "bind". */
static void tell_driver(const char *what)
{
	char path[128] = DRIVER "/";
	int fd = (int)MUST(open(strcat(path, what), O_WRONLY | O_CLOEXEC));

	MUST(write(fd, device, strlen(device)));
	close(fd);
}

/* ---- what there is before ---------------------------------------------------------------------- */

struct reader {
	pthread_t thread;
	int fd;
	int error;
	double done_ms;
};

static void *read_blocking(void *context)
{
	struct reader *reader = context;
	char byte;

	reader->error = read(reader->fd, &byte, 1) < 0 ? errno : 0;
	reader->done_ms = now_ms();
	return NULL;
}

static void exchange(int fd)
{
	char byte = 'r';

	write_all(fd, &byte, 1);
	read_all(fd, &byte, 1);
	CHECK(byte == 'r', "another echo");
}

static int echo_connect(const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	int fd = stream_connect(&echo);

	exchange(fd);
	return fd;
}

/* To `to`, or to whom it is connected. */
static void exchange_datagram(int fd, const struct address *to)
{
	char byte = 'u';

	MUST(sendto(fd, &byte, 1, 0, to ? &to->any : NULL, to ? to->length : 0));
	CHECK(wait_events(fd, POLLIN, 10000) == POLLIN, "no datagram comes back");
	CHECK(MUST(recv(fd, &byte, 1, 0)) == 1 && byte == 'u', "another datagram");
}

/* ---- what is left ------------------------------------------------------------------------------ */

/* As after a peer's reset: the error once, then the end. */
static void check_failed(int fd)
{
	char byte = 'w';

	CHECK(wait_events(fd, POLLIN, 2000) & POLLERR, "no POLLERR");
	MUST_FAIL(read(fd, &byte, 1), ECONNRESET);
	CHECK(MUST(read(fd, &byte, 1)) == 0, "no end");
	MUST_FAIL(send(fd, &byte, 1, MSG_NOSIGNAL), EPIPE);
	close(fd);
}

static void check_option(int fd)
{
	int error = socket_option(fd, SOL_SOCKET, SO_ERROR);

	CHECK(error == ECONNRESET, "SO_ERROR is %s", strerror(error));
	CHECK(!socket_option(fd, SOL_SOCKET, SO_ERROR), "the error is told twice");
	close(fd);
}

/* While there is no device: this machine alone. */
static void check_alone(int udp_fd)
{
	struct address away = peer_address(LAN, PEER_ECHO);
	struct address here = address_make("127.0.0.1", PORT + 1);
	int listener_fd = stream_listen(&here, 1);
	int fd = stream_connect(&here);

	close(fd);
	close(listener_fd);
	fd = socket_new(&away, SOCK_STREAM);
	MUST_FAIL(connect(fd, &away.any, away.length), ENETUNREACH);
	close(fd);
	MUST_FAIL(send(udp_fd, "u", 1, 0), ENETUNREACH);
}

/* ---- cases ------------------------------------------------------------------------------------- */

/* reset IP: all of it, twice. */
static void reset_once(const char *ip, int listener_fd, int connected_fd, int unconnected_fd)
{
	struct address echo = peer_address(ip, PEER_UDP_ECHO);
	struct reader reader = {.fd = echo_connect(ip)};
	int idle_fd = echo_connect(ip);
	int told_fd = echo_connect(ip);
	int dial_fd;
	char byte;
	int child_fd = dialled_take(listener_fd, PORT, &dial_fd, &byte);
	double before;

	exchange_datagram(connected_fd, NULL);
	exchange_datagram(unconnected_fd, &echo);
	CHECK(!pthread_create(&reader.thread, NULL, read_blocking, &reader), "no thread");
	usleep(100000);
	before = now_ms();
	tell_driver("unbind");
	pthread_join(reader.thread, NULL);
	CHECK(reader.error == ECONNRESET, "a blocked read: %s", strerror(reader.error));
	CHECK(reader.done_ms - before < 2000, "it woke after %.0f ms", reader.done_ms - before);
	check_alone(connected_fd);
	tell_driver("bind");
	close(reader.fd);
	check_failed(idle_fd);
	check_failed(child_fd);
	check_option(told_fd);
	close(dial_fd);
	close(echo_connect(ip));
	exchange_datagram(connected_fd, NULL);
	exchange_datagram(unconnected_fd, &echo);
	dialled_serve(listener_fd, PORT);
}

static int reset(int argc, char **argv)
{
	const char *ip = argc > 1 ? argv[1] : "127.0.0.1";
	struct address echo = peer_address(ip, PEER_UDP_ECHO);
	struct address any = address_make("0.0.0.0", PORT);
	int listener_fd = stream_listen(&any, 8);
	int connected_fd = socket_new(&echo, SOCK_DGRAM);
	int unconnected_fd = socket_new(&echo, SOCK_DGRAM);

	find_device();
	MUST(connect(connected_fd, &echo.any, echo.length));
	for (int i = 0; i < 2; i++)
		reset_once(ip, listener_fd, connected_fd, unconnected_fd);
	close(unconnected_fd);
	close(connected_fd);
	close(listener_fd);
	return 0;
}

/* An attempt that the host has not answered ends, too, and the socket can be used again. */
static int reset_pending(int argc, char **argv)
{
	struct address away = peer_address(LAN, PEER_ECHO);
	int fd = socket_new(&away, SOCK_STREAM | SOCK_NONBLOCK);

	(void)argc;
	(void)argv;
	find_device();
	MUST_FAIL(connect(fd, &away.any, away.length), EINPROGRESS);
	tell_driver("unbind");
	tell_driver("bind");
	CHECK(wait_events(fd, POLLOUT, 2000) & POLLERR, "the attempt goes on");
	CHECK(socket_option(fd, SOL_SOCKET, SO_ERROR) == ECONNRESET, "another SO_ERROR");
	/* As TCP, which ends the attempt that way once its error was taken. */
	MUST_FAIL(connect(fd, &away.any, away.length), ECONNABORTED);
	MUST_FAIL(connect(fd, &away.any, away.length), EINPROGRESS);
	close(fd);
	return 0;
}

/* reset-refused SECONDS: hosts keep the port of what they have forgotten for a while. */
static int reset_refused(int argc, char **argv)
{
	struct address any = address_make("0.0.0.0", PORT);
	int listener_fd = stream_listen(&any, 8);

	find_device();
	dialled_serve(listener_fd, PORT);
	tell_driver("unbind");
	tell_driver("bind");
	sleep((unsigned)number(argc > 1 ? argv[1] : "4"));
	dialled_serve(listener_fd, PORT);
	close(listener_fd);
	return 0;
}

/*
 * Whoever is busy sees errors, and ends by itself. With a pause: hosts that keep a name for seconds
 * after its release have 1024 of them.
 */
static _Noreturn void be_busy(const char *ip, double until)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	struct address datagrams = peer_address(ip, PEER_UDP_ECHO);
	static char bytes[20000];

	while (now_ms() < until) {
		int fd = socket_new(&echo, SOCK_STREAM);
		int udp_fd = socket_new(&datagrams, SOCK_DGRAM);

		sendto(udp_fd, bytes, 100, MSG_DONTWAIT, &datagrams.any, datagrams.length);
		if (!connect(fd, &echo.any, echo.length) &&
		    send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			recv(fd, bytes, sizeof(bytes), 0);
		close(udp_fd);
		close(fd);
		usleep(50000);
	}
	exit(0);
}

/* reset-busy IP SECONDS */
static int reset_busy(int argc, char **argv)
{
	const char *ip = argc > 1 ? argv[1] : "127.0.0.1";
	double until = now_ms() + 1000.0 * (double)number(argc > 2 ? argv[2] : "5");
	struct address any = address_make("0.0.0.0", PORT);
	int listener_fd = stream_listen(&any, 8);
	pid_t pids[BUSY];

	find_device();
	for (int i = 0; i < BUSY; i++) {
		pids[i] = fork();
		if (!pids[i])
			be_busy(ip, until);
	}
	while (now_ms() < until) {
		tell_driver("unbind");
		usleep(20000);
		tell_driver("bind");
		usleep(200000);
	}
	for (int i = 0; i < BUSY; i++)
		process_join(pids[i]);
	close(echo_connect(ip));
	dialled_serve(listener_fd, PORT);
	close(listener_fd);
	return 0;
}

const struct command reset_commands[] = {
	{"reset", "IP", reset},
	{"reset-pending", "", reset_pending},
	{"reset-refused", "SECONDS", reset_refused},
	{"reset-busy", "IP SECONDS", reset_busy},
	{NULL, NULL, NULL},
};
