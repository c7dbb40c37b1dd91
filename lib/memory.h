// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that is also a file: filled once, sealed, then shared as bytes and as file descriptors
 * that see the same pages. Everything here that is particular to an operating system is in
 * memory.c.
 */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stddef.h>

#include "result.h"

struct memory {
	void *bytes; /* page-aligned; NULL: none */
	size_t length;
	int fd; /* -1: none, or a system without memfd */
};

#define MEMORY_NONE ((struct memory){.fd = -1})

/* Writable memory of length (> 0) bytes, all of them allocated. name is seen in /proc only. */
enum smk_result memory_create(const char *name, size_t length, struct memory *ret) MUST_CHECK;
/* From here on nobody can change it, this process included; bytes may move. */
enum smk_result memory_seal(struct memory *memory) MUST_CHECK;
/* A file descriptor of its own: sealed, at offset 0. */
enum smk_result memory_open(const struct memory *memory, int *ret_fd) MUST_CHECK;
/* Gives it back; fine to call on MEMORY_NONE. errno is kept. */
void memory_destroy(struct memory *memory);

/* Processors that this process may use, at least 1. */
unsigned memory_cpus(void);

#endif
