// SPDX-License-Identifier: Apache-2.0
/*
 * The counters of a coverage build live in a file that is mapped shared, from before main on.
 *
 * Nothing is written at the end of a process, because few of ours have one that could: PID 1 switches
 * its machine off, children execve, and tests kill. A counter that was incremented stands in the file,
 * whoever did it and however it ended. The compiler's own runtime can do that, too, but finds its file by
 * a name and an environment that PID 1 of a namespace does not have.
 *
 * A process other than PID 1 maps $COVERAGE_DIR/NAME, NAME being its program's, and makes it when it is
 * not there. For PID 1 the launcher has put a file that exists over /proc/version; it is taken off
 * again before main.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/coverage/profile.h"

#define COVER_PATH "/proc/version"
#define DETACH     2 /* of umount2(2) */

static void need(int is_true, const char *what)
{
	if (is_true)
		return;
	dprintf(2, "coverage: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static void put(int fd, const void *bytes, size_t size, size_t at, const char *path)
{
	need(pwrite(fd, bytes, size, (off_t)at) == (ssize_t)size, path);
}

/* Counters of another build mean other lines: nothing tells so later. */
static void refuse_other_build(int fd, const struct profile *p, const char *path)
{
	struct header found;
	ssize_t got = pread(fd, &found, sizeof(found), 0);

	errno = EEXIST;
	need(got == 0 || (got == (ssize_t)sizeof(found) &&
			  memcmp(&found, &p->header, sizeof(found)) == 0),
	     path);
}

/* Several processes may do this at once: they write the same bytes, and none of the counters. */
static int open_by_name(const char *directory, const struct profile *p)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, program_invocation_short_name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	need(fd >= 0, path);
	refuse_other_build(fd, p, path);
	put(fd, &p->header, sizeof(p->header), 0, path);
	need(!ftruncate(fd, (off_t)p->size), path);
	put(fd, p->records, p->records_size, sizeof(p->header), path);
	put(fd, p->names, p->names_size, p->names_at, path);
	return fd;
}

/* By open(2), which init-oci does not use: tests make calls fail. */
static int open_as_pid_1(const struct profile *p)
{
	int fd = (int)syscall(SYS_open, COVER_PATH, O_RDWR | O_CLOEXEC, 0);
	struct header found;

	if (fd < 0)
		return -1;
	syscall(SYS_umount2, COVER_PATH, DETACH);
	if (pread(fd, &found, sizeof(found), 0) == (ssize_t)sizeof(found) &&
	    memcmp(&found, &p->header, sizeof(found)) == 0)
		return fd;
	close(fd);
	return -1;
}

__attribute__((constructor)) static void map_counters(void)
{
	const char *directory = getenv("COVERAGE_DIR");
	struct profile p = profile_of_program();
	void *counters;
	int fd = -1;

	if (getpid() == 1)
		fd = open_as_pid_1(&p);
	else if (directory)
		fd = open_by_name(directory, &p);
	if (fd < 0)
		return;
	counters = mmap(NULL, p.counters_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			(off_t)p.counters_at);
	close(fd);
	if (counters != MAP_FAILED)
		profile_count_at(counters);
}
