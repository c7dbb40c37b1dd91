// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as the beginning of a disk, whose size and name come first: what is told from them is one of
 * the three file systems, has its magic, and is not longer than the disk.
 */
#include <stdio.h>

#include "fuzz.h"
#include "init/discover.h"

static const struct {
	const char *name;
	size_t offset;
	const char *magic;
} known[] = {
	{"squashfs", 0, "hsqs"},
	{"erofs", 1024, "\xe2\xe1\xf5\xe0"},
	{"ext4", 1080, "\x53\xef"},
};

/* The first of them whose magic is there; -1: none. */
static int expected(const unsigned char *bytes)
{
	for (int i = 0; i < 3; i++) {
		if (memcmp(bytes + known[i].offset, known[i].magic, strlen(known[i].magic)) == 0)
			return i;
	}
	return -1;
}

static uint64_t word(const unsigned char *bytes, size_t at, unsigned length)
{
	uint64_t value = 0;

	memcpy(&value, bytes + at, length);
	return value;
}

/* Blocks and the size of one, as the formats' documents have them. */
static double length_of(const unsigned char *bytes, int kind)
{
	if (kind == 0)
		return (double)word(bytes, 40, 8);
	if (kind == 1)
		return (double)word(bytes, 1060, 4) * (double)(1ull << (bytes[1036] & 31));
	return (double)word(bytes, 1028, 4) * 1024 * (double)(1u << (bytes[1048] & 15));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices choices = {data, data + size};
	struct failure f = {.stage = STAGE_NONE};
	struct disk_head *head = calloc(1, sizeof(*head));
	const char *untouched = "untouched", *fstype = untouched;
	int kind, refused;

	head->size = choose_number(&choices, 8);
	for (size_t i = 0; i < 4; i++)
		head->name[i] = (char)choose(&choices);
	size = (size_t)(choices.end - choices.at);
	memcpy(head->bytes, choices.at, size < sizeof(head->bytes) ? size : sizeof(head->bytes));
	kind = expected(head->bytes);
	refused = fstype_tell(head, &fstype, &f);
	if (refused) {
		require_failure(&f);
		require(fstype == untouched);
		require(kind < 0 || length_of(head->bytes, kind) >= (double)head->size);
	} else {
		require_no_failure(&f);
		require(kind >= 0 && strcmp(fstype, known[kind].name) == 0);
		require(length_of(head->bytes, kind) <= (double)head->size);
	}
	free(head);
	return 0;
}
