// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of bytes over memory of the owner's: what waits to be written somewhere. Pure; the pieces
 * are handed out as iovecs so that system calls move the bytes without a copy.
 */
#ifndef INIT_RING_H
#define INIT_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring {
	uint8_t *bytes;
	size_t size;
	size_t begin;
	size_t used;
};

static inline size_t ring_free(const struct ring *ring)
{
	return ring->size - ring->used;
}

/* The used bytes, oldest first; returns how many of the iovecs are in use. */
int ring_used_iov(const struct ring *ring, struct iovec ret[2]);
/* At most max free bytes, after the first `skip` of them; skip + max must be free. */
int ring_free_iov(const struct ring *ring, size_t skip, size_t max, struct iovec ret[2]);
/* Makes the next length free bytes used: they were filled through ring_free_iov(). */
void ring_commit(struct ring *ring, size_t length);
/* Copies bytes in; they must fit. */
void ring_put(struct ring *ring, const void *bytes, size_t length);
/* Forgets the oldest bytes. */
void ring_drop(struct ring *ring, size_t length);

#endif
