// SPDX-License-Identifier: Apache-2.0
/* Values of smk run's options: checked here, once, so that later parts can trust them. */
#include "option_values.h"
#include "vmm.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MIN_MIB 32
#define MEMORY_MAX_MIB (1u << 20)
#define CPUS_MAX       64
#define ENV_FILE_MAX   (1u << 20)

static const char *const accel_names[] = {
	[ACCEL_AUTO] = "auto",
	[ACCEL_KVM] = "kvm",
	[ACCEL_TCG] = "tcg",
};
static_assert(sizeof(accel_names) / sizeof(accel_names[0]) == ACCEL__COUNT, "a name for each");

/* The kinds of --upper; `value`: 0 none, 1 may follow a colon, 2 must. */
static const struct {
	const char *name;
	int value;
	bool is_size;
} uppers[] = {
	[CHOICE_TMPFS] = {"tmpfs", 1, true},
	[CHOICE_DISK] = {"disk", 2, true},
	[CHOICE_FILE] = {"file", 2, false},
	[CHOICE_NONE] = {"none", 0, false},
};
static_assert(sizeof(uppers) / sizeof(uppers[0]) == CHOICE__COUNT, "a row for each");

/* A whole decimal number without sign, at most `most`. */
static int parse_number(const char *text, const char **ret_rest, unsigned long most,
			unsigned long *ret)
{
	char *end;
	unsigned long number;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || number > most)
		return -1;
	*ret = number;
	*ret_rest = end;
	return 0;
}

/* As podman reads sizes: 512m, 1g, 1.5GiB, 512MB; a number alone is of bytes. */
static int parse_bytes(const char *text, double *ret)
{
	static const char units[] = "bkmgtp";
	size_t digits = strspn(text, "0123456789");
	size_t fraction = text[digits] == '.' ? strspn(text + digits + 1, "0123456789") + 1 : 0;
	const char *rest = text + digits + fraction;
	const char *unit = *rest ? strchr(units, *rest | 0x20) : units;
	double number = strtod(text, NULL);

	if (!digits || fraction == 1 || digits + fraction > 30 || !unit)
		return -1;
	rest += *rest != '\0';
	if (*rest && (unit == units || (strcasecmp(rest, "b") && strcasecmp(rest, "ib"))))
		return -1;
	for (; unit > units; unit--)
		number *= 1024;
	*ret = number;
	return 0;
}

int set_memory(struct run_options *o, const char *value, struct failure *f)
{
	const double mib = 1 << 20;
	double bytes;

	if (parse_bytes(value, &bytes))
		return fail_config(f, "", "--memory %s: a size such as 512m or 1.5g", value);
	if (bytes < MEMORY_MIN_MIB * mib || bytes > MEMORY_MAX_MIB * mib)
		return fail_config(f, "", "--memory %s: a VM has between %dM and %dG%s", value,
				   MEMORY_MIN_MIB, MEMORY_MAX_MIB / 1024,
				   strspn(value, "0123456789") == strlen(value)
					   ? ", and a number alone is of bytes"
					   : "");
	o->memory_mib = (unsigned)(bytes / mib);
	o->memory_mib += o->memory_mib * mib < bytes;
	return 0;
}

int set_cpus(struct run_options *o, const char *value, struct failure *f)
{
	unsigned long number;
	const char *rest;

	if (parse_number(value, &rest, CPUS_MAX, &number))
		return fail_config(f, "", "--cpus %s: a number from 1 to %d", value, CPUS_MAX);
	if (*rest == '.' && rest[1] && strspn(rest + 1, "0123456789") == strlen(rest + 1)) {
		if (strspn(rest + 1, "0") != strlen(rest + 1))
			return fail_config(f, "",
					   "--cpus %s: a VM has whole processors: %lu or %lu",
					   value, number ? number : 1, number + 1);
		rest += strlen(rest);
	}
	if (*rest || !number)
		return fail_config(f, "", "--cpus %s: a number from 1 to %d", value, CPUS_MAX);
	o->cpus = (unsigned)number;
	return 0;
}

static int parse_seconds(const char *option, const char *value, unsigned *ret, struct failure *f)
{
	unsigned long number;
	const char *rest;

	if (parse_number(value, &rest, 1000000, &number) || *rest || !number)
		return fail_config(f, "", "%s %s: a number of seconds", option, value);
	*ret = (unsigned)number;
	return 0;
}

int set_timeout(struct run_options *o, const char *value, struct failure *f)
{
	return parse_seconds("--timeout", value, &o->timeout_s, f);
}

/*
 * An asset of the user's is named to libsmkernel by its own variable, so that the same checks of
 * its format apply.
 */
static int set_asset(const char *variable, const char *option, const char *value, struct failure *f)
{
	struct stat st;

	if (stat(value, &st))
		return fail_sys(f, option, value);
	if (!S_ISREG(st.st_mode))
		return fail_err(f, 0, option, value, "not a regular file");
	if (setenv(variable, value, 1))
		return fail_sys(f, "setenv", value);
	return 0;
}

int set_kernel(struct run_options *o, const char *value, struct failure *f)
{
	(void)o; /* it goes to libsmkernel */
	return set_asset("SUPERMACHINE_KERNEL_PATH", "--kernel", value, f);
}

int set_init(struct run_options *o, const char *value, struct failure *f)
{
	(void)o; /* it goes to libsmkernel */
	return set_asset("SUPERMACHINE_INIT_OCI_PATH", "--init", value, f);
}

int set_append(struct run_options *o, const char *value, struct failure *f)
{
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20)
			return fail_config(f, "",
					   "--append: a control character in the command line");
	strings_add(&o->append, "%s", value);
	return 0;
}

/* Digits, not all 0, and one of K, M, G: what both mkfs and tmpfs take, and nothing that could end the word. */
static bool is_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > strspn(text, "0") && digits < 12 &&
	       (!text[digits] || (strchr("KMGkmg", text[digits]) && !text[digits + 1]));
}

char *upper_key(const struct run_options *o)
{
	if (o->upper == CHOICE_NONE)
		return must_copy(uppers[CHOICE_NONE].name);
	if (o->upper == CHOICE_TMPFS && o->upper_value)
		return must_format("%s:%s", uppers[CHOICE_TMPFS].name, o->upper_value);
	return NULL;
}

int set_upper(struct run_options *o, const char *value, struct failure *f)
{
	size_t length = strcspn(value, ":");
	const char *argument = value[length] ? value + length + 1 : NULL;

	for (int i = 0; i < CHOICE__COUNT; i++) {
		if (strlen(uppers[i].name) != length || strncmp(uppers[i].name, value, length))
			continue;
		if (!uppers[i].value != !argument && !(uppers[i].value == 1 && !argument))
			break;
		if (argument && uppers[i].is_size && !is_size(argument))
			return fail_config(
				f, "", "--upper %s: the size is a number above 0 with K, M or G",
				value);
		o->upper = (enum upper_choice)i;
		o->upper_value = argument;
		return 0;
	}
	return fail_config(f, "", "--upper %s: tmpfs, tmpfs:SIZE, disk:SIZE, file:PATH or none",
			   value);
}

/* All variables of smk's environment whose names begin so. */
static void add_inherited(struct strings *list, const char *name, size_t length)
{
	for (char **entry = environ; *entry; entry++)
		if (!strncmp(*entry, name, length) && **entry != '=')
			strings_add(list, "%s", *entry);
}

/*
 * NAME=VALUE; NAME, smk's own, or nothing when smk has none; NAME*, all of smk's that begin so. As podman
 * reads it, who passes over blanks in front and over nothing at all.
 */
static int add_env(struct strings *list, const char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	if (*text == '=')
		return -1;
	if (strchr(text, '='))
		strings_add(list, "%s", text);
	else if (length && text[length - 1] == '*')
		add_inherited(list, text, length - 1);
	else if (length && getenv(text))
		strings_add(list, "%s=%s", text, getenv(text));
	return 0;
}

int set_env(struct run_options *o, const char *value, struct failure *f)
{
	return add_env(&o->env, value)
		       ? fail_config(f, "", "--env %s: NAME=VALUE, NAME or PREFIX*", value)
		       : 0;
}

/* A line each; blank lines and those that begin with # say nothing. No quotes, no comment behind. */
int set_env_file(struct run_options *o, const char *value, struct failure *f)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	char *rest;
	char *line;

	if (file_read(AT_FDCWD, value, ENV_FILE_MAX, &text, &length, f))
		return fail_at(f, STAGE_NONE, "--env-file");
	if (memchr(text, '\0', length))
		return fail_err(f, 0, "--env-file", value, "has a NUL byte");
	text[length] = '\0'; /* file_read leaves room for it */
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		size_t end = strlen(line);

		if (end && line[end - 1] == '\r')
			line[end - 1] = '\0';
		if (line[strspn(line, " \t")] != '#' && add_env(&o->file_env, line))
			return fail_err(f, 0, "--env-file", value,
					"%.80s: NAME=VALUE, NAME or PREFIX*", line);
	}
	return 0;
}

void env_merge(struct run_options *o)
{
	struct strings merged = o->file_env;

	for (size_t i = 0; i < o->env.count; i++)
		strings_add(&merged, "%s", o->env.items[i]);
	strings_finish(&o->env);
	o->env = merged;
	o->file_env = (struct strings){.count = 0};
}

int set_init_timeout(struct run_options *o, const char *value, struct failure *f)
{
	return parse_seconds("--init-timeout", value, &o->init_timeout_s, f);
}

int set_accel(struct run_options *o, const char *value, struct failure *f)
{
	for (int i = 0; i < ACCEL__COUNT; i++) {
		if (!strcmp(value, accel_names[i])) {
			o->accel = (enum accel)i;
			return 0;
		}
	}
	return fail_config(f, "", "--accel %s: auto, kvm or tcg", value);
}

int set_vmm(struct run_options *o, const char *value, struct failure *f)
{
	o->vmm = vmm_find(value);
	o->vmm_asked = true;
	if (!o->vmm)
		return fail_config(f, "",
				   "--for %s: qemu, firecracker, cloud-hypervisor, libkrun or vz",
				   value);
	return 0;
}

/* Of --interactive, which podman needs for what is always so here. */
int set_interactive(struct run_options *o, const char *value, struct failure *f)
{
	(void)o;
	return *value == 't' ? 0
			     : fail_config(f, "",
					   "--interactive=false: standard input is always "
					   "connected: redirect it from /dev/null");
}

#define FLAG_SETTER(function, field, to)                                          \
	int function(struct run_options *o, const char *value, struct failure *f) \
	{                                                                         \
		(void)f;                                                          \
		o->field = (*value == 't') == to;                                 \
		return 0;                                                         \
	}

FLAG_SETTER(set_timing, timing, true)
FLAG_SETTER(set_console, console, true)
FLAG_SETTER(set_print_vmm, print_vmm, true)
FLAG_SETTER(set_keep, keep, true)
FLAG_SETTER(set_rm, keep, false)
FLAG_SETTER(set_verity, verity, true)
