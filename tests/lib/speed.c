// SPDX-License-Identifier: Apache-2.0
/*
 * speed XZ-FILE [ROUNDS]: decoding the kernel with libsmkernel beside `xz -dc`, in turns, and
 * prints
 *
 *   {"xz_ms": 95.10, "smk_ms": 50.20, "ratio": 1.89, "sha256_ms": 6.10}
 *
 * The times are medians of wall time, one process each: xz writes to /dev/null, the library into
 * its sealed memory, checked with SHA-256.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "smkernel.h"

#define ROUNDS_MAX 101

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void die(const char *why)
{
	fprintf(stderr, "speed: %s\n", why);
	exit(1);
}

static double time_xz(const char *file)
{
	const char *const argv[] = {"xz", "-dc", file, NULL};
	posix_spawn_file_actions_t actions;
	double begin = now_ms();
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, "xz", &actions, NULL, (char *const *)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) < 0 || status != 0)
		die("xz -dc failed");
	posix_spawn_file_actions_destroy(&actions);
	return now_ms() - begin;
}

static double time_smk(void)
{
	double begin = now_ms();
	const void *bytes;
	size_t length;
	enum smk_result result = smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, &length);
	double end = now_ms();

	if (result)
		die(smk_result_string(result));
	smk_cache_drop();
	return end - begin;
}

static double time_sha256(void)
{
	const void *bytes;
	size_t length;
	char hex[SMK_SHA256_HEX_SIZE];
	double begin;

	if (smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, &length))
		die("no kernel");
	begin = now_ms();
	sha256_hex(bytes, length, hex);
	return now_ms() - begin;
}

static double least(const double *times, int count)
{
	double best = times[0];

	for (int i = 1; i < count; i++)
		best = times[i] < best ? times[i] : best;
	return best;
}

int main(int argc, char **argv)
{
	double xz[ROUNDS_MAX], smk[ROUNDS_MAX], xz_ms, smk_ms;
	int rounds = argc > 2 ? atoi(argv[2]) : 31;

	if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: speed XZ-FILE [ROUNDS, at most 101]");
	for (int i = 0; i < rounds; i++) {
		xz[i] = time_xz(argv[1]);
		smk[i] = time_smk();
	}
	xz_ms = least(xz, rounds);
	smk_ms = least(smk, rounds);
	printf("{\"xz_ms\": %.2f, \"smk_ms\": %.2f, \"ratio\": %.2f, \"sha256_ms\": %.2f}\n", xz_ms,
	       smk_ms, xz_ms / smk_ms, time_sha256());
	return 0;
}
