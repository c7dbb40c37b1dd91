// SPDX-License-Identifier: Apache-2.0
/*
 * The guest of the network's bench. On port 9001 it gives each connection one byte and its end; on port
 * 9000 it takes a line, does what it says, and answers with one byte:
 *
 *   upload HOST PORT BYTES      sends so many to the host
 *   download HOST PORT BYTES    receives as many
 *   connect HOST PORT COUNT     so many connections, one after the other, each until one byte and the end
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define COMMANDS    9000
#define CONNECTIONS 9001

static char chunk[1 << 18];

static _Noreturn void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on(unsigned short port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 128))
		give_up("listen");
	return fd;
}

static int accept_from(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		give_up("accept");
	return fd;
}

static int connect_to(const char *host, unsigned long port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, host, &address.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		give_up("connect");
	return fd;
}

static void upload(int fd, unsigned long size)
{
	while (size) {
		ssize_t sent = send(fd, chunk, size < sizeof(chunk) ? size : sizeof(chunk), 0);

		if (sent < 0)
			give_up("send");
		size -= (unsigned long)sent;
	}
	/* The peer says that it has all of it. */
	if (recv(fd, chunk, 1, 0) != 1)
		give_up("answer");
}

static void download(int fd, unsigned long size)
{
	while (size) {
		ssize_t got = recv(fd, chunk, sizeof(chunk), 0);

		if (got <= 0)
			give_up("recv");
		size -= (unsigned long)got;
	}
}

static void run(const char *line)
{
	unsigned long port;
	unsigned long number;
	char name[16];
	char host[64];
	int fd;

	if (sscanf(line, "%15s %63s %lu %lu", name, host, &port, &number) != 4)
		give_up(line);
	if (!strcmp(name, "connect")) {
		while (number--) {
			fd = connect_to(host, port);
			if (recv(fd, chunk, 1, 0) != 1 || recv(fd, chunk, 1, 0) != 0)
				give_up("byte");
			close(fd);
		}
		return;
	}
	fd = connect_to(host, port);
	(!strcmp(name, "upload") ? upload : download)(fd, number);
	close(fd);
}

static _Noreturn void give_bytes(void)
{
	int listener = listen_on(CONNECTIONS);

	for (;;) {
		int fd = accept_from(listener);

		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			give_up("send");
		close(fd);
	}
}

/* PID 1 ends by no signal that it has no handler for. */
static void stop(int number)
{
	_exit(number != SIGTERM);
}

int main(void)
{
	int listener = listen_on(COMMANDS);

	signal(SIGTERM, stop);
	if (!fork())
		give_bytes();
	for (;;) {
		int fd = accept_from(listener);
		ssize_t got = recv(fd, chunk, 128, 0);

		if (got > 0) {
			chunk[got] = '\0';
			run(chunk);
			if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
				give_up("send");
		}
		close(fd);
	}
}
