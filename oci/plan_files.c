// SPDX-License-Identifier: Apache-2.0
/* Files below /etc that programs expect and images often lack. An image's own file is left alone.
 */
#include <string.h>

#include "arena.h"
#include "document.h"
#include "planner.h"

#define HOSTS                    \
	"127.0.0.1\tlocalhost\n" \
	"::1\tlocalhost ip6-localhost ip6-loopback\n"

/* Writes a file unless the configuration mounts one there. */
static int plan_file(struct planner *planner, const char *path, const char *field, const char *text,
		     unsigned flags, struct failure *f)
{
	struct step step = {.kind = STEP_FILE,
			    .flags = flags,
			    .field = field,
			    .src = text,
			    .dst = path,
			    .mode = 0644};

	if (!text)
		return fail_memory(f);
	if (planner_mount_at(planner, path))
		return 0;
	/* There is nothing to write to; or the root of a user namespace may own nothing there. */
	if (planner->sources->upper == UPPER_NONE || planner_has(planner, OCI_NAMESPACE_USER))
		step.flags |= STEP_OPTIONAL;
	return planner_add(planner, &step, f);
}

static bool is_volume(const struct oci_annotation *annotation)
{
	return strncmp(annotation->key, OCI_ANNOTATION_VOLUME, strlen(OCI_ANNOTATION_VOLUME)) == 0;
}

bool planner_is_volume(const struct planner *planner, const char *path)
{
	const struct oci_spec *spec = planner->spec;

	for (size_t i = 0; i < spec->annotation_count; i++)
		if (is_volume(&spec->annotations[i]) &&
		    strcmp(spec->annotations[i].value, path) == 0)
			return true;
	return false;
}

static int plan_volumes(struct planner *planner, struct failure *f)
{
	const struct oci_spec *spec = planner->spec;

	for (size_t i = 0; i < spec->annotation_count; i++) {
		const struct oci_annotation *annotation = &spec->annotations[i];
		struct step step = {.kind = STEP_MKDIR, .dst = annotation->value, .mode = 0755};

		if (!is_volume(annotation))
			continue;
		step.field = arena_printf(planner->arena, "/annotations/%s", annotation->key);
		if (!step.field)
			return fail_memory(f);
		if (planner_add(planner, &step, f))
			return -1;
	}
	return 0;
}

/*
 * Given ones replace the image's; others do not when it has a server that can be there. An image's link into
 * /run, where the resolver of its author's machine had its file, leads below what is mounted there.
 */
static int plan_resolv_conf(struct planner *planner, struct failure *f)
{
	static const char path[] = "/etc/resolv.conf";
	const struct plan_sources *sources = planner->sources;
	unsigned flags = STEP_NO_LINK;

	if (!sources->resolv_conf)
		return 0;
	flags |= sources->is_resolv_conf_given ? STEP_OPTIONAL : STEP_IF_MISSING | STEP_IF_STUB;
	return plan_file(planner, path, "<builtin:/etc/resolv.conf>", sources->resolv_conf, flags,
			 f);
}

int plan_files(struct planner *planner, struct failure *f)
{
	const char *hostname = planner->spec->hostname;
	const char *hosts = HOSTS;

	if (hostname) {
		hosts = arena_printf(planner->arena, HOSTS "127.0.1.1\t%s\n", hostname);
		if (plan_file(planner, "/etc/hostname", "<builtin:/etc/hostname>",
			      arena_printf(planner->arena, "%s\n", hostname), STEP_IF_MISSING, f))
			return -1;
	}
	if (plan_file(planner, "/etc/hosts", "<builtin:/etc/hosts>", hosts, STEP_IF_MISSING, f) ||
	    plan_volumes(planner, f))
		return -1;
	return plan_resolv_conf(planner, f);
}
