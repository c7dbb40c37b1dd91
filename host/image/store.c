// SPDX-License-Identifier: Apache-2.0
/*
 * Names -> bytes. A layout's files are opened below its directory and nowhere else; an archive is
 * searched from its beginning, which libarchive does by seeking from header to header.
 */
#include "host/image/image.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK       (256u << 10)
#define ALIASES_MAX 8 /* links from entry to entry that are followed */

const char *const store_kinds[STORE__COUNT] = {
	[STORE_LAYOUT] = "oci",
	[STORE_OCI_ARCHIVE] = "oci-archive",
	[STORE_DOCKER_ARCHIVE] = "docker-archive",
};

static int fail_archive(struct failure *f, const char *op, const char *path,
			struct archive *archive)
{
	const char *words = archive_error_string(archive);

	return fail_err(f, 0, op, path, "%s", words ? words : "not a tar archive");
}

static int open_archive(const char *path, struct archive **ret, struct failure *f)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return fail_err(f, ENOMEM, "open", path, "%s", "");
	archive_read_support_filter_all(archive);
	archive_read_support_format_tar(archive);
	if (archive_read_open_filename(archive, path, CHUNK) != ARCHIVE_OK) {
		fail_archive(f, "open", path, archive);
		archive_read_free(archive);
		return -1;
	}
	*ret = archive;
	return 0;
}

/* "./a//b" and "a/b" are the same entry. */
static const char *plain(const char *name)
{
	for (;;) {
		size_t dots = !strncmp(name, "./", 2) ? 2 : *name == '/';

		if (!dots)
			return name;
		name += dots;
	}
}

/* 1: the archive is at the entry's data; 0: there is none; -1. */
static int seek_entry(struct archive *archive, const char *path, const char *name,
		      struct archive_entry **ret, struct failure *f)
{
	struct archive_entry *entry;
	int result;

	while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
	       result == ARCHIVE_WARN) {
		const char *here = archive_entry_pathname(entry);

		if (here && !strcmp(plain(here), name)) {
			*ret = entry;
			return 1;
		}
	}
	return result == ARCHIVE_EOF ? 0 : fail_archive(f, "read", path, archive);
}

/* "x/layer.tar" -> "../y/layer.tar" is "y/layer.tar", without looking anywhere. */
static char *resolve_alias(const char *name, const char *target)
{
	const char *slash = strrchr(name, '/');
	AUTO_FREE char *folder =
		slash ? must_format("%.*s", (int)(slash - name), name) : must_copy("");

	while (!strncmp(target, "../", 3)) {
		char *up = strrchr(folder, '/');

		target += 3;
		folder[up ? up - folder : 0] = '\0';
	}
	return must_format("%s%s%s", folder, *folder ? "/" : "", plain(target));
}

/* Opens the archive at the entry; an entry that is a link leads to another one. */
static int open_entry(const char *path, const char *name, struct archive **ret, struct failure *f)
{
	AUTO_FREE char *wanted = must_copy(plain(name));

	for (unsigned i = 0; i < ALIASES_MAX; i++) {
		struct archive *archive;
		struct archive_entry *entry;
		const char *target;
		char *next;
		int found;

		if (open_archive(path, &archive, f))
			return -1;
		found = seek_entry(archive, path, wanted, &entry, f);
		if (found > 0 && archive_entry_filetype(entry) == S_IFREG &&
		    !archive_entry_hardlink(entry)) {
			*ret = archive;
			return 0;
		}
		target = found <= 0 ? NULL : archive_entry_symlink(entry);
		next = target ? resolve_alias(wanted, target) : NULL;
		if (found > 0 && archive_entry_hardlink(entry))
			next = must_copy(plain(archive_entry_hardlink(entry)));
		archive_read_free(archive);
		if (!next)
			return fail_err(f, found ? EINVAL : ENOENT, "", path, "%.100s", name);
		free(wanted);
		wanted = next;
	}
	return fail_err(f, ELOOP, "", path, "%.100s", name);
}

static bool has_entry(const char *path, const char *name)
{
	struct failure ignored = {0};
	struct archive *archive;
	struct archive_entry *entry;
	int found;

	if (open_archive(path, &archive, &ignored))
		return false;
	found = seek_entry(archive, path, name, &entry, &ignored);
	archive_read_free(archive);
	return found > 0;
}

static int find_kind(const char *path, const struct stat *st, enum store_kind *ret,
		     struct failure *f)
{
	AUTO_FREE char *marker = must_format("%s/oci-layout", path);

	if (S_ISDIR(st->st_mode)) {
		if (access(marker, F_OK))
			return fail_err(f, ENOENT, "", path,
					"a bundle is a directory with config.json in it, an image "
					"layout one with oci-layout");
		*ret = STORE_LAYOUT;
		return 0;
	}
	if (!S_ISREG(st->st_mode))
		return fail_err(f, 0, "", path,
				"an image is a file or a directory, a bundle is a directory");
	if (has_entry(path, "oci-layout"))
		*ret = STORE_OCI_ARCHIVE;
	else if (has_entry(path, "manifest.json"))
		*ret = STORE_DOCKER_ARCHIVE;
	else
		return fail_err(f, 0, "", path,
				"an image's archive has oci-layout or manifest.json in it; a "
				"bundle is a directory");
	return 0;
}

int store_open(const char *path, const char *what, struct store *ret, struct failure *f)
{
	struct store store = {.dir_fd = -1};
	struct stat st;

	if (stat(path, &st))
		return fail_sys(f, "open", path);
	if (find_kind(path, &st, &store.kind, f))
		return -1;
	/* `docker save` writes both forms of late. */
	if (what && !strcmp(what, store_kinds[STORE_DOCKER_ARCHIVE]) &&
	    store.kind == STORE_OCI_ARCHIVE && has_entry(path, "manifest.json"))
		store.kind = STORE_DOCKER_ARCHIVE;
	if (what && strcmp(what, store_kinds[store.kind]) != 0)
		return fail_err(f, 0, "", path, "is of kind %s, not %s", store_kinds[store.kind],
				what);
	if (store.kind == STORE_LAYOUT) {
		store.dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (store.dir_fd < 0)
			return fail_sys(f, "open", path);
	}
	store.path = must_copy(path);
	*ret = store;
	return 0;
}

void store_finish(struct store *store)
{
	cleanup_fd(&store->dir_fd);
	free(store->path);
	store->path = NULL;
}

/* ---- blobs ---------------------------------------------------------------------------------- */

/* A regular file below the layout; links may lead around in it, not out of it. */
static int open_file(const struct store *store, const char *name, int *ret_fd, struct failure *f)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	AUTO_FD fd = (int)syscall(SYS_openat2, store->dir_fd, name, &how, sizeof(how));
	struct stat st;

	if (fd < 0 && errno == ENOSYS)
		fd = openat(store->dir_fd, name, (int)how.flags | O_NOFOLLOW);
	if (fd < 0)
		return fail_err(f, errno, "open", store->path, "%.100s", name);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return fail_err(f, 0, "open", store->path, "%.100s: not a regular file", name);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice only */
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int blob_open(const struct store *store, const char *name, struct blob_claim claim,
	      struct blob *ret, struct failure *f)
{
	struct blob blob = {.shown = claim.digest ? claim.digest : name, .fd = -1, .claim = claim};

	if (store->kind == STORE_LAYOUT ? open_file(store, name, &blob.fd, f)
					: open_entry(store->path, name, &blob.archive, f))
		return -1;
	sha256_init(&blob.hash);
	*ret = blob;
	return 0;
}

static int check_end(struct blob *blob, struct failure *f)
{
	char hex[2 * SHA256_SIZE + 1];
	struct sha256 hash = blob->hash;

	if (blob->claim.has_size && blob->length != blob->claim.size)
		return fail_err(f, 0, "", blob->shown, "has %llu bytes, not %llu as is said of it",
				(unsigned long long)blob->length,
				(unsigned long long)blob->claim.size);
	if (!blob->claim.digest)
		return 0;
	sha256_finish_hex(&hash, hex);
	if (strcmp(hex, strchr(blob->claim.digest, ':') + 1) != 0)
		return fail_err(f, 0, "", blob->shown, "is not what its digest says: sha256:%s",
				hex);
	return 0;
}

static ssize_t read_some(struct blob *blob, void *buffer, size_t size, struct failure *f)
{
	ssize_t got;

	if (blob->archive) {
		got = archive_read_data(blob->archive, buffer, size);
		if (got < 0)
			return fail_archive(f, "read", blob->shown, blob->archive);
		return got;
	}
	do
		got = read(blob->fd, buffer, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? fail_sys(f, "read", blob->shown) : got;
}

ssize_t blob_read(struct blob *blob, void *buffer, size_t size, struct failure *f)
{
	ssize_t got = read_some(blob, buffer, size, f);

	if (got < 0)
		return -1;
	if (!got)
		return check_end(blob, f);
	blob->length += (uint64_t)got;
	/* Too long a blob need not be read to its end to be wrong. */
	if (blob->claim.has_size && blob->length > blob->claim.size)
		return fail_err(f, 0, "", blob->shown, "has more than %llu bytes, as is said of it",
				(unsigned long long)blob->claim.size);
	sha256_update(&blob->hash, buffer, (size_t)got);
	return got;
}

void blob_finish(struct blob *blob)
{
	if (blob->archive)
		archive_read_free(blob->archive);
	cleanup_fd(&blob->fd);
}

int blob_load(const struct store *store, const char *name, struct blob_claim claim,
	      char **ret_bytes, size_t *ret_length, struct failure *f)
{
	AUTO_FREE char *bytes = NULL;
	size_t length = 0;
	struct blob blob;
	ssize_t got;

	if (claim.has_size && claim.size > OCI_IMAGE_MAX_BYTES)
		return fail_err(f, 0, "", claim.digest ? claim.digest : name,
				"must be at most %u bytes", OCI_IMAGE_MAX_BYTES);
	if (blob_open(store, name, claim, &blob, f))
		return -1;
	bytes = must_alloc(OCI_IMAGE_MAX_BYTES + 1);
	while ((got = blob_read(&blob, bytes + length, OCI_IMAGE_MAX_BYTES + 1 - length, f)) > 0) {
		length += (size_t)got;
		if (length > OCI_IMAGE_MAX_BYTES) {
			got = fail_err(f, 0, "", blob.shown, "must be at most %u bytes",
				       OCI_IMAGE_MAX_BYTES);
			break;
		}
	}
	blob_finish(&blob);
	if (got < 0)
		return -1;
	*ret_bytes = bytes;
	*ret_length = length;
	bytes = NULL;
	return 0;
}
