// SPDX-License-Identifier: Apache-2.0
/*
 * override ASSETS: the files that the environment names instead of the embedded assets. Runs in an
 * empty directory of its own.
 */
#include "smkernel.h"
#include "tests/lib/files.h"

#include <errno.h>

#define KERNEL_VARIABLE "SUPERMACHINE_KERNEL_PATH"
#define INIT_VARIABLE   "SUPERMACHINE_INIT_OCI_PATH"

static char *files[2]; /* contents of ASSETS/kernel and ASSETS/init-oci */
static size_t lengths[2];

static void check_override(const char *variable, enum smk_asset asset, const char *path,
			   enum smk_result expected, int error)
{
	const void *bytes;
	size_t length;
	enum smk_result result;

	setenv(variable, path, 1);
	errno = 0;
	result = smk_asset_bytes(asset, &bytes, &length);
	if (error)
		CHECK_INT(errno, error);
	CHECK_INT(result, expected);
	CHECK_INT(smk_asset_length(asset, &length), expected);
	CHECK_INT(smk_extract_to(asset, "never"), expected);
	CHECK(access("never", F_OK) < 0);
	unsetenv(variable);
}

static void test_errors(void)
{
	static const char xz_magic[100] = "\xfd"
					  "7zXZ";
	static const char gzip_magic[100] = "\x1f\x8b";

	mkdir("directory", 0755);
	mkfifo("fifo", 0644);
	files_write("empty", "", 0);
	files_write("short", files[0], 63);
	files_write("xz", xz_magic, sizeof(xz_magic));
	files_write("gzip", gzip_magic, sizeof(gzip_magic));
	files_write("an-elf", files[1], lengths[1]);
	files_write("an-image", files[0], lengths[0]);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "missing", SMK_ERROR_OVERRIDE, ENOENT);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "directory", SMK_ERROR_OVERRIDE, EISDIR);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "fifo", SMK_ERROR_OVERRIDE, EINVAL);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "/dev/null", SMK_ERROR_OVERRIDE, EINVAL);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "empty", SMK_ERROR_FORMAT, 0);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "short", SMK_ERROR_FORMAT, 0);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "xz", SMK_ERROR_FORMAT, 0);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "gzip", SMK_ERROR_FORMAT, 0);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "an-elf", SMK_ERROR_FORMAT, 0);
	check_override(INIT_VARIABLE, SMK_ASSET_INIT_OCI, "an-image", SMK_ERROR_FORMAT, 0);
	check_override(INIT_VARIABLE, SMK_ASSET_INIT_OCI, "missing", SMK_ERROR_OVERRIDE, ENOENT);
}

/* Other bytes of the right form are taken, described, and forgotten when the variable is. */
static void test_content(void)
{
	const void *embedded, *first, *second;
	const char *version;
	char *other = malloc(lengths[0]), hex[SMK_SHA256_HEX_SIZE], before[SMK_SHA256_HEX_SIZE];
	size_t length;

	memcpy(other, files[0], lengths[0]);
	other[1000] ^= 1;
	files_write("other", other, lengths[0] - 10);
	CHECK_INT(smk_asset_sha256(SMK_ASSET_KERNEL, before), SMK_OK);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &embedded, &length), SMK_OK);
	setenv(KERNEL_VARIABLE, "other", 1);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &first, &length), SMK_OK);
	CHECK_INT(length, lengths[0] - 10);
	CHECK(!memcmp(first, other, length));
	CHECK_INT(smk_asset_sha256(SMK_ASSET_KERNEL, hex), SMK_OK);
	CHECK(strcmp(hex, before));
	CHECK_INT(smk_asset_version(SMK_ASSET_KERNEL, &version), SMK_OK);
	CHECK_STR(version, "override");
	CHECK_INT(smk_extract_kernel_to("extracted"), SMK_OK);
	files_check("extracted", other, lengths[0] - 10);
	/* the file changes: new bytes, and the old ones stay as they were */
	other[2000] ^= 1;
	files_write("other", other, lengths[0]);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &second, &length), SMK_OK);
	CHECK(second != first && length == lengths[0] && !memcmp(second, other, length));
	CHECK(((const char *)first)[2000] != other[2000]);
	setenv(KERNEL_VARIABLE, "", 1);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &first, &length), SMK_OK);
	CHECK(first == embedded);
	unsetenv(KERNEL_VARIABLE);
	free(other);
}

/* init-oci: each thing that makes the kernel or a VMM unable to start it. */
static void test_elf(void)
{
	static const struct {
		size_t offset;
		char value;
	} bad[] = {
		{0, 'x'}, {4, 1},     {5, 2},          {6, 0},          {16, 1},  {16, 4},
		{18, 62}, {32, 0x7f}, {39, 0x7f},      {54, 55},        {56, 0},  {57, 0x7f},
		{64, 3},  {64, 2},    {64 + 15, 0x7f}, {64 + 39, 0x7f}, {120, 3},
	};
	char *copy = malloc(lengths[1]);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(copy, files[1], lengths[1]);
		copy[bad[i].offset] = bad[i].value;
		files_write("bad-elf", copy, lengths[1]);
		check_override(INIT_VARIABLE, SMK_ASSET_INIT_OCI, "bad-elf", SMK_ERROR_FORMAT, 0);
	}
	/* and cut off: its segment is no longer inside */
	files_write("bad-elf", files[1], lengths[1] - 1);
	check_override(INIT_VARIABLE, SMK_ASSET_INIT_OCI, "bad-elf", SMK_ERROR_FORMAT, 0);
	free(copy);
}

static void test_image(void)
{
	char *copy = malloc(lengths[0]);

	memcpy(copy, files[0], lengths[0]);
	copy[24] |= 1; /* big-endian */
	files_write("bad-image", copy, lengths[0]);
	check_override(KERNEL_VARIABLE, SMK_ASSET_KERNEL, "bad-image", SMK_ERROR_FORMAT, 0);
	free(copy);
}

static const struct t_case cases[] = {
	{"errors", test_errors},
	{"content", test_content},
	{"elf", test_elf},
	{"image", test_image},
};

int main(int argc, char **argv)
{
	int code;

	if (argc != 2)
		return 2;
	files[0] = files_read_in(argv[1], "kernel", &lengths[0]);
	files[1] = files_read_in(argv[1], "init-oci", &lengths[1]);
	code = t_run("lib/override", cases, sizeof(cases) / sizeof(cases[0]));
	smk_cache_drop();
	free(files[0]);
	free(files[1]);
	return code;
}
