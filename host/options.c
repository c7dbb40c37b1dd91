// SPDX-License-Identifier: Apache-2.0
/* The options of smk run: one table, from which both the parser and the help text come. */
#include "host.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_values.h"

struct option {
	const char *name;
	const char *argument; /* NULL: a flag */
	const char *help;
	int (*set)(struct run_options *o, const char *value, struct failure *f);
};

static const struct option table[] = {
	{"--memory", "SIZE", "guest memory: 256M, 1G (default 256M, at least 32M)", set_memory},
	{"--cpus", "N", "virtual CPUs (default 1)", set_cpus},
	{"--kernel", "FILE", "boot this uncompressed arm64 Image", set_kernel},
	{"--init", "FILE", "use this init-oci", set_init},
	{"--append", "STRING", "add to the kernel command line (repeatable)", set_append},
	{"--upper", "KIND", "writable layer: tmpfs[:SIZE], disk:SIZE, file:PATH or none",
	 set_upper},
	{"--env", "NAME[=VALUE]", "set a variable of the workload; no =: take smk's (repeatable)",
	 set_env},
	{"--accel", "NAME", "auto, kvm or tcg (default auto)", set_accel},
	{"--timeout", "SECONDS", "end the VM after so long, with exit code 125", set_timeout},
	{"--timing", NULL, "print where the time went", set_timing},
	{"--console", NULL, "show the guest's console on stderr", set_console},
	{"--print-vmm", NULL, "print QEMU's command line and files instead of running",
	 set_print_vmm},
	{"--keep", NULL, "keep temporary files", set_keep},
	{"--rm", NULL, "remove temporary files (the default)", set_rm},
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

void options_init(struct run_options *options)
{
	*options = (struct run_options){.memory_mib = 256, .cpus = 1};
}

void options_finish(struct run_options *options)
{
	strings_finish(&options->append);
	strings_finish(&options->env);
}

void options_help(void)
{
	char left[40];

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		snprintf(left, sizeof(left), "%s%s%s", table[i].name, table[i].argument ? " " : "",
			 table[i].argument ? table[i].argument : "");
		printf("  %-22s %s\n", left, table[i].help);
	}
}

static int unknown_option(const char *word, size_t length, struct failure *f)
{
	const char *names[OPTION_COUNT];
	char name[64];
	const char *hint;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = table[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	hint = nearest(name, names, OPTION_COUNT);
	if (hint)
		return fail_config(f, "", "unknown option %s: did you mean %s?", name, hint);
	return fail_config(f, "", "unknown option %s: see smk --help", name);
}

/* One option at argv[*index]; its value may be the next word. */
static int parse_option(int argc, char *const *argv, int *index, struct run_options *o,
			struct failure *f)
{
	const char *word = argv[*index];
	size_t length = strcspn(word, "=");
	const char *value = word[length] ? word + length + 1 : NULL;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &table[i];

		if (strlen(option->name) != length || strncmp(option->name, word, length))
			continue;
		if (!option->argument && value)
			return fail_config(f, "", "%s takes no value", option->name);
		if (option->argument && !value) {
			if (*index + 1 >= argc)
				return fail_config(f, "", "%s needs a value: %s", option->name,
						   option->argument);
			value = argv[++*index];
		}
		return option->set(o, value, f);
	}
	return unknown_option(word, length, f);
}

int options_parse(int argc, char *const *argv, struct run_options *ret, struct failure *f)
{
	bool is_ended = false;

	for (int i = 0; i < argc; i++) {
		if (!is_ended && !strcmp(argv[i], "--")) {
			is_ended = true;
		} else if (!is_ended && argv[i][0] == '-' && argv[i][1]) {
			if (parse_option(argc, argv, &i, ret, f))
				return -1;
		} else if (ret->bundle) {
			return fail_config(f, "", "more than one bundle: %s and %s", ret->bundle,
					   argv[i]);
		} else {
			ret->bundle = argv[i];
		}
	}
	if (!ret->bundle || !*ret->bundle)
		return fail_config(f, "", "no bundle given: smk run [options] BUNDLE");
	return 0;
}

/* Edit distance of two words, of at most 63 characters each. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64];
	size_t length = strnlen(b, 63);

	for (size_t j = 0; j <= length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i < 64 && a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= length; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[length];
}

const char *nearest(const char *word, const char *const *list, size_t count)
{
	const char *best = NULL;
	/* An edit for every two letters, three at most: more is no typing error. */
	size_t letters = strlen(word + strspn(word, "-"));
	unsigned least = letters < 5 ? (unsigned)(letters + 1) / 2 + 1 : 4;

	for (size_t i = 0; i < count; i++) {
		unsigned edits = distance(word, list[i]);

		if (edits < least) {
			least = edits;
			best = list[i];
		}
	}
	return best;
}
