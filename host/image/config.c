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

/* A word, or a JSON array of words. */
static int merge_entrypoint(struct merge *m, const struct image *image,
			    const struct image_options *options, struct failure *f)
{
	if (!options->entrypoint)
		return 0;
	m->over.has_entrypoint = true;
	if (*options->entrypoint == '[')
		return oci_strings_parse(image->arena, "--entrypoint", options->entrypoint,
					 &m->over.entrypoint, f);
	m->entrypoint = options->entrypoint;
	m->over.entrypoint = (struct oci_strings){(char **)&m->entrypoint, *m->entrypoint != '\0'};
	return 0;
}

/* "DEST[:a,b]" -> a tmpfs there; podman's defaults when no options are given. */
static int merge_tmpfs(struct merge *m, const struct image *image, const char *text,
		       struct failure *f)
{
	static const char defaults[] = "rw,rprivate,nosuid,nodev,tmpcopyup";
	struct oci_run_mount *mount = &m->mounts[m->over.mount_count++];
	size_t length = strcspn(text, ":");
	const char *options = text[length] ? text + length + 1 : defaults;
	size_t room = strlen(options) + 1;
	char **items = arena_zalloc(image->arena, room, sizeof(*items));

	*mount = (struct oci_run_mount){.type = "tmpfs", .source = "tmpfs"};
	mount->destination = arena_printf(image->arena, "%.*s", (int)length, text);
	if (!items || !mount->destination)
		return fail_config(f, "", "out of memory");
	mount->options.items = items;
	for (; *options; options += strspn(options, ",")) {
		size_t word = strcspn(options, ",");

		if (word)
			items[mount->options.count++] =
				arena_printf(image->arena, "%.*s", (int)word, options);
		options += word;
	}
	return 0;
}

static void merge_volume(struct merge *m, const struct volume *volume)
{
	static const char *const readonly[] = {
		"trans=virtio", "version=9p2000.L", "msize=262144", "nosuid", "nodev", "ro"};
	struct oci_run_mount *mount = &m->mounts[m->over.mount_count++];

	*mount = (struct oci_run_mount){
		.destination = volume->destination,
		.type = "9p",
		.source = volume->tag,
		.options = {(char **)readonly, volume->is_readonly ? 6 : 5},
	};
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
	for (size_t i = 0; i < options->tmpfs_count; i++)
		if (merge_tmpfs(m, image, options->tmpfs[i], f))
			return -1;
	for (size_t i = 0; i < options->volume_count; i++)
		merge_volume(m, &options->volumes[i]);
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
