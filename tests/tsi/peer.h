// SPDX-License-Identifier: Apache-2.0
/* What the peer's files have in common. */
#ifndef TESTS_TSI_PEER_H
#define TESTS_TSI_PEER_H

#include "tests/tsi/app.h"

void dial_all(const struct peer_dial *order, struct peer_dialled *ret);
/* Closes it by a reset. */
void socket_reset(int fd);

#endif
