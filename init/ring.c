// SPDX-License-Identifier: Apache-2.0
// A ring of bytes over memory of the owner's.
#include "init/ring.h"

#include <string.h>

/* The `length` bytes that begin `at` after the ring's begin, as one or two pieces. */
static int pieces(const struct ring *ring, size_t at, size_t length, struct iovec ret[2])
{
	size_t begin = (ring->begin + at) % ring->size;
	size_t first = length < ring->size - begin ? length : ring->size - begin;

	ret[0] = (struct iovec){.iov_base = ring->bytes + begin, .iov_len = first};
	ret[1] = (struct iovec){.iov_base = ring->bytes, .iov_len = length - first};
	return (ret[0].iov_len != 0) + (ret[1].iov_len != 0);
}

int ring_used_iov(const struct ring *ring, struct iovec ret[2])
{
	return pieces(ring, 0, ring->used, ret);
}

int ring_free_iov(const struct ring *ring, size_t skip, size_t max, struct iovec ret[2])
{
	return pieces(ring, ring->used + skip, max, ret);
}

void ring_commit(struct ring *ring, size_t length)
{
	ring->used += length;
}

void ring_put(struct ring *ring, const void *bytes, size_t length)
{
	struct iovec to[2];

	ring_free_iov(ring, 0, length, to);
	memcpy(to[0].iov_base, bytes, to[0].iov_len);
	memcpy(to[1].iov_base, (const uint8_t *)bytes + to[0].iov_len, to[1].iov_len);
	ring_commit(ring, length);
}

/* An empty ring starts over, so that a quiet one keeps to its first pages. */
void ring_drop(struct ring *ring, size_t length)
{
	ring->used -= length;
	ring->begin = ring->used ? (ring->begin + length) % ring->size : 0;
}
