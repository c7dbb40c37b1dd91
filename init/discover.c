// SPDX-License-Identifier: Apache-2.0
/*
 * discover: the command line and /sys -> configuration, layers, upper, channels.
 *
 * Should: find everything the boot contract names, by name, and say which name is missing. Must
 * not: mount anything, or look into a root file system that is, or may be, an image's.
 */
#include <stdio.h>
#include <string.h>

#include "init/discover.h"
#include "init/sys.h"

/* The command line's name servers, as resolv.conf: a line for each, and one for the search list. */
static void write_name_servers(const struct bootargs *args, char *out)
{
	const char *item = args->dns;

	while (item) {
		size_t length = strcspn(item, ",");

		out += sprintf(out, "nameserver %.*s\n", (int)length, item);
		item = item[length] ? item + length + 1 : NULL;
	}
	if (args->search)
		sprintf(out, "search %s\n", args->search);
	for (; *out; out++)
		if (*out == ',')
			*out = ' ';
}

/* The name servers of the kernel's autoconfiguration; /proc/net/pnp is written like resolv.conf. */
static int find_name_servers(const struct bootargs *args, const struct early *early,
			     struct discovered *ret, struct failure *f)
{
	char text[1024];
	char *out = ret->store->resolv_conf;
	size_t room = sizeof(ret->store->resolv_conf);
	bool has_server = false;

	if (args->dns) {
		write_name_servers(args, out);
		ret->sources.resolv_conf = out;
		ret->sources.is_resolv_conf_given = true;
		return 0;
	}
	if (!args->has_autoconfiguration)
		return 0;
	if (sys_read_text(early->proc_fd, "net/pnp", text, sizeof(text)) < 0)
		return fail_sys(f, "read", "/proc/net/pnp");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		bool is_server = !strncmp(line, "nameserver ", 11);
		size_t length = strlen(line);

		if ((!is_server && strncmp(line, "domain ", 7)) || length + 2 > room)
			continue;
		memcpy(out, line, length);
		memcpy(out + length, "\n", 2);
		out += length + 1;
		room -= length + 1;
		has_server |= is_server;
	}
	ret->sources.resolv_conf = has_server ? ret->store->resolv_conf : NULL;
	return 0;
}

static int discover_all(const struct bootargs *args, struct machine *machine,
			struct discovered *ret, struct failure *f)
{
	static const enum device_kind kinds[] = {DEVICE_DISK, DEVICE_VIRTIOFS, DEVICE_9P};

	/* Channels first: whatever fails after them can be reported. */
	if (discover_channels(args, machine, ret, f))
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (machine_scan(machine, kinds[i], f))
			return -1;
	if (discover_config(args, machine, ret, f) || discover_layers(args, machine, ret, f))
		return -1;
	return find_name_servers(args, machine->early, ret, f);
}

int discover(const struct bootargs *args, const struct early *early, struct discovered *ret,
	     struct failure *f)
{
	struct machine machine = {.early = early};
	struct discovered found = {.control_fd = -1, .stdio_fd = {-1, -1, -1}};
	int status = discover_all(args, &machine, &found, f);

	machine_finish(&machine);
	/* A channel that was found is handed out even so: the failure is to leave through it. */
	*ret = found;
	return status;
}
