// SPDX-License-Identifier: Apache-2.0
/* The member "process" of a new runtime configuration: environment, capabilities, limits. */
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "run_merged.h"

static const struct {
	const char *name;
	uint64_t value;
} default_limits[] = {{"RLIMIT_NOFILE", 1048576}, {"RLIMIT_NPROC", 32768}};

#define HOSTNAME "HOSTNAME="

static size_t name_length(const char *assignment)
{
	return strcspn(assignment, "=");
}

static bool is_same_name(const char *a, const char *b)
{
	size_t length = name_length(a);

	return length == name_length(b) && !strncmp(a, b, length);
}

/* Whether a list from `first` on sets the variable (again). */
static bool is_set(const struct oci_strings *list, size_t first, const char *assignment)
{
	for (size_t i = first; i < list->count; i++)
		if (is_same_name(list->items[i], assignment))
			return true;
	return false;
}

static void write_default_env(struct writer *writer, const struct merged *m)
{
	char hostname[sizeof(HOSTNAME) + 256]; /* a host name has 64 bytes at most */
	const char *const defaults[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"container=smk", hostname, m->over->terminal ? "TERM=xterm" : NULL};

	snprintf(hostname, sizeof(hostname), HOSTNAME "%s", m->hostname);
	for (size_t i = 0; i < COUNT(defaults) && defaults[i]; i++)
		if (!is_set(&m->image->env, 0, defaults[i]) &&
		    !is_set(&m->over->env, 0, defaults[i]))
			write_string(writer, NULL, defaults[i]);
}

/* Defaults, the image's, the command line's: the last of a name wins, and is there once. */
static void write_env(struct writer *writer, const struct merged *m)
{
	const struct oci_strings *image = &m->image->env;
	const struct oci_strings *over = &m->over->env;

	write_open(writer, "env", '[');
	write_default_env(writer, m);
	for (size_t i = 0; i < image->count; i++)
		if (!is_set(image, i + 1, image->items[i]) && !is_set(over, 0, image->items[i]))
			write_string(writer, NULL, image->items[i]);
	for (size_t i = 0; i < over->count; i++)
		if (!is_set(over, i + 1, over->items[i]))
			write_string(writer, NULL, over->items[i]);
	write_close(writer, ']');
}

static void write_capabilities(struct writer *writer, const struct merged *m)
{
	static const char *const sets[] = {"bounding", "effective", "permitted"};

	write_open(writer, "capabilities", '{');
	for (size_t i = 0; i < COUNT(sets); i++) {
		write_open(writer, sets[i], '[');
		for (unsigned bit = 0; bit < CAPABILITY__COUNT; bit++)
			if (m->capabilities >> bit & 1)
				write_string(writer, NULL, capability_names[bit]);
		write_close(writer, ']');
	}
	write_close(writer, '}');
}

static void write_limit(struct writer *writer, const char *name, uint64_t soft, uint64_t hard)
{
	write_open(writer, NULL, '{');
	write_string(writer, "type", name);
	write_uint(writer, "soft", soft);
	write_uint(writer, "hard", hard);
	write_close(writer, '}');
}

static bool is_limited(const struct oci_overrides *over, int resource, size_t first)
{
	for (size_t i = first; i < over->limit_count; i++)
		if (over->limits[i].resource == resource)
			return true;
	return false;
}

static void write_limits(struct writer *writer, const struct oci_overrides *over)
{
	write_open(writer, "rlimits", '[');
	for (size_t i = 0; i < COUNT(default_limits); i++)
		if (!is_limited(over, rlimit_find(default_limits[i].name), 0))
			write_limit(writer, default_limits[i].name, default_limits[i].value,
				    default_limits[i].value);
	for (size_t i = 0; i < over->limit_count; i++)
		if (!is_limited(over, over->limits[i].resource, i + 1))
			write_limit(writer, rlimit_names[over->limits[i].resource],
				    over->limits[i].soft, over->limits[i].hard);
	write_close(writer, ']');
}

void write_process(struct writer *writer, const struct merged *m)
{
	write_open(writer, "process", '{');
	write_bool(writer, "terminal", m->over->terminal);
	write_open(writer, "user", '{'); /* by name: the annotation */
	write_uint(writer, "uid", 0);
	write_uint(writer, "gid", 0);
	write_uint(writer, "umask", 0022);
	write_close(writer, '}');
	write_open(writer, "args", '[');
	write_strings(writer, &m->entrypoint);
	write_strings(writer, &m->args);
	write_close(writer, ']');
	write_env(writer, m);
	write_string(writer, "cwd", m->cwd);
	write_capabilities(writer, m);
	write_limits(writer, m->over);
	write_bool(writer, "noNewPrivileges", m->over->no_new_privileges);
	write_close(writer, '}');
}
