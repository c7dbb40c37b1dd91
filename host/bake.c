// SPDX-License-Identifier: Apache-2.0
/*
 * smk bake: a directory that any VMM can boot, with everything in it and a manifest that says what.
 *
 * It is written beside its final place and renamed: a directory that is there is complete.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bake.h"
#include "baked.h"
#include "cache.h"
#include "image/overrides.h"

/* ---- products ------------------------------------------------------------------------------- */

static int bake_kernel(struct bake *bake, struct failure *f)
{
	AUTO_FREE char *kernel = NULL;
	AUTO_FD fd = -1;

	return assets_kernel(&kernel, f) ||
			       bake_copy(bake, kernel, BAKED_KERNEL, &fd, &bake->kernel, f)
		       ? -1
		       : 0;
}

/* With --verity the hash tree stands behind the file system, in the same disk. */
static int bake_layer(struct bake *bake, size_t index, struct failure *f)
{
	const char *from = bake->boot.layers.items[index];
	struct product *layer = &bake->layers[index];
	const char *fs = strrchr(from, '.') + 1;
	AUTO_FREE char *name = must_format("layer-%03zu.%s", index, fs);
	AUTO_FREE char *path = bake_path(bake, name);
	AUTO_FD fd = -1;

	if (bake_copy(bake, from, name, &fd, layer, f) || cache_check(from, layer->hex, f))
		return -1;
	strings_add(&bake->names, "%s", name);
	if (bake->options.verity && (verity_append(fd, path, &layer->verity, f) ||
				     verity_hash_file(fd, path, layer->hex, &layer->size, f)))
		return -1;
	return fsync(fd) ? fail_sys(f, "fsync", path) : 0;
}

static int bake_layers(struct bake *bake, struct failure *f)
{
	size_t count = bake->boot.layers.count;

	bake->layers = must_alloc(count * sizeof(*bake->layers));
	for (size_t i = 0; i < count; i++) {
		say_progress("writing layer %zu of %zu", i + 1, count);
		if (bake_layer(bake, i, f))
			return -1;
	}
	say_progress(NULL);
	return 0;
}

/* The root hashes travel where the guest reads them before it looks at a layer: in config.json. */
static int add_hashes(struct bake *bake, struct failure *f)
{
	struct strings keys = {.count = 0};
	struct strings values = {.count = 0};
	int result;

	for (size_t i = 0; i < bake->boot.layers.count; i++) {
		const struct verity *verity = &bake->layers[i].verity;

		strings_add(&keys, OCI_ANNOTATION_VERITY_FORMAT, (unsigned)i);
		strings_add(&values, "%llu,%s", (unsigned long long)verity->data_blocks,
			    verity->root_hex);
	}
	result = bundle_annotate(&bake->boot.bundle, &keys, &values, f);
	strings_finish(&keys);
	strings_finish(&values);
	return result;
}

static int describe_file(const char *path, struct product *ret, struct failure *f)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_sys(f, "open", path);
	ret->name = must_copy(strrchr(path, '/') + 1);
	return verity_hash_file(fd, path, ret->hex, &ret->size, f);
}

static int bake_config(struct bake *bake, struct failure *f)
{
	const struct bundle *bundle = &bake->boot.bundle;
	AUTO_FREE char *path = bake_path(bake, BAKED_INITRAMFS);
	AUTO_FREE char *bytes = NULL;

	if (bake->options.verity && add_hashes(bake, f))
		return -1;
	if (bake_write(bake, BAKED_CONFIG, 0600, bundle->config, bundle->config_length,
		       &bake->config, f) ||
	    assets_initramfs_file(bundle->config, bundle->config_length, path, f))
		return -1;
	return describe_file(path, &bake->initramfs, f);
}

static int bake_upper(struct bake *bake, struct failure *f)
{
	const struct run_options *options = &bake->options;
	AUTO_FREE char *path = bake_path(bake, BAKED_UPPER);

	bake->upper_key = upper_key(options);
	if (options->upper == CHOICE_FILE)
		return fail_config(
			f, "", "--upper file: a baked directory has its own files: use disk:SIZE");
	if (options->upper != CHOICE_DISK)
		return 0;
	if (pack_ext4(path, options->upper_value, f))
		return -1;
	return describe_file(path, &bake->upper, f);
}

/* ---- what it is told in --------------------------------------------------------------------- */

static struct baked describe(const struct bake *bake)
{
	return (struct baked){
		.memory_mib = bake->boot.memory_mib,
		.cpus = bake->options.cpus,
		.kernel = BAKED_KERNEL,
		.initramfs = BAKED_INITRAMFS,
		.layers = &bake->names,
		.upper = bake->options.upper == CHOICE_DISK ? BAKED_UPPER : NULL,
		.upper_key = bake->upper_key,
		.append = &bake->options.append,
		.image = bake->options.image,
	};
}

static int print_to(const struct bake *bake, const struct vmm *vmm, FILE *out, struct failure *f)
{
	const struct baked baked = describe(bake);

	return vmm->print(vmm, &baked, out, f);
}

/* One file for each VMM; only what was asked for has to be possible. */
static int bake_vmm(struct bake *bake, size_t index, struct failure *f)
{
	const struct vmm *vmm = &vmms[index];
	AUTO_FREE char *path = bake_path(bake, vmm->file);
	struct failure why = {0};
	AUTO_FREE char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int result;

	if (!out)
		return fail_sys(f, "open_memstream", NULL);
	result = print_to(bake, vmm, out, vmm == bake->options.vmm ? f : &why);
	fclose(out);
	if (result && vmm == bake->options.vmm)
		return -1;
	if (result) {
		say_tolerated(&why);
		return 0;
	}
	return bake_write(bake, vmm->file, strstr(vmm->file, ".sh") ? 0755 : 0644, text, length,
			  &bake->words[index], f);
}

static int bake_manifest(const struct bake *bake, struct failure *f)
{
	const struct baked baked = describe(bake);
	AUTO_FREE char *line = NULL;
	AUTO_FREE char *text = NULL;
	struct product product;
	char nothing[1];
	size_t length;
	int result;

	if (vmm_command_line(bake->options.vmm, &baked, &line, f))
		return -1;
	length = bake_manifest_text(bake, line, nothing, sizeof(nothing));
	text = must_alloc(length + 2);
	bake_manifest_text(bake, line, text, length + 1);
	text[length] = '\n';
	result = bake_write(bake, BAKED_MANIFEST, 0644, text, length + 1, &product, f);
	if (!result)
		free(product.name);
	return result;
}

/* ---- the directory -------------------------------------------------------------------------- */

/* Volumes are QEMU's only. */
static bool can_serve(const struct bake *bake, const struct vmm *vmm)
{
	return !bake->options.image->volume_count || vmm == &vmms[0];
}

static int fill(struct bake *bake, struct failure *f)
{
	if (bake_kernel(bake, f) || bake_layers(bake, f) || bake_config(bake, f) ||
	    bake_upper(bake, f))
		return -1;
	for (size_t i = 0; i < vmm_count; i++)
		if (can_serve(bake, &vmms[i]) && bake_vmm(bake, i, f))
			return -1;
	return bake_manifest(bake, f);
}

/* The whole of it, or nothing. */
static int bake_directory(struct bake *bake, struct failure *f)
{
	AUTO_FREE char *target = must_copy(bake->options.directory);

	for (size_t end = strlen(target); end > 1 && target[end - 1] == '/'; end--)
		target[end - 1] = '\0';
	if (bake_directory_make(target, &bake->directory, &bake->directory_fd, f))
		return -1;
	if (!fill(bake, f) && !bake_directory_place(bake->directory, target, f))
		return 0;
	bake_directory_remove(bake->directory, bake->directory_fd);
	return -1;
}

static void free_products(struct bake *bake)
{
	free(bake->kernel.name);
	free(bake->initramfs.name);
	free(bake->config.name);
	for (size_t i = 0; bake->layers && i < bake->boot.layers.count; i++)
		free(bake->layers[i].name);
	free(bake->layers);
	free(bake->upper.name);
	for (size_t i = 0; i < VMM_MAX; i++)
		free(bake->words[i].name);
}

static int bake_all(struct bake *bake, int argc, char *const *argv, struct failure *f)
{
	if (options_parse_bake(argc, argv, &bake->options, f) || signals_open(f) < 0)
		return -1;
	if (!can_serve(bake, bake->options.vmm))
		return fail_config(f, "", "--volume is for QEMU, not for --for %s",
				   bake->options.vmm->name);
	if (boot_prepare(&bake->options, &bake->boot, f) || bake_directory(bake, f))
		return -1;
	return bake->options.vmm_asked ? print_to(bake, bake->options.vmm, stdout, f) : 0;
}

int command_bake(int argc, char *const *argv, struct failure *f)
{
	struct bake bake = {.directory_fd = -1};
	int result;

	options_init(&bake.options);
	bake.options.vmm = &vmms[0];
	boot_init(&bake.boot);
	result = bake_all(&bake, argc, argv, f);
	free_products(&bake);
	strings_finish(&bake.names);
	free(bake.upper_key);
	free(bake.directory);
	cleanup_fd(&bake.directory_fd);
	boot_finish(&bake.boot);
	options_finish(&bake.options);
	return result;
}
