// SPDX-License-Identifier: Apache-2.0
/* What an asset's bytes must look like, whatever their origin. Pure. */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stddef.h>

#include "result.h"

/* SMK_OK, or SMK_ERROR_FORMAT. asset must be a known one. */
enum smk_result format_check(enum smk_asset asset, const void *bytes, size_t length) MUST_CHECK;

#endif
