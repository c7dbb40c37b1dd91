// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's side of the cases: a program of plain sockets that knows nothing of TSI. What came of
 * it is one line on stdout.
 *
 *   client connect HOST PORT                connected, or the error's name
 *   client upload HOST PORT BYTES CHUNK     sends so many, prints what the host answers at the end
 *   client download HOST PORT CHUNK         reads to the end: "N bytes, N wrong"
 *   client both HOST PORT BYTES CHUNK       sends and receives at the same time
 *   client get HOST PORT PATH               the page, or another status' line; the host by its name
 *   client ask HOST PORT TEXT               one datagram and its answer
 *   client serve PORT COUNT                 echoes so many connections, one after the other
 *   client idle HOST PORT COUNT             so many connections that are never closed
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>

#define CHUNK_MAX (1u << 20)

static unsigned char chunk[CHUNK_MAX];

#define ERROR(name)         \
	{                   \
		name, #name \
	}
static const struct {
	int number;
	const char *name;
} errors[] = {
	ERROR(EACCES),     ERROR(EADDRNOTAVAIL), ERROR(EAGAIN), ERROR(ECONNREFUSED),
	ERROR(ECONNRESET), ERROR(EHOSTUNREACH),  ERROR(EINVAL), ERROR(ENETUNREACH),
	ERROR(ENOTCONN),   ERROR(EPERM),         ERROR(EPIPE),  ERROR(ETIMEDOUT),
	ERROR(EADDRINUSE),
};

static _Noreturn void give_up(const char *what)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == errno)
			printf("%s: %s\n", what, errors[i].name);
	exit(1);
}

/* The byte at a place of what is sent, which both sides know. */
static unsigned char byte_at(unsigned long place)
{
	return (unsigned char)(place * 2654435761u >> 13);
}

static int open_to(const char *host, const char *port, int type)
{
	const struct addrinfo hints = {.ai_socktype = type};
	struct addrinfo *found;
	int fd;

	if (getaddrinfo(host, port, &hints, &found)) {
		errno = EADDRNOTAVAIL;
		give_up("getaddrinfo");
	}
	fd = socket(found->ai_family, type, 0);
	if (fd < 0)
		give_up("socket");
	if (connect(fd, found->ai_addr, found->ai_addrlen))
		give_up("connect");
	freeaddrinfo(found);
	return fd;
}

static void send_all(int fd, unsigned long size, size_t step)
{
	for (unsigned long done = 0; done < size;) {
		size_t part = size - done < step ? size - done : step;
		ssize_t sent;

		for (size_t i = 0; i < part; i++)
			chunk[i] = byte_at(done + i);
		sent = send(fd, chunk, part, MSG_NOSIGNAL);
		if (sent < 0)
			give_up("send");
		done += (unsigned long)sent;
	}
	if (shutdown(fd, SHUT_WR))
		give_up("shutdown");
}

/* To the end; what comes is the same. */
static void receive_all(int fd, size_t step)
{
	unsigned long total = 0;
	unsigned long wrong = 0;
	ssize_t got;

	while ((got = recv(fd, chunk, step, 0)) > 0) {
		for (size_t i = 0; i < (size_t)got; i++)
			wrong += chunk[i] != byte_at(total + i);
		total += (unsigned long)got;
	}
	if (got < 0)
		give_up("recv");
	printf("%lu bytes, %lu wrong\n", total, wrong);
}

static int connect_command(char **words)
{
	open_to(words[0], words[1], SOCK_STREAM);
	printf("connected\n");
	return 0;
}

static int upload_command(char **words)
{
	int fd = open_to(words[0], words[1], SOCK_STREAM);
	ssize_t got;

	send_all(fd, strtoul(words[2], NULL, 0), strtoul(words[3], NULL, 0));
	while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		fwrite(chunk, 1, (size_t)got, stdout);
	return 0;
}

static int download_command(char **words)
{
	receive_all(open_to(words[0], words[1], SOCK_STREAM), strtoul(words[2], NULL, 0));
	return 0;
}

/* The answer's end is the connection's. Of its head nothing is printed but a status that is not 200. */
static int get_command(char **words)
{
	int fd = open_to(words[0], words[1], SOCK_STREAM);
	size_t length = 0;
	ssize_t got;
	char *body;

	dprintf(fd, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", words[2], words[0]);
	while (length < CHUNK_MAX - 1 &&
	       (got = recv(fd, chunk + length, CHUNK_MAX - 1 - length, 0)) > 0)
		length += (size_t)got;
	chunk[length] = '\0';
	body = strstr((char *)chunk, "\r\n\r\n");
	if (!body || strncmp((char *)chunk + strlen("HTTP/1.x"), " 200 ", 5) != 0) {
		printf("%.*s\n", (int)strcspn((char *)chunk, "\r\n"), (char *)chunk);
		return 1;
	}
	body += 4;
	fwrite(body, 1, length - (size_t)(body - (char *)chunk), stdout);
	return 0;
}

static int both_command(char **words)
{
	int fd = open_to(words[0], words[1], SOCK_STREAM);
	int status;
	pid_t pid = fork();

	if (!pid) {
		send_all(fd, strtoul(words[2], NULL, 0), strtoul(words[3], NULL, 0));
		exit(0);
	}
	receive_all(fd, strtoul(words[3], NULL, 0));
	return waitpid(pid, &status, 0) != pid || status;
}

static int ask_command(char **words)
{
	const struct timeval patience = {.tv_sec = 10};
	int fd = open_to(words[0], words[1], SOCK_DGRAM);
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, words[2], strlen(words[2]), 0) < 0)
		give_up("send");
	got = recv(fd, chunk, sizeof(chunk), 0);
	if (got < 0)
		give_up("recv");
	printf("%.*s\n", (int)got, (char *)chunk);
	return 0;
}

static int serve_command(char **words)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_port = htons((unsigned short)atoi(words[0]));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)))
		give_up("bind");
	if (listen(listener, 128))
		give_up("listen");
	printf("listening\n");
	fflush(stdout);
	for (int left = atoi(words[1]); left; left--) {
		int fd = accept(listener, NULL, NULL);
		ssize_t got;

		if (fd < 0)
			give_up("accept");
		while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0)
			if (send(fd, chunk, (size_t)got, MSG_NOSIGNAL) < 0)
				give_up("send");
		close(fd);
	}
	printf("served\n");
	return 0;
}

static int idle_command(char **words)
{
	for (int left = atoi(words[2]); left; left--)
		open_to(words[0], words[1], SOCK_STREAM);
	printf("idle\n");
	return 0;
}

static const struct {
	const char *name;
	int words;
	int (*run)(char **words);
} commands[] = {
	{"connect", 2, connect_command},   {"upload", 4, upload_command},
	{"download", 3, download_command}, {"both", 4, both_command},
	{"get", 3, get_command},           {"ask", 3, ask_command},
	{"serve", 2, serve_command},       {"idle", 3, idle_command},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc == commands[i].words + 2 && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	fprintf(stderr, "client: unknown command\n");
	return 2;
}
