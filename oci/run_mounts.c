// SPDX-License-Identifier: Apache-2.0
/* The member "mounts" of a new runtime configuration: defaults, volumes, the command line's. */
#include <stdio.h>
#include <string.h>

#include "run_merged.h"

/* Options are words that commas divide. */
static const struct {
	const char *destination, *type, *options;
} default_mounts[] = {
	{"/proc", "proc", "nosuid,noexec,nodev"},
	{"/dev", "tmpfs", "nosuid,noexec,strictatime,mode=755,size=65536k"},
	{"/sys", "sysfs", "nosuid,noexec,nodev,ro"},
	{"/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
	{"/dev/mqueue", "mqueue", "nosuid,noexec,nodev"},
	{"/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=65536k"},
	{"/sys/fs/cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
};

/* With --read-only, as podman does: what programs expect to write to stays writable. */
static const struct {
	const char *destination, *options;
} read_only_tmpfs[] = {
	{"/run", "nosuid,nodev,tmpcopyup,mode=755"},
	{"/tmp", "nosuid,nodev,tmpcopyup,mode=1777"},
	{"/var/tmp", "nosuid,nodev,tmpcopyup,mode=1777"},
};

static void write_mount(struct writer *writer, const char *destination, const char *type,
			const char *source)
{
	write_open(writer, NULL, '{');
	write_string(writer, "destination", destination);
	write_string(writer, "type", type);
	write_string(writer, "source", source);
	write_open(writer, "options", '[');
}

static void close_mount(struct writer *writer)
{
	write_close(writer, ']');
	write_close(writer, '}');
}

static void write_words(struct writer *writer, const char *words)
{
	char word[64];

	for (; *words; words += strspn(words, ",")) {
		size_t length = strcspn(words, ",");

		memcpy(word, words, length); /* the tables' words are short */
		word[length] = '\0';
		write_string(writer, NULL, word);
		words += length;
	}
}

/* Slashes that say nothing do not tell two paths apart. */
static bool is_same_path(const char *a, const char *b)
{
	for (;;) {
		size_t length;

		a += strspn(a, "/");
		b += strspn(b, "/");
		length = strcspn(a, "/");
		if (length != strcspn(b, "/") || strncmp(a, b, length) != 0)
			return false;
		if (!length)
			return true;
		a += length;
		b += length;
	}
}

static unsigned path_depth(const char *path)
{
	unsigned depth = 0;

	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		depth++;
		path += strcspn(path, "/");
	}
	return depth;
}

static bool is_mounted(const struct oci_overrides *over, size_t first, const char *destination)
{
	for (size_t i = first; i < over->mount_count; i++)
		if (is_same_path(over->mounts[i].destination, destination))
			return true;
	return false;
}

/*
 * What is written of the mounts in one go: those of one depth, as podman does it. So a mount comes before
 * those below it, whoever asks for them.
 */
struct level {
	struct writer *writer;
	const struct merged *m;
	unsigned depth;
	bool has_deeper;
};

static bool is_on(struct level *level, const char *destination)
{
	unsigned depth = path_depth(destination);

	level->has_deeper |= depth > level->depth;
	return depth == level->depth;
}

static void write_default_mount(struct level *level, const char *destination, const char *type,
				const char *options)
{
	if (!is_on(level, destination) || is_mounted(level->m->over, 0, destination))
		return;
	write_mount(level->writer, destination, type, type);
	write_words(level->writer, options);
	close_mount(level->writer);
}

static bool is_read_only_tmpfs(const char *destination)
{
	for (size_t i = 0; i < COUNT(read_only_tmpfs); i++)
		if (is_same_path(read_only_tmpfs[i].destination, destination))
			return true;
	return false;
}

/*
 * A volume of the image that the command line mounts nothing on: its own writable place, which begins
 * with what the image has there, its owner and mode included. Below a writable root a directory is one.
 */
static void write_volumes(struct level *level)
{
	const struct oci_pairs *volumes = &level->m->image->volumes;
	bool is_read_only = level->m->over->read_only;

	for (size_t i = 0; (is_read_only || level->m->over->fixed_root) && i < volumes->count; i++)
		if (!is_read_only || !is_read_only_tmpfs(volumes->items[i].key))
			write_default_mount(level, volumes->items[i].key, "tmpfs",
					    "nosuid,nodev,tmpcopyup");
}

void write_volume_directories(struct writer *writer, const struct merged *m)
{
	const struct oci_pairs *volumes = &m->image->volumes;
	unsigned number = 0;

	for (size_t i = 0; i < volumes->count; i++) {
		char key[sizeof(OCI_ANNOTATION_VOLUME) + 16];

		if (is_mounted(m->over, 0, volumes->items[i].key) ||
		    !path_depth(volumes->items[i].key))
			continue;
		snprintf(key, sizeof(key), OCI_ANNOTATION_VOLUME_FORMAT, number++);
		write_string(writer, key, volumes->items[i].key);
	}
}

static void write_asked(struct level *level)
{
	const struct oci_overrides *over = level->m->over;

	for (size_t i = 0; i < over->mount_count; i++) {
		const struct oci_run_mount *mount = &over->mounts[i];

		if (!is_on(level, mount->destination) ||
		    is_mounted(over, i + 1, mount->destination))
			continue;
		write_mount(level->writer, mount->destination, mount->type, mount->source);
		write_strings(level->writer, &mount->options);
		close_mount(level->writer);
	}
}

void write_mounts(struct writer *writer, const struct merged *m)
{
	struct level level = {.writer = writer, .m = m, .has_deeper = true};

	write_open(writer, "mounts", '[');
	while (level.has_deeper) {
		level.has_deeper = false;
		level.depth++;
		for (size_t i = 0; i < COUNT(default_mounts); i++)
			write_default_mount(&level, default_mounts[i].destination,
					    default_mounts[i].type, default_mounts[i].options);
		for (size_t i = 0; m->over->read_only && i < COUNT(read_only_tmpfs); i++)
			write_default_mount(&level, read_only_tmpfs[i].destination, "tmpfs",
					    read_only_tmpfs[i].options);
		write_volumes(&level);
		write_asked(&level);
	}
	write_close(writer, ']');
}
