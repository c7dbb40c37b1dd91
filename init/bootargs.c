// SPDX-License-Identifier: Apache-2.0
/*
 * bootargs: the kernel command line -> struct bootargs.
 *
 * Should: split the way the kernel does (blanks, double quotes) and check the form of every "smk."
 * value. Must not: interpret any other key, or anything after "--".
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <smk/contract.h>

#include "init/guest.h"
#include "init/sys.h"

static const char known_keys[] = SMK_KEY_CONFIG
	" " SMK_KEY_LAYERS " " SMK_KEY_UPPER " " SMK_KEY_CONTROL " " SMK_KEY_DNS " " SMK_KEY_SEARCH;

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* What follows prefix in value, when that is not empty; else NULL. */
static const char *after(const char *value, const char *prefix)
{
	const char *rest = value + strlen(prefix);

	return has_prefix(value, prefix) && *rest ? rest : NULL;
}

/* A device name, serial or tag: no path can be made of it. */
static bool is_id(const char *text, size_t length)
{
	return length > 0 && text[0] != '.' && !memchr(text, '/', length);
}

static int set_config(struct bootargs *args, const char *value, struct failure *f)
{
	const char *path = after(value, "file:");
	const char *id = after(value, "disk:");

	if (!(path && path[0] == '/') && !(id && is_id(id, strlen(id))))
		return fail_config(f, SMK_KEY_CONFIG, "\"%s\" is not file:/PATH or disk:ID", value);
	args->config = value;
	return 0;
}

static int set_layers(struct bootargs *args, const char *value, struct failure *f)
{
	static const char *const kinds[] = {"disk:", "virtiofs:", "9p:"};
	const char *item = value;

	for (;;) {
		size_t length = strcspn(item, ",");
		const char *id = item;

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (has_prefix(item, kinds[i]))
				id = item + strlen(kinds[i]);
		if (!is_id(id, (size_t)(item + length - id)))
			return fail_config(f, SMK_KEY_LAYERS,
					   "\"%.*s\" is not disk:ID, virtiofs:TAG, 9p:TAG or ID",
					   (int)length, item);
		if (!item[length])
			break;
		item += length + 1;
	}
	args->layers = value;
	return 0;
}

/* A size as tmpfs takes it: digits, then one of k, m, g or %. */
static bool is_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits < 19 &&
	       (!text[digits] || (strchr("kKmMgG%", text[digits]) && !text[digits + 1]));
}

static int set_upper(struct bootargs *args, const char *value, struct failure *f)
{
	const char *size = after(value, "tmpfs:");
	const char *id = after(value, "disk:");

	if (strcmp(value, "none") && strcmp(value, "tmpfs") && !(size && is_size(size)) &&
	    !(id && is_id(id, strlen(id))))
		return fail_config(f, SMK_KEY_UPPER,
				   "\"%s\" is not tmpfs, tmpfs:SIZE, disk:ID or none", value);
	args->upper = value;
	return 0;
}

static int set_control(struct bootargs *args, const char *value, struct failure *f)
{
	const char *name = after(value, "port:");
	const char *port = after(value, "vsock:");
	const char *fd = after(value, "fd:");

	if (!strcmp(value, "none")) {
		args->control = CONTROL_NONE;
		return 0;
	}
	if (name) {
		args->control = CONTROL_PORT;
		args->control_port = name;
		return 0;
	}
	if (port && port[strspn(port, "0123456789")] == '\0' && strlen(port) <= 10 &&
	    strtoull(port, NULL, 10) > 0 && strtoull(port, NULL, 10) < UINT32_MAX) {
		args->control = CONTROL_VSOCK;
		args->control_vsock_port = (uint32_t)strtoull(port, NULL, 10);
		return 0;
	}
	if (fd && *fd && fd[strspn(fd, "0123456789")] == '\0' && strlen(fd) <= 4) {
		args->control = CONTROL_FD;
		args->control_fd = atoi(fd);
		return 0;
	}
	return fail_config(f, SMK_KEY_CONTROL, "\"%s\" is not port:NAME, vsock:PORT, fd:N or none",
			   value);
}

/* Words of those bytes with commas between them: nothing else gets into resolv.conf. */
static bool is_list(const char *value, const char *bytes, size_t max)
{
	const char *item = value;

	for (size_t count = 1; count <= max; count++) {
		size_t length = strspn(item, bytes);

		if (!length || strlen(value) > SMK_NAMES_MAX)
			return false;
		if (item[length] != ',')
			return !item[length];
		item += length + 1;
	}
	return false;
}

static int set_dns(struct bootargs *args, const char *value, struct failure *f)
{
	if (!is_list(value, SMK_NAME_BYTES ":%", SMK_DNS_MAX))
		return fail_config(f, SMK_KEY_DNS, "\"%s\" is not a list of up to %d addresses",
				   value, SMK_DNS_MAX);
	args->dns = value;
	return 0;
}

static int set_search(struct bootargs *args, const char *value, struct failure *f)
{
	if (!is_list(value, SMK_NAME_BYTES, SMK_NAMES_MAX))
		return fail_config(f, SMK_KEY_SEARCH, "\"%s\" is not a list of domains", value);
	args->search = value;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct bootargs *args, const char *value, struct failure *f);
} keys[] = {
	{SMK_KEY_CONFIG, set_config},   {SMK_KEY_LAYERS, set_layers}, {SMK_KEY_UPPER, set_upper},
	{SMK_KEY_CONTROL, set_control}, {SMK_KEY_DNS, set_dns},       {SMK_KEY_SEARCH, set_search},
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* Cuts the next word off *cursor in place, quotes removed as the kernel removes them; NULL: no
 * more. */
static char *next_word(char **cursor)
{
	char *from = *cursor + strspn(*cursor, " \t\n");
	char *word = from;
	char *to = from;
	bool is_quoted = false;

	if (!*from)
		return NULL;
	for (; *from && (is_quoted || !isspace((unsigned char)*from)); from++) {
		if (*from == '"')
			is_quoted = !is_quoted;
		else
			*to++ = *from;
	}
	*cursor = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static int set_key(struct bootargs *args, char *word, unsigned *seen, struct failure *f)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(word, keys[i].key))
			continue;
		if (!value || !*value)
			return fail_config(f, word, "needs a value");
		if (*seen & 1u << i)
			return fail_config(f, word, "given twice");
		*seen |= 1u << i;
		return keys[i].set(args, value, f);
	}
	return fail_config(f, word, "unknown key; known: %s", known_keys);
}

/* p points into from->text; the same place in to->text. */
static const char *moved(const char *p, const struct bootargs *from, const struct bootargs *to)
{
	return p ? to->text + (p - from->text) : NULL;
}

int bootargs_parse(const char *text, struct bootargs *ret, struct failure *f)
{
	struct bootargs args = {.control = CONTROL_AUTO};
	char *cursor = args.text;
	unsigned seen = 0;
	char *word;

	if (strlen(text) >= sizeof(args.text))
		return fail_config(f, "", "the command line is longer than %zu bytes",
				   sizeof(args.text) - 1);
	strcpy(args.text, text);
	while ((word = next_word(&cursor)) && strcmp(word, "--")) {
		if (has_prefix(word, SMK_KEY_PREFIX) && set_key(&args, word, &seen, f))
			return -1;
		if (has_prefix(word, "ip=") || has_prefix(word, "nfsaddrs="))
			args.has_autoconfiguration = true;
	}
	*ret = args;
	ret->config = moved(args.config, &args, ret);
	ret->layers = moved(args.layers, &args, ret);
	ret->upper = moved(args.upper, &args, ret);
	ret->control_port = moved(args.control_port, &args, ret);
	ret->dns = moved(args.dns, &args, ret);
	ret->search = moved(args.search, &args, ret);
	return 0;
}

int bootargs_read(struct bootargs *ret, struct failure *f)
{
	char text[BOOTARGS_TEXT_MAX + 1]; /* one more, so that a longer line is seen to be longer */
	ssize_t length = sys_read_text(AT_FDCWD, "/proc/cmdline", text, sizeof(text));

	if (length < 0)
		return fail_sys(f, "read", "/proc/cmdline");
	if (strlen(text) != (size_t)length)
		return fail_config(f, "", "the command line holds a NUL byte");
	return bootargs_parse(text, ret, f);
}
