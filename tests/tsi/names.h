// SPDX-License-Identifier: Apache-2.0
/* The names that the checker has met, and what it knows of each. */
#ifndef TESTS_TSI_NAMES_H
#define TESTS_TSI_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* A name: (S, 620), (V, P), or (C, NAME_CONTROL) of a socket's control port. */
#define NAME_CONTROL 0u
struct known {
	uint32_t guest_port;
	uint32_t host_port;
	uint32_t control_port;
	uint16_t family;
	uint16_t type;
	bool is_listener;
	bool is_connecting;
	bool has_connected;
	bool is_released;
	double released_ms;
	struct known *owner; /* of a control port: the last proxy that was made from it */
	uint32_t guest_alloc;
	uint32_t sent;
	uint32_t host_alloc;
	uint32_t host_taken;
};

/* NULL: it was never met. */
struct known *names_find(void **names, uint32_t guest_port, uint32_t host_port);
/* The name, known from now on. */
struct known *names_learn(void **names, uint32_t guest_port, uint32_t host_port);
/* Any one, which is the caller's to free; NULL: there are no more. */
struct known *names_take(void **names);

#endif
