// SPDX-License-Identifier: Apache-2.0
/* smk: one table of commands. Whatever fails is said here, once, and ends with 125. */
#include "host.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <smkernel.h>

static int command_version(int argc, char *const *argv, struct failure *f);
static int command_help(int argc, char *const *argv, struct failure *f);

static const struct {
	const char *name;
	int (*run)(int argc, char *const *argv, struct failure *f);
	const char *usage;
	const char *help;
	bool has_letters; /* -h is --hostname, as podman's */
} commands[] = {
	{"run", command_run, "run [options] BUNDLE | IMAGE [command]",
	 "boot it; exits with the workload's code, or 125", true},
	{"bake", command_bake, "bake [options] BUNDLE | IMAGE DIR [command]",
	 "write all that another VMM needs to boot it", true},
	{"plan", command_plan, "plan BUNDLE", "print the steps that the guest would carry out",
	 false},
	{"cache", command_cache, "cache [ls | prune [DAYS]]",
	 "the layers that smk keeps; prune: those unused for DAYS, or all", false},
	{"assets", command_assets, "assets [list | extract DIR | verify]",
	 "the kernel and init-oci inside smk", false},
	{"--version", command_version, "--version", "print versions", false},
	{"--help", command_help, "--help, -h", "print this; also after a command", false},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int command_version(int argc, char *const *argv, struct failure *f)
{
	const char *version;

	(void)argc;
	(void)argv;
	if (smk_asset_version(SMK_ASSET_KERNEL, &version))
		return fail_config(f, "", "the embedded kernel has no version");
	printf("smk %s (libsmkernel %s, kernel %s)\n", SMK_VERSION, smk_version(), version);
	return 0;
}

static int command_help(int argc, char *const *argv, struct failure *f)
{
	(void)argc;
	(void)argv;
	(void)f;
	printf("smk runs an OCI bundle in a microVM.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  smk %-38s %s\n", commands[i].usage, commands[i].help);
	printf("\nOptions of run, and of bake where they make sense:\n");
	options_help(false);
	printf("\nOptions of bake only:\n");
	options_help(true);
	return 0;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int unknown_command(const char *name, struct failure *f)
{
	const char *names[COMMAND_COUNT];
	const char *hint;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	hint = nearest(name, names, COMMAND_COUNT);
	if (hint)
		return fail_config(f, "", "unknown command %s: did you mean %s?", name, hint);
	return fail_config(f, "", "unknown command %s: see smk --help", name);
}

static int dispatch(int argc, char *const *argv, struct failure *f)
{
	if (!argc)
		return fail_config(f, "", "no command given: see smk --help");
	if (is_help(argv[0]))
		return command_help(0, NULL, f);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		if (argc > 1 && is_help(argv[1]) && !(commands[i].has_letters && argv[1][1] == 'h'))
			return command_help(0, NULL, f);
		return commands[i].run(argc - 1, argv + 1, f);
	}
	return unknown_command(argv[0], f);
}

/* A standard stream that is closed would be the number of some file that is opened later. */
static int open_standard_streams(struct failure *f)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return fail_sys(f, "open", "/dev/null");
	return 0;
}

int main(int argc, char **argv)
{
	struct failure failure = {0};
	int code = open_standard_streams(&failure);

	if (!code)
		code = dispatch(argc - 1, argv + 1, &failure);
	if (code >= 0 && fflush(stdout))
		code = fail_sys(&failure, "write", "stdout");
	if (code >= 0)
		return code;
	say_failure(&failure);
	return SMK_EXIT_SETUP;
}
