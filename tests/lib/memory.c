// SPDX-License-Identifier: Apache-2.0
/*
 * memory: the n-th allocation fails, for n = 1, 2, ... until nothing fails any more. malloc and its
 * siblings are defined here, so that liblzma's calls are counted too. Each call must either succeed
 * or say SMK_ERROR_NO_MEMORY, and must have given back everything: the live allocations are
 * counted.
 */
#include "smkernel.h"
#include "tests/t.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *bytes, size_t size);
void __libc_free(void *bytes);

static atomic_long fail_at; /* counts down; the allocation that finds 1 fails */
static atomic_long live;

static bool must_fail(void)
{
	if (atomic_load(&fail_at) <= 0 || atomic_fetch_sub(&fail_at, 1) != 1)
		return false;
	errno = ENOMEM;
	return true;
}

static void *counted(void *bytes)
{
	if (bytes)
		atomic_fetch_add(&live, 1);
	return bytes;
}

void *malloc(size_t size)
{
	return must_fail() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *bytes, size_t size)
{
	void *moved = must_fail() ? NULL : __libc_realloc(bytes, size);

	return bytes ? moved : counted(moved);
}

void free(void *bytes)
{
	if (bytes)
		atomic_fetch_sub(&live, 1);
	__libc_free(bytes);
}

static enum smk_result run_bytes(void)
{
	const void *bytes;
	size_t length;

	return smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, &length);
}

static enum smk_result run_override(void)
{
	enum smk_result result;

	setenv("SUPERMACHINE_KERNEL_PATH", "kernel", 1);
	result = run_bytes();
	unsetenv("SUPERMACHINE_KERNEL_PATH");
	return result;
}

static enum smk_result run_memfd(void)
{
	int fd;
	enum smk_result result = smk_asset_memfd(SMK_ASSET_INIT_OCI, &fd);

	if (!result)
		close(fd);
	return result;
}

static enum smk_result run_initramfs(void)
{
	void *bytes;
	size_t length;
	enum smk_result result = smk_initramfs_bytes("{}", 2, &bytes, &length);

	if (!result)
		smk_free(bytes);
	return result;
}

static enum smk_result run_extract(void)
{
	enum smk_result result;

	unlink("extracted");
	result = smk_extract_kernel_to("extracted");
	if (result && access("extracted", F_OK) == 0)
		return SMK_ERROR_IO;
	return result;
}

/* Allocations that may fail without consequence (the courtesy of removing stale files) give SMK_OK.
 */
static void fail_each(enum smk_result (*run)(void), int at_least)
{
	enum smk_result result;
	int failures = 0;
	long n = 0, before, left;

	do {
		smk_cache_drop();
		before = atomic_load(&live);
		atomic_store(&fail_at, ++n);
		result = run();
		left = atomic_exchange(&fail_at, 0);
		CHECK(result == SMK_OK || result == SMK_ERROR_NO_MEMORY);
		failures += result == SMK_ERROR_NO_MEMORY;
		smk_cache_drop();
		CHECK_INT(atomic_load(&live), before);
	} while (left == 0 && n < 1000);
	CHECK(n < 1000);
	CHECK_INT(result, SMK_OK);
	CHECK(failures >= at_least);
}

static void test_bytes(void)
{
	fail_each(run_bytes, 5);
}

static void test_override(void)
{
	setenv("SUPERMACHINE_KERNEL_PATH", "kernel", 1); /* setenv's own allocations are not ours */
	unsetenv("SUPERMACHINE_KERNEL_PATH");
	fail_each(run_override, 2);
}

static void test_memfd(void)
{
	fail_each(run_memfd, 3);
}

static void test_initramfs(void)
{
	fail_each(run_initramfs, 4);
}

static void test_extract(void)
{
	fail_each(run_extract, 5);
}

static const struct t_case cases[] = {
	{"bytes", test_bytes},         {"override", test_override}, {"memfd", test_memfd},
	{"initramfs", test_initramfs}, {"extract", test_extract},
};

int main(int argc, char **argv)
{
	char path[4096];
	cpu_set_t one;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "%s/kernel", argv[1]);
	unlink("kernel");
	if (symlink(path, "kernel") < 0)
		return 2;
	/* One processor: no helper threads, whose stacks would be counted by chance. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	return t_run("lib/memory", cases, sizeof(cases) / sizeof(cases[0]));
}
