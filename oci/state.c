// SPDX-License-Identifier: Apache-2.0
/* The state of a container as JSON. A machine is one container: its id is the host name. */
#include "state.h"

#include "arena.h"
#include "writer.h"

#define ID_DEFAULT "container"

static size_t write_state(struct writer *writer, const struct oci_spec *spec, const char *status,
			  int64_t pid)
{
	write_open(writer, NULL, '{');
	write_string(writer, "ociVersion", spec->version);
	write_string(writer, "id", spec->hostname ? spec->hostname : ID_DEFAULT);
	write_string(writer, "status", status);
	write_int(writer, "pid", pid);
	write_string(writer, "bundle", "/");
	write_open(writer, "annotations", '{');
	for (size_t i = 0; i < spec->annotation_count; i++)
		write_string(writer, spec->annotations[i].key, spec->annotations[i].value);
	write_close(writer, '}');
	write_close(writer, '}');
	return write_finish(writer);
}

const char *state_text(const struct oci_spec *spec, const char *status, int64_t pid)
{
	char nothing[1];
	struct writer measure = {.text = nothing, .size = sizeof(nothing)};
	size_t size = write_state(&measure, spec, status, pid) + 1;
	char *text = arena_alloc(spec->arena, size);
	struct writer writer = {.text = text, .size = size};

	if (text)
		write_state(&writer, spec, status, pid);
	return text;
}
