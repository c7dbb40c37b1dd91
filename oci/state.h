// SPDX-License-Identifier: Apache-2.0
// The state of a container as JSON (runtime.md, "State"): what hooks read from their standard input.
#ifndef OCI_STATE_H
#define OCI_STATE_H

#include "oci.h"

/* What the configuration does not say; whoever runs the hook knows it. */
struct state {
	const char *id;
	const char *status;
	int64_t pid; /* as the hook sees it */
	const char *bundle;
};

/* The text is of the spec's arena; NULL: no memory. */
const char *state_text(const struct oci_spec *spec, const struct state *state);

#endif
