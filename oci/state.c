// SPDX-License-Identifier: Apache-2.0
/* The state of a container as JSON. */
#include "state.h"

#include "arena.h"
#include "writer.h"

static size_t write_state(struct writer *writer, const struct oci_spec *spec,
			  const struct state *state)
{
	write_open(writer, NULL, '{');
	write_string(writer, "ociVersion", spec->version);
	write_string(writer, "id", state->id);
	write_string(writer, "status", state->status);
	write_int(writer, "pid", state->pid);
	write_string(writer, "bundle", state->bundle);
	write_open(writer, "annotations", '{');
	for (size_t i = 0; i < spec->annotation_count; i++)
		write_string(writer, spec->annotations[i].key, spec->annotations[i].value);
	write_close(writer, '}');
	write_close(writer, '}');
	return write_finish(writer);
}

const char *state_text(const struct oci_spec *spec, const struct state *state)
{
	char nothing[1];
	struct writer measure = {.text = nothing, .size = sizeof(nothing)};
	size_t size = write_state(&measure, spec, state) + 1;
	char *text = arena_alloc(spec->arena, size);
	struct writer writer = {.text = text, .size = size};

	if (text)
		write_state(&writer, spec, state);
	return text;
}
