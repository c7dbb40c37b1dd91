// SPDX-License-Identifier: Apache-2.0
/*
 * The archive's entries are a table. The kernel makes /dev and /dev/console itself from its
 * built-in archive; they are here for kernels that are configured without one, because the standard
 * streams of PID 1 come from that node. Everything else is made by init-oci: each entry costs boot
 * time.
 */
#include "initramfs.h"

#include <stdio.h>
#include <string.h>

#define CONSOLE_MAJOR 5
#define CONSOLE_MINOR 1

struct entry {
	const char *name;
	unsigned mode;
	unsigned links;
	unsigned major, minor;
	const void *bytes;
	size_t length;
};

static void add_part(struct initramfs *archive, const void *bytes, size_t length)
{
	if (!length)
		return;
	archive->parts[archive->count++] = (struct iovec){(void *)bytes, length};
	archive->length += length;
}

static void add_padding(struct initramfs *archive)
{
	static const char zeros[4];

	add_part(archive, zeros, -archive->length & 3);
}

/* Numbers, owner, group and times are constant: the same input gives the same bytes. */
static void add_entry(struct initramfs *archive, unsigned index, const struct entry *entry)
{
	char *header = archive->headers[index];
	unsigned name_size = (unsigned)strlen(entry->name) + 1;
	int length =
		snprintf(header, INITRAMFS_HEADER_MAX,
			 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", index + 1,
			 entry->mode, 0U, 0U, entry->links, 0U, (unsigned)entry->length, 0U, 0U,
			 entry->major, entry->minor, name_size, 0U, entry->name);

	add_part(archive, header, (size_t)length + 1);
	add_padding(archive);
	add_part(archive, entry->bytes, entry->length);
	add_padding(archive);
}

void initramfs_build(const void *init, size_t init_length, const void *config, size_t config_length,
		     struct initramfs *ret)
{
	const struct entry entries[INITRAMFS_ENTRIES] = {
		{.name = "dev", .mode = 0040755, .links = 2},
		{.name = "dev/console", .mode = 0020600, .links = 1, CONSOLE_MAJOR, CONSOLE_MINOR},
		{.name = "config.json",
		 .mode = 0100400,
		 .links = 1,
		 .bytes = config,
		 .length = config_length},
		{.name = "init", .mode = 0100755, .links = 1, .bytes = init, .length = init_length},
		{.name = "TRAILER!!!", .links = 1},
	};

	ret->count = 0;
	ret->length = 0;
	for (unsigned i = 0; i < INITRAMFS_ENTRIES; i++)
		add_entry(ret, i, &entries[i]);
}
