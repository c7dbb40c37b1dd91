// SPDX-License-Identifier: Apache-2.0
/* Resolving an asset: from the environment's file or the embedded xz to checked bytes, once. */
#ifndef LIB_ASSET_H
#define LIB_ASSET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "memory.h"
#include "result.h"

#define ASSET_COUNT 2

/* What the build knows of an asset: the rows of the table in embedded.c. */
struct embedded {
	const char *name;
	const char *variable; /* environment: path of an uncompressed file instead */
	const unsigned char *xz;
	const unsigned char *xz_end;
	size_t raw_length;
	const char *sha256;
	const char *version;
	unsigned mode; /* of the extracted file, less umask */
};

extern const struct embedded embedded[ASSET_COUNT];

/* Where bytes come from. Equal sources have equal bytes. */
struct source {
	const char *path; /* NULL: the embedded xz */
	struct stat status;
};

/* Checked bytes that never change. Shared: acquire and release count the users. */
struct asset {
	struct asset *next;
	struct source source;
	unsigned users;
	bool is_cached;
	struct memory memory;
	char sha256[SMK_SHA256_HEX_SIZE];
};

/* The override's path, or NULL. Set-user-ID programs have none. */
const char *asset_override(enum smk_asset which);

/* What is known of an asset before its bytes are: an override is read, the embedded xz not decoded.
 */
struct facts {
	size_t length;
	char sha256[SMK_SHA256_HEX_SIZE];
};
enum smk_result asset_facts(enum smk_asset which, struct facts *ret) MUST_CHECK;

/* Decodes or reads the asset if the cache does not have it. Thread-safe. */
enum smk_result asset_acquire(enum smk_asset which, struct asset **ret) MUST_CHECK;
/* errno is kept. */
void asset_release(enum smk_asset which, struct asset *asset);
/* Forgets what is cached; what is still in use goes with its last user. */
void asset_drop_all(void);

/* Memory limit of decoding; 0 is the default. */
void asset_set_memory_limit(size_t bytes);

/* ---- for asset.c: the two ways to bytes (load.c) -----------------------------------------------
 */

/* Opens the override and says what it is; *ret_fd is -1 when there is none. */
enum smk_result load_find(enum smk_asset which, struct source *ret, int *ret_fd) MUST_CHECK;
/* Fills ret's memory and sha256 from the embedded xz, or from fd. */
enum smk_result load_embedded(enum smk_asset which, size_t memory_limit,
			      struct asset *ret) MUST_CHECK;
enum smk_result load_override(enum smk_asset which, int fd, struct asset *ret) MUST_CHECK;

#endif
