// SPDX-License-Identifier: Apache-2.0
/*
 * A bundle: a directory with config.json and the root file system that it names. The configuration
 * is checked here with the guest's own parser, so that an error costs no boot; --env is put into
 * it, and mounts that make sense on the host only are taken out or refused.
 */
#include "hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/edit.h"
#include "oci/run_config.h"
#include "oci/utf8.h"

/*
 * Bind mounts that container engines add for what init-oci does itself in the guest: dropping them
 * changes nothing for the workload.
 */
static const char *const provided_by_guest[] = {
	"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/dev/shm",
};

void bundle_init(struct bundle *bundle)
{
	*bundle = (struct bundle){.root_fd = -1, .dir_fd = -1};
}

void bundle_finish(struct bundle *bundle)
{
	if (bundle->spec.arena)
		oci_spec_finish(&bundle->spec);
	free(bundle->config);
	free(bundle->root_path);
	free(bundle->real_path);
	cleanup_fd(&bundle->root_fd);
	cleanup_fd(&bundle->dir_fd);
	bundle_init(bundle);
}

static int parse(struct bundle *bundle, struct failure *f)
{
	struct oci_spec spec;
	uint32_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return fail_sys(f, "getrandom", NULL);
	if (oci_parse(bundle->config, bundle->config_length, seed, &spec, f))
		return fail_at(f, STAGE_PARSE, NULL);
	if (bundle->spec.arena)
		oci_spec_finish(&bundle->spec);
	bundle->spec = spec;
	return 0;
}

static int replace_config(struct bundle *bundle, char *text, size_t length, struct failure *f)
{
	free(bundle->config);
	bundle->config = text;
	bundle->config_length = length;
	return parse(bundle, f);
}

int bundle_annotate(struct bundle *bundle, const struct strings *keys, const struct strings *values,
		    struct failure *f)
{
	size_t length;
	char *text;

	if (oci_edit_annotations(
		    bundle->config, bundle->config_length, (const char *const *)keys->items,
		    (const char *const *)values->items, keys->count, &text, &length, f))
		return -1;
	return replace_config(bundle, text, length, f);
}

static size_t name_length(const char *assignment)
{
	return strcspn(assignment, "=");
}

/* Assignments replace variables of the same name, or come after all others. */
static int edit_env(struct bundle *bundle, const struct strings *assignments, struct failure *f)
{
	const struct oci_strings *old = &bundle->spec.process.env;
	AUTO_FREE const char **env = must_alloc((old->count + assignments->count) * sizeof(*env));
	size_t count = 0;
	size_t length;
	char *text;

	for (size_t i = 0; i < old->count; i++)
		env[count++] = old->items[i];
	for (size_t i = 0; i < assignments->count; i++) {
		const char *new = assignments->items[i];
		size_t same = 0;

		while (same < count && (name_length(env[same]) != name_length(new) ||
					strncmp(env[same], new, name_length(new))))
			same++;
		env[same] = new;
		count += same == count;
	}
	if (oci_edit_env(bundle->config, bundle->config_length, env, count, &text, &length, f))
		return -1;
	return replace_config(bundle, text, length, f);
}

/* The workload's terminal begins with the size of the user's. */
static int edit_console_size(struct bundle *bundle, struct failure *f)
{
	uint16_t rows;
	uint16_t columns;
	size_t length;
	char *text;

	if (!bundle->spec.process.terminal || !terminal_size(&rows, &columns))
		return 0;
	if (oci_edit_console_size(bundle->config, bundle->config_length, rows, columns, &text,
				  &length, f))
		return -1;
	return replace_config(bundle, text, length, f);
}

static bool is_provided(const char *destination)
{
	for (size_t i = 0; i < sizeof(provided_by_guest) / sizeof(provided_by_guest[0]); i++)
		if (!strcmp(provided_by_guest[i], destination))
			return true;
	return false;
}

static int check_mounts(struct bundle *bundle, struct failure *f)
{
	const struct oci_spec *spec = &bundle->spec;
	AUTO_FREE bool *drop = must_alloc(spec->mount_count * sizeof(*drop));
	bool is_any = false;
	size_t length;
	char *text;

	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct oci_mount *mount = &spec->mounts[i];
		AUTO_FREE char *field = must_format("/mounts/%zu/source", i);

		if (!mount->bind)
			continue;
		if (!is_provided(mount->destination))
			return fail_config(
				f, field,
				"%s: a path of this host, which a VM does not see: copy it "
				"into the root file system and remove the mount",
				mount->source ? mount->source : "");
		say_warning("%s: %s is not bound: the guest has its own", field,
			    mount->destination);
		drop[i] = is_any = true;
	}
	if (!is_any)
		return 0;
	if (oci_edit_drop_mounts(bundle->config, bundle->config_length, drop, spec->mount_count,
				 &text, &length, f))
		return -1;
	return replace_config(bundle, text, length, f);
}

/* Hooks are told the bundle's path in JSON, which has no words for other bytes. */
static int check_hooks(const struct bundle *bundle, struct failure *f)
{
	const char *field = hooks_of_host(&bundle->spec.hooks);
	const char *at = bundle->real_path;
	size_t length = 1;

	for (; field && *at && length; at += length)
		length = utf8_length(at, strnlen(at, 4));
	if (length)
		return 0;
	return fail_config(f, field,
			   "%s: the bundle's path is not UTF-8, and its hooks have to be told it",
			   bundle->real_path);
}

/*
 * The annotation is image-spec's (conversion.md); engines write a name or a number, and umoci nothing
 * when the image has none.
 */
static int find_stop_signal(struct bundle *bundle, struct failure *f)
{
	const struct oci_spec *spec = &bundle->spec;

	for (size_t i = 0; i < spec->annotation_count; i++) {
		const struct oci_annotation *annotation = &spec->annotations[i];

		if (strcmp(annotation->key, OCI_ANNOTATION_STOP_SIGNAL) != 0 || !*annotation->value)
			continue;
		bundle->stop_signal = signals_parse(annotation->value);
		if (!bundle->stop_signal)
			return fail_config(f, "/annotations/" OCI_ANNOTATION_STOP_SIGNAL,
					   "%.40s: no signal has this name", annotation->value);
	}
	return 0;
}

static int open_root(struct bundle *bundle, struct failure *f)
{
	const char *root = bundle->spec.root.path;

	bundle->root_path =
		*root == '/' ? must_copy(root) : must_format("%s/%s", bundle->path, root);
	bundle->root_fd = open(bundle->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (bundle->root_fd < 0) {
		fail_sys(f, "open", bundle->root_path);
		return fail_at(f, STAGE_NONE, "/root/path");
	}
	return 0;
}

static int open_bundle(struct bundle *bundle, const struct strings *env, struct failure *f)
{
	AUTO_FREE char *config = must_format("%s/config.json", bundle->path);
	struct stat st;

	if (stat(bundle->path, &st))
		return fail_sys(f, "bundle", bundle->path);
	if (!S_ISDIR(st.st_mode))
		return fail_err(f, ENOTDIR, "bundle", bundle->path,
				"a bundle is a directory with config.json in it");
	bundle->real_path = realpath(bundle->path, NULL);
	bundle->dir_fd = open(bundle->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!bundle->real_path || bundle->dir_fd < 0)
		return fail_sys(f, "bundle", bundle->path);
	if (access(config, F_OK))
		return fail_err(f, errno, "open", config,
				"a bundle is a directory with config.json in it");
	if (file_read(AT_FDCWD, config, OCI_CONFIG_MAX_BYTES, &bundle->config,
		      &bundle->config_length, f) ||
	    parse(bundle, f))
		return -1;
	if (env->count && edit_env(bundle, env, f))
		return -1;
	if (find_stop_signal(bundle, f) || check_hooks(bundle, f) || edit_console_size(bundle, f) ||
	    check_mounts(bundle, f))
		return -1;
	return open_root(bundle, f);
}

int bundle_from_config(const char *path, char *config, size_t length, struct bundle *ret,
		       struct failure *f)
{
	struct bundle bundle;

	bundle_init(&bundle);
	bundle.path = path;
	bundle.config = config;
	bundle.config_length = length;
	if (parse(&bundle, f) || find_stop_signal(&bundle, f) || edit_console_size(&bundle, f)) {
		bundle_finish(&bundle);
		return -1;
	}
	*ret = bundle;
	return 0;
}

int bundle_open(const char *path, const struct strings *env, struct bundle *ret, struct failure *f)
{
	struct bundle bundle;

	bundle_init(&bundle);
	bundle.path = path;
	if (open_bundle(&bundle, env, f)) {
		bundle_finish(&bundle);
		return -1;
	}
	*ret = bundle;
	return 0;
}
