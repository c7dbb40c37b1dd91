// SPDX-License-Identifier: Apache-2.0
/* The words of the control channel, shared by its writer and its reader. */
#ifndef OCI_MESSAGE_NAMES_H
#define OCI_MESSAGE_NAMES_H

#include "message.h"

extern const char *const event_names[EVENT__COUNT];
extern const char *const request_names[REQUEST__COUNT];
extern const char *const phase_names[PHASE__COUNT];

#endif
