// SPDX-License-Identifier: Apache-2.0
/* A tree of names. */
#include "tests/tsi/names.h"

#include <search.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct known *x = a;
	const struct known *y = b;

	if (x->guest_port != y->guest_port)
		return x->guest_port < y->guest_port ? -1 : 1;
	return x->host_port < y->host_port ? -1 : x->host_port > y->host_port;
}

struct known *names_find(void **names, uint32_t guest_port, uint32_t host_port)
{
	const struct known key = {.guest_port = guest_port, .host_port = host_port};
	struct known **found = tfind(&key, names, compare);

	return found ? *found : NULL;
}

struct known *names_learn(void **names, uint32_t guest_port, uint32_t host_port)
{
	struct known *known = names_find(names, guest_port, host_port);

	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			abort();
		known->guest_port = guest_port;
		known->host_port = host_port;
		tsearch(known, names, compare);
	}
	return known;
}

struct known *names_take(void **names)
{
	struct known *known = *names ? **(struct known ***)names : NULL;

	if (known)
		tdelete(known, names, compare);
	return known;
}
