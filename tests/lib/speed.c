// SPDX-License-Identifier: Apache-2.0
/*
 * speed XZ-FILE [ROUNDS]: decoding the kernel with libsmkernel beside `xz -dc`, in turns, and
 * prints
 *
 *   {"xz_ms": 95.10, "smk_ms": 50.20, "ratio": 1.89, "sha256_ms": 6.10}
 *
 * The first two are medians of wall time from the start of a process to its end, both started in
 * the same way: `xz -dc FILE`, which writes to /dev/null, and this program again (`speed decode`),
 * which decodes into the library's sealed memory and checks it with SHA-256. The last is the median
 * of hashing the decoded kernel.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static double time_process(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	double begin = now_ms();
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) < 0 || status != 0)
		die("a decoder failed");
	posix_spawn_file_actions_destroy(&actions);
	return now_ms() - begin;
}

static const void *decode(size_t *ret_length)
{
	const void *bytes;
	enum smk_result result = smk_asset_bytes(SMK_ASSET_KERNEL, &bytes, ret_length);

	if (result)
		die(smk_result_string(result));
	return bytes;
}

static double time_sha256(void)
{
	size_t length;
	const void *bytes = decode(&length);
	char hex[SMK_SHA256_HEX_SIZE];
	double begin = now_ms();

	sha256_hex(bytes, length, hex);
	return now_ms() - begin;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times, int count)
{
	qsort(times, (size_t)count, sizeof(*times), compare);
	return (times[(count - 1) / 2] + times[count / 2]) / 2;
}

int main(int argc, char **argv)
{
	const char *const xz_argv[] = {"xz", "-dc", argv[1], NULL};
	const char *const smk_argv[] = {"/proc/self/exe", "decode", NULL};
	double xz[ROUNDS_MAX], smk[ROUNDS_MAX], sha256[ROUNDS_MAX], xz_ms, smk_ms;
	size_t length;
	int rounds = argc > 2 ? atoi(argv[2]) : 31;

	if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: speed XZ-FILE [ROUNDS, at most 101]");
	if (!strcmp(argv[1], "decode"))
		return decode(&length) ? 0 : 1;
	for (int i = 0; i < rounds; i++) {
		xz[i] = time_process(xz_argv);
		smk[i] = time_process(smk_argv);
	}
	for (int i = 0; i < rounds; i++)
		sha256[i] = time_sha256();
	xz_ms = median(xz, rounds);
	smk_ms = median(smk, rounds);
	printf("{\"xz_ms\": %.2f, \"smk_ms\": %.2f, \"ratio\": %.2f, \"sha256_ms\": %.2f}\n", xz_ms,
	       smk_ms, xz_ms / smk_ms, median(sha256, rounds));
	return 0;
}
