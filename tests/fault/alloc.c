// SPDX-License-Identifier: Apache-2.0
/*
 * Linked around the allocator of a test build of init-oci: before each allocation a system call that
 * no kernel has, which the injector sees, counts and, once, answers with ENOMEM.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define NO_SUCH_CALL 500 /* runner.py knows it, too */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool is_refused(void)
{
	int saved = errno;

	(void)syscall(NO_SUCH_CALL);
	if (errno == ENOMEM)
		return true;
	errno = saved;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return is_refused() ? NULL : __real_realloc(old, size);
}
