// SPDX-License-Identifier: Apache-2.0
// The probe's main: finds the command.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smk/contract.h>

#include "tests/probe/probe.h"

static const struct command *const tables[] = {
	process_commands, stream_commands,   attack_commands, tree_commands,
	entries_commands, schedule_commands, stalk_commands};

int complain(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 1;
}

long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 0);

	if (*end || end == text) {
		fprintf(stderr, "probe: %s: not a number\n", text);
		exit(2);
	}
	return value;
}

static int usage(void)
{
	fputs("usage: probe [COMMAND]\n", stderr);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct command *c = tables[i]; c->name; c++)
			fprintf(stderr, "  %s %s\n", c->name, c->arguments);
	}
	return 2;
}

int main(int argc, char *argv[])
{
	SMK_MARK();
	if (argc < 2 || strcmp(argv[1], "facts") == 0)
		return print_facts(argc, argv);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct command *c = tables[i]; c->name; c++) {
			if (strcmp(c->name, argv[1]) == 0)
				return c->run(argc - 1, argv + 1);
		}
	}
	return usage();
}
