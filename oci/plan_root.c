// SPDX-License-Identifier: Apache-2.0
/*
 * The container's root: layers, upper, overlay.
 *
 * root.path names the directory that holds the root file system. Layers that come as disks or
 * shares were made from that directory by the host, so their top is the root. Only when the VMM
 * booted init-oci from a file system of its own (init=) is root.path looked up in there.
 */
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "field.h"
#include "planner.h"

#define VERITY_DIGITS_MAX 12
#define VERITY_ROOT_HEX   64

/*
 * Images may carry overlayfs' own extended attributes: they must not make it follow a redirect to
 * another path or take data from elsewhere.
 */
static const struct oci_strings overlay_options =
	PLAN_STRINGS("redirect_dir=nofollow", "metacopy=off");
/* An upper in memory needs no syncs. */
static const struct oci_strings volatile_options =
	PLAN_STRINGS("redirect_dir=nofollow", "metacopy=off", "volatile");
/* A file system may ask for a panic on errors, and has a journal that a read-only disk cannot
 * replay. */
static const struct oci_strings ext4_layer_options = PLAN_STRINGS("errors=remount-ro", "noload");
static const struct oci_strings ext4_upper_options = PLAN_STRINGS("errors=remount-ro");
static const struct oci_strings tmpfs_upper_options = PLAN_STRINGS("mode=0755");

/* "BLOCKS,ROOT" */
static int parse_verity(const char *text, struct step *step)
{
	uint64_t blocks = 0;
	size_t digits = strspn(text, "0123456789");
	const char *root = text + digits + 1;

	if (!digits || digits > VERITY_DIGITS_MAX || text[0] == '0' || text[digits] != ',' ||
	    strlen(root) != VERITY_ROOT_HEX || strspn(root, "0123456789abcdef") != VERITY_ROOT_HEX)
		return -1;
	for (size_t i = 0; i < digits; i++)
		blocks = blocks * 10 + (uint64_t)(text[i] - '0');
	step->verity_blocks = blocks;
	step->verity_root = root;
	return 0;
}

/* The layer's root hash, when the configuration has one: nothing of the disk is used without it. */
static int plan_verity(const struct planner *planner, size_t index, struct step *step,
		       struct failure *f)
{
	const struct oci_spec *spec = planner->spec;
	char key[sizeof(OCI_ANNOTATION_VERITY_FORMAT) + 16];
	char field[sizeof(key) + 16];

	snprintf(key, sizeof(key), OCI_ANNOTATION_VERITY_FORMAT, (unsigned)index);
	snprintf(field, sizeof(field), "/annotations/%s", key);
	for (size_t i = 0; i < spec->annotation_count; i++) {
		if (strcmp(spec->annotations[i].key, key) != 0)
			continue;
		if (parse_verity(spec->annotations[i].value, step))
			return fail_config(f, field,
					   "must be a number of blocks, a comma and 64 digits");
		if (step->source != SOURCE_BLOCK)
			return fail_config(f, field,
					   "the layer is no disk, which alone can be "
					   "verified");
	}
	return 0;
}

/* A hash for a layer that is not there: something else is to be booted than was baked. */
static int check_verity(const struct planner *planner, struct failure *f)
{
	const struct oci_spec *spec = planner->spec;
	size_t hashes = 0, used = 0;

	for (size_t i = 0; i < spec->annotation_count; i++)
		hashes += !strncmp(spec->annotations[i].key, OCI_ANNOTATION_VERITY,
				   strlen(OCI_ANNOTATION_VERITY));
	for (size_t i = 0; i < planner->count; i++)
		used += planner->steps[i].verity_blocks != 0;
	return hashes == used ? 0
			      : fail_config(f, "/annotations",
					    "%zu root hashes, but %zu layers to use them on",
					    hashes, used);
}

static int plan_layer(struct planner *planner, size_t index, struct failure *f)
{
	const struct plan_layer *layer = &planner->sources->layers[index];
	struct step step = {
		.kind = STEP_LAYER,
		.source = layer->kind,
		.src = layer->id,
		.fstype = layer->fstype,
		.dst = arena_printf(planner->arena, "layer/%03zu", index),
		.field = arena_printf(planner->arena, "<builtin:layer/%03zu>", index),
	};

	if (!step.dst || !step.field)
		return fail_memory(f);
	if (layer->fstype && strcmp(layer->fstype, "ext4") == 0)
		step.data = ext4_layer_options;
	if (planner->spec->has_verity && plan_verity(planner, index, &step, f))
		return -1;
	return planner_add(planner, &step, f);
}

/* The options of a tmpfs upper with the size asked for. */
static int tmpfs_options(struct planner *planner, struct oci_strings *ret, struct failure *f)
{
	struct oci_strings options = {.count = 2};

	if (!planner->sources->upper_size) {
		*ret = tmpfs_upper_options;
		return 0;
	}
	options.items = arena_alloc(planner->arena, 3 * sizeof(*options.items));
	if (!options.items)
		return fail_memory(f);
	options.items[0] = tmpfs_upper_options.items[0];
	options.items[1] = arena_printf(planner->arena, "size=%s", planner->sources->upper_size);
	options.items[2] = NULL;
	if (!options.items[1])
		return fail_memory(f);
	*ret = options;
	return 0;
}

static int plan_upper(struct planner *planner, struct failure *f)
{
	struct step step = {.kind = STEP_UPPER, .dst = "upper", .field = "<builtin:upper>"};

	if (planner->sources->upper == UPPER_DISK) {
		step.fstype = "ext4";
		step.src = planner->sources->upper_id;
		step.data = ext4_upper_options;
		return planner_add(planner, &step, f);
	}
	step.fstype = "tmpfs";
	step.src = "tmpfs";
	if (tmpfs_options(planner, &step.data, f))
		return -1;
	return planner_add(planner, &step, f);
}

/* Layers under an upper; or layers alone; or one layer, which needs no overlay. */
static int plan_overlay(struct planner *planner, struct failure *f)
{
	bool has_upper = planner->sources->upper != UPPER_NONE;
	struct step overlay = {
		.kind = STEP_OVERLAY,
		.src = has_upper ? "upper" : NULL,
		.dst = "root",
		.fstype = "overlay",
		.field = "<builtin:root>",
		.count = planner->sources->layer_count,
		.data = planner->sources->upper == UPPER_TMPFS ? volatile_options : overlay_options,
	};
	struct step alone = {.kind = STEP_BIND_WORK,
			     .src = "layer/000",
			     .dst = "root",
			     .field = "<builtin:root>"};

	if (!has_upper && planner->sources->layer_count == 1)
		return planner_add(planner, &alone, f);
	if (has_upper && plan_upper(planner, f))
		return -1;
	return planner_add(planner, &overlay, f);
}

int plan_enter(struct planner *planner, struct failure *f)
{
	const char *path = planner->spec->root.path;
	struct step step = {.kind = STEP_ENTER, .src = "/", .dst = "root", .field = "/root/path"};

	if (planner->sources->layers[0].kind == SOURCE_BOOT_ROOT) {
		step.src = field_clean_path(planner->arena, path);
		if (!step.src)
			return fail_memory(f);
	}
	return planner_add(planner, &step, f);
}

int plan_root(struct planner *planner, struct failure *f)
{
	size_t count = planner->sources->layer_count;

	if (!count)
		return fail_config(f, "<builtin:layers>", "there is no layer for the root");
	if (count > PLAN_LAYERS_MAX)
		return fail_config(f, "<builtin:layers>",
				   "%zu layers, but overlayfs takes at most %d", count,
				   PLAN_LAYERS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (plan_layer(planner, i, f))
			return -1;
	}
	if (planner->spec->has_verity && check_verity(planner, f))
		return -1;
	return plan_overlay(planner, f);
}
