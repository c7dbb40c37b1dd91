// SPDX-License-Identifier: Apache-2.0
/* What golden plans cannot show: the steps' own numbers, and printing into too little room. */
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "oci/plan.h"
#include "tests/t.h"

static const char text[] =
	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"a\"],\"cwd\":"
	"\"/\"},"
	"\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"ro\",\"x=y\"]},"
	"{\"destination\":\"/d\",\"type\":\"ext4\",\"options\":[\"ro\"]},"
	"{\"destination\":\"/b\",\"source\":\"/c\",\"options\":[\"ro\",\"rbind\"]}],"
	"\"linux\":{\"devices\":[{\"type\":\"b\",\"path\":\"/dev/"
	"x\",\"major\":7,\"minor\":8,\"uid\":1,"
	"\"gid\":2}]}}";

static const struct plan_layer layer = {SOURCE_BLOCK, "vda", "squashfs"};
static const struct plan_sources sources = {.layers = &layer, .layer_count = 1};

static const struct step *find(const struct plan *plan, enum step_kind kind, const char *dst)
{
	static const struct step none;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->kind == kind && (!dst || strcmp(step->dst, dst) == 0))
			return step;
	}
	CHECK_STR("no such step", step_name(kind));
	return &none;
}

static bool build(struct oci_spec *spec, struct plan *plan)
{
	struct failure f = {.stage = STAGE_NONE};

	*plan = (struct plan){.count = 0};
	if (oci_parse(text, sizeof(text) - 1, 5, spec, &f)) {
		CHECK_STR(f.why, "");
		return false;
	}
	CHECK_INT(plan_build(spec, &sources, plan, &f), 0);
	return plan->count > 0;
}

static void steps_carry_numbers(void)
{
	struct oci_spec spec;
	struct plan plan;

	if (!build(&spec, &plan))
		return;
	CHECK_INT(find(&plan, STEP_MOUNT, "/d")->flags, STEP_SB_READONLY);
	CHECK_INT(find(&plan, STEP_MOUNT, "/d")->attr_set, MOUNT_ATTR_RDONLY);
	CHECK_INT(find(&plan, STEP_MOUNT, "/a")->attr_set, 0);
	CHECK_INT(find(&plan, STEP_REMOUNT, "/a")->flags, STEP_SB_READONLY);
	CHECK_INT(find(&plan, STEP_REMOUNT, "/a")->attr_set, MOUNT_ATTR_RDONLY);
	CHECK(find(&plan, STEP_REMOUNT, "/a")->fstype != NULL);
	CHECK(plan.steps[plan.machine_count].kind == STEP_ENTER);
	CHECK_STR(find(&plan, STEP_MOUNT, "/a")->src, "tmpfs");
	CHECK_INT(find(&plan, STEP_BIND, "/b")->flags, STEP_RECURSIVE);
	CHECK_INT(find(&plan, STEP_BIND, "/b")->attr_set, MOUNT_ATTR_RDONLY);
	CHECK_INT(find(&plan, STEP_MKNOD, "/dev/x")->mode, S_IFBLK | 0666);
	CHECK_INT(find(&plan, STEP_MKNOD, "/dev/x")->uid, 1);
	CHECK_INT(find(&plan, STEP_MKNOD, "/dev/x")->gid, 2);
	CHECK_INT(find(&plan, STEP_MKNOD, "/dev/x")->dev_minor, 8);
	CHECK_INT(find(&plan, STEP_MKNOD, "/dev/null")->mode, S_IFCHR | 0666);
	CHECK_INT(find(&plan, STEP_MOUNT, "/proc")->attr_set,
		  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	CHECK_INT(find(&plan, STEP_OVERLAY, NULL)->count, 1);
	oci_spec_finish(&spec);
}

/* Lists of options end with NULL, as they are walked or given on. */
static void lists_are_terminated(void)
{
	struct oci_spec spec;
	struct plan plan;
	size_t lists = 0;

	if (!build(&spec, &plan))
		return;
	for (size_t i = 0; i < plan.count; i++) {
		const struct oci_strings *data = &plan.steps[i].data;

		if (data->items)
			CHECK(!data->items[data->count]);
		for (size_t k = 0; k < data->count; k++)
			CHECK(data->items[k] != NULL);
		lists += data->count > 0;
	}
	CHECK(lists > 4);
	oci_spec_finish(&spec);
}

static void prints_into_any_room(void)
{
	struct oci_spec spec;
	struct plan plan;

	if (!build(&spec, &plan))
		return;
	for (size_t i = 0; i < plan.count; i++) {
		char whole[512];
		size_t length = plan_print_step(&plan.steps[i], whole, sizeof(whole));

		CHECK_INT(length, strlen(whole));
		for (size_t size = 0; size <= length + 1; size++) {
			char *part = malloc(size ? size : 1); /* the sanitizer guards its end */

			CHECK_INT(plan_print_step(&plan.steps[i], part, size), length);
			if (size) {
				CHECK_INT(strlen(part), size - 1 < length ? size - 1 : length);
				CHECK(strncmp(part, whole, size - 1) == 0);
			}
			free(part);
		}
	}
	oci_spec_finish(&spec);
}

static void prints_every_kind(void)
{
	char line[128];

	for (int kind = 0; kind < STEP__COUNT; kind++) {
		struct step step = {.kind = (enum step_kind)kind, .field = "/f"};

		plan_print_step(&step, line, sizeof(line));
		CHECK(strncmp(line, step_name(step.kind), strlen(step_name(step.kind))) == 0);
		CHECK(strstr(line, " /f") != NULL);
	}
	CHECK_STR(step_name(STEP__COUNT), "unknown");
}

static const struct t_case cases[] = {
	{"steps carry numbers", steps_carry_numbers},
	{"lists are terminated", lists_are_terminated},
	{"prints into any room", prints_into_any_room},
	{"prints every kind", prints_every_kind},
};
T_MAIN("plan", cases)
