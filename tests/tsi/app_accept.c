// SPDX-License-Identifier: Apache-2.0
/* accept(): its flags, its time limit, and what other threads do meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/tsi/app.h"

/* Connections from outside that wait until they are closed. */
static int hold(unsigned port, unsigned count)
{
	const struct peer_dial dial = {.ip = "127.0.0.1",
				       .port = port,
				       .kind = DIAL_HOLD,
				       .count = count,
				       .parallel = count};

	return peer_dial("127.0.0.1", &dial);
}

static int flags(int argc, char **argv)
{
	static const int asked[] = {0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC};
	struct address address = address_make("127.0.0.1", 8201);
	int listener_fd = stream_listen(&address, 8);
	int dial_fd = hold(8201, 4);
	int fds[4];

	(void)argc;
	(void)argv;
	for (int i = 0; i < 4; i++) {
		fds[i] = (int)MUST(accept4(listener_fd, NULL, NULL, asked[i]));
		CHECK(!(fcntl(fds[i], F_GETFL) & O_NONBLOCK) == !(asked[i] & SOCK_NONBLOCK),
		      "O_NONBLOCK after flags 0x%x", asked[i]);
		CHECK(!(fcntl(fds[i], F_GETFD) & FD_CLOEXEC) == !(asked[i] & SOCK_CLOEXEC),
		      "FD_CLOEXEC after flags 0x%x", asked[i]);
	}
	/* musl would try again without them. */
	MUST_FAIL(syscall(SYS_accept4, listener_fd, NULL, NULL, 0x4), EINVAL);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	peer_dialled(dial_fd, 4);
	close(listener_fd);
	return 0;
}

static int empty(int argc, char **argv)
{
	const struct timeval limit = {.tv_usec = 200000};
	struct address address = address_make("127.0.0.1", 8202);
	int listener_fd = stream_listen(&address, 8);
	double begin;
	int fd;
	int dial_fd;

	(void)argc;
	(void)argv;
	MUST(fcntl(listener_fd, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 10; i++)
		MUST_FAIL(accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), EAGAIN);
	MUST(fcntl(listener_fd, F_SETFL, 0));
	MUST(setsockopt(listener_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	begin = now_ms();
	MUST_FAIL(accept(listener_fd, NULL, NULL), EAGAIN);
	CHECK(now_ms() - begin > 150, "it did not wait");
	/* And what comes later is accepted, with and without waiting. */
	dial_fd = hold(8202, 2);
	CHECK(wait_events(listener_fd, POLLIN, -1) == POLLIN, "no connection");
	MUST(fcntl(listener_fd, F_SETFL, O_NONBLOCK));
	fd = (int)MUST(accept(listener_fd, NULL, NULL));
	close(fd);
	wait_events(listener_fd, POLLIN, -1);
	fd = (int)MUST(accept(listener_fd, NULL, NULL));
	close(fd);
	MUST_FAIL(accept(listener_fd, NULL, NULL), EAGAIN);
	peer_dialled(dial_fd, 2);
	close(listener_fd);
	return 0;
}

/* A host that parks what it is asked: nothing may wait for it. */
static int empty_quiet(int argc, char **argv)
{
	struct address address = address_make("127.0.0.1", 8203);
	int listener_fd = socket_new(&address, SOCK_STREAM | SOCK_NONBLOCK);

	(void)argc;
	(void)argv;
	MUST(bind(listener_fd, &address.any, address.length));
	MUST(listen(listener_fd, 1));
	for (int i = 0; i < 10; i++)
		MUST_FAIL(accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK), EAGAIN);
	CHECK(wait_events(listener_fd, POLLIN, 0) == 0, "it is ready");
	close(listener_fd);
	return 0;
}

/* ---- threads -------------------------------------------------------------------------------- */

struct acceptor {
	int fd;
	int result;
	int error;
};

static void *accept_one(void *argument)
{
	struct acceptor *acceptor = argument;

	acceptor->result = accept(acceptor->fd, NULL, NULL);
	acceptor->error = errno;
	return NULL;
}

/* Waits until the thread sleeps, as its kernel stack has it. */
static void sleep_a_little(void)
{
	wait_events(-1, 0, 100);
}

static int while_accepting(int argc, char **argv)
{
	struct address address = address_make("127.0.0.1", 8204);
	struct acceptor acceptor = {.fd = stream_listen(&address, 8)};
	struct address name;
	pthread_t thread;
	int dial_fd;

	(void)argc;
	(void)argv;
	CHECK(!pthread_create(&thread, NULL, accept_one, &acceptor), "no thread");
	sleep_a_little();
	name = socket_name(acceptor.fd);
	CHECK(address_is_equal(&name, &address), "it listens on %s", address_text(&name));
	CHECK(wait_events(acceptor.fd, POLLIN, 0) == 0, "it is ready");
	CHECK(socket_option(acceptor.fd, SOL_SOCKET, SO_ACCEPTCONN) == 1, "SO_ACCEPTCONN");
	dial_fd = hold(8204, 1);
	pthread_join(thread, NULL);
	CHECK(acceptor.result >= 0, "accept failed with %d", acceptor.error);
	close(acceptor.result);
	peer_dialled(dial_fd, 1);
	CHECK(!pthread_create(&thread, NULL, accept_one, &acceptor), "no thread");
	sleep_a_little();
	MUST(shutdown(acceptor.fd, SHUT_RDWR));
	pthread_join(thread, NULL);
	CHECK(acceptor.result < 0 && acceptor.error == EINVAL, "accept: %d, %d", acceptor.result,
	      acceptor.error);
	close(acceptor.fd);
	return 0;
}

/* close() returns at once, and the thread in accept() has the socket until it is out of there. */
static int closed_while_accepting(int argc, char **argv)
{
	struct address address = address_make("127.0.0.1", 8205);
	struct acceptor acceptor = {.fd = stream_listen(&address, 8)};
	pthread_t thread;
	int dial_fd;

	(void)argc;
	(void)argv;
	CHECK(!pthread_create(&thread, NULL, accept_one, &acceptor), "no thread");
	sleep_a_little();
	MUST(close(acceptor.fd));
	dial_fd = hold(8205, 1);
	pthread_join(thread, NULL);
	CHECK(acceptor.result >= 0, "accept failed with %d", acceptor.error);
	close(acceptor.result);
	peer_dialled(dial_fd, 1);
	return 0;
}

const struct command accept_commands[] = {
	{"flags", "", flags},
	{"empty", "", empty},
	{"empty-quiet", "", empty_quiet},
	{"while-accepting", "", while_accepting},
	{"closed-while-accepting", "", closed_while_accepting},
	{NULL, NULL, NULL},
};
