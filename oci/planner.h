// SPDX-License-Identifier: Apache-2.0
/* The parts of the plan's builder, one file each; called by plan_build() in this order. */
#ifndef OCI_PLANNER_H
#define OCI_PLANNER_H

#include "plan.h"

/* A constant struct oci_strings. */
#define PLAN_STRINGS(...)                                                                         \
	{                                                                                         \
		.items = (char **)(const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL},         \
		.count = sizeof((const char *const[]){NULL, ##__VA_ARGS__}) / sizeof(char *) - 1, \
	}

struct planner {
	const struct oci_spec *spec;
	const struct plan_sources *sources;
	struct arena *arena;
	struct step *steps;
	size_t count;
	size_t room;
};

/* Appends a step. */
int planner_add(struct planner *planner, const struct step *step,
		struct failure *f) FAIL_MUST_CHECK;

/* prefix and a number, in the arena; NULL: no memory. A plan has many of them. */
char *planner_field(struct planner *planner, const char *prefix, size_t number);

/* The machine's side. */
int plan_root(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
int plan_machine(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
/* In a user namespace nobody makes nodes: they are made before, to be bound. */
int plan_work_devices(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;

/* The container's. */
int plan_enter(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
int plan_files(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
int plan_mounts(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
/* The nodes and links that every container finds in /dev. */
int plan_default_devices(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
int plan_config_devices(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
int plan_settings(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;
int plan_seal(struct planner *planner, struct failure *f) FAIL_MUST_CHECK;

bool planner_has(const struct planner *planner, enum oci_namespace_kind kind);

/* The last entry of "mounts" with this destination, or NULL. */
const struct oci_mount *planner_mount_at(const struct planner *planner, const char *destination);
/* Whether the path is that of an image's volume. */
bool planner_is_volume(const struct planner *planner, const char *path);
/* Whether an entry is made read-only at the end only, as things are to be made in it. */
bool planner_seals_late(const struct planner *planner, size_t index);

#endif
