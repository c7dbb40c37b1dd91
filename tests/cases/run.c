// SPDX-License-Identifier: Apache-2.0
/*
 * run DIRECTORY: every case below DIRECTORY (good-*, bad-*, unsupported-*), each a directory with
 *   config.json        what is parsed and planned
 *   sources            optional: what discover found, see read_sources(); by default one squashfs
 *                      disk under a tmpfs upper
 *   plan or error      the plan's lines, or the one line of the failure
 *   warnings           optional: the warnings' lines; without it there must be none
 *
 * run -: a stream of generated cases from generate.py on standard input: a header line
 *   "NAME BYTES EXPECTED" (the rest of the line: the failure's line, or "accept"), then the bytes.
 *
 * One line a case: "ok NAME" or "not ok NAME: why".
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/plan.h"

struct result {
	char *text; /* the plan's lines, or the failure's */
	char *warnings;
	bool is_error;
};

/* A file's bytes with a NUL after them, or NULL when there is none. */
static char *read_file(const char *directory, const char *name, size_t *ret_length)
{
	char path[512];
	char *bytes = NULL;
	size_t length = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && ftell(file) >= 0) {
		length = (size_t)ftell(file);
		rewind(file);
		bytes = calloc(1, length + 1);
		if (bytes && fread(bytes, 1, length, file) != length)
			length = 0;
	}
	fclose(file);
	*ret_length = length;
	return bytes;
}

#define LAYERS_MAX (PLAN_LAYERS_MAX + 1)

struct found {
	struct plan_sources sources;
	struct plan_layer layers[LAYERS_MAX];
};

static void add_layers(struct found *found, const char *kind, size_t count)
{
	static const struct plan_layer kinds[] = {
		{SOURCE_BLOCK, "vda", "squashfs"},
		{SOURCE_BLOCK, "vdb", "ext4"},
		{SOURCE_VIRTIOFS, "smk-layer-000", "virtiofs"},
		{SOURCE_9P, "smk-layer-000", "9p"},
		{SOURCE_BOOT_ROOT, NULL, NULL},
	};
	static const char *const names[] = {"squashfs", "ext4", "virtiofs", "9p", "boot-root"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		for (size_t i = 0; i < count && strcmp(names[k], kind) == 0; i++)
			found->layers[found->sources.layer_count++] = kinds[k];
	}
}

/* Lines of "layer KIND COUNT", "upper none|disk|SIZE", "resolv-conf" and "dns". */
static void read_sources(const char *directory, struct found *found)
{
	size_t length;
	char *text = read_file(directory, "sources", &length);
	char *rest = text;
	static char size[16];
	char word[16];
	size_t count;

	*found = (struct found){.sources.layers = found->layers};
	if (!text)
		add_layers(found, "squashfs", 1);
	for (char *line; rest && (line = strsep(&rest, "\n"));) {
		if (sscanf(line, "layer %15s %zu", word, &count) == 2) {
			add_layers(found, word, count);
		} else if (strcmp(line, "resolv-conf") == 0) {
			found->sources.resolv_conf = "nameserver 10.0.2.3\n";
		} else if (strcmp(line, "dns") == 0) {
			found->sources.resolv_conf = "nameserver 192.0.2.1\nsearch example\n";
			found->sources.is_resolv_conf_given = true;
		} else if (strcmp(line, "upper none") == 0) {
			found->sources.upper = UPPER_NONE;
		} else if (strcmp(line, "upper disk") == 0) {
			found->sources.upper = UPPER_DISK;
			found->sources.upper_id = "vdz";
		} else if (sscanf(line, "upper %15s", size) == 1) {
			found->sources.upper_size = size;
		}
	}
	free(text);
}

static char *plan_text(const struct plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	char line[8192];

	if (!stream)
		return NULL;
	for (size_t i = 0; i < plan->count; i++) {
		plan_print_step(&plan->steps[i], line, sizeof(line));
		fprintf(stream, "%s\n", line);
	}
	fclose(stream);
	return text;
}

static char *warning_text(const struct oci_spec *spec)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < spec->warning_count; i++)
		fprintf(stream, "%s: %s\n", spec->warnings[i].field, spec->warnings[i].why);
	fclose(stream);
	return text;
}

static struct result run(const char *bytes, size_t length, const struct plan_sources *sources)
{
	struct result result = {.is_error = true};
	struct failure f = {.stage = STAGE_NONE};
	struct oci_spec spec = {.arena = NULL};
	struct plan plan;
	char line[FAIL_LINE_MAX + 1];

	if (oci_parse(bytes, length, 7, &spec, &f) == 0 &&
	    plan_build(&spec, sources, &plan, &f) == 0) {
		result.is_error = false;
		result.text = plan_text(&plan);
		result.warnings = warning_text(&spec);
	} else {
		fail_format(&f, line);
		strcat(line, "\n");
		result.text = strdup(line);
		result.warnings = strdup("");
	}
	oci_spec_finish(&spec);
	return result;
}

/* Where two texts begin to differ, as one printable line. */
static void print_difference(const char *got, const char *want)
{
	size_t at = 0;

	while (got[at] && got[at] == want[at])
		at++;
	while (at && got[at - 1] != '\n')
		at--;
	printf("got \"%.*s\", not \"%.*s\"\n", (int)strcspn(got + at, "\n"), got + at,
	       (int)strcspn(want + at, "\n"), want + at);
}

static int run_directory(const char *directory, const char *name)
{
	struct found found;
	size_t length = 0;
	size_t ignored;
	char *config = read_file(directory, "config.json", &length);
	char *plan = read_file(directory, "plan", &ignored);
	char *error = read_file(directory, "error", &ignored);
	char *warnings = read_file(directory, "warnings", &ignored);
	const char *want = plan ? plan : error ? error : "(neither plan nor error)";
	struct result got;
	int failed = 1;

	read_sources(directory, &found);
	got = run(config, length, &found.sources);
	if (!config || !plan == !error) {
		printf("not ok %s: needs config.json and either plan or error\n", name);
	} else if (strcmp(got.text, want) != 0) {
		printf("not ok %s: ", name);
		print_difference(got.text, want);
	} else if (strcmp(got.warnings, warnings ? warnings : "") != 0) {
		printf("not ok %s: warnings: ", name);
		print_difference(got.warnings, warnings ? warnings : "");
	} else {
		printf("ok %s\n", name);
		failed = 0;
	}
	free(config);
	free(plan);
	free(error);
	free(warnings);
	free(got.text);
	free(got.warnings);
	return failed;
}

static int is_case(const struct dirent *entry)
{
	return strncmp(entry->d_name, "good-", 5) == 0 || strncmp(entry->d_name, "bad-", 4) == 0 ||
	       strncmp(entry->d_name, "unsupported-", 12) == 0;
}

static int run_all(const char *top)
{
	struct dirent **entries;
	int count = scandir(top, &entries, is_case, alphasort);
	int failed = 0;
	char directory[512];

	for (int i = 0; i < count; i++) {
		snprintf(directory, sizeof(directory), "%s/%s", top, entries[i]->d_name);
		failed += run_directory(directory, entries[i]->d_name);
		free(entries[i]);
	}
	if (count > 0)
		free(entries);
	return failed || count <= 0;
}

static int run_generated(const char *name, const char *bytes, size_t length, const char *want)
{
	static const struct plan_layer layer = {SOURCE_BLOCK, "vda", "squashfs"};
	static const struct plan_sources sources = {.layers = &layer, .layer_count = 1};
	struct result got = run(bytes, length, &sources);
	const char *verdict = got.is_error ? got.text : "accept\n";
	bool is_same = strcmp(verdict, want) == 0;

	if (is_same) {
		printf("ok %s\n", name);
	} else {
		printf("not ok %s: ", name);
		print_difference(verdict, want);
	}
	free(got.text);
	free(got.warnings);
	return !is_same;
}

static int run_stream(void)
{
	char *line = NULL;
	size_t size = 0;
	int failed = 0;
	int count = 0;

	while (getline(&line, &size, stdin) > 0) {
		char name[256];
		size_t length;
		int used = 0;
		char *bytes;

		if (sscanf(line, "%255s %zu %n", name, &length, &used) != 2 || !used)
			break;
		bytes = malloc(length ? length : 1);
		if (!bytes || fread(bytes, 1, length, stdin) != length) {
			printf("not ok %s: the stream ends in it\n", name);
			free(bytes);
			failed++;
			break;
		}
		failed += run_generated(name, bytes, length, line + used);
		free(bytes);
		count++;
	}
	free(line);
	return failed || !count;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return strcmp(argv[1], "-") == 0 ? run_stream() : run_all(argv[1]);
}
