// SPDX-License-Identifier: Apache-2.0
// The ring against a model: a plain array that is shifted.
#include <stdlib.h>

#include "init/ring.h"
#include "tests/t.h"

#define SIZE 37 /* no power of two */

static uint8_t memory[SIZE];
static uint8_t model[SIZE];
static size_t model_used;

static size_t iov_length(const struct iovec iov[2])
{
	return iov[0].iov_len + iov[1].iov_len;
}

static void check_same(const struct ring *ring)
{
	struct iovec used[2];
	int count = ring_used_iov(ring, used);

	CHECK_INT(iov_length(used), model_used);
	CHECK_INT(count, (used[0].iov_len > 0) + (used[1].iov_len > 0));
	CHECK_INT(ring_free(ring), SIZE - model_used);
	CHECK(memcmp(used[0].iov_base, model, used[0].iov_len) == 0);
	CHECK(memcmp(used[1].iov_base, model + used[0].iov_len, used[1].iov_len) == 0);
}

static void put(struct ring *ring, size_t length, uint8_t value)
{
	uint8_t bytes[SIZE];

	memset(bytes, value, length);
	ring_put(ring, bytes, length);
	memcpy(model + model_used, bytes, length);
	model_used += length;
}

static void drop(struct ring *ring, size_t length)
{
	ring_drop(ring, length);
	model_used -= length;
	memmove(model, model + length, model_used);
}

static void follows_the_model(void)
{
	struct ring ring = {.bytes = memory, .size = SIZE};

	srand(1);
	model_used = 0;
	for (int i = 0; i < 20000; i++) {
		put(&ring, (size_t)rand() % (ring_free(&ring) + 1), (uint8_t)i);
		check_same(&ring);
		drop(&ring, (size_t)rand() % (model_used + 1));
		check_same(&ring);
	}
}

/* A header goes before bytes that were read into the ring beforehand. */
static void reserves_room_for_a_header(void)
{
	for (size_t begin = 0; begin < SIZE; begin++) {
		struct ring ring = {.bytes = memory, .size = SIZE, .begin = begin};
		struct iovec to[2];

		model_used = 0;
		ring_free_iov(&ring, 3, 10, to);
		CHECK_INT(iov_length(to), 10);
		memset(to[0].iov_base, 'd', to[0].iov_len);
		memset(to[1].iov_base, 'd', to[1].iov_len);
		ring_put(&ring, "hdr", 3);
		ring_commit(&ring, 10);
		memcpy(model, "hdrdddddddddd", 13);
		model_used = 13;
		check_same(&ring);
	}
}

static void an_empty_ring_starts_over(void)
{
	struct ring ring = {.bytes = memory, .size = SIZE};

	model_used = 0;
	put(&ring, 20, 1);
	drop(&ring, 20);
	CHECK_INT(ring.begin, 0);
}

static const struct t_case cases[] = {
	{"follows-the-model", follows_the_model},
	{"reserves-room-for-a-header", reserves_room_for_a_header},
	{"an-empty-ring-starts-over", an_empty_ring_starts_over},
};

T_MAIN("init-ring", cases)
