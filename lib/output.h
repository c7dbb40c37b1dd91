// SPDX-License-Identifier: Apache-2.0
/* Writing to file descriptors, completely or not. */
#ifndef LIB_OUTPUT_H
#define LIB_OUTPUT_H

#include <stddef.h>

#include "result.h"

/*
 * Writes all bytes at fd's offset: interrupted and short writes go on, a non-blocking fd is waited
 * for. What RLIMIT_FSIZE forbids is SMK_ERROR_NO_SPACE before the first byte, not a SIGXFSZ.
 */
enum smk_result output_write(int fd, const void *bytes, size_t length) MUST_CHECK;
/* fsync, interrupted or not; 0 or -1 with errno. */
int output_sync(int fd) MUST_CHECK;
/* Closes what is being given up; errno is kept, -1 is fine. */
void output_close(int fd);

#endif
