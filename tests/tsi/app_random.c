// SPDX-License-Identifier: Apache-2.0
/* Threads that do anything to the same few sockets, at once and in any order. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/tsi/app.h"

#define SLOTS       48
#define THREADS_MAX 64
#define PATIENCE_S  60

struct actor {
	pthread_t thread;
	uint64_t random;
};

typedef int act(struct actor *actor, int fd);

static _Atomic int slots[SLOTS]; /* a descriptor; 0: none */
static atomic_bool is_over;
static atomic_int running;

static uint32_t draw(struct actor *actor, uint32_t below)
{
	actor->random = actor->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(actor->random >> 33) % below;
}

/* Peers, closed ports, the machine's own listeners, nowhere, and no address. */
static struct address draw_address(struct actor *actor)
{
	static const char *const ips[] = {
		"127.0.0.1", "10.77.0.9",      "192.0.2.1", "0.0.0.0",
		"::1",       "2001:db8:77::9", "::",        "::ffff:127.0.0.1"};
	const char *ip = ips[draw(actor, sizeof(ips) / sizeof(ips[0]))];
	unsigned kind = draw(actor, 8);
	struct address ret;

	if (kind < 4)
		return peer_address(ip, draw(actor, PEER_SERVICE__COUNT));
	ret = address_make(ip, kind < 7 ? 8100u + draw(actor, 6) : draw(actor, 65536));
	if (kind == 7 && draw(actor, 4) == 0)
		ret.any.sa_family = AF_UNSPEC;
	return ret;
}

/* ---- what can be done ----------------------------------------------------------------------- */

static void keep(struct actor *actor, int fd)
{
	const struct timeval brief = {.tv_usec = 100000};
	int before;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof(brief));
	before = atomic_exchange(&slots[draw(actor, SLOTS)], fd);
	if (before > 0)
		close(before);
}

static int act_socket(struct actor *actor, int fd)
{
	static const int families[] = {AF_INET, AF_INET6, 46, 47};
	int type = draw(actor, 3) ? SOCK_STREAM : SOCK_DGRAM;
	int flags = draw(actor, 2) ? SOCK_NONBLOCK : 0;

	(void)fd;
	fd = socket(families[draw(actor, 4)], type | flags | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		keep(actor, fd);
	return fd;
}

static int act_bind(struct actor *actor, int fd)
{
	struct address address = draw_address(actor);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(fd, &address.any, address.length);
}

static int act_connect(struct actor *actor, int fd)
{
	struct address address = draw_address(actor);

	return connect(fd, &address.any, address.length);
}

static int act_listen(struct actor *actor, int fd)
{
	struct address any = address_make("::", 8100 + draw(actor, 6));
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &any.any, any.length) && draw(actor, 2))
		return -1;
	return listen(fd, (int)draw(actor, 4));
}

static bool is_listener(int fd)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) && value;
}

static int act_accept(struct actor *actor, int fd)
{
	int got;

	for (unsigned i = 0; i < SLOTS && !is_listener(fd); i++)
		fd = slots[i] > 0 ? slots[i] : -1;
	got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | (draw(actor, 2) ? SOCK_NONBLOCK : 0));

	if (got >= 0)
		keep(actor, got);
	return got;
}

static int act_poll(struct actor *actor, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = (short)draw(actor, 0x40)};

	return poll(&poll_fd, 1, (int)draw(actor, 20));
}

static int act_send(struct actor *actor, int fd)
{
	static const char bytes[100000];
	struct address address = draw_address(actor);
	int flags = MSG_NOSIGNAL | (draw(actor, 2) ? MSG_DONTWAIT : 0);
	size_t length = draw(actor, draw(actor, 8) ? 3000 : sizeof(bytes));

	if (draw(actor, 2))
		return (int)send(fd, bytes, length, flags);
	return (int)sendto(fd, bytes, length, flags, &address.any, address.length);
}

static int act_receive(struct actor *actor, int fd)
{
	static const int flags[] = {0,           MSG_DONTWAIT, MSG_PEEK,
				    MSG_WAITALL, MSG_TRUNC,    MSG_ERRQUEUE};
	char bytes[5000];

	return (int)recv(fd, bytes, draw(actor, sizeof(bytes)), flags[draw(actor, 6)]);
}

static int act_shutdown(struct actor *actor, int fd)
{
	return shutdown(fd, (int)draw(actor, 3));
}

static int act_names(struct actor *actor, int fd)
{
	struct address address = {.length = sizeof(address.storage)};

	return draw(actor, 2) ? getsockname(fd, &address.any, &address.length)
			      : getpeername(fd, &address.any, &address.length);
}

static int act_set(struct actor *actor, int fd)
{
	static const struct {
		int level, name;
	} options[] = {{SOL_SOCKET, SO_LINGER},     {SOL_SOCKET, SO_SNDBUF},
		       {SOL_SOCKET, SO_RCVBUF},     {SOL_SOCKET, SO_RCVLOWAT},
		       {SOL_SOCKET, SO_KEEPALIVE},  {IPPROTO_TCP, TCP_NODELAY},
		       {IPPROTO_TCP, TCP_CORK},     {IPPROTO_TCP, TCP_DEFER_ACCEPT},
		       {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_IPV6, IPV6_ADDRFORM},
		       {IPPROTO_TCP, TCP_ULP}};
	size_t which = draw(actor, sizeof(options) / sizeof(options[0]));
	int value[2] = {(int)draw(actor, 3000), 0};

	if (options[which].name == IPV6_ADDRFORM && options[which].level == IPPROTO_IPV6)
		value[0] = AF_INET;
	return setsockopt(fd, options[which].level, options[which].name, value,
			  options[which].name == SO_LINGER ? sizeof(value) : sizeof(int));
}

static int act_get(struct actor *actor, int fd)
{
	static const int names[] = {SO_ERROR, SO_TYPE, SO_ACCEPTCONN, SO_DOMAIN};
	char info[300];
	socklen_t length = sizeof(info);

	if (draw(actor, 3) == 0)
		return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length);
	return getsockopt(fd, SOL_SOCKET, names[draw(actor, 4)], info, &length);
}

static int act_count(struct actor *actor, int fd)
{
	int value;

	return ioctl(fd, draw(actor, 2) ? FIONREAD : TIOCOUTQ, &value);
}

static int act_mode(struct actor *actor, int fd)
{
	return fcntl(fd, F_SETFL, draw(actor, 2) ? O_NONBLOCK : 0);
}

static int act_close(struct actor *actor, int fd)
{
	(void)fd;
	fd = atomic_exchange(&slots[draw(actor, SLOTS)], 0);
	return fd > 0 ? close(fd) : -1;
}

/* One line each: a kind that never succeeds is a fault of the test. */
static struct {
	const char *name;
	act *act;
	unsigned weight;
	atomic_uint done, failed;
} acts[] = {
	{"socket", act_socket, 4, 0, 0},     {"bind", act_bind, 2, 0, 0},
	{"connect", act_connect, 5, 0, 0},   {"listen", act_listen, 2, 0, 0},
	{"accept", act_accept, 3, 0, 0},     {"poll", act_poll, 2, 0, 0},
	{"send", act_send, 4, 0, 0},         {"receive", act_receive, 4, 0, 0},
	{"shutdown", act_shutdown, 1, 0, 0}, {"names", act_names, 2, 0, 0},
	{"set", act_set, 2, 0, 0},           {"get", act_get, 2, 0, 0},
	{"count", act_count, 1, 0, 0},       {"mode", act_mode, 1, 0, 0},
	{"close", act_close, 3, 0, 0},
};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static size_t draw_act(struct actor *actor)
{
	unsigned total = 0;
	unsigned value;
	size_t i;

	for (i = 0; i < ACTS; i++)
		total += acts[i].weight;
	value = draw(actor, total);
	for (i = 0; value >= acts[i].weight; i++)
		value -= acts[i].weight;
	return i;
}

static void *live(void *context)
{
	struct actor *actor = context;

	while (!is_over) {
		size_t i = draw_act(actor);
		int fd = slots[draw(actor, SLOTS)];

		atomic_fetch_add(acts[i].act(actor, fd > 0 ? fd : -1) >= 0 ? &acts[i].done
									   : &acts[i].failed,
				 1);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

/* Signals all the time: calls are interrupted, and none can wait for ever. */
static void disturb(struct actor *actors, int count, double seconds)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	double end = now_ms() + 1000.0 * seconds;

	while (now_ms() < end || running) {
		is_over = now_ms() >= end;
		CHECK(now_ms() < end + 1000.0 * PATIENCE_S, "%d threads do not end", running);
		nanosleep(&pause, NULL);
		for (int i = 0; is_over && i < count; i++)
			pthread_kill(actors[i].thread, SIGUSR1);
		if (!is_over)
			pthread_kill(actors[(int)now_ms() % count].thread, SIGUSR1);
	}
}

static int at_random(int argc, char **argv)
{
	static struct actor actors[THREADS_MAX];
	const struct sigaction action = {.sa_handler = on_signal};
	int count = argc > 2 ? (int)number(argv[2]) : 8;
	uint64_t seed = argc > 3 ? (uint64_t)number(argv[3]) : 1;

	CHECK(argc > 1 && count > 0 && count <= THREADS_MAX, "random SECONDS THREADS SEED");
	sigaction(SIGUSR1, &action, NULL);
	running = count;
	for (int i = 0; i < count; i++) {
		actors[i].random = (seed * THREADS_MAX + (uint64_t)i) * 0x9e3779b97f4a7c15u;
		CHECK(!pthread_create(&actors[i].thread, NULL, live, &actors[i]), "no thread");
	}
	disturb(actors, count, (double)number(argv[1]));
	for (int i = 0; i < count; i++)
		pthread_join(actors[i].thread, NULL);
	for (int i = 0; i < SLOTS; i++)
		if (slots[i] > 0)
			close(slots[i]);
	for (size_t i = 0; i < ACTS; i++)
		CHECK(acts[i].done && acts[i].done + acts[i].failed > 10, "%s: %u well, %u not",
		      acts[i].name, acts[i].done, acts[i].failed);
	return 0;
}

/* ---- storms ---------------------------------------------------------------------------------- */

/* A host may be one that loses answers: then nothing has to work. */
static bool may_fail;

static void talk(int fd, const struct address *echo)
{
	if (may_fail) {
		connect(fd, &echo->any, echo->length);
		send(fd, "a", 1, MSG_NOSIGNAL);
	} else {
		MUST(connect(fd, &echo->any, echo->length));
		MUST(send(fd, "a", 1, MSG_NOSIGNAL));
	}
}

static void storm_once(const char *ip, int kind)
{
	struct address echo = peer_address(ip, PEER_ECHO);
	struct address closed = address_make(ip, 1);
	struct address mute = peer_address(ip, PEER_UDP_MUTE);
	int fd;

	if (kind == 3) {
		fd = socket_new(&mute, SOCK_DGRAM | SOCK_NONBLOCK);
		sendto(fd, "a", 1, 0, &mute.any, mute.length);
		connect(fd, &mute.any, mute.length);
	} else {
		fd = socket_new(&echo, SOCK_STREAM | (kind ? SOCK_NONBLOCK : 0));
		if (kind == 0)
			talk(fd, &echo);
		else
			connect(fd, kind == 2 ? &closed.any : &echo.any, echo.length);
	}
	close(fd);
}

/* Connections that are closed while they are made, and right after it. */
static int storm(int argc, char **argv)
{
	long count;
	pid_t pids[4];

	CHECK(argc >= 3, "storm IP COUNT [any]");
	may_fail = argc > 3;
	count = number(argv[2]);
	for (int kind = 0; kind < 4; kind++) {
		pids[kind] = fork();
		if (pids[kind])
			continue;
		for (long i = 0; i < count; i++)
			storm_once(argv[1], kind);
		exit(0);
	}
	for (int kind = 0; kind < 4; kind++)
		process_join(pids[kind]);
	return 0;
}

const struct command random_commands[] = {
	{"random", "SECONDS THREADS SEED", at_random},
	{"storm", "IP COUNT [any]", storm},
	{NULL, NULL, NULL},
};
