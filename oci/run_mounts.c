// SPDX-License-Identifier: Apache-2.0
/* The member "mounts" of a new runtime configuration: defaults, volumes, the command line's. */
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

static bool is_mounted(const struct oci_overrides *over, size_t first, const char *destination)
{
	for (size_t i = first; i < over->mount_count; i++)
		if (!strcmp(over->mounts[i].destination, destination))
			return true;
	return false;
}

static void write_default_mount(struct writer *writer, const struct merged *m,
				const char *destination, const char *type, const char *options)
{
	if (is_mounted(m->over, 0, destination))
		return;
	write_mount(writer, destination, type, type);
	write_words(writer, options);
	close_mount(writer);
}

static bool is_read_only_tmpfs(const char *destination)
{
	for (size_t i = 0; i < COUNT(read_only_tmpfs); i++)
		if (!strcmp(read_only_tmpfs[i].destination, destination))
			return true;
	return false;
}

/*
 * A volume of the image that the command line mounts nothing on: its own writable place, which begins
 * with what the image has there. Below a writable root it is one already.
 */
static void write_volumes(struct writer *writer, const struct merged *m)
{
	const struct oci_pairs *volumes = &m->image->volumes;

	for (size_t i = 0; m->over->read_only && i < volumes->count; i++)
		if (!is_read_only_tmpfs(volumes->items[i].key))
			write_default_mount(writer, m, volumes->items[i].key, "tmpfs",
					    "nosuid,nodev,tmpcopyup,mode=755");
}

void write_mounts(struct writer *writer, const struct merged *m)
{
	const struct oci_overrides *over = m->over;

	write_open(writer, "mounts", '[');
	for (size_t i = 0; i < COUNT(default_mounts); i++)
		write_default_mount(writer, m, default_mounts[i].destination,
				    default_mounts[i].type, default_mounts[i].options);
	for (size_t i = 0; over->read_only && i < COUNT(read_only_tmpfs); i++)
		write_default_mount(writer, m, read_only_tmpfs[i].destination, "tmpfs",
				    read_only_tmpfs[i].options);
	write_volumes(writer, m);
	for (size_t i = 0; i < over->mount_count; i++) {
		const struct oci_run_mount *mount = &over->mounts[i];

		if (is_mounted(over, i + 1, mount->destination))
			continue;
		write_mount(writer, mount->destination, mount->type, mount->source);
		write_strings(writer, &mount->options);
		close_mount(writer);
	}
	write_close(writer, ']');
}
