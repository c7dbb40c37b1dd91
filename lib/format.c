// SPDX-License-Identifier: Apache-2.0
/* Format checks: the arm64 boot header of the kernel, and init-oci as a static aarch64 executable.
 */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Linux: Documentation/arch/arm64/booting.rst */
#define IMAGE_HEADER_SIZE     64
#define IMAGE_MAGIC_OFFSET    56
#define IMAGE_FLAGS_OFFSET    24
#define IMAGE_FLAG_BIG_ENDIAN 1

/* ELF, 64 bit. <elf.h> is not on every system that we build on. */
#define ELF_HEADER_SIZE  64
#define ELF_PROGRAM_SIZE 56
#define ELF_TYPE_EXEC    2
#define ELF_TYPE_DYN     3
#define ELF_AARCH64      183
#define ELF_LOAD         1
#define ELF_INTERP       3

static uint64_t load_le(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static bool is_arm64_image(const uint8_t *bytes, size_t length)
{
	return length >= IMAGE_HEADER_SIZE && !memcmp(bytes + IMAGE_MAGIC_OFFSET, "ARM\x64", 4) &&
	       !(bytes[IMAGE_FLAGS_OFFSET] & IMAGE_FLAG_BIG_ENDIAN);
}

/* Every segment lies inside the file, one at least is loaded, none names an interpreter. */
static bool has_static_segments(const uint8_t *bytes, size_t length)
{
	uint64_t offset = load_le(bytes + 32, 8);
	uint64_t count = load_le(bytes + 56, 2);
	bool is_loaded = false;

	if (load_le(bytes + 54, 2) != ELF_PROGRAM_SIZE || offset > length ||
	    count * ELF_PROGRAM_SIZE > length - offset)
		return false;
	for (const uint8_t *row = bytes + offset; count; count--, row += ELF_PROGRAM_SIZE) {
		uint64_t type = load_le(row, 4), start = load_le(row + 8, 8),
			 size = load_le(row + 32, 8);

		if (type == ELF_INTERP || start > length || size > length - start)
			return false;
		is_loaded |= type == ELF_LOAD;
	}
	return is_loaded;
}

static bool is_static_aarch64(const uint8_t *bytes, size_t length)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little-endian */,
					1};
	uint64_t type;

	if (length < ELF_HEADER_SIZE || memcmp(bytes, ident, sizeof(ident)) != 0)
		return false;
	type = load_le(bytes + 16, 2);
	return (type == ELF_TYPE_EXEC || type == ELF_TYPE_DYN) &&
	       load_le(bytes + 18, 2) == ELF_AARCH64 && has_static_segments(bytes, length);
}

enum smk_result format_check(enum smk_asset asset, const void *bytes, size_t length)
{
	static bool (*const checks[])(const uint8_t *, size_t) = {
		[SMK_ASSET_KERNEL] = is_arm64_image,
		[SMK_ASSET_INIT_OCI] = is_static_aarch64,
	};

	return checks[asset](bytes, length) ? SMK_OK : SMK_ERROR_FORMAT;
}
