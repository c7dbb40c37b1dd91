// SPDX-License-Identifier: Apache-2.0
/* The grammar of JSON's numbers. */
#ifndef OCI_NUMBER_H
#define OCI_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum number_kind {
	NUMBER_NONE, /* the text begins with no number */
	NUMBER_INT64,
	NUMBER_UINT64, /* 2^63 to 2^64-1 */
	NUMBER_OTHER,  /* a fraction, an exponent, or an integer beyond both */
};

struct number {
	enum number_kind kind;
	size_t length; /* of its text */
	int64_t small; /* NUMBER_INT64 */
	uint64_t big;  /* NUMBER_UINT64 */
};

struct number number_scan(const char *text, size_t length);

#endif
