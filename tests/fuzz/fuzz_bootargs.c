// SPDX-License-Identifier: Apache-2.0
/*
 * Any text as the kernel's command line. What is accepted points into itself, keeps the forms of the
 * boot contract, and says the same when it is written down and read again; words of others are not
 * looked at, and an unknown one of ours is not accepted.
 */
#include <stdio.h>

#include <smk/contract.h>

#include "fuzz.h"
#include "init/guest.h"

static void require_inside(const struct bootargs *args, const char *value)
{
	if (!value)
		return;
	require(value >= args->text && value < args->text + sizeof(args->text));
	require(value[0] && memchr(value, 0, (size_t)(args->text + sizeof(args->text) - value)));
}

static void require_id(const char *id, size_t length)
{
	require(length > 0 && id[0] != '.' && !memchr(id, '/', length));
}

static const char *without(const char *value, const char *prefix)
{
	return strncmp(value, prefix, strlen(prefix)) ? NULL : value + strlen(prefix);
}

/* Nothing that would be more than a word of resolv.conf. */
static void require_list(const char *value, size_t max)
{
	size_t count = 1;

	for (const char *p = value; p && *p; p++) {
		require(*p > ' ' && *p < 127 && !strchr("\"#;\\", *p));
		count += *p == ',';
	}
	require(!value || (count <= max && strlen(value) <= SMK_NAMES_MAX));
}

static void require_form(const struct bootargs *args)
{
	if (args->config && without(args->config, "disk:"))
		require_id(args->config + 5, strlen(args->config + 5));
	else if (args->config)
		require(strncmp(args->config, "file:/", 6) == 0);
	for (const char *item = args->layers; item;
	     item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL)
		require(item[0] && item[0] != ',' && item[0] != '.' &&
			!memchr(item, '/', strcspn(item, ",")));
	if (args->upper && without(args->upper, "disk:"))
		require_id(args->upper + 5, strlen(args->upper + 5));
	else if (args->upper && strncmp(args->upper, "tmpfs:", 6) == 0)
		require(strspn(args->upper + 6, "0123456789kKmMgG%") == strlen(args->upper + 6));
	else if (args->upper)
		require(!strcmp(args->upper, "none") || !strcmp(args->upper, "tmpfs"));
	require((args->control == CONTROL_PORT) == (args->control_port != NULL));
	require((args->control == CONTROL_VSOCK) == (args->control_vsock_port != 0));
	require(args->control_fd >= 0 && args->control_fd <= 9999);
	require_list(args->dns, SMK_DNS_MAX);
	require_list(args->search, SMK_NAMES_MAX);
}

static void add(char *line, size_t size, const char *key, const char *value)
{
	size_t used = strlen(line);

	if (value)
		snprintf(line + used, size - used, " \"%s=%s\"", key, value);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void require_round_trip(const struct bootargs *args)
{
	char line[BOOTARGS_TEXT_MAX + 256] = "", control[BOOTARGS_TEXT_MAX + 8] = "none";
	struct failure f = {.stage = STAGE_NONE};
	static struct bootargs again;

	if (args->control == CONTROL_PORT)
		snprintf(control, sizeof(control), "port:%s", args->control_port);
	if (args->control == CONTROL_VSOCK)
		snprintf(control, sizeof(control), "vsock:%u", args->control_vsock_port);
	if (args->control == CONTROL_FD)
		snprintf(control, sizeof(control), "fd:%d", args->control_fd);
	add(line, sizeof(line), SMK_KEY_CONFIG, args->config);
	add(line, sizeof(line), SMK_KEY_LAYERS, args->layers);
	add(line, sizeof(line), SMK_KEY_UPPER, args->upper);
	add(line, sizeof(line), SMK_KEY_CONTROL, args->control == CONTROL_AUTO ? NULL : control);
	add(line, sizeof(line), SMK_KEY_DNS, args->dns);
	add(line, sizeof(line), SMK_KEY_SEARCH, args->search);
	if (strlen(line) >= BOOTARGS_TEXT_MAX)
		return;
	require(bootargs_parse(line, &again, &f) == 0);
	require(is_same(again.config, args->config) && is_same(again.layers, args->layers) &&
		is_same(again.upper, args->upper) && again.control == args->control &&
		is_same(again.control_port, args->control_port) && is_same(again.dns, args->dns) &&
		is_same(again.search, args->search) &&
		again.control_vsock_port == args->control_vsock_port &&
		again.control_fd == args->control_fd && !again.has_autoconfiguration);
}

/* How many words of a text without quotes and odd blanks are ours; -1: it has one that is unknown. */
static int count_ours(const char *text)
{
	static const char *const keys[] = {SMK_KEY_CONFIG,  SMK_KEY_LAYERS, SMK_KEY_UPPER,
					   SMK_KEY_CONTROL, SMK_KEY_DNS,    SMK_KEY_SEARCH};
	int ours = 0;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t length = strcspn(text, " "), key = strcspn(text, "= "), known = 0;

		if (length == 2 && strncmp(text, "--", 2) == 0)
			break;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			known += strlen(keys[i]) == key && strncmp(text, keys[i], key) == 0;
		if (known)
			ours++;
		else if (without(text, SMK_KEY_PREFIX))
			return -1;
		text += length;
	}
	return ours;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bootargs args;
	struct failure f = {.stage = STAGE_NONE};
	char *text = exact_string(data, size);
	bool is_plain = !strpbrk(text, "\"\t\n\v\f\r");

	args.config = "untouched";
	if (bootargs_parse(text, &args, &f)) {
		require_failure(&f);
		require(strcmp(args.config, "untouched") == 0);
		require(!is_plain || strlen(text) >= BOOTARGS_TEXT_MAX || count_ours(text) != 0);
	} else {
		require_no_failure(&f);
		require_inside(&args, args.config);
		require_inside(&args, args.layers);
		require_inside(&args, args.dns);
		require_inside(&args, args.search);
		require_inside(&args, args.upper);
		require_inside(&args, args.control_port);
		require_form(&args);
		require_round_trip(&args);
		require(!is_plain || count_ours(text) == !!args.config + !!args.layers +
								 !!args.upper + !!args.dns +
								 !!args.search +
								 (args.control != CONTROL_AUTO));
	}
	free(text);
	return 0;
}
