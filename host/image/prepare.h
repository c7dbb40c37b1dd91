// SPDX-License-Identifier: Apache-2.0
/* From an opened image to disks. */
#ifndef HOST_IMAGE_PREPARE_H
#define HOST_IMAGE_PREPARE_H

#include "host/image/image.h"
#include "host/image/layer.h"
#include "host/image/overrides.h"

#define LAYERS_MAX 500 /* what overlayfs takes */

struct prepared {
	struct strings paths; /* of image files, lowest layer first */
	bool is_cached;       /* none had to be made */
};

/* NULL: no such file system. */
const struct layer_image_ops *layer_fs_find(const char *name);
/* Fills *ret, which the caller has zeroed and finishes. */
int layers_prepare(const struct image *image, const struct image_options *options,
		   struct prepared *ret, struct failure *f) FAIL_MUST_CHECK;

#endif
