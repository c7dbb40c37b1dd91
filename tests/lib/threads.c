// SPDX-License-Identifier: Apache-2.0
/*
 * threads ASSETS: every public function from many threads at once, with the cache dropped under
 * them. Built with ThreadSanitizer, which ends the program at the first race.
 */
#include "smkernel.h"
#include "tests/lib/files.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 12
#define ROUNDS  15

static char *contents[2];
static size_t lengths[2];
static atomic_int wrong;
static bool may_drop;

static void expect(bool is_right)
{
	if (!is_right)
		atomic_fetch_add(&wrong, 1);
}

static void use_fd(enum smk_asset asset)
{
	char *bytes = malloc(lengths[asset]);
	int fd = -1;

	expect(smk_asset_memfd(asset, &fd) == SMK_OK);
	expect(read(fd, bytes, lengths[asset]) == (ssize_t)lengths[asset]);
	expect(!memcmp(bytes, contents[asset], lengths[asset]));
	close(fd);
	free(bytes);
}

static void use_facts(enum smk_asset asset)
{
	char hex[SMK_SHA256_HEX_SIZE], id[SMK_BUILD_ID_SIZE];
	const char *version;
	size_t length;

	expect(smk_asset_length(asset, &length) == SMK_OK && length == lengths[asset]);
	expect(smk_asset_sha256(asset, hex) == SMK_OK);
	expect(smk_asset_build_id(asset, id) == SMK_OK);
	expect(smk_asset_version(asset, &version) == SMK_OK);
}

static void use_files(int number)
{
	char path[64];

	snprintf(path, sizeof(path), "parents/%d/kernel", number % 3);
	expect(smk_extract_kernel_to_with_parents(path) == SMK_OK);
	expect(smk_extract_all(".") == SMK_OK);
	unlink(path);
}

static void use_initramfs(void)
{
	void *bytes = NULL;
	size_t length;

	expect(smk_initramfs_bytes("{}", 2, &bytes, &length) == SMK_OK && length > lengths[1]);
	smk_free(bytes);
}

/* smk_asset_bytes only where nobody drops: its contract. */
static void use_bytes(enum smk_asset asset)
{
	const void *bytes;
	size_t length;

	expect(smk_asset_bytes(asset, &bytes, &length) == SMK_OK);
	expect(length == lengths[asset] && !memcmp(bytes, contents[asset], length));
}

static void *run(void *argument)
{
	int number = *(int *)argument;

	for (int i = 0; i < ROUNDS; i++) {
		enum smk_asset asset = (enum smk_asset)((number + i) % 2);

		use_facts(asset);
		use_fd(asset);
		use_files(number + i);
		use_initramfs();
		smk_set_memory_limit(i % 2 ? 0 : 32 << 20);
		if (may_drop)
			smk_cache_drop();
		else
			use_bytes(asset);
	}
	return NULL;
}

static void test_all(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		CHECK(!pthread_create(&threads[i], NULL, run, &numbers[i]));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(atomic_load(&wrong), 0);
}

static int count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	CHECK(directory);
	while (directory && readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* What was dropped while it was in use is given back by its last user. */
static void test_dropped(void)
{
	int before;

	smk_cache_drop();
	before = count_fds();
	may_drop = true;
	test_all();
	smk_cache_drop();
	CHECK_INT(count_fds(), before);
}

static const struct t_case cases[] = {{"shared", test_all}, {"dropped", test_dropped}};

int main(int argc, char **argv)
{
	static const char *const names[] = {"kernel", "init-oci"};

	if (argc != 2)
		return 2;
	for (int i = 0; i < 2; i++)
		contents[i] = files_read_in(argv[1], names[i], &lengths[i]);
	return t_run("lib/threads", cases, 2);
}
