// SPDX-License-Identifier: Apache-2.0
/* The options of smk run: one table, from which both the parser and the help text come. */
#include "host.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"
#include "image/overrides.h"
#include "net.h"
#include "option_values.h"

/* Options that only one command has. */
enum command {
	BOTH,
	RUN,
	BAKE,
};

struct option {
	const char *name;
	char letter;          /* podman's short form, or 0 */
	const char *argument; /* NULL: a flag */
	const char *help;
	int (*set)(struct run_options *o, const char *value, struct failure *f);
	/* Of images only; a bundle's config.json says these things itself. One of three ways: */
	int (*set_image)(struct image_options *o, const char *value, struct failure *f);
	size_t text; /* offset in struct image_options + 1 of where the value is kept */
	size_t flag; /* offset + 1 of a bool that becomes true */
	enum command only;
};

#define IMAGE(function)    .set_image = image_set_##function
#define IMAGE_TEXT(member) .text = offsetof(struct image_options, member) + 1
#define IMAGE_FLAG(member) .flag = offsetof(struct image_options, member) + 1

static const struct option table[] = {
	{"--memory", 'm', "SIZE", "guest memory: 512m, 1.5g (default by layers: 256m up to 32)",
	 .set = set_memory},
	{"--cpus", 0, "N", "virtual CPUs (default 1)", .set = set_cpus},
	{"--kernel", 0, "FILE", "boot this uncompressed arm64 Image", .set = set_kernel},
	{"--init", 0, "FILE", "use this init-oci", .set = set_init},
	{"--append", 0, "STRING", "add to the kernel command line (repeatable)", .set = set_append},
	{"--upper", 0, "KIND", "writable layer: tmpfs[:SIZE], disk:SIZE, file:PATH or none",
	 .set = set_upper},
	{"--env", 'e', "NAME[=VALUE]",
	 "a variable of the workload; without =: smk's, NAME* too (repeatable)", .set = set_env},
	{"--env-file", 0, "FILE", "the same from a file, a line each", .set = set_env_file},
	{"--accel", 0, "NAME", "auto, kvm or tcg (default auto)", .set = set_accel, .only = RUN},
	{"--timeout", 0, "SECONDS", "end the VM after so long, with exit code 125",
	 .set = set_timeout, .only = RUN},
	{"--init-timeout", 0, "SECONDS", "end the VM when nothing has started after so long",
	 .set = set_init_timeout, .only = RUN},
	{"--timing", 0, NULL, "print where the time went", .set = set_timing, .only = RUN},
	{"--console", 0, NULL, "show the guest's console on stderr", .set = set_console,
	 .only = RUN},
	{"--print-vmm", 0, NULL, "print QEMU's command line and files instead of running",
	 .set = set_print_vmm, .only = RUN},
	{"--keep", 0, NULL, "keep temporary files", .set = set_keep, .only = RUN},
	{"--rm", 0, NULL, "remove temporary files (the default)", .set = set_rm, .only = RUN},
	{"--net", 0, "KIND", "network: tsi[:loopback,link-local] (default), user or none",
	 .set = set_net, .only = RUN},
	{"--publish", 'p', "[IP:]HOST:GUEST", "a TCP port of the guest on the host (repeatable)",
	 .set = set_publish, .only = RUN},
	{"--dns", 0, "IP", "the guest's name server (repeatable; default: this machine's)",
	 .set = set_dns, .only = RUN},
	{"--entrypoint", 0, "WORD", "instead of the image's: a program, or a JSON array",
	 IMAGE_TEXT(entrypoint)},
	{"--workdir", 'w', "DIR", "the working directory", IMAGE(workdir)},
	{"--user", 'u', "USER[:GROUP]", "names of the image's, or numbers", IMAGE(user)},
	{"--hostname", 'h', "NAME", "the container's name", IMAGE(hostname)},
	{"--stop-signal", 0, "SIGNAL", "what SIGTERM of smk becomes in the guest",
	 IMAGE_TEXT(stop_signal)},
	{"--tty", 't', NULL, "give the workload a terminal", IMAGE_FLAG(terminal)},
	{"--read-only", 0, NULL, "a read-only root, with tmpfs on /run, /tmp and /var/tmp",
	 IMAGE_FLAG(read_only)},
	{"--no-new-privileges", 0, NULL, "no program gains rights by its file",
	 IMAGE_FLAG(no_new_privileges)},
	{"--unconfined", 0, NULL, "no seccomp profile", IMAGE_FLAG(unconfined)},
	{"--cap-add", 0, "NAME", "one capability more, or all (repeatable)", IMAGE(cap_add)},
	{"--cap-drop", 0, "NAME", "one less, or all (repeatable)", IMAGE(cap_drop)},
	{"--tmpfs", 0, "DIR[:OPTIONS]", "a tmpfs (repeatable)", IMAGE(tmpfs)},
	{"--volume", 'v', "HOSTDIR:DIR[:ro]", "share a directory of the host (repeatable)",
	 IMAGE(volume)},
	{"--volume-fs", 0, "NAME", "how: virtiofs, 9p or auto", IMAGE(volume_fs), .only = RUN},
	{"--interactive", 'i', NULL, "nothing: standard input is always connected",
	 .set = set_interactive},
	{"--ulimit", 0, "NAME=SOFT[:HARD]", "a resource limit (repeatable)", IMAGE(ulimit)},
	{"--sysctl", 0, "NAME=VALUE", "a kernel parameter (repeatable)", IMAGE(sysctl)},
	{"--annotation", 0, "NAME=VALUE", "an annotation (repeatable)", IMAGE(annotation)},
	{"--layer-fs", 0, "NAME", "file system of the layers: squashfs or erofs", IMAGE(layer_fs)},
	{"--max-layer-size", 0, "SIZE", "refuse layers that unpack to more (default 16G)",
	 IMAGE(max_layer_size)},
	{"--flatten", 0, NULL, "make one layer of all", IMAGE_FLAG(flatten)},
	{"--verity", 0, NULL, "let the guest check every block of the layers", .set = set_verity,
	 .only = BAKE},
	{"--for", 0, "VMM", "print what qemu, firecracker, cloud-hypervisor, libkrun or vz needs",
	 .set = set_vmm, .only = BAKE},
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

void options_init(struct run_options *options)
{
	*options = (struct run_options){.cpus = 1};
	options->image = must_alloc(sizeof(*options->image));
	image_options_init(options->image);
	options->net = must_alloc(sizeof(*options->net));
	options->net->kind = NET_DEFAULT;
}

void options_finish(struct run_options *options)
{
	strings_finish(&options->append);
	strings_finish(&options->env);
	strings_finish(&options->file_env);
	image_options_finish(options->image);
	free(options->image);
	options->image = NULL;
	free(options->net);
	options->net = NULL;
}

static bool is_of(const struct option *option, enum command command)
{
	return option->only == BOTH || option->only == command;
}

void options_help(bool is_bake)
{
	char left[48];
	char letter[8];

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &table[i];

		if (is_bake ? option->only != BAKE : option->only == BAKE)
			continue;
		snprintf(letter, sizeof(letter), option->letter ? "-%c, " : "    ", option->letter);
		snprintf(left, sizeof(left), "%s%s%s%s", letter, option->name,
			 option->argument ? " " : "", option->argument ? option->argument : "");
		printf("  %-26s %s\n", left, option->help);
	}
}

static int unknown_option(const char *word, size_t length, enum command command, struct failure *f)
{
	const char *names[OPTION_COUNT];
	size_t count = 0;
	char name[64];
	const char *hint;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (is_of(&table[i], command))
			names[count++] = table[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	hint = nearest(name, names, count);
	if (hint)
		return fail_config(f, "", "unknown option %s: did you mean %s?", name, hint);
	return fail_config(f, "", "unknown option %s: see smk --help", name);
}

static int set_option(const struct option *option, struct run_options *o, const char *value,
		      struct failure *f)
{
	char *image = (char *)o->image;

	if (option->set)
		return option->set(o, value, f);
	if (!o->image->given)
		o->image->given = option->name;
	if (option->set_image)
		return option->set_image(o->image, value, f);
	if (option->flag)
		*(bool *)(void *)(image + option->flag - 1) = *value == 't';
	else
		*(const char **)(void *)(image + option->text - 1) = value;
	return 0;
}

/* Flags may have a value, too: setters see "true" or "false". */
static int set_flag(const struct option *option, struct run_options *o, const char *value,
		    struct failure *f)
{
	static const char *const words[] = {"true", "false", "1", "0"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!value || !strcmp(value, words[i]))
			return set_option(option, o, words[i % 2], f);
	return fail_config(f, "", "%s takes no value but true and false", option->name);
}

static const struct option *find_letter(char letter, enum command command)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (table[i].letter == letter && is_of(&table[i], command))
			return &table[i];
	return NULL;
}

/*
 * -it, -m 1G, -m1G, -m=1G: flags in a row, the last of which may be an option with a value: the rest of
 * the word, or the next one.
 */
static int parse_letters(int argc, char *const *argv, int *index, enum command command,
			 struct run_options *o, struct failure *f)
{
	for (const char *at = argv[*index] + 1; *at; at++) {
		const struct option *option = find_letter(*at, command);
		const char *value = at[1] == '=' ? at + 2 : at[1] ? at + 1 : NULL;

		if (!option)
			return fail_config(f, "", "unknown option -%c: see smk --help", *at);
		if (!option->argument && at[1] != '=') {
			if (set_flag(option, o, NULL, f))
				return -1;
			continue;
		}
		if (!option->argument)
			return set_flag(option, o, value, f);
		if (!value && *index + 1 >= argc)
			return fail_config(f, "", "-%c needs a value: %s (%s)", *at,
					   option->argument, option->name);
		return set_option(option, o, value ? value : argv[++*index], f);
	}
	return 0;
}

/* One option at argv[*index]; its value may be the next word. */
static int parse_option(int argc, char *const *argv, int *index, enum command command,
			struct run_options *o, struct failure *f)
{
	const char *word = argv[*index];
	size_t length = strcspn(word, "=");
	const char *value = word[length] ? word + length + 1 : NULL;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &table[i];

		if (!is_of(option, command) || strlen(option->name) != length ||
		    strncmp(option->name, word, length) != 0)
			continue;
		if (!option->argument)
			return set_flag(option, o, value, f);
		if (!value) {
			if (*index + 1 >= argc)
				return fail_config(f, "", "%s needs a value: %s", option->name,
						   option->argument);
			value = argv[++*index];
		}
		return set_option(option, o, value, f);
	}
	return unknown_option(word, length, command, f);
}

/* What comes after the bundle or image: for an image, the command to run instead of its own. */
static int set_args(struct run_options *o, char *const *words, int count, struct failure *f)
{
	o->image->fixed_root = o->upper == CHOICE_NONE;
	env_merge(o);
	o->image->args = words;
	o->image->arg_count = (size_t)count;
	if (image_is_reference(o->bundle))
		return image_options_check(o->image, f);
	if (count && access(o->bundle, F_OK))
		return fail_sys(f, "open", o->bundle);
	if (count)
		return fail_config(f, "", "more than one bundle: %s and %s", o->bundle, words[0]);
	if (o->image->given)
		return fail_config(f, "",
				   "%s is for images: %s is a bundle, whose config.json says it",
				   o->image->given, o->bundle);
	return 0;
}

/*
 * [options] WHAT [options] [--] [words], and for bake DIR after WHAT: the first word after those that
 * is no option ends the options.
 */
static int parse(int argc, char *const *argv, enum command command, struct run_options *ret,
		 struct failure *f)
{
	const char **places[] = {&ret->bundle, &ret->directory};
	size_t wanted = command == BAKE ? 2 : 1;
	size_t got = 0;
	bool is_ended = false;
	int i;

	for (i = 0; i < argc; i++) {
		if (!is_ended && !strcmp(argv[i], "--")) {
			is_ended = true;
		} else if (!is_ended && argv[i][0] == '-' && argv[i][1]) {
			if ((argv[i][1] == '-' ? parse_option : parse_letters)(argc, argv, &i,
									       command, ret, f))
				return -1;
		} else if (got < wanted) {
			*places[got++] = argv[i];
		} else {
			break;
		}
	}
	if (got < wanted || !*ret->bundle)
		return fail_config(
			f, "", "%s",
			command == BAKE ? "bake needs an image or a bundle, and a directory: smk "
					  "bake [options] WHAT DIR"
					: "no bundle or image given: smk run [options] BUNDLE, or "
					  "IMAGE [command]");
	return set_args(ret, argv + i, argc - i, f);
}

int options_parse(int argc, char *const *argv, struct run_options *ret, struct failure *f)
{
	return parse(argc, argv, RUN, ret, f);
}

int options_parse_bake(int argc, char *const *argv, struct run_options *ret, struct failure *f)
{
	return parse(argc, argv, BAKE, ret, f);
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
