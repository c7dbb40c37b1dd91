// SPDX-License-Identifier: Apache-2.0
// Marker instructions: hint #87 to #95 of A64, no-ops that nobody else uses. A guest program
// executes one to say "here"; the plugins recognise it while translating.
#pragma once

#include <stdint.h>
#include <string.h>

#define MARKER_FIRST 87
#define MARKER_LAST  95

// Returns the hint's number, or 0 when the instruction's four bytes are no marker.
static inline int marker_number(const void *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof word);
	if ((word & 0xfffff01f) != 0xd503201f)
		return 0;
	int number = (int)(word >> 5 & 0x7f);
	return number >= MARKER_FIRST && number <= MARKER_LAST ? number : 0;
}
