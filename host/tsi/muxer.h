// SPDX-License-Identifier: Apache-2.0
/*
 * Inside the backend. muxer.c has the proxies' table and moves packets between the rings and them;
 * each kind of proxy has its operations, stream.c, listen.c and dgram.c; control.c has the messages.
 *
 * To the guest: who has something to say stands in the ready list, and is asked to fill one receive
 * buffer at a time, in turn. What cannot be asked for again, answers to messages and resets of what
 * is unknown, is in a short queue. When that is full the guest's next packets wait.
 */
#ifndef HOST_TSI_MUXER_H
#define HOST_TSI_MUXER_H

#include "host/tsi/ring.h"
#include "host/tsi/tsi.h"
#include "host/tsi/vhost.h"
#include "host/tsi/wire.h"

/* What epoll calls. */
struct source {
	void (*ready)(struct source *source, uint32_t events);
};

/* ---- queue: bytes for a peer that is slower than the guest -------------------------------------
 */

struct queue {
	uint8_t *bytes;
	size_t capacity;
	size_t begin;
	size_t length;
};

/* Adds them; false: no memory. */
bool queue_add(struct queue *queue, const struct iovec *iov, unsigned count);
/* The bytes to be written next, in up to two pieces; their number. */
unsigned queue_peek(const struct queue *queue, struct iovec ret[2]);
void queue_drop(struct queue *queue, size_t length);
void queue_free(struct queue *queue);

/* ---- proxies -----------------------------------------------------------------------------------
 */

enum proxy_state {
	PROXY_NEW,        /* created, nothing else yet */
	PROXY_CONNECTING, /* the host's socket is */
	PROXY_CONNECTED,  /* and the guest's REQUEST is waited for; UDP: has a peer */
	PROXY_REQUESTED,  /* we have asked the guest to take an accepted connection */
	PROXY_OPEN,       /* bytes go both ways */
	PROXY_LISTENING,
	PROXY_ENDED, /* the host's socket is gone; its name may be kept for a while */
};

/* What a stream has to tell the guest, the most urgent first. */
enum owed {
	OWED_REQUEST = 1u << 0,
	OWED_RESPONSE = 1u << 1,
	OWED_CREDIT = 1u << 2,
	OWED_ASK = 1u << 3, /* for credit */
	OWED_SHUTDOWN = 1u << 4,
	OWED_RST = 1u << 5,
};

struct proxy;

struct packet {
	struct vsock_header header;
	const struct chain *chain;
};

struct proxy_ops {
	void (*take)(struct muxer *muxer, struct proxy *proxy, const struct packet *packet);
	void (*ready)(struct muxer *muxer, struct proxy *proxy, uint32_t events);
	/* Fills a receive buffer: bytes of the packet, header included; 0: has nothing to say. */
	size_t (*fill)(struct muxer *muxer, struct proxy *proxy, const struct chain *chain);
	void (*release)(struct muxer *muxer, struct proxy *proxy);
};
extern const struct proxy_ops stream_ops, listener_ops, datagram_ops;

struct proxy {
	struct source source;
	struct muxer *muxer;
	const struct proxy_ops *ops;
	struct proxy *next; /* of the same bucket, or of the dead */
	struct proxy *ready_next;
	struct proxy *ready_previous;
	bool is_ready;
	enum proxy_state state;
	uint32_t guest_port;
	uint32_t host_port;
	uint32_t control_port; /* where answers to CONNECT and ACCEPT go */
	uint16_t family;
	int fd;
	double deadline_ms; /* 0: none */
	bool is_readable;
	/* Streams. */
	unsigned owed;
	uint32_t guest_alloc; /* its receive buffer, and how much it has taken */
	uint32_t guest_taken;
	uint32_t sent;      /* bytes given to it */
	uint32_t forwarded; /* bytes of the guest's that were written to the host's socket */
	uint32_t told;      /* as the guest knows it */
	struct queue queue;
	unsigned guest_shutdown;
	bool has_host_end;
	bool has_asked;
	/* Listeners. */
	uint32_t vm_port;       /* connections are announced to it */
	uint32_t listener_port; /* of an accepted stream: its listener's S; 0: none */
	unsigned waiting;       /* connections that no ACCEPT has been answered for */
	bool is_accept_parked;
	struct tsi_publish *publish; /* NULL: fd is the proxy's own */
	/* Datagrams: where SENDTO_DATA goes. */
	struct sockaddr_storage destination;
	socklen_t destination_length;
};

/* ---- muxer -------------------------------------------------------------------------------------
 */

/* A packet that is written out in advance. */
struct tsi_small {
	struct vsock_header header;
	uint8_t body[TSI_MESSAGE_MAX];
};

/* Where tests look, and interfere. */
struct tsi_probe {
	void *context;
	/* A packet of the guest's, before anything is done with it; false: nothing is. */
	bool (*incoming)(void *context, struct muxer *muxer, const struct packet *packet);
	/* One to it, when it is queued; false: it is not. */
	bool (*small)(void *context, struct muxer *muxer, struct tsi_small *small);
	/* Any packet to it, as it leaves. */
	void (*outgoing)(void *context, const struct vsock_header *header);
};

#define MUXER_BUCKETS 1024u
/* Answers at once, and as many that come later as there are proxies. */
#define MUXER_SMALLS_TAKE 128u
#define MUXER_SMALLS      (2 * MUXER_SMALLS_TAKE + TSI_PROXIES_MAX)

struct muxer {
	const struct tsi_setup *setup;
	struct vhost *vhost;
	int epoll_fd;
	struct proxy *buckets[MUXER_BUCKETS];
	struct proxy *ready; /* a ring: the first one's previous is the last */
	struct proxy *dead;  /* until no event can name them */
	unsigned proxies;
	size_t queued;   /* bytes of all queues */
	bool has_hungry; /* a listener has connections that there was no room for */
	unsigned deadlines;
	double tick_ms; /* when they are looked at next; 0: when one comes up */
	struct tsi_small smalls[MUXER_SMALLS];
	unsigned small_begin;
	unsigned small_count;
	uint32_t next_port;
	bool services_used[TSI_SERVICES_MAX];
};

void muxer_init(struct muxer *muxer, const struct tsi_setup *setup, struct vhost *vhost,
		int epoll_fd);
void muxer_finish(struct muxer *muxer);
/* As if the guest had released all there is. */
void muxer_release_all(struct muxer *muxer);
/* Takes the guest's packets, a batch of them; true: there are more. */
bool muxer_take(struct muxer *muxer);
/* Fills what receive buffers there are, a batch of them; true: there is more to say. */
bool muxer_give(struct muxer *muxer);
/* After a round of events: frees what has died in it. */
void muxer_bury(struct muxer *muxer);
/* When something is to be done next, or 0; and doing it. */
double muxer_deadline_ms(const struct muxer *muxer);
void muxer_tick(struct muxer *muxer);

struct proxy *proxy_find(struct muxer *muxer, uint32_t guest_port, uint32_t host_port);
/* A new one in the table; NULL: there are too many, or no memory. */
struct proxy *proxy_new(struct muxer *muxer, const struct proxy_ops *ops, uint32_t guest_port,
			uint32_t host_port);
/* Lets epoll watch its descriptor; false: it cannot. */
bool proxy_watch(struct proxy *proxy);
void proxy_close(struct proxy *proxy);
/* Out of the table, and gone after this round. */
void proxy_remove(struct proxy *proxy);
void proxy_set_deadline(struct proxy *proxy, double deadline_ms);
/* It has something to say; it has not. */
void proxy_wake(struct proxy *proxy);
void proxy_sleep(struct proxy *proxy);
uint32_t muxer_new_port(struct muxer *muxer, uint32_t guest_port);

/* Queues a packet to the guest. */
void muxer_post(struct muxer *muxer, const struct vsock_header *header, const void *body,
		size_t length);
void muxer_reset(struct muxer *muxer, const struct vsock_header *header);

double tsi_now_ms(void);

/* ---- control messages --------------------------------------------------------------------------
 */

void control_take(struct muxer *muxer, const struct packet *packet);
void control_result(struct muxer *muxer, enum tsi_port port, uint32_t control_port, int32_t result);

/* ---- the kinds ---------------------------------------------------------------------------------
 */

/* Each returns 0, a negative errno for the guest, or 1: the answer comes later. */
int stream_connect(struct proxy *proxy, const struct sockaddr *address, socklen_t length);
int datagram_connect(struct proxy *proxy, const struct sockaddr *address, socklen_t length);
int listener_listen(struct proxy *proxy, const struct tsi_listen *request,
		    const struct sockaddr_storage *address);
int listener_accept(struct proxy *proxy, uint32_t flags);
/* Whether others may bind to its port, too. */
void publish_set_reuse(const struct tsi_publish *publish, int is_on);
/* Accepts what is there, as far as there is room for it. */
void listener_feed(struct muxer *muxer, struct proxy *proxy);
/* A stream whose host's end is connected already. */
struct proxy *stream_adopt(struct muxer *muxer, uint32_t guest_port, uint32_t host_port, int fd,
			   enum proxy_state state);
/* The guest's first packet of a connection to a service. */
void stream_serve(struct muxer *muxer, const struct packet *packet);
/* Sends to where the proxy is connected, or to its destination. */
void datagram_send(struct proxy *proxy, const struct packet *packet);

/* ---- policy: pure ------------------------------------------------------------------------------
 */

/* The guest's address as one of this host; false: it is none of the family. */
bool policy_parse(const struct tsi_address *address, uint16_t family, struct sockaddr_storage *ret,
		  socklen_t *ret_length);
uint16_t policy_port(const struct sockaddr_storage *address);

#endif
