// SPDX-License-Identifier: Apache-2.0
/* A layer's disk behind dm-verity. */
#ifndef INIT_VERITY_H
#define INIT_VERITY_H

#include "init/guest.h"

#define VERITY_DEVICE_MAX 64

/* disk: its device file. device: the one to use in its place, that of STEP_LAYER's root hash. */
int verity_open(const struct step *step, const char *disk, char device[static VERITY_DEVICE_MAX],
		struct failure *f) FAIL_MUST_CHECK;

/* Fails when a block of one of the plan's layers was read and was not what its root hash says. */
int verity_check(const struct plan *plan, struct failure *f) FAIL_MUST_CHECK;

#endif
