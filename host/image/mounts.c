// SPDX-License-Identifier: Apache-2.0
/* Values of --volume and --tmpfs: what is mounted where, in podman's words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/host.h"
#include "host/image/overrides.h"

#define RELABEL     "labels of the host's files are not changed"
#define PROPAGATION "mounts of the guest are never the host's"

/* The third part of --volume. Those without a reason against them go on to the guest. */
static const struct {
	const char *word;
	const char *refusal;
} volume_words[] = {
	{"ro", NULL},
	{"rw", NULL},
	{"exec", NULL},
	{"noexec", NULL},
	{"suid", NULL},
	{"nosuid", NULL},
	{"dev", NULL},
	{"nodev", NULL},
	{"private", NULL},
	{"rprivate", NULL},
	{"rbind", NULL},
	{"bind", "mounts below the directory are always there"},
	{"z", RELABEL},
	{"Z", RELABEL},
	{"U", "owners of the host's files are not changed"},
	{"O", "what is written goes to the host: copy the directory, or use ro"},
	{"shared", PROPAGATION},
	{"rshared", PROPAGATION},
	{"slave", PROPAGATION},
	{"rslave", PROPAGATION},
};

static const char *const volume_fs_names[] = {
	[VOLUME_FS_AUTO] = "auto",
	[VOLUME_FS_VIRTIOFS] = "virtiofs",
	[VOLUME_FS_9P] = "9p",
};

int image_set_volume_fs(struct image_options *o, const char *value, struct failure *f)
{
	for (int i = 0; i < VOLUME_FS__COUNT; i++) {
		if (!strcmp(value, volume_fs_names[i])) {
			o->volume_fs = (enum volume_fs)i;
			return 0;
		}
	}
	return fail_config(f, "", "--volume-fs %s: auto, virtiofs or 9p", value);
}

/* An absolute path by its words alone: no empty part, no "." and no "..". In new memory. */
static char *clean_path(const char *path, size_t length)
{
	char *clean = must_alloc(length + 2);
	size_t used = 0;

	for (size_t at = 0; at < length;) {
		size_t part = strcspn(path + at, "/:");

		if (part == 2 && !strncmp(path + at, "..", 2)) {
			while (used && clean[--used] != '/')
				;
		} else if (part && !(part == 1 && path[at] == '.')) {
			clean[used++] = '/';
			memcpy(clean + used, path + at, part);
			used += part;
		}
		at += part + 1;
	}
	if (!used)
		clean[used++] = '/';
	clean[used] = '\0';
	return clean;
}

/* Two mounts at one place: the second would hide the first. */
static int check_free(const struct image_options *o, const char *option, const char *destination,
		      struct failure *f)
{
	bool is_taken = false;

	for (size_t i = 0; i < o->tmpfs_count; i++)
		is_taken |= !strcmp(o->tmpfs[i].destination, destination);
	for (size_t i = 0; i < o->volume_count; i++)
		is_taken |= !strcmp(o->volumes[i].destination, destination);
	return is_taken ? fail_config(f, "", "%s: two mounts at %s", option, destination) : 0;
}

int image_set_tmpfs(struct image_options *o, const char *value, struct failure *f)
{
	size_t length = strcspn(value, ":");
	AUTO_FREE char *destination = clean_path(value, length);

	if (o->tmpfs_count == OVERRIDES_MAX)
		return fail_config(f, "", "--tmpfs: at most %d of them", OVERRIDES_MAX);
	if (*value != '/' || !destination[1] || (value[length] && !value[length + 1]))
		return fail_config(f, "", "--tmpfs %s: DIRECTORY[:OPTIONS], absolute", value);
	if (check_free(o, "--tmpfs", destination, f))
		return -1;
	o->tmpfs[o->tmpfs_count++] = (struct tmpfs_option){
		.destination = destination,
		.options = value[length] ? value + length + 1 : "",
	};
	destination = NULL;
	return 0;
}

static int check_word(const char *value, const char *word, size_t length, struct failure *f)
{
	for (size_t i = 0; i < sizeof(volume_words) / sizeof(volume_words[0]); i++) {
		if (strlen(volume_words[i].word) != length ||
		    strncmp(volume_words[i].word, word, length) != 0)
			continue;
		if (!volume_words[i].refusal)
			return 0;
		return fail_config(f, "", "--volume %s: not %s: %s", value, volume_words[i].word,
				   volume_words[i].refusal);
	}
	return fail_config(f, "", "--volume %s: there is no option %.*s: ro, rw, noexec, suid, dev",
			   value, (int)length, word);
}

static int check_words(struct volume *volume, const char *value, struct failure *f)
{
	bool is_writable = false;
	const char *word = volume->options;

	while (word) {
		size_t length = strcspn(word, ",");

		if (check_word(value, word, length, f))
			return -1;
		volume->is_readonly |= length == 2 && !strncmp(word, "ro", 2);
		is_writable |= length == 2 && !strncmp(word, "rw", 2);
		word = word[length] ? word + length + 1 : NULL;
	}
	if (volume->is_readonly && is_writable)
		return fail_config(f, "", "--volume %s: ro or rw, not both", value);
	return 0;
}

/* The host's directory has to be there; no other kind of file can be shared. */
static int find_directory(const char *text, char **ret, struct failure *f)
{
	AUTO_FREE char *path = realpath(text, NULL);
	struct stat st;

	if (!path || stat(path, &st))
		return fail_sys(f, "--volume", text);
	if (!S_ISDIR(st.st_mode))
		return fail_err(f, ENOTDIR, "--volume", text, "only directories can be shared");
	*ret = path;
	path = NULL;
	return 0;
}

/* HOSTDIR:DIRECTORY[:OPTIONS]; where podman has volumes with names or without, a VM has none. */
int image_set_volume(struct image_options *o, const char *value, struct failure *f)
{
	struct volume volume = {.vmm_fd = -1};
	const char *guest = strchr(value, ':');
	const char *mode = guest ? strchr(guest + 1, ':') : NULL;
	AUTO_FREE char *host = NULL;
	AUTO_FREE char *destination = NULL;

	if (o->volume_count == VOLUMES_MAX)
		return fail_config(f, "", "--volume: at most %d of them", VOLUMES_MAX);
	if (!guest || guest[1] != '/' || guest == value)
		return fail_config(
			f, "", "--volume %s: HOSTDIR:DIRECTORY[:ro], the second absolute", value);
	guest++;
	destination = clean_path(guest, mode ? (size_t)(mode - guest) : strlen(guest));
	if (!destination[1])
		return fail_config(f, "", "--volume %s: not over the root of the image", value);
	volume.options = mode ? mode + 1 : NULL;
	if (check_words(&volume, value, f) || check_free(o, "--volume", destination, f))
		return -1;
	host = must_format("%.*s", (int)(guest - 1 - value), value);
	if (find_directory(host, &volume.path, f))
		return -1;
	volume.destination = destination;
	destination = NULL;
	snprintf(volume.tag, sizeof(volume.tag), "smk-volume-%03zu", o->volume_count);
	o->volumes[o->volume_count++] = volume;
	return 0;
}
