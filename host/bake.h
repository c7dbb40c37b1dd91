// SPDX-License-Identifier: Apache-2.0
/* A directory that is being baked: bake.c, with its place (bake_directory.c), files (bake_files.c) and
 * manifest. */
#ifndef HOST_BAKE_H
#define HOST_BAKE_H

#include "boot.h"
#include "lib/sha256.h"
#include "verity.h"
#include "vmm.h"

/* A file of the directory, as the manifest lists it. */
struct product {
	char *name;
	uint64_t size;
	char hex[2 * SHA256_SIZE + 1];
	struct verity verity;
};

struct bake {
	struct run_options options;
	struct boot boot;
	char *directory; /* the temporary one */
	int directory_fd;
	struct product kernel;
	struct product initramfs;
	struct product config;
	struct product *layers;
	struct product upper;          /* .name NULL: none */
	struct product words[VMM_MAX]; /* each VMM's file; .name NULL: it cannot be told */
	struct strings names;          /* of the layers */
	char *upper_key;
};

/* A new directory beside a target that is free, and that it becomes; locked by its descriptor. */
int bake_directory_make(const char *target, char **ret_path, int *ret_fd,
			struct failure *f) FAIL_MUST_CHECK;
int bake_directory_place(const char *path, const char *target, struct failure *f) FAIL_MUST_CHECK;
/* With its files; fd: its own. */
void bake_directory_remove(const char *path, int fd);

/* The path of a file in the directory; the caller frees it. */
char *bake_path(const struct bake *bake, const char *name);
/* Writes a new file; *ret describes it, its name is the caller's to free. */
int bake_write(const struct bake *bake, const char *name, mode_t mode, const void *bytes,
	       size_t length, struct product *ret, struct failure *f) FAIL_MUST_CHECK;
/* Copies a file; *ret_fd is open for reading and writing. */
int bake_copy(const struct bake *bake, const char *from, const char *name, int *ret_fd,
	      struct product *ret, struct failure *f) FAIL_MUST_CHECK;
/* The manifest's text for a kernel's command line, as the writer counts: its whole length. */
size_t bake_manifest_text(const struct bake *bake, const char *line, char *text, size_t size);

#endif
