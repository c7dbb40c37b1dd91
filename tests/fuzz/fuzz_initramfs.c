// SPDX-License-Identifier: Apache-2.0
/*
 * The initramfs builder on contents of every length: the archive is read back by a small strict
 * reader and must hold exactly the entries and bytes that went in.
 */
#include <stdio.h>

#include "fuzz.h"
#include "lib/initramfs.h"

#define HEADER 110

struct reader {
	const char *bytes;
	size_t position, length;
};

static char *join(const struct initramfs *archive)
{
	char *bytes = malloc(archive->length);
	size_t position = 0;

	for (size_t i = 0; i < archive->count; i++) {
		memcpy(bytes + position, archive->parts[i].iov_base, archive->parts[i].iov_len);
		position += archive->parts[i].iov_len;
	}
	require(position == archive->length);
	return bytes;
}

static unsigned long number(const char *header, unsigned field)
{
	char digits[9] = {0};

	memcpy(digits, header + 6 + 8 * field, 8);
	require(strspn(digits, "0123456789abcdef") == 8);
	return strtoul(digits, NULL, 16);
}

static const char *take(struct reader *reader, size_t length)
{
	const char *bytes = reader->bytes + reader->position;

	require(length <= reader->length - reader->position);
	reader->position += length;
	while (reader->position % 4) {
		require(reader->position < reader->length && reader->bytes[reader->position] == 0);
		reader->position++;
	}
	return bytes;
}

static void expect(struct reader *reader, const char *name, unsigned mode, const void *bytes,
		   size_t length)
{
	const char *header = reader->bytes + reader->position;
	const char *content;

	require(reader->length - reader->position >= HEADER && !memcmp(header, "070701", 6));
	require(number(header, 1) == mode && number(header, 6) == length);
	require(number(header, 11) == strlen(name) + 1);
	require(!memcmp(take(reader, HEADER + strlen(name) + 1) + HEADER, name, strlen(name) + 1));
	content = take(reader, length);
	require(!length || !memcmp(content, bytes, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut = size ? data[0] * size / 256 : 0;
	struct initramfs archive;
	struct reader reader = {0};
	char *bytes;

	initramfs_build(data, cut, data + cut, size - cut, &archive);
	bytes = join(&archive);
	reader.bytes = bytes;
	reader.length = archive.length;
	expect(&reader, "dev", 0040755, NULL, 0);
	expect(&reader, "dev/console", 0020600, NULL, 0);
	expect(&reader, "config.json", 0100400, data + cut, size - cut);
	expect(&reader, "init", 0100755, data, cut);
	expect(&reader, "TRAILER!!!", 0, NULL, 0);
	require(reader.position == reader.length);
	free(bytes);
	return 0;
}
