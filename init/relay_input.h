// SPDX-License-Identifier: Apache-2.0
// The input half of the relay.
#ifndef INIT_RELAY_INPUT_H
#define INIT_RELAY_INPUT_H

#include "init/relay.h"

bool input_pump(struct input *in, struct channel *channel);
/* The entrypoint takes no more: what is buffered is forgotten. */
void input_close(struct input *in);

#endif
