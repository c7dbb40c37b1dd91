// SPDX-License-Identifier: Apache-2.0
/* From the words of the command line, a bundle or an image, to a configuration and layers. */
#include <stdlib.h>
#include <unistd.h>

#include "baked.h"
#include "boot.h"
#include "image/prepare.h"

#define MEMORY_MIB 256
#define LAYERS_LOW 32 /* what that is enough for */

void boot_init(struct boot *boot)
{
	*boot = (struct boot){.is_cached = false};
	bundle_init(&boot->bundle);
}

void boot_finish(struct boot *boot)
{
	bundle_finish(&boot->bundle);
	strings_finish(&boot->layers);
	strings_finish(&boot->diff_ids);
}

/* What smk bake wrote has a configuration, as a bundle has, but layers in place of a root. */
static int refuse_baked(const char *path, struct failure *f)
{
	static const char *const files[] = {BAKED_MANIFEST, BAKED_KERNEL, BAKED_INITRAMFS};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AUTO_FREE char *file = must_format("%s/%s", path, files[i]);

		if (access(file, F_OK))
			return 0;
	}
	return fail_err(f, 0, "", path,
			"a baked directory, no bundle: boot it with qemu.sh or another monitor's "
			"file in it, or give smk what it was baked from");
}

static int prepare_bundle(const struct run_options *options, struct boot *boot, struct failure *f)
{
	AUTO_FREE char *layer = NULL;

	if (refuse_baked(options->bundle, f) ||
	    bundle_open(options->bundle, &options->env, &boot->bundle, f) ||
	    pack_layer(boot->bundle.root_fd, boot->bundle.root_path, &layer, &boot->is_cached, f))
		return -1;
	strings_add(&boot->layers, "%s", layer);
	return 0;
}

/* The configuration first: what is wrong with it should cost no conversion. */
static int prepare_layers(const struct run_options *options, const struct image *image,
			  struct boot *boot, struct failure *f)
{
	struct prepared prepared = {.is_cached = false};
	size_t length;
	char *text;

	if (image_config_text(image, options->image, &options->env, &text, &length, f) ||
	    bundle_from_config(options->bundle, text, length, &boot->bundle, f))
		return -1;
	if (layers_prepare(image, options->image, &prepared, f)) {
		strings_finish(&prepared.paths);
		return -1;
	}
	boot->layers = prepared.paths;
	boot->is_cached = prepared.is_cached;
	for (size_t i = 0; i < image->layer_count; i++)
		strings_add(&boot->diff_ids, "%s", image->layers[i].diff_id);
	return 0;
}

static int prepare_image(const struct run_options *options, struct boot *boot, struct failure *f)
{
	struct image image;
	int result;

	if (image_open(options->bundle, &image, f))
		return -1;
	result = prepare_layers(options, &image, boot, f);
	image_finish(&image);
	return result;
}

/* The guest's kernel keeps buffers of 0.8 MiB for each squashfs that is mounted. */
static unsigned memory_for(size_t layers)
{
	return MEMORY_MIB + (layers > LAYERS_LOW ? (unsigned)layers - LAYERS_LOW : 0);
}

int boot_prepare(const struct run_options *options, struct boot *boot, struct failure *f)
{
	int result = image_is_reference(options->bundle) ? prepare_image(options, boot, f)
							 : prepare_bundle(options, boot, f);

	boot->memory_mib =
		options->memory_mib ? options->memory_mib : memory_for(boot->layers.count);
	return result;
}
