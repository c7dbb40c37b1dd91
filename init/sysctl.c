// SPDX-License-Identifier: Apache-2.0
// Kernel parameters, written through init-oci's own procfs.
#include <linux/magic.h>
#include <stdio.h>

#include "init/apply.h"
#include "init/procfs.h"

int step_sysctl(struct apply_state *state, const struct step *step, struct failure *f)
{
	char path[256];
	int length = snprintf(path, sizeof(path), "sys/%s", step->dst);

	if (length >= (int)sizeof(path))
		return fail_config(f, step->field, "the name is too long");
	return kernel_file_write(state->early->proc_fd, path, PROC_SUPER_MAGIC, step->src, f);
}
