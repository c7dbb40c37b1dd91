// SPDX-License-Identifier: Apache-2.0
/* "linux.resources.blockIO" and ".devices". */
#include <inttypes.h>
#include <string.h>

#include "parse_resources.h"

#define MAJOR_MAX  4095
#define MINOR_MAX  1048575
#define WEIGHT_MIN 10u /* of version 1 */
#define WEIGHT_MAX 1000u

struct block_device {
	uint32_t major;
	uint32_t minor;
	uint16_t weight;
	bool has_weight;
	uint64_t rate;
};

/* 10-1000 to 1-10000, as crun does it. */
static uint32_t weight_of(uint16_t weight)
{
	return 1 + (weight - WEIGHT_MIN) * 9999 / (WEIGHT_MAX - WEIGHT_MIN);
}

static int refuse_leaf(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	uint16_t weight;

	(void)ret; /* nothing is kept */
	if (field_u16(field, rule, &weight, f))
		return -1;
	return field_fail(field, f, "is not supported by cgroup v2");
}

/* 0 asks for nothing: Docker writes it into every configuration. */
static int read_weight_value(const struct field *field, const struct rule *rule, void *ret,
			     struct failure *f)
{
	static const struct rule any = {.max = UINT16_MAX};
	struct failure ignored = {.stage = STAGE_NONE};
	uint16_t weight = 1;

	if (!field_u16(field, &any, &weight, &ignored) && !weight) {
		*(uint16_t *)ret = 0;
		return 0;
	}
	return field_u16(field, rule, ret, f);
}

static int write_weight(const struct field *field, const struct rule *rule, void *ret,
			struct failure *f)
{
	uint16_t weight;

	if (read_weight_value(field, rule, &weight, f))
		return -1;
	if (!weight)
		return 0;
	return resources_write(ret, field, "io.weight", "default %u", weight_of(weight))
		       ? fail_memory(f)
		       : 0;
}

#define NUMBERS                                                                                    \
	{.key = "major",                                                                           \
	 .read = field_u32,                                                                        \
	 .offset = offsetof(struct block_device, major),                                           \
	 .max = MAJOR_MAX,                                                                         \
	 .is_required = true},                                                                     \
	{                                                                                          \
		.key = "minor", .read = field_u32, .offset = offsetof(struct block_device, minor), \
		.max = MINOR_MAX, .is_required = true                                              \
	}

static const struct rule weight_rows[] = {
	NUMBERS,
	{.key = "weight",
	 .read = read_weight_value,
	 .offset = offsetof(struct block_device, weight),
	 .present = offsetof(struct block_device, has_weight),
	 .min = WEIGHT_MIN,
	 .max = WEIGHT_MAX},
	{.key = "leafWeight", .read = refuse_leaf},
};
RULES(weight_rules, weight_rows);

static const struct rule throttle_rows[] = {
	NUMBERS,
	{.key = "rate",
	 .read = field_u64,
	 .offset = offsetof(struct block_device, rate),
	 .is_required = true},
};
RULES(throttle_rules, throttle_rows);

static int read_weight(const struct field *field, void *ret, struct failure *f)
{
	return field_members(field, &weight_rules, ret, f);
}

static int read_throttle(const struct field *field, void *ret, struct failure *f)
{
	return field_members(field, &throttle_rules, ret, f);
}

static int parse_weights(const struct field *field, const struct rule *rule, void *ret,
			 struct failure *f)
{
	static const struct field_list list = {sizeof(struct block_device), read_weight};
	struct block_device *devices;
	size_t count;

	(void)rule; /* the table says it */
	if (field_list(field, &list, &devices, &count, f))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct field element = {.up = field, .index = i, .document = field->document};

		if (!devices[i].has_weight)
			return field_fail(&element, f, "must have a weight");
		if (devices[i].weight &&
		    resources_write(ret, &element, "io.weight", "%u:%u %u", devices[i].major,
				    devices[i].minor, weight_of(devices[i].weight)))
			return fail_memory(f);
	}
	return 0;
}

static const struct {
	const char *key;
	const char *word; /* of io.max */
} throttles[] = {
	{"throttleReadBpsDevice", "rbps"},
	{"throttleWriteBpsDevice", "wbps"},
	{"throttleReadIOPSDevice", "riops"},
	{"throttleWriteIOPSDevice", "wiops"},
};

/* A rate of 0 lifts the limit, as in version 1. */
static int parse_throttles(const struct field *field, const struct rule *rule, void *ret,
			   struct failure *f)
{
	static const struct field_list list = {sizeof(struct block_device), read_throttle};
	const char *word = "";
	struct block_device *devices;
	size_t count;

	(void)rule; /* the table says it */
	for (size_t i = 0; i < sizeof(throttles) / sizeof(throttles[0]); i++) {
		if (strcmp(throttles[i].key, field->key) == 0)
			word = throttles[i].word;
	}
	if (field_list(field, &list, &devices, &count, f))
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct block_device *device = &devices[i];
		struct field element = {.up = field, .index = i, .document = field->document};
		int status = device->rate ? resources_write(ret, &element, "io.max",
							    "%u:%u %s=%" PRIu64, device->major,
							    device->minor, word, device->rate)
					  : resources_write(ret, &element, "io.max", "%u:%u %s=max",
							    device->major, device->minor, word);

		if (status)
			return fail_memory(f);
	}
	return 0;
}

static const struct rule block_rows[] = {
	{.key = "weight", .read = write_weight, .min = WEIGHT_MIN, .max = WEIGHT_MAX},
	{.key = "leafWeight", .read = refuse_leaf},
	{.key = "weightDevice", .read = parse_weights},
	{.key = "throttleReadBpsDevice", .read = parse_throttles},
	{.key = "throttleWriteBpsDevice", .read = parse_throttles},
	{.key = "throttleReadIOPSDevice", .read = parse_throttles},
	{.key = "throttleWriteIOPSDevice", .read = parse_throttles},
};
RULES(block_rules, block_rows);

int parse_block_io(const struct field *field, const struct rule *rule, void *ret, struct failure *f)
{
	(void)rule; /* the table says it */
	return field_members(field, &block_rules, ret, f);
}

struct raw_rule {
	struct oci_device_rule rule;
	const char *type;
	const char *access;
};

#define MEMBER(name) offsetof(struct raw_rule, name)

static const struct rule device_rows[] = {
	{.key = "allow", .read = field_bool, .offset = MEMBER(rule.allow), .is_required = true},
	{.key = "type", .read = field_string, .offset = MEMBER(type)},
	{.key = "major",
	 .read = field_i64,
	 .offset = MEMBER(rule.major),
	 .min = -1,
	 .max = MAJOR_MAX},
	{.key = "minor",
	 .read = field_i64,
	 .offset = MEMBER(rule.minor),
	 .min = -1,
	 .max = MINOR_MAX},
	{.key = "access", .read = field_string, .offset = MEMBER(access)},
};
RULES(device_rules, device_rows);

static int read_rule(const struct field *field, void *ret, struct failure *f)
{
	struct raw_rule raw = {.rule = {.major = -1, .minor = -1}, .type = "a", .access = "rwm"};
	struct field type = {.up = field, .key = "type"};
	struct field access = {.up = field, .key = "access"};

	if (field_members(field, &device_rules, &raw, f))
		return -1;
	if (!raw.type[0])
		raw.type = "a";
	if (!raw.access[0])
		raw.access = "rwm";
	if (!strchr("abc", raw.type[0]) || raw.type[1])
		return field_fail(&type, f, "must be a, b or c, not " SHOWN, raw.type);
	if (raw.access[strspn(raw.access, "rwm")])
		return field_fail(&access, f, "must be of r, w and m, not " SHOWN, raw.access);
	raw.rule.type = raw.type[0];
	raw.rule.read = strchr(raw.access, 'r');
	raw.rule.write = strchr(raw.access, 'w');
	raw.rule.mknod = strchr(raw.access, 'm');
	*(struct oci_device_rule *)ret = raw.rule;
	return 0;
}

#define ALLOW(type, major, minor)                          \
	{                                                  \
		true, type, major, minor, true, true, true \
	}
#define ALLOW_MKNOD(type)                              \
	{                                              \
		true, type, -1, -1, false, false, true \
	}

/* What every container may: make nodes, and use those that it finds in /dev. */
static const struct oci_device_rule always[] = {
	ALLOW_MKNOD('c'), ALLOW_MKNOD('b'),    ALLOW('c', 1, 3), ALLOW('c', 1, 8),
	ALLOW('c', 1, 7), ALLOW('c', 5, 0),    ALLOW('c', 1, 5), ALLOW('c', 1, 9),
	ALLOW('c', 5, 1), ALLOW('c', 136, -1), ALLOW('c', 5, 2),
};
#define ALWAYS (sizeof(always) / sizeof(always[0]))

int parse_device_rules(const struct field *field, const struct rule *rule, void *ret,
		       struct failure *f)
{
	static const struct field_list list = {sizeof(struct oci_device_rule), read_rule};
	struct resources *resources = ret;
	struct oci_device_rule *rules;
	size_t count;

	(void)rule; /* the table says it */
	if (field_list(field, &list, &rules, &count, f))
		return -1;
	if (!count)
		return 0;
	resources->devices = arena_zalloc(field->document->arena, count + ALWAYS, sizeof(*rules));
	if (!resources->devices)
		return fail_memory(f);
	memcpy(resources->devices, rules, count * sizeof(*rules));
	memcpy(resources->devices + count, always, sizeof(always));
	resources->device_count = count + ALWAYS;
	return 0;
}
