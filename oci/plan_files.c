// SPDX-License-Identifier: Apache-2.0
/* Files below /etc that programs expect and images often lack. An image's own file is left alone.
 */
#include "arena.h"
#include "document.h"
#include "planner.h"

#define HOSTS                    \
	"127.0.0.1\tlocalhost\n" \
	"::1\tlocalhost ip6-localhost ip6-loopback\n"

/* Writes a file unless the configuration mounts one there. */
static int plan_file(struct planner *planner, const char *path, const char *field, const char *text,
		     struct failure *f)
{
	struct step step = {.kind = STEP_FILE,
			    .flags = STEP_IF_MISSING,
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

int plan_files(struct planner *planner, struct failure *f)
{
	const char *hostname = planner->spec->hostname;
	const char *resolv_conf = planner->sources->resolv_conf;
	const char *hosts = HOSTS;

	if (hostname) {
		hosts = arena_printf(planner->arena, HOSTS "127.0.1.1\t%s\n", hostname);
		if (plan_file(planner, "/etc/hostname", "<builtin:/etc/hostname>",
			      arena_printf(planner->arena, "%s\n", hostname), f))
			return -1;
	}
	if (plan_file(planner, "/etc/hosts", "<builtin:/etc/hosts>", hosts, f))
		return -1;
	if (!resolv_conf)
		return 0;
	return plan_file(planner, "/etc/resolv.conf", "<builtin:/etc/resolv.conf>", resolv_conf, f);
}
