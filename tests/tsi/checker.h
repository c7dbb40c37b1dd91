// SPDX-License-Identifier: Apache-2.0
/*
 * What a guest has to keep to on the wire (host/tsi/wire.h), whatever the host does. The checker
 * sees every packet of both directions, knows which names live, and writes down what is wrong.
 */
#ifndef TESTS_TSI_CHECKER_H
#define TESTS_TSI_CHECKER_H

#include <stdio.h>

#include "host/tsi/muxer.h"

#define VIOLATIONS_MAX 64

enum counter {
	COUNT_PACKETS_IN,
	COUNT_PACKETS_OUT,
	COUNT_BYTES_IN,
	COUNT_BYTES_OUT,
	COUNT_DATAGRAMS_IN, /* of users, not control messages */
	COUNT_DATAGRAMS_OUT,
	COUNT_CREATE,
	COUNT_CONNECT,
	COUNT_GETNAME,
	COUNT_SENDTO_ADDR,
	COUNT_LISTEN,
	COUNT_ACCEPT,
	COUNT_RELEASE,
	COUNT_CHILDREN, /* accepted connections that the guest has taken */
	COUNT_RESETS_IN,
	COUNT_RESETS_OUT,
	COUNT_LEFT, /* names that were never released */
	COUNT__COUNT,
};

struct checker {
	void *names; /* a tree of struct known */
	unsigned long counters[COUNT__COUNT];
	unsigned violations;
	unsigned text_count; /* of different ones, the first */
	char texts[VIOLATIONS_MAX][160];
};

void checker_incoming(struct checker *checker, const struct packet *packet);
void checker_small(struct checker *checker, const struct tsi_small *small);
void checker_outgoing(struct checker *checker, const struct vsock_header *header);
/* At the machine's end: nothing may be left. One object of JSON, in one line. */
void checker_finish(struct checker *checker, const char *profile, FILE *out);

#endif
