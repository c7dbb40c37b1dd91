// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's memory and its virtqueues (virtio 1.2, split rings). Everything in them is the guest's
 * to change at any time: each value is read once, and checked before it is used.
 */
#ifndef HOST_TSI_RING_H
#define HOST_TSI_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <linux/virtio_ring.h>

#define MEMORY_REGIONS_MAX 8
#define RING_SIZE_MAX      1024
#define CHAIN_MAX          34 /* header, 64 KiB in pages, and one more */

struct memory_region {
	uint64_t guest_address;
	uint64_t user_address; /* where QEMU has it */
	uint64_t size;
	uint8_t *bytes; /* where we have it */
	void *mapping;
	size_t mapping_size;
};

struct memory {
	struct memory_region regions[MEMORY_REGIONS_MAX];
	unsigned count;
};

/* What is at the guest's, or at QEMU's, address: NULL unless all of it is in one region. */
void *memory_at_guest(const struct memory *memory, uint64_t address, uint64_t size);
void *memory_at_user(const struct memory *memory, uint64_t address, uint64_t size);
void memory_clear(struct memory *memory); /* unmaps */

struct ring {
	unsigned size; /* descriptors, a power of two; 0: not known yet */
	struct vring_desc *descriptors;
	struct vring_avail *avail;
	struct vring_used *used; /* NULL: none of the three is mapped */
	uint64_t addresses[3];   /* of these, as QEMU sees them */
	uint16_t next;           /* of avail that was not taken yet */
	uint16_t used_next;
	int kick_fd; /* -1: none; with one the ring is started */
	int call_fd;
	bool is_enabled;
	bool is_broken; /* the guest broke its rules: nothing is done with it any more */
	bool has_pushed;
};

/* Descriptors of one packet: what the guest has written first, then what we may write. */
struct chain {
	uint16_t head;
	unsigned descriptors;
	unsigned out_count;
	unsigned in_count;
	size_t out_bytes;
	size_t in_bytes;
	struct iovec iov[CHAIN_MAX];
};

void ring_init(struct ring *ring);
void ring_finish(struct ring *ring);
/* Finds the three parts by their addresses; false: they are not in memory. */
bool ring_map(struct ring *ring, const struct memory *memory);
bool ring_is_active(const struct ring *ring);
/* The next chain: false when there is none, or when the ring is broken. */
bool ring_next(struct ring *ring, const struct memory *memory, struct chain *ret);
/* Puts the chain that was taken last back; it was not pushed. */
void ring_unget(struct ring *ring);
void ring_push(struct ring *ring, uint16_t head, uint32_t length);
/* Tells the guest of what was pushed, if it wants to know. */
void ring_notify(struct ring *ring);
/*
 * Whether the guest is to kick. After true, what came meanwhile has to be looked for: the return
 * value says whether there is something.
 */
bool ring_want_kicks(struct ring *ring, bool wants);

/* Copies out of and into iovecs; what they have not room for is left out. Both return the bytes. */
size_t iov_copy_out(const struct iovec *iov, unsigned count, void *to, size_t size);
size_t iov_copy_in(const struct iovec *iov, unsigned count, const void *from, size_t size);
/* The iovecs behind the first `offset` bytes, at most `size` of them, into ret; their number. */
unsigned iov_part(const struct iovec *iov, unsigned count, size_t offset, size_t size,
		  struct iovec ret[CHAIN_MAX]);

#endif
