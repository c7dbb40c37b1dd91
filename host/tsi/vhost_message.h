// SPDX-License-Identifier: Apache-2.0
/* The messages of vhost-user that a vsock device sees, and their way through the socket. */
#ifndef HOST_TSI_VHOST_MESSAGE_H
#define HOST_TSI_VHOST_MESSAGE_H

#include "host/tsi/vhost.h"

#define MESSAGE_VERSION    1u
#define MESSAGE_REPLY      4u
#define MESSAGE_NEED_REPLY 8u

struct message_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

struct vring_state {
	uint32_t index;
	uint32_t number;
};

struct vring_address {
	uint32_t index;
	uint32_t flags;
	uint64_t descriptors;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct memory_entry {
	uint64_t guest_address;
	uint64_t size;
	uint64_t user_address;
	uint64_t offset; /* in the descriptor that comes with the message */
};

struct memory_table {
	uint32_t count;
	uint32_t padding;
	struct memory_entry entries[MEMORY_REGIONS_MAX];
};

struct config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t bytes[256];
};

struct message {
	struct message_header header;
	union {
		uint64_t number;
		struct vring_state state;
		struct vring_address address;
		struct memory_table table;
		struct config config;
	};
	int fds[MEMORY_REGIONS_MAX];
	unsigned fd_count;
};

/* 1; 0 at the connection's end, or -1. The descriptors in it are the caller's. */
int message_receive(int fd, struct message *message);
/* Sends it back: 0, or -1. */
int message_answer(int fd, struct message *message);

#endif
