// SPDX-License-Identifier: Apache-2.0
/* The features document (runtime-spec features.md), made from the tables that the parser uses. */
#include <stdlib.h>

#include "fate.h"
#include "names.h"
#include "writer.h"

#define VERSION_MIN "1.0.0"
#define VERSION_MAX "1.3.0"

static void write_options(struct writer *writer)
{
	write_open(writer, "mountOptions", '[');
	for (size_t i = 0; i < option_name_count; i++) {
		if (option_names[i].kind != OPTION_REFUSED)
			write_string(writer, NULL, option_names[i].name);
	}
	write_close(writer, ']');
}

static void write_namespaces(struct writer *writer)
{
	write_open(writer, "namespaces", '[');
	for (size_t i = 0; i < NAMESPACE__COUNT; i++) {
		if (namespace_names[i].is_machine)
			write_string(writer, NULL, namespace_names[i].name);
	}
	write_close(writer, ']');
}

static void write_capabilities(struct writer *writer)
{
	write_open(writer, "capabilities", '[');
	for (size_t i = 0; i < CAPABILITY__COUNT; i++)
		write_string(writer, NULL, capability_names[i]);
	write_close(writer, ']');
}

static void write_disabled(struct writer *writer, const char *key)
{
	write_open(writer, key, '{');
	write_bool(writer, "enabled", false);
	write_close(writer, '}');
}

static void write_linux(struct writer *writer)
{
	static const char *const disabled[] = {"seccomp",  "apparmor",     "selinux",
					       "intelRdt", "memoryPolicy", "netDevices"};

	write_open(writer, "linux", '{');
	write_namespaces(writer);
	write_capabilities(writer);
	write_open(writer, "cgroup", '{');
	write_bool(writer, "v1", false);
	write_bool(writer, "v2", true);
	write_bool(writer, "systemd", false);
	write_bool(writer, "systemdUser", false);
	write_bool(writer, "rdma", false);
	write_close(writer, '}');
	for (size_t i = 0; i < sizeof(disabled) / sizeof(disabled[0]); i++)
		write_disabled(writer, disabled[i]);
	write_open(writer, "mountExtensions", '{');
	write_disabled(writer, "idmap");
	write_close(writer, '}');
	write_close(writer, '}');
}

/* Each property of the specification and its fate. */
static void write_annotations(struct writer *writer)
{
	static const char *const fates[FATE__COUNT] = {
		[FATE_HONOURED] = "honoured",
		[FATE_NOT_APPLIED] = "not applied by this version",
		[FATE_REFUSED] = "refused",
	};

	write_open(writer, "annotations", '{');
	write_string(writer, "init-oci.version", SMK_VERSION);
	for (size_t i = 0; i < fate_row_count; i++)
		write_string(writer, fate_rows[i].path, fates[fate_rows[i].fate]);
	write_close(writer, '}');
}

static size_t write_features(char *text, size_t size)
{
	struct writer writer = {.text = text, .size = size};

	write_open(&writer, NULL, '{');
	write_string(&writer, "ociVersionMin", VERSION_MIN);
	write_string(&writer, "ociVersionMax", VERSION_MAX);
	write_open(&writer, "hooks", '[');
	write_close(&writer, ']');
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
