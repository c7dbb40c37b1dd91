// SPDX-License-Identifier: Apache-2.0
/*
 * libsmkernel: the microVM kernel and its init (init-oci), carried inside one small library.
 *
 * Both assets are embedded as xz. They are handed out as memory, as a sealed memfd, as a file, or as
 * a ready initramfs. An asset is resolved in this order:
 *
 *   1. the file that the environment names (SUPERMACHINE_KERNEL_PATH, SUPERMACHINE_INIT_OCI_PATH),
 *      uncompressed; checked for its format (arm64 Image header; ELF class, machine, no interpreter).
 *      Ignored when empty, and in set-user-ID programs;
 *   2. the embedded xz, checked against its SHA-256 and its format.
 *
 * Lengths are bytes, paths are NUL-terminated strings in the caller's encoding, file descriptors are
 * opened close-on-exec. Outputs (ret_*) are written on success only. Every function is thread-safe; the
 * only process-wide state is the cache of decoded assets, and the limit for decoding them. No function
 * prints, exits or changes signal handlers.
 */
#ifndef SMKERNEL_H
#define SMKERNEL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default) /* the library is built with everything else hidden */
#endif

#define SMK_VERSION_MAJOR 0
#define SMK_VERSION_MINOR 1
#define SMK_VERSION_PATCH 0

#define SMK_SHA256_HEX_SIZE 65 /* 64 digits and the NUL */
#define SMK_BUILD_ID_SIZE   64 /* with the NUL */

enum smk_asset {
	SMK_ASSET_KERNEL = 0,   /* arm64 Linux Image, uncompressed */
	SMK_ASSET_INIT_OCI = 1, /* static aarch64 ELF executable */
};

/* Results. Each cause has its own value; values are never reused for another meaning. */
enum smk_result {
	SMK_OK = 0,
	SMK_ERROR_ARGUMENT = 1,     /* a NULL, an unknown asset, a path that is empty or too long */
	SMK_ERROR_NO_MEMORY = 2,    /* allocation failed */
	SMK_ERROR_MEMORY_LIMIT = 3, /* decoding would need more than the limit */
	SMK_ERROR_DATA = 4,         /* the embedded xz is damaged */
	SMK_ERROR_CHECKSUM = 5,     /* decoded well, but the SHA-256 is another */
	SMK_ERROR_FORMAT = 6,   /* not an uncompressed arm64 Image, or not a static aarch64 ELF */
	SMK_ERROR_OVERRIDE = 7, /* the environment's file cannot be read; errno says why */
	SMK_ERROR_NO_DIRECTORY = 8, /* the target's directory does not exist */
	SMK_ERROR_TARGET = 9,       /* the target exists and is not a regular file */
	SMK_ERROR_NO_SPACE =
		10,        /* ENOSPC, EDQUOT or EFBIG while writing, RLIMIT_FSIZE (no SIGXFSZ) */
	SMK_ERROR_IO = 11, /* any other system error; errno says which */
	SMK_ERROR_CONFIG = 12, /* config.json is empty or larger than 4 MiB */
};

/* Words for a result: static, never NULL, lower case, no newline. */
const char *smk_result_string(enum smk_result result);

/* The library's version, "0.1.0". Static. */
const char *smk_version(void);

/* ---- about an asset, without decoding ------------------------------------------------------- */

/*
 * Uncompressed length in bytes. With an override: the file's length. Like the next two it decodes
 * nothing, but reads and checks an override.
 */
enum smk_result smk_asset_length(enum smk_asset asset, size_t *ret_length);
/* SHA-256 of the uncompressed bytes, lower-case hexadecimal. With an override the file is read. */
enum smk_result smk_asset_sha256(enum smk_asset asset, char ret_hex[SMK_SHA256_HEX_SIZE]);
/*
 * The key to pin snapshots to: "kernel-" or "init-oci-" and the first 32 digits of the SHA-256. Equal
 * keys mean equal bytes.
 */
enum smk_result smk_asset_build_id(enum smk_asset asset, char ret_id[SMK_BUILD_ID_SIZE]);
/* The embedded asset's version ("6.12.117-smk"); "override" when the environment names a file. */
enum smk_result smk_asset_version(enum smk_asset asset, const char **ret_version);
/* The embedded xz itself: bytes and length, static. Overrides do not apply. */
enum smk_result smk_asset_xz(enum smk_asset asset, const void **ret_bytes, size_t *ret_length);

/* ---- an asset's bytes ----------------------------------------------------------------------- */

/*
 * The uncompressed bytes: decoded once, then cached. Read-only, page-aligned, valid until the process
 * ends or smk_cache_drop(). The caller does not free them.
 */
enum smk_result smk_asset_bytes(enum smk_asset asset, const void **ret_bytes, size_t *ret_length);
/*
 * A sealed memfd (no write, grow or shrink) with an offset of its own, at 0; the caller closes it. It
 * shares the cached pages and outlives smk_cache_drop().
 */
enum smk_result smk_asset_memfd(enum smk_asset asset, int *ret_fd);
/* Gives the cached bytes back. No pointer from smk_asset_bytes may be in use. */
void smk_cache_drop(void);

/* Most memory that decoding may take, in bytes, beside the result; 0 restores the default, 64 MiB. */
void smk_set_memory_limit(size_t bytes);

/* ---- extraction ----------------------------------------------------------------------------- */

/*
 * Writes the asset to path, mode 0644 (kernel) or 0755 (init-oci) less umask. The file appears complete
 * or not at all: temporary file in the same directory, fsync, rename, fsync of the directory. A regular
 * file that already has the right content is left alone, permissions included. A symbolic link, a
 * directory or a special file at path is SMK_ERROR_TARGET; a missing directory is
 * SMK_ERROR_NO_DIRECTORY. On failure the target is what it was (unless only the last fsync, of the
 * directory, failed: then it is new).
 */
enum smk_result smk_extract_to(enum smk_asset asset, const char *path);
/* The same; missing directories are made first, mode 0777 less umask. */
enum smk_result smk_extract_to_with_parents(enum smk_asset asset, const char *path);
/*
 * Writes the bytes at fd's current offset. fd stays open; what a failure leaves written stays. A pipe
 * or socket that nobody reads any more raises SIGPIPE, as write() does: ignore it to get SMK_ERROR_IO
 * with EPIPE. The same goes for smk_initramfs_to_fd().
 */
enum smk_result smk_extract_to_fd(enum smk_asset asset, int fd);
/* Both assets into an existing directory, as "kernel" and "init-oci", in this order. */
enum smk_result smk_extract_all(const char *directory);

/* The names of the Rust crate supermachine-kernel. */
enum smk_result smk_extract_kernel_to(const char *path);
enum smk_result smk_extract_kernel_to_with_parents(const char *path);
enum smk_result smk_extract_init_oci_to(const char *path);
enum smk_result smk_extract_init_oci_to_with_parents(const char *path);

/* ---- initramfs ------------------------------------------------------------------------------ */

/*
 * A cpio archive (newc, uncompressed) with /init = init-oci and /config.json = config, and the
 * directories and console node that the kernel wants. The same input gives the same bytes.
 */
enum smk_result smk_initramfs_bytes(const void *config, size_t config_length, void **ret_bytes,
				    size_t *ret_length);
/* Frees what smk_initramfs_bytes returned. NULL is fine. */
void smk_free(void *bytes);
enum smk_result smk_initramfs_to_fd(const void *config, size_t config_length, int fd);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
