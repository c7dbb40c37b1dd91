// SPDX-License-Identifier: Apache-2.0
/* Values of the options that change an image's configuration. */
#include "host/image/overrides.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "host/host.h"
#include "host/image/prepare.h"
#include "oci/names.h"

#define MAX_LAYER_DEFAULT (UINT64_C(16) << 30)
#define ALL_CAPABILITIES  ((UINT64_C(1) << CAPABILITY__COUNT) - 1)

void image_options_init(struct image_options *options)
{
	*options = (struct image_options){
		.layer_fs = squashfs_image.name,
		.max_layer_bytes = MAX_LAYER_DEFAULT,
	};
}

static void free_pairs(struct oci_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((char *)pairs[i].key); /* the value is in the same memory */
}

void image_options_finish(struct image_options *options)
{
	for (size_t i = 0; i < options->volume_count; i++) {
		free(options->volumes[i].path);
		free(options->volumes[i].destination);
	}
	free_pairs(options->sysctls, options->sysctl_count);
	free_pairs(options->annotations, options->annotation_count);
	*options = (struct image_options){.given = NULL};
}

static int check_room(size_t count, const char *option, struct failure *f)
{
	return count < OVERRIDES_MAX
		       ? 0
		       : fail_config(f, "", "%s: at most %d of them", option, OVERRIDES_MAX);
}

/* "all", or a name in any case, with or without CAP_. */
static int parse_capability(const char *option, const char *value, uint64_t *ret, struct failure *f)
{
	char name[64] = "CAP_";
	size_t length = strlen(value);
	int number;

	if (!strcasecmp(value, "all")) {
		*ret |= ALL_CAPABILITIES;
		return 0;
	}
	if (length >= sizeof(name) - 4)
		return fail_config(f, "", "%s %.60s: no such capability", option, value);
	memcpy(name + (strncasecmp(value, "cap_", 4) ? 4 : 0), value, length + 1);
	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	number = capability_find(name);
	if (number < 0)
		return fail_config(f, "", "%s %s: no such capability", option, value);
	*ret |= UINT64_C(1) << number;
	return 0;
}

int image_set_cap_add(struct image_options *o, const char *value, struct failure *f)
{
	return parse_capability("--cap-add", value, &o->capabilities_add, f);
}

int image_set_cap_drop(struct image_options *o, const char *value, struct failure *f)
{
	return parse_capability("--cap-drop", value, &o->capabilities_drop, f);
}

int image_set_tmpfs(struct image_options *o, const char *value, struct failure *f)
{
	if (check_room(o->tmpfs_count, "--tmpfs", f))
		return -1;
	if (*value != '/' || value[1] == ':' || !value[1])
		return fail_config(f, "", "--tmpfs %s: DIRECTORY[:OPTIONS], absolute", value);
	o->tmpfs[o->tmpfs_count++] = value;
	return 0;
}

/* HOST:GUEST[:ro|rw]; the host's directory has to be there. */
int image_set_volume(struct image_options *o, const char *value, struct failure *f)
{
	struct volume *volume = &o->volumes[o->volume_count];
	AUTO_FREE char *text = must_copy(value);
	char *guest = strchr(text, ':');
	char *mode = guest ? strchr(guest + 1, ':') : NULL;
	struct stat st;

	if (check_room(o->volume_count, "--volume", f))
		return -1;
	if (mode)
		*mode++ = '\0';
	if (!guest || guest[1] != '/' || !guest[2] ||
	    (mode && strcmp(mode, "ro") && strcmp(mode, "rw")))
		return fail_config(
			f, "", "--volume %s: HOSTDIR:DIRECTORY[:ro], the second absolute", value);
	*guest++ = '\0';
	if (stat(text, &st))
		return fail_sys(f, "--volume", text);
	if (!S_ISDIR(st.st_mode))
		return fail_err(f, ENOTDIR, "--volume", text, "only directories can be shared");
	*volume = (struct volume){
		.path = realpath(text, NULL),
		.destination = must_copy(guest),
		.is_readonly = mode && !strcmp(mode, "ro"),
	};
	if (!volume->path)
		return fail_sys(f, "--volume", text);
	snprintf(volume->tag, sizeof(volume->tag), "smk-volume-%03zu", o->volume_count++);
	return 0;
}

static int parse_limit(const char *text, uint64_t *ret)
{
	char *end;

	if (!strcmp(text, "-1") || !strcmp(text, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *end ? -1 : 0;
}

/* NAME=SOFT[:HARD], the name in lower case and without RLIMIT_, as ulimit(1)'s users know it. */
int image_set_ulimit(struct image_options *o, const char *value, struct failure *f)
{
	struct oci_run_limit *limit = &o->limits[o->limit_count];
	AUTO_FREE char *text = must_copy(value);
	char *soft = strchr(text, '=');
	char *hard = soft ? strchr(soft, ':') : NULL;
	AUTO_FREE char *name = NULL;

	if (check_room(o->limit_count, "--ulimit", f))
		return -1;
	if (!soft)
		return fail_config(f, "", "--ulimit %s: NAME=SOFT[:HARD]", value);
	*soft++ = '\0';
	if (hard)
		*hard++ = '\0';
	name = must_format("RLIMIT_%s", text);
	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	limit->resource = rlimit_find(name);
	if (limit->resource < 0)
		return fail_config(f, "", "--ulimit %s: no such limit", value);
	if (parse_limit(soft, &limit->soft) || parse_limit(hard ? hard : soft, &limit->hard) ||
	    limit->soft > limit->hard)
		return fail_config(f, "", "--ulimit %s: NAME=SOFT[:HARD], soft not above hard",
				   value);
	o->limit_count++;
	return 0;
}

static int add_pair(struct oci_pair *pairs, size_t *count, const char *option, const char *value,
		    struct failure *f)
{
	char *copy;
	char *equals;

	if (check_room(*count, option, f))
		return -1;
	if (!strchr(value, '=') || *value == '=')
		return fail_config(f, "", "%s %s: NAME=VALUE", option, value);
	copy = must_copy(value);
	equals = strchr(copy, '=');
	*equals = '\0';
	for (size_t i = 0; i < *count; i++) {
		if (!strcmp(pairs[i].key, copy)) {
			free(copy);
			return fail_config(f, "", "%s %s: given twice", option, value);
		}
	}
	pairs[(*count)++] = (struct oci_pair){copy, equals + 1};
	return 0;
}

int image_set_sysctl(struct image_options *o, const char *value, struct failure *f)
{
	return add_pair(o->sysctls, &o->sysctl_count, "--sysctl", value, f);
}

int image_set_annotation(struct image_options *o, const char *value, struct failure *f)
{
	return add_pair(o->annotations, &o->annotation_count, "--annotation", value, f);
}

int image_set_layer_fs(struct image_options *o, const char *value, struct failure *f)
{
	if (!layer_fs_find(value))
		return fail_config(f, "", "--layer-fs %s: squashfs or erofs", value);
	o->layer_fs = value;
	return 0;
}

int image_set_max_layer_size(struct image_options *o, const char *value, struct failure *f)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long number;
	const char *unit;

	errno = 0;
	number = strtoull(value, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (*value < '0' || *value > '9' || errno || !number || (*end && (!unit || end[1])) ||
	    number > UINT64_MAX >> 41)
		return fail_config(f, "", "--max-layer-size %s: a size such as 512M or 20G", value);
	for (const char *at = units; unit && at <= unit; at++)
		number *= 1024;
	o->max_layer_bytes = number;
	return 0;
}
