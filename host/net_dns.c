// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's name servers: those of --dns, else this machine's as far as the guest may reach them. A
 * resolver on this machine's loopback address is none for it unless it may go there; the one of systemd
 * says elsewhere whom it asks itself.
 */
#include "net.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <smk/contract.h>

#define LINE_MAX_BYTES 512

static const char *const sources[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};

/* An interface of this machine by name or number; 0: none. */
static unsigned parse_scope(const char *text)
{
	char name[IF_NAMESIZE];
	unsigned index = if_nametoindex(text);
	unsigned number = (unsigned)strtoul(text, NULL, 10);

	if (index || text[strspn(text, "0123456789")])
		return index;
	return if_indextoname(number, name) ? number : 0;
}

bool net_parse_server(const char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_in *inet = (void *)ret;
	struct sockaddr_in6 *inet6 = (void *)ret;
	size_t length = strcspn(text, "%");
	char address[INET6_ADDRSTRLEN];

	memset(ret, 0, sizeof(*ret));
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(AF_INET, address, &inet->sin_addr) == 1) {
		ret->ss_family = AF_INET;
		return !text[length];
	}
	if (inet_pton(AF_INET6, address, &inet6->sin6_addr) != 1)
		return false;
	ret->ss_family = AF_INET6;
	if (!IN6_IS_ADDR_LINKLOCAL(&inet6->sin6_addr))
		return !text[length];
	inet6->sin6_scope_id = text[length] ? parse_scope(text + length + 1) : 0;
	return inet6->sin6_scope_id;
}

/* 0, or the negative errno that a connection of the guest's to it would give; TSI only. */
static int reach(const struct net_options *options, const struct sockaddr_storage *server)
{
	const struct tsi_policy policy = {
		.allows_loopback = options->allows_loopback,
		.allows_link_local = options->allows_link_local,
	};

	return policy_check(&policy, server);
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

/* Interfaces by number: the guest knows none of this machine's by name, and hands the number back. */
static void add_server(struct strings *servers, const struct sockaddr_storage *server)
{
	const struct sockaddr_in *inet = (const void *)server;
	const struct sockaddr_in6 *inet6 = (const void *)server;
	bool is_inet6 = server->ss_family == AF_INET6;
	char address[INET6_ADDRSTRLEN];

	inet_ntop(server->ss_family, is_inet6 ? (const void *)&inet6->sin6_addr : &inet->sin_addr,
		  address, sizeof(address));
	if (is_inet6 && inet6->sin6_scope_id)
		strings_add(servers, "%s%%%u", address, inet6->sin6_scope_id);
	else
		strings_add(servers, "%s", address);
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
	struct sockaddr_storage server;
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
			if (net_parse_server(rest, &server) && !reach(options, &server))
				add_server(&ret->servers, &server);
		}
	}
	if (file)
		fclose(file);
}

static void warn_unless_reached(const struct net_options *options, const char *text,
				const struct sockaddr_storage *server)
{
	int result = reach(options, server);

	if (options->kind == NET_USER && result == -ECONNREFUSED)
		say_warning("--dns %s: with --net user that is the guest itself", text);
	else if (options->kind == NET_TSI && result == -ENETUNREACH)
		say_warning("--dns %s: the guest may not reach it", text);
	else if (options->kind == NET_TSI && result)
		say_warning("--dns %s: the guest may not reach it but with --net tsi:%s", text,
			    result == -EACCES ? "link-local" : "loopback");
}

/* Of --dns, which are the user's affair; the search list is this machine's all the same. */
static void take_given(const struct net_options *options, struct resolver *ret)
{
	struct sockaddr_storage server;

	read_file(options, sources[0], ret);
	strings_finish(&ret->servers);
	for (size_t i = 0; i < options->dns_count; i++) {
		net_parse_server(options->dns[i], &server); /* as set_dns() did */
		add_server(&ret->servers, &server);
		warn_unless_reached(options, options->dns[i], &server);
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

void net_add_dns(const struct net_options *options, bool with_servers, bool with_domains,
		 struct strings *words)
{
	struct resolver resolver = {0};
	char servers[SMK_NAMES_MAX + 1];
	char domains[SMK_NAMES_MAX + 1];

	if (!with_servers && !with_domains)
		return;
	if (options->dns_count)
		take_given(options, &resolver);
	else if (options->kind == NET_TSI)
		take_own(options, &resolver);
	join(&resolver.servers, SMK_DNS_MAX, servers);
	join(&resolver.domains, SIZE_MAX, domains);
	if (*servers && with_servers)
		strings_add(words, SMK_KEY_DNS "=%s", servers);
	if (*servers && *domains && with_domains)
		strings_add(words, SMK_KEY_SEARCH "=%s", domains);
	finish(&resolver);
}
