// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's name servers: those of --dns, else this machine's as far as the guest may reach them. A
 * resolver on this machine's loopback address is none for it; the one of systemd says elsewhere whom it
 * asks itself.
 */
#include "net.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#define LINE_MAX_BYTES 512

static const char *const sources[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};

static bool is_reachable(const struct net_options *options, const char *server)
{
	struct in6_addr inet6;
	struct in_addr inet;

	if (inet_pton(AF_INET, server, &inet) == 1)
		return options->allows_loopback || ntohl(inet.s_addr) >> 24 != IN_LOOPBACKNET;
	/* What is no address is one with a scope, which the guest does not have. */
	return inet_pton(AF_INET6, server, &inet6) == 1 && !IN6_IS_ADDR_LINKLOCAL(&inet6) &&
	       (options->allows_loopback || !IN6_IS_ADDR_LOOPBACK(&inet6));
}

static void append(char **text, const char *key, const char *rest)
{
	AUTO_FREE char *shorter = *text;

	*text = must_format("%s%s %s\n", shorter ? shorter : "", key, rest);
}

/* Adds a file's servers that can be reached, and what else resolvers know; how many servers it were. */
static size_t add_lines(const struct net_options *options, const char *path, char **text)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	size_t count = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line;
		const char *key = strsep(&rest, " \t\n");

		if (!rest)
			continue;
		rest += strspn(rest, " \t");
		rest[strcspn(rest, "\r\n")] = '\0';
		if (!strcmp(key, "search") || !strcmp(key, "domain") || !strcmp(key, "options")) {
			append(text, key, rest);
		} else if (!strcmp(key, "nameserver") && !options->dns_count) {
			rest[strcspn(rest, " \t")] = '\0';
			if (!is_reachable(options, rest))
				continue;
			append(text, key, rest);
			count++;
		}
	}
	if (file)
		fclose(file);
	return count;
}

static void warn_of_loopback(const struct net_options *options)
{
	for (size_t i = 0; i < options->dns_count; i++)
		if (options->kind == NET_TSI && !is_reachable(options, options->dns[i]))
			say_warning("--dns %s: the guest may not reach it but with --net "
				    "tsi:loopback",
				    options->dns[i]);
}

char *net_resolv_conf(const struct net_options *options)
{
	char *text = NULL;

	if (options->dns_count) {
		for (size_t i = 0; i < options->dns_count; i++)
			append(&text, "nameserver", options->dns[i]);
		add_lines(options, sources[0], &text);
		warn_of_loopback(options);
		return text;
	}
	if (options->kind != NET_TSI)
		return NULL;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (add_lines(options, sources[i], &text))
			return text;
		free(text);
		text = NULL;
	}
	say_warning("no name server that the guest may reach is in %s: --dns names one",
		    sources[0]);
	return NULL;
}
