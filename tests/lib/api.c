// SPDX-License-Identifier: Apache-2.0
/*
 * api ASSETS: the public functions, on the small assets whose files are in the directory ASSETS.
 * Runs in an empty directory of its own.
 */
#include "smkernel.h"
#include "tests/lib/files.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#define CONFIG_MAX ((size_t)4 << 20)

static const enum smk_asset assets[] = {SMK_ASSET_KERNEL, SMK_ASSET_INIT_OCI};
static const char *const names[] = {"kernel", "init-oci"};
static char *files[2]; /* contents of ASSETS/kernel and ASSETS/init-oci */
static size_t lengths[2];

static void test_assets(void)
{
	const enum smk_asset unknown[] = {(enum smk_asset)2, (enum smk_asset) - 1};
	char hex[SMK_SHA256_HEX_SIZE], id[SMK_BUILD_ID_SIZE];
	const void *bytes;
	const char *version;
	size_t length;
	int fd;

	for (int i = 0; i < 2; i++) {
		CHECK_INT(smk_asset_length(unknown[i], &length), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_asset_sha256(unknown[i], hex), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_asset_build_id(unknown[i], id), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_asset_version(unknown[i], &version), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_asset_xz(unknown[i], &bytes, &length), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_asset_bytes(unknown[i], &bytes, &length), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_asset_memfd(unknown[i], &fd), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_extract_to(unknown[i], "x"), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_extract_to_with_parents(unknown[i], "x"), SMK_ERROR_ARGUMENT);
		CHECK_INT(smk_extract_to_fd(unknown[i], 1), SMK_ERROR_ARGUMENT);
	}
}

static void test_null(void)
{
	const void *bytes;
	void *made;
	size_t length;

	CHECK_INT(smk_asset_length(SMK_ASSET_KERNEL, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_sha256(SMK_ASSET_KERNEL, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_build_id(SMK_ASSET_KERNEL, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_version(SMK_ASSET_KERNEL, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_xz(SMK_ASSET_KERNEL, NULL, &length), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_xz(SMK_ASSET_KERNEL, &bytes, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, NULL, &length), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_asset_memfd(SMK_ASSET_KERNEL, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_extract_kernel_to(NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_extract_all(NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_initramfs_bytes(NULL, 1, &made, &length), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_initramfs_bytes("{}", 2, NULL, &length), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_initramfs_bytes("{}", 2, &made, NULL), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_initramfs_to_fd(NULL, 1, 1), SMK_ERROR_ARGUMENT);
}

static void test_paths(void)
{
	static char path[PATH_MAX + 1];

	CHECK_INT(smk_extract_kernel_to(""), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_extract_all(""), SMK_ERROR_ARGUMENT);
	/* a path that is too long, of names that are not */
	for (int i = 0; i < PATH_MAX; i++)
		path[i] = i % 2 ? '/' : 'x';
	path[PATH_MAX - 1] = 'x';
	CHECK_INT(smk_extract_kernel_to(path), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_extract_kernel_to_with_parents(path), SMK_ERROR_ARGUMENT);
	/* a directory that is not, and whose files' paths are */
	path[PATH_MAX - 3] = '\0';
	CHECK_INT(smk_extract_all(path), SMK_ERROR_ARGUMENT);
	/* a name that is too long */
	memset(path, 'x', NAME_MAX + 1);
	path[NAME_MAX + 1] = '\0';
	CHECK_INT(smk_extract_kernel_to(path), SMK_ERROR_ARGUMENT);
}

static void test_values(void)
{
	static const char zeros[CONFIG_MAX + 1];
	void *made;
	size_t length;

	CHECK_INT(smk_extract_to_fd(SMK_ASSET_KERNEL, -1), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_initramfs_to_fd("{}", 2, -1), SMK_ERROR_ARGUMENT);
	CHECK_INT(smk_initramfs_to_fd("{}", 0, 1), SMK_ERROR_CONFIG);
	CHECK_INT(smk_initramfs_bytes("{}", 0, &made, &length), SMK_ERROR_CONFIG);
	CHECK_INT(smk_initramfs_bytes(zeros, CONFIG_MAX + 1, &made, &length), SMK_ERROR_CONFIG);
	CHECK_INT(smk_initramfs_bytes(zeros, CONFIG_MAX, &made, &length), SMK_OK);
	smk_free(made);
}

static void test_words(void)
{
	for (int i = SMK_OK; i <= SMK_ERROR_CONFIG; i++) {
		const char *words = smk_result_string((enum smk_result)i);

		CHECK(words && *words && !strchr(words, '\n') && strcmp(words, "unknown result"));
		for (int j = SMK_OK; j < i; j++)
			CHECK(strcmp(words, smk_result_string((enum smk_result)j)));
	}
	CHECK_STR(smk_result_string((enum smk_result) - 1), "unknown result");
	CHECK_STR(smk_result_string((enum smk_result)(SMK_ERROR_CONFIG + 1)), "unknown result");
}

static void test_version(void)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "%d.%d.%d", SMK_VERSION_MAJOR, SMK_VERSION_MINOR,
		 SMK_VERSION_PATCH);
	CHECK_STR(smk_version(), expected);
}

static void test_facts(void)
{
	for (int i = 0; i < 2; i++) {
		char hex[SMK_SHA256_HEX_SIZE], id[SMK_BUILD_ID_SIZE], expected[SMK_BUILD_ID_SIZE];
		const char *version;
		size_t length;

		CHECK_INT(smk_asset_length(assets[i], &length), SMK_OK);
		CHECK_INT(length, lengths[i]);
		CHECK_INT(smk_asset_version(assets[i], &version), SMK_OK);
		CHECK_STR(version, "1.0-test");
		CHECK_INT(smk_asset_sha256(assets[i], hex), SMK_OK);
		CHECK_INT(strspn(hex, "0123456789abcdef"), 64);
		CHECK_INT(strlen(hex), 64);
		CHECK_INT(smk_asset_build_id(assets[i], id), SMK_OK);
		snprintf(expected, sizeof(expected), "%s-%.32s", names[i], hex);
		CHECK_STR(id, expected);
	}
}

static void test_bytes(void)
{
	for (int i = 0; i < 2; i++) {
		const void *bytes, *again;
		size_t length;

		CHECK_INT(smk_asset_bytes(assets[i], &bytes, &length), SMK_OK);
		CHECK_INT(length, lengths[i]);
		CHECK(!memcmp(bytes, files[i], length));
		CHECK_INT((uintptr_t)bytes % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
		CHECK_INT(smk_asset_bytes(assets[i], &again, &length), SMK_OK);
		CHECK(again == bytes);
		CHECK(mprotect((void *)(uintptr_t)bytes, length, PROT_READ | PROT_WRITE) < 0);
		smk_cache_drop();
		CHECK_INT(smk_asset_bytes(assets[i], &bytes, &length), SMK_OK);
		CHECK(!memcmp(bytes, files[i], length));
	}
}

static void test_xz(void)
{
	for (int i = 0; i < 2; i++) {
		const void *bytes;
		size_t length;

		CHECK_INT(smk_asset_xz(assets[i], &bytes, &length), SMK_OK);
		CHECK(length > 6 && length < lengths[i] &&
		      !memcmp(bytes,
			      "\xfd"
			      "7zXZ",
			      6));
	}
}

static void test_memfd(void)
{
	static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	for (int i = 0; i < 2; i++) {
		int one = -1, two = -1;
		char *bytes;
		size_t length = 0;

		CHECK_INT(smk_asset_memfd(assets[i], &one), SMK_OK);
		CHECK_INT(smk_asset_memfd(assets[i], &two), SMK_OK);
		CHECK(one != two);
		CHECK_INT(fcntl(one, F_GET_SEALS) & seals, seals);
		CHECK(fcntl(one, F_GETFD) & FD_CLOEXEC);
		CHECK(write(one, "x", 1) < 0 && ftruncate(one, 0) < 0);
		CHECK(mmap(NULL, lengths[i], PROT_WRITE, MAP_SHARED, one, 0) == MAP_FAILED);
		bytes = files_read_fd(one, &length);
		CHECK_INT(length, lengths[i]);
		CHECK(bytes && !memcmp(bytes, files[i], length));
		free(bytes);
		/* an offset of its own: reading one did not move two */
		CHECK_INT(lseek(two, 0, SEEK_CUR), 0);
		/* it outlives the cache */
		smk_cache_drop();
		bytes = files_read_fd(two, &length);
		CHECK(bytes && length == lengths[i] && !memcmp(bytes, files[i], length));
		free(bytes);
		close(one);
		close(two);
	}
}

static void test_memory_limit(void)
{
	const void *bytes;
	size_t length;

	smk_cache_drop();
	smk_set_memory_limit(4096);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, &length), SMK_ERROR_MEMORY_LIMIT);
	CHECK_INT(smk_extract_kernel_to("limited"), SMK_ERROR_MEMORY_LIMIT);
	CHECK(access("limited", F_OK) < 0);
	smk_set_memory_limit(0);
	CHECK_INT(smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, &length), SMK_OK);
}

/* ---- file descriptors and the initramfs --------------------------------------------------------
 */

static void test_to_fd(void)
{
	int fd = open("at-offset", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char *bytes;
	size_t length = 0;

	CHECK_INT(write(fd, "abc", 3), 3);
	CHECK_INT(smk_extract_to_fd(SMK_ASSET_INIT_OCI, fd), SMK_OK);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 3 + lengths[1]);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	bytes = files_read_fd(fd, &length);
	CHECK_INT(length, 3 + lengths[1]);
	CHECK(bytes && !memcmp(bytes, "abc", 3) && !memcmp(bytes + 3, files[1], lengths[1]));
	free(bytes);
	close(fd);
	fd = open("at-offset", O_RDONLY | O_CLOEXEC);
	errno = 0;
	CHECK_INT(smk_extract_to_fd(SMK_ASSET_INIT_OCI, fd), SMK_ERROR_IO);
	CHECK_INT(errno, EBADF);
	close(fd);
}

static void test_initramfs(void)
{
	static const char config[] = "{\"ociVersion\": \"1.0.2\"}";
	void *one, *two;
	size_t one_length, two_length;
	int fd = open("cpio", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK_INT(smk_initramfs_bytes(config, strlen(config), &one, &one_length), SMK_OK);
	CHECK_INT(smk_initramfs_bytes(config, strlen(config), &two, &two_length), SMK_OK);
	CHECK_INT(one_length, two_length);
	CHECK(!memcmp(one, two, one_length));
	CHECK_INT(one_length % 4, 0);
	CHECK_INT(smk_initramfs_to_fd(config, strlen(config), fd), SMK_OK);
	close(fd);
	files_check("cpio", one, one_length);
	smk_free(one);
	smk_free(two);
	smk_free(NULL);
}

static void test_names(void)
{
	CHECK_INT(smk_extract_kernel_to("crate-kernel"), SMK_OK);
	CHECK_INT(smk_extract_init_oci_to("crate-init"), SMK_OK);
	CHECK_INT(smk_extract_kernel_to_with_parents("crate/a/kernel"), SMK_OK);
	CHECK_INT(smk_extract_init_oci_to_with_parents("crate/b/init"), SMK_OK);
	files_check("crate-kernel", files[0], lengths[0]);
	files_check("crate-init", files[1], lengths[1]);
	files_check("crate/a/kernel", files[0], lengths[0]);
	files_check("crate/b/init", files[1], lengths[1]);
	CHECK_INT(smk_extract_all("crate"), SMK_OK);
	files_check("crate/kernel", files[0], lengths[0]);
	files_check("crate/init-oci", files[1], lengths[1]);
	CHECK_INT(smk_extract_all("crate/none"), SMK_ERROR_NO_DIRECTORY);
}

static const struct t_case cases[] = {
	{"assets", test_assets},
	{"null", test_null},
	{"paths", test_paths},
	{"values", test_values},
	{"words", test_words},
	{"version", test_version},
	{"facts", test_facts},
	{"bytes", test_bytes},
	{"xz", test_xz},
	{"memfd", test_memfd},
	{"memory-limit", test_memory_limit},
	{"to-fd", test_to_fd},
	{"initramfs", test_initramfs},
	{"names", test_names},
};

int main(int argc, char **argv)
{
	int code;

	if (argc != 2)
		return 2;
	for (int i = 0; i < 2; i++)
		files[i] = files_read_in(argv[1], names[i], &lengths[i]);
	code = t_run("lib/api", cases, sizeof(cases) / sizeof(cases[0]));
	smk_cache_drop();
	free(files[0]);
	free(files[1]);
	return code;
}
