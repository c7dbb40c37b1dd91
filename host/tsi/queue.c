// SPDX-License-Identifier: Apache-2.0
/* A ring of bytes that grows; who adds to it has checked that it may. */
#include "host/tsi/muxer.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_LEAST (16u << 10)

static bool grow(struct queue *queue, size_t wanted)
{
	size_t capacity = queue->capacity ? queue->capacity : QUEUE_LEAST;
	struct iovec pieces[2];
	unsigned count;
	uint8_t *bytes;

	while (capacity < wanted)
		capacity *= 2;
	bytes = malloc(capacity);
	if (!bytes)
		return false;
	count = queue_peek(queue, pieces);
	iov_copy_out(pieces, count, bytes, queue->length);
	free(queue->bytes);
	*queue = (struct queue){.bytes = bytes, .capacity = capacity, .length = queue->length};
	return true;
}

bool queue_add(struct queue *queue, const struct iovec *iov, unsigned count)
{
	size_t total = 0;

	for (unsigned i = 0; i < count; i++)
		total += iov[i].iov_len;
	if (queue->length + total > queue->capacity && !grow(queue, queue->length + total))
		return false;
	for (unsigned i = 0; i < count; i++) {
		size_t at = (queue->begin + queue->length) % queue->capacity;
		size_t first = queue->capacity - at;

		if (first > iov[i].iov_len)
			first = iov[i].iov_len;
		memcpy(queue->bytes + at, iov[i].iov_base, first);
		memcpy(queue->bytes, (const uint8_t *)iov[i].iov_base + first,
		       iov[i].iov_len - first);
		queue->length += iov[i].iov_len;
	}
	return true;
}

unsigned queue_peek(const struct queue *queue, struct iovec ret[2])
{
	size_t first = queue->capacity - queue->begin;

	if (!queue->length)
		return 0;
	if (first > queue->length)
		first = queue->length;
	ret[0] = (struct iovec){queue->bytes + queue->begin, first};
	ret[1] = (struct iovec){queue->bytes, queue->length - first};
	return ret[1].iov_len ? 2 : 1;
}

void queue_drop(struct queue *queue, size_t length)
{
	queue->length -= length;
	queue->begin = queue->length ? (queue->begin + length) % queue->capacity : 0;
	if (!queue->length)
		queue_free(queue); /* what was slow once need not keep its memory */
}

void queue_free(struct queue *queue)
{
	free(queue->bytes);
	*queue = (struct queue){0};
}
