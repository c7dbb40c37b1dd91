// SPDX-License-Identifier: Apache-2.0
/*
 * race ASSETS [WRITERS [ROUNDS]]: many processes extract to the same path at once. They disagree
 * about the content (half of them have an override), so that every round replaces the target, while
 * readers read it over and over: each time they must see the one content or the other, whole.
 */
#include "smkernel.h"
#include "tests/t.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READERS 4
#define TARGET  "shared/kernel"

static struct shared {
	atomic_bool is_done;
	atomic_int failed; /* extractions that did not give SMK_OK */
	atomic_int torn;   /* reads of anything else than the two contents */
	atomic_int reads;
	atomic_int seen[2];
} * shared;

static int writers = 64, rounds = 20;
static const char *assets_directory;
static char *contents[2];
static size_t content_length;

static size_t read_all(const char *path, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t count;

	while (fd >= 0 && length < size && (count = read(fd, bytes + length, size - length)) > 0)
		length += (size_t)count;
	close(fd);
	return length;
}

static void write_rounds(int number)
{
	if (number % 2)
		setenv("SUPERMACHINE_KERNEL_PATH", "other", 1);
	for (int i = 0; i < rounds; i++)
		if (smk_extract_kernel_to(TARGET) != SMK_OK)
			atomic_fetch_add(&shared->failed, 1);
}

static void read_rounds(void)
{
	char *bytes = malloc(content_length + 1);

	while (!atomic_load(&shared->is_done)) {
		size_t length = read_all(TARGET, bytes, content_length + 1);
		int which = 0;

		while (which < 2 &&
		       (length != content_length || memcmp(bytes, contents[which], length)))
			which++;
		if (which == 2)
			atomic_fetch_add(&shared->torn, 1);
		else
			atomic_fetch_add(&shared->seen[which], 1);
		atomic_fetch_add(&shared->reads, 1);
	}
	free(bytes);
}

static pid_t start(void (*run)(int), int number)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	run(number);
	_exit(0);
}

static void read_number(int number)
{
	(void)number;
	read_rounds();
}

static void prepare(void)
{
	char path[PATH_MAX];
	struct stat status;
	int fd;

	snprintf(path, sizeof(path), "%s/kernel", assets_directory);
	CHECK(!stat(path, &status));
	content_length = (size_t)status.st_size;
	contents[0] = malloc(content_length);
	contents[1] = malloc(content_length);
	CHECK(read_all(path, contents[0], content_length) == content_length);
	memcpy(contents[1], contents[0], content_length);
	for (size_t i = 64; i < content_length; i++)
		contents[1][i] = (char)~contents[1][i];
	fd = open("other", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK(write(fd, contents[1], content_length) == (ssize_t)content_length && !close(fd));
	CHECK(!mkdir("shared", 0755));
	/* The readers begin with a target that is there: from then on it always must be. */
	CHECK_INT(smk_extract_kernel_to(TARGET), SMK_OK);
	smk_cache_drop();
}

static void test_race(void)
{
	pid_t readers[READERS], *pids = calloc((size_t)writers, sizeof(*pids));
	int status;

	prepare();
	for (int i = 0; i < READERS; i++)
		readers[i] = start(read_number, i);
	for (int i = 0; i < writers; i++)
		pids[i] = start(write_rounds, i);
	for (int i = 0; i < writers; i++)
		CHECK(pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	atomic_store(&shared->is_done, true);
	for (int i = 0; i < READERS; i++)
		CHECK(readers[i] > 0 && waitpid(readers[i], &status, 0) == readers[i] &&
		      status == 0);
	CHECK_INT(atomic_load(&shared->failed), 0);
	CHECK_INT(atomic_load(&shared->torn), 0);
	/* The race was one: both contents were seen, often. */
	CHECK(atomic_load(&shared->seen[0]) > 10 && atomic_load(&shared->seen[1]) > 10);
	CHECK(rmdir("shared") < 0 && !unlink(TARGET) && !rmdir("shared")); /* nothing beside it */
	fprintf(stderr, "race: %d extractions, %d reads, %d torn\n", writers * rounds,
		atomic_load(&shared->reads), atomic_load(&shared->torn));
	free(contents[0]);
	free(contents[1]);
	free(pids);
}

static const struct t_case cases[] = {{"processes", test_race}};

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	assets_directory = argv[1];
	if (argc > 3) {
		writers = atoi(argv[2]);
		rounds = atoi(argv[3]);
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? 2 : t_run("lib/race", cases, 1);
}
