// SPDX-License-Identifier: Apache-2.0
/* Putting an asset into a file that appears complete or not at all. */
#ifndef LIB_EXTRACT_H
#define LIB_EXTRACT_H

#include <stdbool.h>

#include "result.h"

/* See smk_extract_to(); with_parents makes missing directories. path is neither NULL nor too long.
 */
enum smk_result extract_file(enum smk_asset which, const char *path, bool with_parents) MUST_CHECK;

#endif
