// SPDX-License-Identifier: Apache-2.0
/*
 * app: what runs inside the guests of the suite tsi, and, as `app peer`, beside them on the host.
 *
 * As PID 1 it reads /plan: a line for each step, "NAME SECONDS COMMAND [ARGUMENT]...". Each step is
 * a process; its end is one line on the console, "ok NAME" or "not ok NAME: why". Then it powers off.
 * Elsewhere it runs one command: app COMMAND [ARGUMENT]...
 *
 * A command returns 0, or does not return: fail() says why in one line.
 */
#ifndef TESTS_TSI_APP_H
#define TESTS_TSI_APP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct command {
	const char *name; /* NULL: the table's end */
	const char *arguments;
	int (*run)(int argc, char **argv);
};

/* One table for each subject, in a file of its own; all of them: app.c. */
extern const struct command basic_commands[], peer_commands[], stream_commands[],
	connect_commands[], listen_commands[], accept_commands[], poll_commands[], end_commands[],
	datagram_commands[], name_commands[], option_commands[], process_commands[], io_commands[],
	ring_commands[], hard_commands[], vsock_commands[], kind_commands[], netns_commands[],
	random_commands[], debug_commands[], reset_commands[], scope_commands[];

_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* With errno's text. */
_Noreturn void fail_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define CHECK(condition, ...)              \
	do {                               \
		if (!(condition))          \
			fail(__VA_ARGS__); \
	} while (0)
/* A call that has to succeed: its result. */
#define MUST(call) app_must((call), #call)
long app_must(long result, const char *what);
/* A call that has to fail, with this errno. */
#define MUST_FAIL(call, error) app_must_fail((call), (error), #call)
void app_must_fail(long result, int error, const char *what);

/* A line on the console, or on stderr. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
double now_ms(void);
long number(const char *text);

/* ---- addresses ------------------------------------------------------------------------------ */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in inet;
		struct sockaddr_in6 inet6;
		struct sockaddr_storage storage;
	};
	socklen_t length;
};

/* Of an IP in text, of either family; %NUMBER may follow, of the link. */
struct address address_make(const char *text, unsigned port);
unsigned address_port(const struct address *address);
void address_set_port(struct address *address, unsigned port);
bool address_is_equal(const struct address *a, const struct address *b);
/* [IP]:PORT, in a buffer that the next call but three takes. */
const char *address_text(const struct address *address);
struct address socket_name(int fd);
struct address socket_peer(int fd);

/* ---- sockets -------------------------------------------------------------------------------- */

int socket_new(const struct address *address, int type); /* flags may be in type */
int stream_connect(const struct address *address);       /* blocking, has to succeed */
/* Bound and listening. */
int stream_listen(const struct address *address, int backlog);
/* poll() for these events: what came; 0: nothing, in that time. */
int wait_events(int fd, int events, int timeout_ms);
int socket_option(int fd, int level, int name);

/* Both have to move everything. */
void write_all(int fd, const void *bytes, size_t length);
void read_all(int fd, void *bytes, size_t length);
/* What is at `offset` in the stream of bytes that belongs to this seed. */
void pattern_fill(void *bytes, size_t length, uint64_t offset, uint32_t seed);
/* The offset where it differs, or -1. */
long pattern_differs(const void *bytes, size_t length, uint64_t offset, uint32_t seed);

/* ---- the peer (peer.c) ---------------------------------------------------------------------- */

/*
 * Services, at PEER_PORT + n of every address that it was given. Numbers on the wire are of 8 bytes,
 * in the byte order of both machines.
 */
#define PEER_PORT 7000u
enum peer_service {
	PEER_ECHO,   /* sends back what comes, until the end, which it sends back, too */
	PEER_SINK,   /* a length, so many bytes -> their SHA-256 */
	PEER_SOURCE, /* a length -> so many bytes of the pattern of seed 1, then the end */
	PEER_HOLD,   /* reads nothing until the connection is closed */
	PEER_BYE,    /* "bye\n", then the end at once */
	PEER_RESET,  /* a length -> so many bytes, then a reset */
	PEER_SLOW,   /* a byte, each time a byte came, and "late" when the end came */
	PEER_DIAL,   /* a struct peer_dial -> connects to its port, and says how that went */
	PEER_BOTH,   /* a length: sends so many and reads so many at once -> SHA-256 of what came */
	PEER_SERVICE__COUNT,
};

/* Over UDP, at the same numbers. */
enum peer_datagram {
	PEER_UDP_ECHO,
	PEER_UDP_SIZE, /* a number -> a datagram of so many bytes of the pattern of seed 1 */
	PEER_UDP_MUTE,
	PEER_UDP_HASH, /* -> the SHA-256 of the datagram, and its length */
	PEER_DATAGRAM__COUNT,
};

enum dial_kind {
	DIAL_ECHO,    /* sends `bytes`, reads the same back, closes */
	DIAL_HOLD,    /* connects and waits for the end */
	DIAL_RESET,   /* connects, sends `bytes`, resets */
	DIAL_CLOSE,   /* connects and closes */
	DIAL_READ,    /* sends the end, and reads until the other's */
	DIAL_REFUSED, /* has to be refused */
};

struct peer_dial {
	char ip[48];
	uint64_t port;
	uint64_t kind;
	uint64_t count;    /* connections in all */
	uint64_t parallel; /* at a time */
	uint64_t bytes;
	uint64_t wait_ms; /* before the first */
};

struct peer_dialled {
	uint64_t done;   /* connections that went as they should */
	uint64_t failed; /* and not */
	int64_t error;   /* errno of the first that failed */
};

struct address peer_address(const char *ip, unsigned service);
/* Asks the peer at this IP to connect; the socket that has the answer when it is done. */
int peer_dial(const char *ip, const struct peer_dial *dial);
/* Waits for it: as many as were asked for have to be well. */
void peer_dialled(int fd, uint64_t count);
/* One connection from outside to this port, and what it has sent; *ret_dial_fd is peer_dial()'s. */
int dialled_take(int listener_fd, unsigned port, int *ret_dial_fd, char *ret_byte);
/* One that is answered and ends well. */
void dialled_serve(int listener_fd, unsigned port);

/* A peer of the guest's own on 127.0.0.1 and ::1, its process: for what a native socket does. */
pid_t peer_start(void);
void peer_end(pid_t pid);
/* Waits for a child that has to end by itself, with 0. */
void process_join(pid_t pid);

/* New sockets are TSI's, or native ones; PID 1 puts it back after each step. */
void hijack_set(bool is_on);
bool hijack_get(void);

/* ---- comparing with a native socket (app_trace.c) -------------------------------------------- */

/*
 * A scenario writes down what it sees, line by line. It runs twice: with native sockets and a peer
 * in the guest, then through the host. Both have to see the same.
 */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The call's result, or errno's name. */
#define NOTE_CALL(call) note("%s = %s", #call, result_text(call))
const char *result_text(long result);
const char *events_text(unsigned events); /* of poll() and epoll */
int compare(void (*scenario)(const char *ip), const char *ip);

#endif
