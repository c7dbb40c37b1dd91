// SPDX-License-Identifier: Apache-2.0
/*
 * init-oci as a command: looks at a configuration and touches nothing. The same code as a boot's,
 * so what it says holds for a boot. Exit code: 0, 125 for a refused configuration, 2 for wrong
 * usage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/guest.h"
#include "init/sys.h"

#define EXIT_USAGE   2
#define DEFAULT_SEED 1 /* the same input gives the same output */

struct options {
	const char *file;
	size_t layers;
};

static const char usage[] =
	"usage: init-oci --check FILE                 check a configuration (- is standard input)\n"
	"       init-oci --plan FILE [--layers N]     print the steps a boot would take\n"
	"       init-oci --features                   what of the OCI specification is honoured\n"
	"       init-oci --version\n"
	"       init-oci --help\n"
	"As PID 1 it takes no arguments: see docs/boot-contract.md.\n";

static int put_text(int fd, const char *text)
{
	return sys_write_full(fd, text, strlen(text));
}

/* The bytes of a file, one more than a configuration may have so that a longer one is noticed. */
static char *read_file(const char *path, size_t *ret_length, struct failure *f)
{
	AUTO_FD opened_fd = strcmp(path, "-") ? sys_open(AT_FDCWD, path, O_RDONLY, 0) : dup(0);
	char *bytes = malloc(OCI_CONFIG_MAX_BYTES + 1);
	ssize_t length = -1;

	if (!bytes)
		fail_err(f, ENOMEM, "malloc", path, "%s", "");
	else if (opened_fd < 0)
		fail_sys(f, "open", path);
	else if ((length = sys_read_full(opened_fd, bytes, OCI_CONFIG_MAX_BYTES + 1)) < 0)
		fail_sys(f, "read", path);
	if (length < 0) {
		free(bytes);
		return NULL;
	}
	*ret_length = (size_t)length;
	return bytes;
}

static int parse_file(const char *path, struct oci_spec *ret, struct failure *f)
{
	size_t length;
	char *bytes = read_file(path, &length, f);

	if (!bytes)
		return -1;
	int result = oci_parse(bytes, length, DEFAULT_SEED, ret, f);

	free(bytes);
	return result;
}

static int check(const struct options *options, struct failure *f)
{
	struct oci_spec spec;

	if (parse_file(options->file, &spec, f) < 0)
		return fail_at(f, STAGE_PARSE, NULL);
	for (size_t i = 0; i < spec.warning_count; i++)
		console_warn("parse: %s: %s", spec.warnings[i].field, spec.warnings[i].why);
	oci_spec_finish(&spec);
	return 0;
}

static int print_steps(const struct oci_spec *spec, size_t layer_count, struct failure *f)
{
	static struct plan_layer layers[PLAN_LAYERS_MAX];
	static char names[PLAN_LAYERS_MAX][8];
	static char line[65536];
	const struct plan_sources sources = {.layers = layers, .layer_count = layer_count};
	struct plan plan;

	for (size_t i = 0; i < layer_count; i++) {
		snprintf(names[i], sizeof(names[i]), i < 26 ? "vd%c" : "vd%c%c",
			 (char)('a' + (i < 26 ? i : i / 26 - 1)), (char)('a' + i % 26));
		layers[i] = (struct plan_layer){SOURCE_BLOCK, names[i], "squashfs"};
	}
	if (plan_build(spec, &sources, &plan, f) < 0)
		return fail_at(f, STAGE_PLAN, NULL);
	for (size_t i = 0; i < plan.count; i++) {
		plan_print_step(&plan.steps[i], line, sizeof(line) - 1);
		strcat(line, "\n");
		if (put_text(STDOUT_FILENO, line) < 0)
			return fail_sys(f, "write", "standard output");
	}
	return 0;
}

static int plan_file(const struct options *options, struct failure *f)
{
	struct oci_spec spec;

	if (parse_file(options->file, &spec, f) < 0)
		return fail_at(f, STAGE_PARSE, NULL);
	int result = print_steps(&spec, options->layers, f);

	oci_spec_finish(&spec);
	return result;
}

static int features(const struct options *options, struct failure *f)
{
	char *text = oci_features_json();

	(void)options;
	if (!text)
		return fail_err(f, ENOMEM, "malloc", NULL, "features");
	int result = put_text(STDOUT_FILENO, text);

	if (result < 0)
		fail_sys(f, "write", "standard output");
	free(text);
	return result;
}

static int put_constant(const char *text, struct failure *f)
{
	return put_text(STDOUT_FILENO, text) < 0 ? fail_sys(f, "write", "standard output") : 0;
}

static int version(const struct options *options, struct failure *f)
{
	(void)options;
	return put_constant("init-oci " SMK_VERSION "\n", f);
}

static int help(const struct options *options, struct failure *f)
{
	(void)options;
	return put_constant(usage, f);
}

static const struct {
	const char *name;
	bool has_file;
	int (*run)(const struct options *, struct failure *);
} commands[] = {
	{"--check", true, check},      {"--plan", true, plan_file}, {"--features", false, features},
	{"--version", false, version}, {"--help", false, help},
};

/* "--layers N" after the file; nothing else. */
static bool parse_layers(char *const args[], size_t *ret)
{
	char *end;

	*ret = 1;
	if (!args[0])
		return true;
	if (strcmp(args[0], "--layers") || !args[1] || args[2] || args[1][0] < '0' ||
	    args[1][0] > '9')
		return false;
	*ret = strtoul(args[1], &end, 10);
	return *end == '\0' && *ret >= 1 && *ret <= PLAN_LAYERS_MAX;
}

static int run_command(size_t i, char *const args[], struct failure *f)
{
	struct options options = {.layers = 1};

	if (commands[i].has_file)
		options.file = *args ? *args++ : NULL;
	bool is_right = commands[i].run == plan_file ? parse_layers(args, &options.layers) : !*args;

	if (!is_right || (commands[i].has_file && !options.file)) {
		(void)put_text(STDERR_FILENO, usage); /* there is no other place to say it */
		return EXIT_USAGE;
	}
	return commands[i].run(&options, f) < 0 ? fail_exit_code(f) : 0;
}

int tool_main(int argc, char *argv[])
{
	struct failure failure = {0};
	char line[FAIL_LINE_MAX + 1];
	int code = EXIT_USAGE;
	size_t i = 0;

	while (argc > 1 && i < sizeof(commands) / sizeof(commands[0]) &&
	       strcmp(argv[1], commands[i].name))
		i++;
	if (argc < 2 || i == sizeof(commands) / sizeof(commands[0])) {
		(void)put_text(STDERR_FILENO, usage); /* as above */
		return EXIT_USAGE;
	}
	code = run_command(i, argv + 2, &failure);
	if (failure.err || failure.why[0]) {
		fail_format(&failure, line);
		(void)put_text(STDERR_FILENO, strcat(line, "\n")); /* as above */
	}
	return code;
}
