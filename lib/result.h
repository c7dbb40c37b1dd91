// SPDX-License-Identifier: Apache-2.0
/* How the library's own functions answer: enum smk_result, with errno where the public header says
 * so. */
#ifndef LIB_RESULT_H
#define LIB_RESULT_H

#include "smkernel.h"

#define MUST_CHECK __attribute__((warn_unused_result))

/* The result that stands for a system error while writing or allocating. */
enum smk_result result_from_errno(int error);

#endif
