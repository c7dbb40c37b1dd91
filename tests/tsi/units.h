// SPDX-License-Identifier: Apache-2.0
/*
 * Units of the host's side of TSI: each file runs its own table, because what a check has found is
 * known in its file only (tests/t.h).
 */
#ifndef TESTS_TSI_UNITS_H
#define TESTS_TSI_UNITS_H

#include "tests/tsi/guest.h"

int stream_units(void);
int listen_units(void);
int datagram_units(void);
int hostile_units(void);
int policy_units(void);

/* Reads exactly so many bytes; false: they did not come. */
bool read_all(int fd, void *bytes, size_t size);
/* Whether the connection's end is what comes next, in order or by a reset. */
bool is_at_end(int fd);

#endif
