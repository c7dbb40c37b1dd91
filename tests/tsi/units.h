// SPDX-License-Identifier: Apache-2.0
/* Units of the host's side of TSI: each file has its table. */
#ifndef TESTS_TSI_UNITS_H
#define TESTS_TSI_UNITS_H

#include "tests/t.h"
#include "tests/tsi/guest.h"

extern const struct t_case stream_cases[], listen_cases[], datagram_cases[], hostile_cases[];
extern const size_t stream_count, listen_count, datagram_count, hostile_count;

/* Reads exactly so many bytes; false: they did not come. */
bool read_all(int fd, void *bytes, size_t size);
/* Whether the connection's end is what comes next, in order or by a reset. */
bool is_at_end(int fd);

#endif
