// SPDX-License-Identifier: Apache-2.0
/*
 * Linux: a memfd, sealed against every change once it is filled; descriptors are reopened through
 * /proc, so that each has its own offset, or copied where there is no /proc.
 * Elsewhere: private memory made read-only, and an unlinked temporary file as descriptor.
 */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

#ifdef __linux__
#include <sched.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Kernels before 6.3 do not know the flag; newer ones may insist on it. */
static int create_fd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

enum smk_result memory_create(const char *name, size_t length, struct memory *ret)
{
	struct memory memory = {.length = length, .fd = create_fd(name)};
	int error;

	if (memory.fd < 0)
		return result_from_errno(errno);
	/* Allocated now: a page that cannot be had later would be SIGBUS. */
	do {
		error = posix_fallocate(memory.fd, 0, (off_t)length);
	} while (error == EINTR);
	if (!error) {
		memory.bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0);
		if (memory.bytes == MAP_FAILED) {
			memory.bytes = NULL;
			error = errno;
		}
	}
	if (error) {
		memory_destroy(&memory);
		errno = error;
		return error == ENOSPC ? SMK_ERROR_NO_MEMORY : result_from_errno(error);
	}
	*ret = memory;
	return SMK_OK;
}

/* A shared writable mapping forbids the seal, so the memory is mapped again. */
enum smk_result memory_seal(struct memory *memory)
{
	void *bytes;

	munmap(memory->bytes, memory->length);
	memory->bytes = NULL;
	if (fcntl(memory->fd, F_ADD_SEALS, ALL_SEALS) < 0)
		return result_from_errno(errno);
	bytes = mmap(NULL, memory->length, PROT_READ, MAP_SHARED, memory->fd, 0);
	if (bytes == MAP_FAILED)
		return result_from_errno(errno);
	memory->bytes = bytes;
	return SMK_OK;
}

static enum smk_result copy_fd(const struct memory *memory, int *ret_fd)
{
	int fd = create_fd("smkernel");
	enum smk_result result;

	if (fd < 0)
		return result_from_errno(errno);
	result = output_write(fd, memory->bytes, memory->length);
	if (!result && (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0))
		result = result_from_errno(errno);
	if (result) {
		output_close(fd);
		return result;
	}
	*ret_fd = fd;
	return SMK_OK;
}

enum smk_result memory_open(const struct memory *memory, int *ret_fd)
{
	char path[32];
	struct stat ours, theirs;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return copy_fd(memory, ret_fd);
	/* What is mounted at /proc may not be this process's. */
	if (fstat(memory->fd, &ours) < 0 || fstat(fd, &theirs) < 0 ||
	    ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) {
		output_close(fd);
		return copy_fd(memory, ret_fd);
	}
	*ret_fd = fd;
	return SMK_OK;
}

unsigned memory_cpus(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&cpus);
}

#else

enum smk_result memory_create(const char *name, size_t length, struct memory *ret)
{
	void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	(void)name; /* there is no /proc to show it in */
	if (bytes == MAP_FAILED)
		return result_from_errno(errno);
	*ret = (struct memory){.bytes = bytes, .length = length, .fd = -1};
	return SMK_OK;
}

enum smk_result memory_seal(struct memory *memory)
{
	if (mprotect(memory->bytes, memory->length, PROT_READ) < 0)
		return result_from_errno(errno);
	return SMK_OK;
}

/* The file is unlinked and its writable descriptor closed: as near to a seal as there is. */
enum smk_result memory_open(const struct memory *memory, int *ret_fd)
{
	char path[] = "/tmp/smkernel.XXXXXX";
	int writable = mkstemp(path), fd;
	enum smk_result result;

	if (writable < 0)
		return result_from_errno(errno);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	result = fd < 0 ? result_from_errno(errno) : SMK_OK;
	unlink(path);
	if (!result)
		result = output_write(writable, memory->bytes, memory->length);
	output_close(writable);
	if (result) {
		output_close(fd);
		return result;
	}
	*ret_fd = fd;
	return SMK_OK;
}

unsigned memory_cpus(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : (unsigned)count;
}

#endif

void memory_destroy(struct memory *memory)
{
	int error = errno;

	if (memory->bytes)
		munmap(memory->bytes, memory->length);
	output_close(memory->fd);
	*memory = MEMORY_NONE;
	errno = error;
}
