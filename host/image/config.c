// SPDX-License-Identifier: Apache-2.0
/* From an image and the options to the text of its runtime configuration. */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/image/image.h"
#include "host/image/overrides.h"
#include "oci/arena.h"

/* What struct oci_overrides points into. */
struct merge {
	struct oci_overrides over;
	struct oci_run_mount mounts[2 * OVERRIDES_MAX];
	const char *entrypoint;
};

/* A word, or a JSON array of words; "[" alone is a program. */
static int merge_entrypoint(struct merge *m, const struct image *image,
			    const struct image_options *options, struct failure *f)
{
	const char *text = options->entrypoint;

	if (!text)
		return 0;
	m->over.has_entrypoint = true;
	if (*text == '[' && text[strlen(text) - 1] == ']')
		return oci_strings_parse(image->arena, "--entrypoint", text, &m->over.entrypoint,
					 f);
	m->entrypoint = text;
	m->over.entrypoint = (struct oci_strings){(char **)&m->entrypoint, *text != '\0'};
	return 0;
}

/* The mount's options: those that are always there, then the user's; the last of a kind counts. */
static int set_options(struct oci_run_mount *mount, const struct image *image, const char *always,
		       const char *given)
{
	const char *const texts[] = {always, given};
	size_t room = strlen(always) + strlen(given) + 1;

	mount->options.items = arena_zalloc(image->arena, room, sizeof(*mount->options.items));
	if (!mount->options.items)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		for (const char *word = texts[i]; *word; word += strspn(word, ",")) {
			size_t length = strcspn(word, ",");
			char *item = arena_printf(image->arena, "%.*s", (int)length, word);

			if (!item)
				return -1;
			mount->options.items[mount->options.count++] = item;
			word += length;
		}
	}
	return 0;
}

/* Whether the word was there. */
static bool drop_word(struct oci_strings *options, const char *word)
{
	size_t count = options->count;

	options->count = 0;
	for (size_t i = 0; i < count; i++)
		if (strcmp(options->items[i], word) != 0)
			options->items[options->count++] = options->items[i];
	return options->count < count;
}

static int merge_tmpfs(struct merge *m, const struct image *image, const struct tmpfs_option *tmpfs)
{
	struct oci_run_mount *mount = &m->mounts[m->over.mount_count++];

	*mount = (struct oci_run_mount){
		.destination = tmpfs->destination,
		.type = "tmpfs",
		.source = "tmpfs",
	};
	if (set_options(mount, image, "rprivate,nosuid,nodev,tmpcopyup", tmpfs->options))
		return -1;
	if (drop_word(&mount->options, "notmpcopyup"))
		drop_word(&mount->options, "tmpcopyup");
	return 0;
}

static int merge_volume(struct merge *m, const struct image *image, const struct volume *volume,
			bool is_virtiofs)
{
	struct oci_run_mount *mount = &m->mounts[m->over.mount_count++];

	*mount = (struct oci_run_mount){
		.destination = volume->destination,
		.type = is_virtiofs ? "virtiofs" : "9p",
		.source = volume->tag,
	};
	if (set_options(mount, image,
			is_virtiofs ? "nosuid,nodev"
				    : "trans=virtio,version=9p2000.L,msize=262144,nosuid,nodev",
			volume->options ? volume->options : ""))
		return -1;
	drop_word(&mount->options, "rbind"); /* what is mounted below it is always there */
	return 0;
}

static int merge_mounts(struct merge *m, const struct image *image,
			const struct image_options *options, struct failure *f)
{
	bool is_virtiofs = options->volume_fs == VOLUME_FS_VIRTIOFS;
	int result = 0;

	for (size_t i = 0; i < options->tmpfs_count && !result; i++)
		result = merge_tmpfs(m, image, &options->tmpfs[i]);
	for (size_t i = 0; i < options->volume_count && !result; i++)
		result = merge_volume(m, image, &options->volumes[i], is_virtiofs);
	return result ? fail_config(f, "", "out of memory") : 0;
}

static int merge(struct merge *m, const struct image *image, const struct image_options *options,
		 const struct strings *env, struct failure *f)
{
	m->over = (struct oci_overrides){
		.args = {(char **)options->args, options->arg_count},
		.env = {env->items, env->count},
		.working_dir = options->working_dir,
		.user = options->user,
		.hostname = options->hostname,
		.stop_signal = options->stop_signal,
		.capabilities_add = options->capabilities_add,
		.capabilities_drop = options->capabilities_drop,
		.read_only = options->read_only,
		.fixed_root = options->fixed_root,
		.terminal = options->terminal,
		.unconfined = options->unconfined,
		.no_new_privileges = options->no_new_privileges,
		.mounts = m->mounts,
		.limits = options->limits,
		.limit_count = options->limit_count,
		.sysctls = options->sysctls,
		.sysctl_count = options->sysctl_count,
		.annotations = options->annotations,
		.annotation_count = options->annotation_count,
	};
	if (merge_mounts(m, image, options, f))
		return -1;
	return merge_entrypoint(m, image, options, f);
}

int image_config_text(const struct image *image, const struct image_options *options,
		      const struct strings *env, char **ret_text, size_t *ret_length,
		      struct failure *f)
{
	struct merge *m = must_alloc(sizeof(*m));
	int result = merge(m, image, options, env, f);

	if (!result)
		result = oci_run_config(&image->config, &m->over, ret_text, ret_length, f);
	free(m);
	return result;
}
