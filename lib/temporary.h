// SPDX-License-Identifier: Apache-2.0
/*
 * Temporary files beside their target: .TARGET.PID-RANDOM.tmp, locked (flock) while their writer
 * lives. What a dead writer left is removed by a later extraction of the same target, when the lock
 * is free and the file is older than TEMPORARY_STALE_SECONDS: between creating a file and locking
 * it there is an instant without lock.
 */
#ifndef LIB_TEMPORARY_H
#define LIB_TEMPORARY_H

#include <limits.h>

#include "directory.h"
#include "result.h"

#define TEMPORARY_STALE_SECONDS 60

struct temporary {
	int fd;
	char name[NAME_MAX + 1];
};

enum smk_result temporary_create(const struct place *place, unsigned mode,
				 struct temporary *ret) MUST_CHECK;
/* Unlinks it; errno is kept. The descriptor stays the caller's. */
void temporary_remove(const struct place *place, const struct temporary *temporary);
/* A courtesy: what cannot be removed is left. */
void temporary_remove_stale(const struct place *place);

#endif
