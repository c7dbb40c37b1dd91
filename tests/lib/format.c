// SPDX-License-Identifier: Apache-2.0
/* format ASSETS: the format checks on beginnings of the right files, in allocations of the exact size. */
#include "lib/format.h"
#include "tests/lib/files.h"

#define BEGINNING 300

static char *kernel, *init;
static size_t kernel_length, init_length;

static enum smk_result check_beginning(enum smk_asset asset, const char *bytes, size_t length)
{
	char *copy = malloc(length ? length : 1);
	enum smk_result result;

	memcpy(copy, bytes, length);
	result = format_check(asset, copy, length);
	free(copy);
	return result;
}

static void test_whole(void)
{
	CHECK_INT(check_beginning(SMK_ASSET_KERNEL, kernel, kernel_length), SMK_OK);
	CHECK_INT(check_beginning(SMK_ASSET_INIT_OCI, init, init_length), SMK_OK);
	CHECK_INT(check_beginning(SMK_ASSET_KERNEL, init, init_length), SMK_ERROR_FORMAT);
	CHECK_INT(check_beginning(SMK_ASSET_INIT_OCI, kernel, kernel_length), SMK_ERROR_FORMAT);
}

static void test_beginnings(void)
{
	for (size_t length = 0; length < BEGINNING; length++) {
		CHECK_INT(check_beginning(SMK_ASSET_KERNEL, kernel, length),
			  length < 64 ? SMK_ERROR_FORMAT : SMK_OK);
		CHECK_INT(check_beginning(SMK_ASSET_INIT_OCI, init, length), SMK_ERROR_FORMAT);
	}
}

/* The table of segments moved to the end, so that a part of it is outside. */
static void test_table(void)
{
	char *copy = malloc(init_length);

	for (size_t inside = 0; inside < 2 * 56; inside++) {
		size_t offset = init_length - inside;

		memcpy(copy, init, init_length);
		memcpy(copy + offset, init + 64, inside);
		for (unsigned i = 0; i < 8; i++)
			copy[32 + i] = (char)(offset >> 8 * i);
		CHECK_INT(check_beginning(SMK_ASSET_INIT_OCI, copy, init_length), SMK_ERROR_FORMAT);
	}
	free(copy);
}

static const struct t_case cases[] = {
	{"whole", test_whole},
	{"beginnings", test_beginnings},
	{"table", test_table},
};

int main(int argc, char **argv)
{
	int code;

	if (argc != 2)
		return 2;
	kernel = files_read_in(argv[1], "kernel", &kernel_length);
	init = files_read_in(argv[1], "init-oci", &init_length);
	code = t_run("lib/format", cases, sizeof(cases) / sizeof(cases[0]));
	free(kernel);
	free(init);
	return code;
}
