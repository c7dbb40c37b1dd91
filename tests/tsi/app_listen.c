// SPDX-License-Identifier: Apache-2.0
/* Servers in the guest, whose clients are outside, inside, or both. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define CLIENTS_MAX 256

/* ---- a server ------------------------------------------------------------------------------- */

struct server {
	struct pollfd fds[CLIENTS_MAX + 2]; /* the listener, what ends it, and the clients */
	nfds_t count;
	uint64_t accepted;
};

static void server_accept(struct server *server)
{
	struct address from = {.length = sizeof(from.storage)};
	int fd = accept4(server->fds[0].fd, &from.any, &from.length, SOCK_CLOEXEC);

	if (fd < 0)
		fail_errno("accept");
	CHECK(address_port(&from), "a client at %s", address_text(&from));
	CHECK(server->count < CLIENTS_MAX + 2, "too many clients");
	server->fds[server->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	server->accepted++;
}

/* False: its end. */
static bool server_echo(int fd)
{
	char bytes[16384];
	ssize_t got = read(fd, bytes, sizeof(bytes));

	if (got > 0)
		write_all(fd, bytes, (size_t)got);
	return got > 0;
}

/* Sends back what clients send, until there is something to read at until_fd and all are gone. */
static uint64_t serve(int listener_fd, int until_fd)
{
	static struct server server;

	server = (struct server){
		.fds = {{.fd = listener_fd, .events = POLLIN}, {.fd = until_fd, .events = POLLIN}},
		.count = 2};
	while (!server.fds[1].revents || server.count > 2) {
		MUST(poll(server.fds, server.count, -1));
		if (server.fds[0].revents)
			server_accept(&server);
		for (nfds_t i = 2; i < server.count; i++) {
			if (!server.fds[i].revents || server_echo(server.fds[i].fd))
				continue;
			close(server.fds[i].fd);
			server.fds[i--] = server.fds[--server.count];
		}
	}
	return server.accepted;
}

static long memory_kib(const char *name)
{
	char line[128];
	long ret = -1;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && ret < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			ret = number(strtok(line + strlen(name) + 1, " kB\n"));
	if (file)
		fclose(file);
	return ret;
}

/* ---- published ------------------------------------------------------------------------------ */

static void serve_dialled(int listener_fd, const struct peer_dial *dial)
{
	int fd = peer_dial("127.0.0.1", dial);
	uint64_t accepted = serve(listener_fd, fd);

	peer_dialled(fd, dial->count);
	CHECK(accepted == dial->count, "%llu connections accepted, not %llu",
	      (unsigned long long)accepted, (unsigned long long)dial->count);
}

/* published PORT HOSTPORT COUNT PARALLEL BYTES: the peer connects to it. */
static int published(int argc, char **argv)
{
	struct address address = address_make("0.0.0.0", (unsigned)number(argv[1]));
	struct peer_dial dial = {.ip = "127.0.0.1",
				 .port = (uint64_t)number(argv[2]),
				 .count = (uint64_t)number(argv[3]),
				 .parallel = (uint64_t)number(argv[4]),
				 .bytes = (uint64_t)number(argv[5])};
	int listener_fd = stream_listen(&address, 128);

	(void)argc;
	serve_dialled(listener_fd, &dial);
	close(listener_fd);
	return 0;
}

/* vsock waits some seconds for what confirms a close: not what is kept until then. */
static long slab_after(long before, long limit)
{
	long after = memory_kib("Slab");

	for (int i = 0; i < 200 && after - before >= limit; i++) {
		wait_events(-1, 0, 100);
		after = memory_kib("Slab");
	}
	return after;
}

/*
 * sequential PORT COUNT: what the kernel has in use does not grow with their number. A round in which
 * more are alive at once than before needs more once; what is kept for each connection needs it each time.
 */
static int sequential(int argc, char **argv)
{
	struct address address = address_make("0.0.0.0", (unsigned)number(argv[1]));
	uint64_t count = (uint64_t)number(argv[2]);
	struct peer_dial dial = {.ip = "127.0.0.1",
				 .port = address_port(&address),
				 .count = count / 3,
				 .bytes = 100};
	int listener_fd = stream_listen(&address, 16);
	long limit = (long)(dial.count * 64 / 1024) + 256;
	long before = 0, after = limit;

	(void)argc;
	for (int i = 0; i < 2; i++)
		serve_dialled(listener_fd, &dial);
	for (int i = 0; i < 3 && after - before >= limit; i++) {
		before = memory_kib("Slab");
		CHECK(before > 0, "nothing is told of the kernel's memory");
		serve_dialled(listener_fd, &dial);
		after = slab_after(before, limit);
	}
	close(listener_fd);
	CHECK(after - before < limit, "the kernel's memory grows from %ld to %ld KiB", before,
	      after);
	return 0;
}

/* ---- inside --------------------------------------------------------------------------------- */

/* local IP: a client and a server of this machine, which the host does not hear of. */
static int local(int argc, char **argv)
{
	struct address address = address_make(argv[1], 8100);
	int listener_fd = stream_listen(&address, 4);
	int client_fd = stream_connect(&address);
	int server_fd = (int)MUST(accept(listener_fd, NULL, NULL));
	struct address names[] = {socket_name(client_fd), socket_peer(server_fd)};
	char bytes[4096];

	(void)argc;
	CHECK(address_is_equal(&names[0], &names[1]), "the client is %s there and %s here",
	      address_text(&names[0]), address_text(&names[1]));
	for (int i = 0; i < 64; i++) {
		write_all(client_fd, bytes, sizeof(bytes));
		read_all(server_fd, bytes, sizeof(bytes));
	}
	close(client_fd);
	CHECK(MUST(read(server_fd, bytes, 1)) == 0, "no end");
	close(server_fd);
	close(listener_fd);
	return 0;
}

/* A listener that the host does not take works all the same. */
static int native_only(int argc, char **argv)
{
	struct address address = address_make("127.0.0.1", (unsigned)number(argv[1]));
	int listener_fd = stream_listen(&address, 4);
	int client_fd = stream_connect(&address);
	int server_fd = (int)MUST(accept(listener_fd, NULL, NULL));

	(void)argc;
	write_all(client_fd, "a", 1);
	CHECK(wait_events(server_fd, POLLIN, -1) == POLLIN, "nothing arrives");
	CHECK(wait_events(listener_fd, POLLIN, 0) == 0, "another connection");
	close(server_fd);
	close(client_fd);
	close(listener_fd);
	return 0;
}

/* No listener here, and none may be looked for at the host. */
static int nobody(int argc, char **argv)
{
	struct address address = peer_address(argv[1], PEER_ECHO);
	int fd = socket_new(&address, SOCK_STREAM);

	(void)argc;
	MUST_FAIL(connect(fd, &address.any, address.length), ECONNREFUSED);
	close(fd);
	return 0;
}

/* bind(0), or none at all: the host publishes the port that getsockname() says. */
static int any_port(int argc, char **argv)
{
	struct address address = address_make("127.0.0.1", 0);
	struct peer_dial dial = {.ip = "127.0.0.1", .count = 1, .bytes = 10};
	int fd = socket_new(&address, SOCK_STREAM);
	struct address name;

	if (argc > 1 && !strcmp(argv[1], "bind"))
		MUST(bind(fd, &address.any, address.length));
	MUST(listen(fd, 1));
	name = socket_name(fd);
	CHECK(address_port(&name) > 1024 && address_port(&name) != 1234, "it listens on %s",
	      address_text(&name));
	dial.port = address_port(&name);
	serve_dialled(fd, &dial);
	close(fd);
	return 0;
}

/* unpublished PORT: a connection from outside finds nobody, before it listens and after it is closed. */
static int unpublished(int argc, char **argv)
{
	struct address address = address_make("0.0.0.0", (unsigned)number(argv[1]));
	struct peer_dial dial = {.ip = "127.0.0.1",
				 .port = address_port(&address),
				 .count = 1,
				 .kind = DIAL_REFUSED};
	bool is_closed = argc > 2;
	int fd = stream_listen(&address, 1);

	if (is_closed)
		close(fd);
	peer_dialled(peer_dial("127.0.0.1", &dial), 1);
	if (!is_closed)
		close(fd);
	return 0;
}

const struct command listen_commands[] = {
	{"published", "PORT HOSTPORT COUNT PARALLEL BYTES", published},
	{"sequential", "PORT COUNT", sequential},
	{"local", "IP", local},
	{"native-only", "PORT", native_only},
	{"nobody", "IP", nobody},
	{"any-port", "[bind]", any_port},
	{"unpublished", "PORT [closed]", unpublished},
	{NULL, NULL, NULL},
};
