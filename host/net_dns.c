// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's name servers: those of --dns, else this machine's as far as the guest may reach them. A
 * resolver on this machine's loopback address is none for it; the one of systemd says elsewhere whom it
 * asks itself.
 */
#include "net.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <smk/contract.h>

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

/* As the boot contract writes a list: as many of the words as fit. */
static void join(const struct strings *words, size_t max, char ret[SMK_NAMES_MAX + 1])
{
	size_t used = 0;

	for (size_t i = 0; i < words->count && i < max; i++) {
		int length = snprintf(ret + used, SMK_NAMES_MAX + 1 - used, "%s%s", i ? "," : "",
				      words->items[i]);

		if (used + (size_t)length > SMK_NAMES_MAX)
			break;
		used += (size_t)length;
	}
	ret[used] = '\0';
}

struct resolver {
	struct strings servers;
	struct strings domains;
};

static void finish(struct resolver *resolver)
{
	strings_finish(&resolver->servers);
	strings_finish(&resolver->domains);
}

/* "search" and "domain" are one to resolvers, and the last one counts. */
static void read_domains(char *rest, struct strings *domains)
{
	char *word;

	strings_finish(domains);
	while ((word = strsep(&rest, " \t\r\n")))
		if (*word && !word[strspn(word, SMK_NAME_BYTES)])
			strings_add(domains, "%s", word);
}

static void read_file(const struct net_options *options, const char *path, struct resolver *ret)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];

	while (file && fgets(line, sizeof(line), file)) {
		char *rest = line;
		const char *key = strsep(&rest, " \t\n");

		if (!rest)
			continue;
		rest += strspn(rest, " \t");
		if (!strcmp(key, "search") || !strcmp(key, "domain")) {
			read_domains(rest, &ret->domains);
		} else if (!strcmp(key, "nameserver")) {
			rest[strcspn(rest, " \t\r\n")] = '\0';
			if (is_reachable(options, rest))
				strings_add(&ret->servers, "%s", rest);
		}
	}
	if (file)
		fclose(file);
}

/* Of --dns, which are the user's affair; the search list is this machine's all the same. */
static void take_given(const struct net_options *options, struct resolver *ret)
{
	read_file(options, sources[0], ret);
	strings_finish(&ret->servers);
	for (size_t i = 0; i < options->dns_count; i++) {
		strings_add(&ret->servers, "%s", options->dns[i]);
		if (options->kind == NET_TSI && !is_reachable(options, options->dns[i]))
			say_warning("--dns %s: the guest may not reach it but with --net "
				    "tsi:loopback",
				    options->dns[i]);
	}
}

static void take_own(const struct net_options *options, struct resolver *ret)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && !ret->servers.count; i++) {
		finish(ret);
		read_file(options, sources[i], ret);
	}
	if (!ret->servers.count && options->is_given)
		say_warning("no name server that the guest may reach is in %s: --dns names one",
			    sources[0]);
}

void net_add_dns(const struct net_options *options, struct strings *words)
{
	struct resolver resolver = {0};
	char servers[SMK_NAMES_MAX + 1];
	char domains[SMK_NAMES_MAX + 1];

	if (options->dns_count)
		take_given(options, &resolver);
	else if (options->kind == NET_TSI)
		take_own(options, &resolver);
	join(&resolver.servers, SMK_DNS_MAX, servers);
	join(&resolver.domains, SIZE_MAX, domains);
	if (*servers)
		strings_add(words, SMK_KEY_DNS "=%s", servers);
	if (*servers && *domains)
		strings_add(words, SMK_KEY_SEARCH "=%s", domains);
	finish(&resolver);
}
