// SPDX-License-Identifier: Apache-2.0
/*
 * The host's side of TSI: one vhost-user vsock device, and behind it a muxer that opens sockets of
 * this host on behalf of the guest's. docs/tsi.md says what it may reach and why.
 *
 * One thread, one epoll. A guest can make it busy, but not wait: nothing blocks. What it can make it
 * keep is bounded: TSI_PROXIES_MAX sockets, and bytes by tsi_traits.
 */
#ifndef HOST_TSI_TSI_H
#define HOST_TSI_TSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TSI_PROXIES_MAX   1024u
#define TSI_PUBLISHES_MAX 64u
#define TSI_SERVICES_MAX  4u

/* A port of the host on which connections to a port of the guest are taken. */
struct tsi_publish {
	struct sockaddr_storage address;
	socklen_t length;
	uint16_t guest_port;
	int fd; /* bound to it, before the guest starts; it listens while the guest does */
	bool is_used;
};

/* A port of vsock that the guest may connect to, once: its other end. */
struct tsi_service {
	uint32_t port;
	int fd;
};

struct tsi_policy {
	bool allows_loopback; /* of the host, and its unspecified address, which is the same */
	bool allows_link_local;
	bool publishes_all; /* what is not in the list: on its own port of the loopback address */
	int refusal;        /* errno for everything; 0: see the rules above */
	int listen_refusal; /* the same for listening */
};

/* 0, or the negative errno that an attempt to reach it is answered with. */
int policy_check(const struct tsi_policy *policy, const struct sockaddr_storage *address);

/* In what VMMs differ, as far as a guest can see it. */
struct tsi_traits {
	uint32_t buf_alloc;       /* bytes of a connection that are taken ahead of its peer */
	size_t queued_max;        /* and of all connections together */
	uint32_t credit_bytes;    /* tell the guest of so many written; 0: half of its own buffer */
	unsigned descriptors_max; /* of a packet: more are dropped */
	unsigned linger_ms;       /* until an ended proxy's name is free again */
	uint32_t nonblock_flags;  /* any of these of an ACCEPT: answer at once */
	bool pads_replies;        /* answers as long as the guest's buffer */
	bool resets_at_end;       /* the peer's FIN is a RST, not a SHUTDOWN */
	bool confirms_close;      /* by a RST */
	bool swaps_cids;          /* in UDP's payload, whose source port is 0 then */
	bool refuses_all;         /* a failure that comes later is always ECONNREFUSED */
	bool answers_credit;      /* a CREDIT_REQUEST of the guest's */
	bool asks_credit;         /* when the guest has given no more */
};
extern const struct tsi_traits tsi_traits_smk;

struct tsi_small;
struct tsi_probe;
struct muxer;

struct tsi_setup {
	const struct tsi_traits *traits;
	struct tsi_policy policy;
	struct tsi_publish *publishes;
	size_t publish_count;
	const struct tsi_service *services; /* their descriptors are the backend's from now on */
	size_t service_count;
	const struct tsi_probe *probe; /* of tests; NULL */
};

/* Serves the device on a connected socket until QEMU goes. Returns 0, or -1: something was not understood. */
int tsi_serve(const struct tsi_setup *setup, int vhost_fd);

#endif
