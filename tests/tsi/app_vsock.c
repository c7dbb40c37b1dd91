// SPDX-License-Identifier: Apache-2.0
/* vsock beside TSI: the host's clock, streams within the machine, and those that reach for a listener of TSI's. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/vm_sockets.h>
#include <linux/vm_sockets_diag.h>

#include "tests/tsi/app.h"

#define PORT_TIME 123
#define PORT      8800u
#define TSI_PORTS 0x40000000u
#define LISTENING 10 /* TCP_LISTEN: vsock has TCP's states */

/* The host's clock comes to this port; anybody may listen. */
static int host_time(int argc, char **argv)
{
	const struct sockaddr_vm here = {
		.svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = PORT_TIME};
	int fd = (int)MUST(socket(AF_VSOCK, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	int other_fd = (int)MUST(socket(AF_VSOCK, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct address echo = peer_address("127.0.0.1", PEER_ECHO);
	uint64_t nanoseconds;
	double apart;

	(void)argc;
	(void)argv;
	MUST(bind(fd, (const struct sockaddr *)&here, sizeof(here)));
	MUST_FAIL(bind(other_fd, (const struct sockaddr *)&here, sizeof(here)), EADDRINUSE);
	close(stream_connect(&echo)); /* this host tells the time with each socket that is made */
	CHECK(wait_events(fd, POLLIN, 10000) == POLLIN, "the host does not tell the time");
	CHECK(MUST(recv(fd, &nanoseconds, sizeof(nanoseconds), MSG_TRUNC)) >= 8, "a short time");
	apart = (double)nanoseconds / 1e9 - (double)time(NULL);
	CHECK(apart > -3600 && apart < 3600, "%.0f s from ours", apart);
	close(fd);
	MUST(bind(other_fd, (const struct sockaddr *)&here, sizeof(here)));
	close(other_fd);
	return 0;
}

/* Streams of vsock are as ever: within the machine, and refused by the host. */
static int vsock_stream(int argc, char **argv)
{
	struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = 5000};
	int listener_fd = (int)MUST(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int fd = (int)MUST(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
	const struct timeval brief = {.tv_sec = 5};
	char byte = 'v';
	int server_fd;

	(void)argc;
	(void)argv;
	MUST(bind(listener_fd, (struct sockaddr *)&address, sizeof(address)));
	MUST(listen(listener_fd, 1));
	MUST(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	server_fd = (int)MUST(accept(listener_fd, NULL, NULL));
	MUST(setsockopt(server_fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief)));
	write_all(fd, &byte, 1);
	read_all(server_fd, &byte, 1);
	close(server_fd);
	close(listener_fd);
	close(fd);
	return 0;
}

/* ---- strangers ------------------------------------------------------------------------------- */

static void ask_for_listeners(int fd)
{
	const struct {
		struct nlmsghdr header;
		struct vsock_diag_req request;
	} message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = AF_VSOCK, .vdiag_states = 1u << LISTENING},
	};

	MUST(send(fd, &message, sizeof(message), 0));
}

/* The port at which TSI takes what the host sends it; there is one listener. */
static unsigned tsi_port(void)
{
	int fd = (int)MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
	unsigned ret = 0;
	bool is_over = false;

	ask_for_listeners(fd);
	while (!is_over) {
		static char bytes[16384] __attribute__((aligned(8)));
		int left = (int)MUST(recv(fd, bytes, sizeof(bytes), 0));

		for (struct nlmsghdr *header = (void *)bytes; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			const struct vsock_diag_msg *socket = NLMSG_DATA(header);

			is_over |= header->nlmsg_type != SOCK_DIAG_BY_FAMILY;
			if (!is_over && socket->vdiag_src_port >= TSI_PORTS)
				ret = socket->vdiag_src_port;
		}
	}
	close(fd);
	CHECK(ret, "TSI listens nowhere");
	return ret;
}

/* A program of this machine gets no further than vsock: who accepts never sees it, and the host's come through. */
static int vsock_stranger(int argc, char **argv)
{
	struct address any = address_make("0.0.0.0", PORT);
	int listener_fd = stream_listen(&any, 8);
	struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = tsi_port()};

	(void)argc;
	(void)argv;
	MUST(fcntl(listener_fd, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		int fd = (int)MUST(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
		char byte;

		MUST(connect(fd, (struct sockaddr *)&address, sizeof(address)));
		if (i)
			dialled_serve(listener_fd, PORT);
		else
			MUST_FAIL(accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
		CHECK(wait_events(fd, POLLIN, 5000) & POLLIN, "the stranger is kept waiting");
		CHECK(recv(fd, &byte, 1, 0) <= 0, "the stranger is served");
		close(fd);
	}
	close(listener_fd);
	return 0;
}

const struct command vsock_commands[] = {
	{"host-time", "", host_time},
	{"vsock-stream", "", vsock_stream},
	{"vsock-stranger", "", vsock_stranger},
	{NULL, NULL, NULL},
};
