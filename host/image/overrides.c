// SPDX-License-Identifier: Apache-2.0
/* Values of the options that change an image's configuration. */
#include "host/image/overrides.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
	for (size_t i = 0; i < options->tmpfs_count; i++)
		free(options->tmpfs[i].destination);
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

static int add_capability(struct image_options *o, const char *value, struct failure *f)
{
	return parse_capability("--cap-add", value, &o->capabilities_add, f);
}

static int drop_capability(struct image_options *o, const char *value, struct failure *f)
{
	return parse_capability("--cap-drop", value, &o->capabilities_drop, f);
}

/* Several values in one, as podman takes them: words between commas. */
static int each_word(struct image_options *o, const char *value,
		     int (*set)(struct image_options *o, const char *word, struct failure *f),
		     struct failure *f)
{
	AUTO_FREE char *text = must_copy(value);
	char *rest = text;
	char *word;

	while ((word = strsep(&rest, ",")))
		if (set(o, word, f))
			return -1;
	return 0;
}

int image_set_cap_add(struct image_options *o, const char *value, struct failure *f)
{
	return each_word(o, value, add_capability, f);
}

int image_set_cap_drop(struct image_options *o, const char *value, struct failure *f)
{
	return each_word(o, value, drop_capability, f);
}

int image_options_check(const struct image_options *o, struct failure *f)
{
	uint64_t both = o->capabilities_add & o->capabilities_drop;

	if (o->capabilities_add == ALL_CAPABILITIES && o->capabilities_drop == ALL_CAPABILITIES)
		return fail_config(f, "", "--cap-add all and --cap-drop all: which of them?");
	if (!both || o->capabilities_add == ALL_CAPABILITIES ||
	    o->capabilities_drop == ALL_CAPABILITIES)
		return 0;
	return fail_config(f, "", "--cap-add and --cap-drop %s: which of them?",
			   capability_names[__builtin_ctzll(both)]);
}

/* A part may be empty: oci_run_config() makes of it what it means. */
int image_set_user(struct image_options *o, const char *value, struct failure *f)
{
	const char *colon = strchr(value, ':');

	if (!*value || !strcmp(value, ":") || (colon && strchr(colon + 1, ':')))
		return fail_config(f, "", "--user %s: USER[:GROUP]", value);
	o->user = value;
	return 0;
}

int image_set_workdir(struct image_options *o, const char *value, struct failure *f)
{
	if (*value != '/')
		return fail_config(f, "", "--workdir %s: an absolute path", value);
	o->working_dir = value;
	return 0;
}

/* The kernel's limit; what a name may have in it is the resolver's business. */
int image_set_hostname(struct image_options *o, const char *value, struct failure *f)
{
	if (!*value || strlen(value) > HOST_NAME_MAX)
		return fail_config(f, "", "--hostname %.80s: 1 to %d bytes", value, HOST_NAME_MAX);
	o->hostname = value;
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

/* NAME=SOFT[:HARD], the name without RLIMIT_, as ulimit(1)'s users know it. */
static int add_limit(struct image_options *o, const char *value, struct failure *f)
{
	struct oci_run_limit *limit = &o->limits[o->limit_count];
	AUTO_FREE char *text = must_copy(value);
	char *soft = strchr(text, '=');
	char *hard = soft ? strchr(soft, ':') : NULL;
	AUTO_FREE char *name = NULL;

	if (check_room(o->limit_count, "--ulimit", f))
		return -1;
	if (!strcmp(value, "host"))
		return fail_config(f, "", "--ulimit host: a VM has limits of its own: say which");
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

int image_set_ulimit(struct image_options *o, const char *value, struct failure *f)
{
	return each_word(o, value, add_limit, f);
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
	pairs[(*count)++] = (struct oci_pair){copy, equals + 1};
	return 0;
}

static int add_sysctl(struct image_options *o, const char *value, struct failure *f)
{
	return add_pair(o->sysctls, &o->sysctl_count, "--sysctl", value, f);
}

/*
 * NAME=VALUE, and more after commas, as in podman. Where no NAME= follows it, a comma is the value's: of a
 * list of ports, for example.
 */
int image_set_sysctl(struct image_options *o, const char *value, struct failure *f)
{
	AUTO_FREE char *text = must_copy(value);
	char *begin = text;

	for (char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
		size_t part = strcspn(comma + 1, ",");

		if (!memchr(comma + 1, '=', part))
			continue;
		*comma = '\0';
		if (add_sysctl(o, begin, f))
			return -1;
		begin = comma + 1;
	}
	return add_sysctl(o, begin, f);
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
