// SPDX-License-Identifier: Apache-2.0
/* xz_file FILE: decodes FILE as an embedded asset is, to standard output. Exits with the result. */
#include "lib/xz.h"
#include "tests/lib/files.h"

#define RAW_MAX ((size_t)16 << 20)

int main(int argc, char **argv)
{
	size_t length;
	unsigned char *bytes, *out;
	struct xz_stream xz;
	enum smk_result result;

	if (argc != 2)
		return 100;
	bytes = (unsigned char *)files_read(argv[1], &length);
	if (!bytes)
		return 101;
	result = xz_parse(bytes, length, &xz);
	if (!result && xz.raw_length > RAW_MAX)
		return 102;
	out = malloc(result ? 1 : xz.raw_length + 1);
	if (!result)
		result = xz_decode(&xz, out, (size_t)64 << 20, 2);
	if (!result && write(1, out, xz.raw_length) != (ssize_t)xz.raw_length)
		return 103;
	free(out);
	free(bytes);
	return (int)result;
}
