// SPDX-License-Identifier: Apache-2.0
/* UTF-8 as RFC 3629 has it. */
#ifndef OCI_UTF8_H
#define OCI_UTF8_H

#include <stddef.h>

/*
 * Length of the character that text[0..room-1] begins with; 0: none (overlong forms, surrogates and
 * what is above U+10FFFF are none).
 */
static inline size_t utf8_length(const char *text, size_t room)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned first = room ? byte[0] : 0x80;
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;

	if (length > room)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((first == 0xe0 && byte[1] < 0xa0) || (first == 0xed && byte[1] > 0x9f) ||
	    (first == 0xf0 && byte[1] < 0x90) || (first == 0xf4 && byte[1] > 0x8f))
		return 0;
	return length;
}

#endif
