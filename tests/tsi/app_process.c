// SPDX-License-Identifier: Apache-2.0
/* Descriptors that several processes have: fork, exec, dup, messages, servers with workers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tsi/app.h"

static int connect_echo(const char *ip)
{
	struct address echo = peer_address(ip, PEER_ECHO);

	return stream_connect(&echo);
}

static void exchange(int fd, char byte)
{
	char got;

	write_all(fd, &byte, 1);
	read_all(fd, &got, 1);
	CHECK(got == byte, "the echo is %c, not %c", got, byte);
}

/* Only the last close ends the connection. */
static int forked(int argc, char **argv)
{
	int fd = connect_echo(argv[1]);
	int fds[2];
	char byte = 'a';
	pid_t pid;

	(void)argc;
	MUST(pipe(fds));
	exchange(fd, 'p');
	pid = fork();
	if (!pid) {
		read_all(fds[0], &byte, 1); /* the parent has closed it */
		exchange(fd, 'c');
		MUST(shutdown(fd, SHUT_WR));
		CHECK(MUST(read(fd, &byte, 1)) == 0, "no end");
		exit(0);
	}
	MUST(close(fd));
	MUST(write(fds[1], &byte, 1));
	process_join(pid);
	return 0;
}

/* What a program that was executed does with its standard input: on-stdin. */
static int executed(int argc, char **argv)
{
	int fd = connect_echo(argv[1]);
	pid_t pid = fork();

	(void)argc;
	if (!pid) {
		dup2(fd, STDIN_FILENO);
		execl("/proc/self/exe", "app", "on-stdin", (char *)NULL);
		exit(9);
	}
	process_join(pid);
	exchange(fd, 'p');
	close(fd);
	return 0;
}

static int on_stdin(int argc, char **argv)
{
	struct address peer = socket_peer(STDIN_FILENO);

	(void)argc;
	(void)argv;
	CHECK(address_port(&peer) == PEER_PORT, "the peer is %s", address_text(&peer));
	exchange(STDIN_FILENO, 'x');
	return 0;
}

static int duplicated(int argc, char **argv)
{
	int fd = connect_echo(argv[1]);
	int other_fd = (int)MUST(dup(fd));

	(void)argc;
	exchange(other_fd, 'a');
	close(fd);
	exchange(other_fd, 'b');
	close(other_fd);
	return 0;
}

/* ---- in a message --------------------------------------------------------------------------- */

static void send_fd(int to_fd, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {(char *)"a", 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	MUST(sendmsg(to_fd, &message, 0));
}

static int receive_fd(int from_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int ret;

	MUST(recvmsg(from_fd, &message, 0));
	CHECK(CMSG_FIRSTHDR(&message), "no descriptor in the message");
	memcpy(&ret, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(ret));
	return ret;
}

/* The sender closes it while it is under way. */
static int passed(int argc, char **argv)
{
	int fds[2];
	int fd;
	pid_t pid;

	(void)argc;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	pid = fork();
	if (!pid) {
		fd = connect_echo(argv[1]);
		exchange(fd, 's');
		send_fd(fds[1], fd);
		close(fd);
		exit(0);
	}
	process_join(pid);
	fd = receive_fd(fds[0]);
	exchange(fd, 'r');
	close(fd);
	/* And one that nobody takes out. */
	fd = connect_echo(argv[1]);
	send_fd(fds[1], fd);
	close(fd);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* ---- workers -------------------------------------------------------------------------------- */

#define WORKERS 4

static _Noreturn void work(int listener_fd)
{
	char bytes[4096];
	ssize_t got;
	int fd;

	while ((fd = accept(listener_fd, NULL, NULL)) >= 0) {
		while ((got = read(fd, bytes, sizeof(bytes))) > 0)
			write_all(fd, bytes, (size_t)got);
		close(fd);
	}
	exit(errno == EINVAL ? 0 : 1);
}

/* Each waits in accept(): every connection wakes one, whether from outside or from here. */
static int workers(int argc, char **argv)
{
	struct address any = address_make("0.0.0.0", 8800);
	struct address here = address_make("127.0.0.1", 8800);
	const struct peer_dial dial = {
		.ip = "127.0.0.1", .port = 8800, .count = 100, .parallel = 20, .bytes = 5000};
	int listener_fd = stream_listen(&any, 64);
	pid_t pids[WORKERS];
	int dial_fd;
	int fd;

	(void)argc;
	(void)argv;
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			work(listener_fd);
	}
	dial_fd = peer_dial("127.0.0.1", &dial);
	for (int i = 0; i < 20; i++) {
		fd = stream_connect(&here);
		exchange(fd, 'w');
		close(fd);
	}
	peer_dialled(dial_fd, 100);
	MUST(shutdown(listener_fd, SHUT_RDWR));
	for (int i = 0; i < WORKERS; i++)
		process_join(pids[i]);
	close(listener_fd);
	return 0;
}

/* Killed with everything open: the kernel closes it. */
static int killed(int argc, char **argv)
{
	struct address any = address_make("0.0.0.0", 8801);
	struct address mute = peer_address(argv[1], PEER_UDP_MUTE);
	int fds[2];
	char byte;
	pid_t pid;
	int fd;

	(void)argc;
	MUST(pipe(fds));
	pid = fork();
	if (!pid) {
		stream_listen(&any, 1);
		connect_echo(argv[1]);
		fd = socket_new(&mute, SOCK_DGRAM);
		MUST(sendto(fd, "a", 1, 0, &mute.any, mute.length));
		fd = socket_new(&any, SOCK_STREAM | SOCK_NONBLOCK);
		mute = peer_address(argv[1], PEER_ECHO);
		connect(fd, &mute.any, mute.length);
		MUST(write(fds[1], "a", 1));
		pause();
	}
	read_all(fds[0], &byte, 1);
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, NULL, 0));
	return 0;
}

const struct command process_commands[] = {
	{"forked", "IP", forked},  {"executed", "IP", executed}, {"on-stdin", "", on_stdin},
	{"dup", "IP", duplicated}, {"passed", "IP", passed},     {"workers", "", workers},
	{"killed", "IP", killed},  {NULL, NULL, NULL},
};
