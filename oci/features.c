// SPDX-License-Identifier: Apache-2.0
/* The features document (runtime-spec features.md), made from the tables that the parser uses. */
#include <stdio.h>
#include <stdlib.h>

#include "fate.h"
#include "names.h"
#include "writer.h"

#define VERSION_MIN "1.0.0"
#define VERSION_MAX "1.3.0"

static void write_options(struct writer *writer)
{
	write_open(writer, "mountOptions", '[');
	for (size_t i = 0; i < option_name_count; i++)
		write_string(writer, NULL, option_names[i].name);
	write_close(writer, ']');
}

static void write_names(struct writer *writer, const char *key, const struct names *names)
{
	write_open(writer, key, '[');
	for (size_t i = 0; i < names->count; i++)
		write_string(writer, NULL, names->rows[i].name);
	write_close(writer, ']');
}

static void write_capabilities(struct writer *writer)
{
	write_open(writer, "capabilities", '[');
	for (size_t i = 0; i < CAPABILITY__COUNT; i++)
		write_string(writer, NULL, capability_names[i]);
	write_close(writer, ']');
}

static void write_enabled(struct writer *writer, const char *key, bool is_enabled)
{
	write_open(writer, key, '{');
	write_bool(writer, "enabled", is_enabled);
	write_close(writer, '}');
}

/* The last flag's filter needs a listener, and there is none: see parse_seccomp.c. */
static void write_seccomp(struct writer *writer)
{
	struct names supported = names_seccomp_flags;

	supported.count--;
	write_open(writer, "seccomp", '{');
	write_bool(writer, "enabled", true);
	write_names(writer, "actions", &names_seccomp_actions);
	write_names(writer, "operators", &names_seccomp_operators);
	write_names(writer, "archs", &names_seccomp_archs);
	write_names(writer, "knownFlags", &names_seccomp_flags);
	write_names(writer, "supportedFlags", &supported);
	write_close(writer, '}');
}

static void write_cgroup(struct writer *writer)
{
	static const struct {
		const char *key;
		bool value;
	} rows[] = {{"v1", false},
		    {"v2", true},
		    {"systemd", false},
		    {"systemdUser", false},
		    {"rdma", true}};

	write_open(writer, "cgroup", '{');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_bool(writer, rows[i].key, rows[i].value);
	write_close(writer, '}');
}

static void write_linux(struct writer *writer)
{
	write_open(writer, "linux", '{');
	write_names(writer, "namespaces", &names_namespaces);
	write_capabilities(writer);
	write_cgroup(writer);
	write_seccomp(writer);
	write_enabled(writer, "apparmor", false);
	write_enabled(writer, "selinux", false);
	write_enabled(writer, "intelRdt", false);
	write_open(writer, "memoryPolicy", '{');
	write_names(writer, "modes", &names_mpol_modes);
	write_names(writer, "flags", &names_mpol_flags);
	write_close(writer, '}');
	write_open(writer, "mountExtensions", '{');
	write_enabled(writer, "idmap", true);
	write_close(writer, '}');
	write_enabled(writer, "netDevices", true);
	write_close(writer, '}');
}

/* Each property of the specification and its fate, as annotations want it: reverse domain names. */
static void write_annotations(struct writer *writer)
{
	static const char *const fates[FATE__COUNT] = {
		[FATE_HONOURED] = "honoured",
		[FATE_HOST] = "left to the host",
		[FATE_NOT_APPLIED] = "not applied by this version",
		[FATE_REFUSED] = "refused",
	};

	write_open(writer, "annotations", '{');
	write_string(writer, "dev.supermachine.version", SMK_VERSION);
	for (size_t i = 0; i < fate_row_count; i++) {
		char key[128];

		snprintf(key, sizeof(key), "dev.supermachine.fate%s", fate_rows[i].path);
		write_string(writer, key, fates[fate_rows[i].fate]);
	}
	write_close(writer, '}');
}

static size_t write_features(char *text, size_t size)
{
	struct writer writer = {.text = text, .size = size};

	write_open(&writer, NULL, '{');
	write_string(&writer, "ociVersionMin", VERSION_MIN);
	write_string(&writer, "ociVersionMax", VERSION_MAX);
	write_names(&writer, "hooks", &names_hooks);
	write_options(&writer);
	write_linux(&writer);
	write_annotations(&writer);
	write_open(&writer, "potentiallyUnsafeConfigAnnotations", '[');
	write_close(&writer, ']');
	write_close(&writer, '}');
	return write_finish(&writer);
}

char *oci_features_json(void)
{
	char nothing[1];
	size_t length = write_features(nothing, sizeof(nothing));
	char *text = malloc(length + 1);

	if (text)
		write_features(text, length + 1);
	return text;
}
