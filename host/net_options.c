// SPDX-License-Identifier: Apache-2.0
/* --net and --publish. */
#include "net.h"
#include "option_values.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

static const char *const kinds[] = {
	[NET_NONE] = "none",
	[NET_TSI] = "tsi",
	[NET_USER] = "user",
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == NET__COUNT, "a name for each");

static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	      "one place for both families");

static bool set_word(struct net_options *net, const char *word, size_t length)
{
	static const struct {
		const char *word;
		size_t flag;
	} rows[] = {
		{"loopback", offsetof(struct net_options, allows_loopback)},
		{"link-local", offsetof(struct net_options, allows_link_local)},
		{"control", offsetof(struct net_options, has_control)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].word) != length || strncmp(rows[i].word, word, length) != 0)
			continue;
		*(bool *)(void *)((char *)net + rows[i].flag) = true;
		return true;
	}
	return false;
}

/* The words behind "tsi:", separated by commas. */
static bool set_words(struct net_options *net, const char *words)
{
	while (words) {
		size_t length = strcspn(words, ",");

		if (!set_word(net, words, length))
			return false;
		words = words[length] ? words + length + 1 : NULL;
	}
	return true;
}

int set_net(struct run_options *o, const char *value, struct failure *f)
{
	size_t length = strcspn(value, ":");
	const char *words = value[length] ? value + length + 1 : NULL;
	int kind = 0;

	while (kind < NET__COUNT &&
	       (strlen(kinds[kind]) != length || strncmp(kinds[kind], value, length) != 0))
		kind++;
	if (kind == NET__COUNT)
		return fail_config(f, "", "--net %s: the networks are tsi, user and none", value);
	if (words && kind != NET_TSI)
		return fail_config(f, "", "--net %s: only tsi has words behind it", value);
	o->net->allows_loopback = o->net->allows_link_local = o->net->has_control = false;
	if (!set_words(o->net, words))
		return fail_config(f, "",
				   "--net %s: behind tsi: stand loopback, link-local, control, or "
				   "several with commas",
				   value);
	o->net->kind = (enum net_kind)kind;
	o->net->is_given = true;
	return 0;
}

/* A port from 1 on, to `end`. What is wrong with it, or NULL. */
static const char *parse_port(const char *text, const char *end, uint16_t *ret)
{
	size_t length = (size_t)(end - text);
	unsigned long number = strtoul(text, NULL, 10);

	if (memchr(text, '-', length))
		return "each port has a --publish of its own, there are no ranges";
	if (!length || length > 5 || strspn(text, "0123456789") < length || !number ||
	    number > UINT16_MAX)
		return "a port is a number from 1 to 65535";
	*ret = (uint16_t)number;
	return NULL;
}

/* 192.0.2.1 or [2001:db8::1] */
static bool parse_address(const char *text, size_t length, struct tsi_publish *ret)
{
	struct sockaddr_in *inet = (void *)&ret->address;
	struct sockaddr_in6 *inet6 = (void *)&ret->address;
	bool is_inet6 = length > 1 && *text == '[' && text[length - 1] == ']';
	char address[INET6_ADDRSTRLEN];

	text += is_inet6;
	length -= 2 * is_inet6;
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	ret->length = is_inet6 ? sizeof(*inet6) : sizeof(*inet);
	ret->address.ss_family = is_inet6 ? AF_INET6 : AF_INET;
	return inet_pton(ret->address.ss_family, address,
			 is_inet6 ? (void *)&inet6->sin6_addr : (void *)&inet->sin_addr) == 1;
}

/* [IP:]HOST:GUEST[/tcp]. What is wrong with it, or NULL. */
static const char *parse_publish(const char *text, struct tsi_publish *ret)
{
	static const char loopback[] = "127.0.0.1";
	const char *guest = strrchr(text, ':');
	const char *host = guest ? memrchr(text, ':', (size_t)(guest - text)) : NULL;
	const char *end = text + strcspn(text, "/");
	const char *wrong;
	uint16_t port;

	*ret = (struct tsi_publish){.fd = -1};
	if (!guest || guest > end || guest + 1 == end)
		return "it is HOST:GUEST or IP:HOST:GUEST, two ports";
	if (*end && strcmp(end, "/tcp") != 0)
		return "the guest is reached by TCP only";
	if (!parse_address(host ? text : loopback, host ? (size_t)(host - text) : strlen(loopback),
			   ret))
		return "in front of the ports stands an IPv4 address, or an IPv6 one in brackets";
	wrong = parse_port(host ? host + 1 : text, guest, &port);
	if (!wrong)
		wrong = parse_port(guest + 1, end, &ret->guest_port);
	if (!wrong)
		((struct sockaddr_in *)(void *)&ret->address)->sin_port = htons(port);
	return wrong;
}

/* What of the ports has been given before, or NULL. */
static const char *find_published(const struct net_options *net, const struct tsi_publish *publish)
{
	for (size_t i = 0; i < net->publish_count; i++) {
		if (net->publishes[i].guest_port == publish->guest_port)
			return "guest's";
		if (!memcmp(&net->publishes[i].address, &publish->address,
			    sizeof(publish->address)))
			return "host's";
	}
	return NULL;
}

int set_publish(struct run_options *o, const char *value, struct failure *f)
{
	struct net_options *net = o->net;
	struct tsi_publish publish;
	const char *wrong = parse_publish(value, &publish);
	const char *whose;

	if (wrong)
		return fail_config(f, "", "--publish %s: %s", value, wrong);
	whose = find_published(net, &publish);
	if (whose)
		return fail_config(f, "", "--publish %s: the %s port is published already", value,
				   whose);
	if (net->publish_count == TSI_PUBLISHES_MAX)
		return fail_config(f, "", "--publish %s: at most %u", value, TSI_PUBLISHES_MAX);
	net->texts[net->publish_count] = value;
	net->publishes[net->publish_count++] = publish;
	return 0;
}

int set_dns(struct run_options *o, const char *value, struct failure *f)
{
	struct net_options *net = o->net;
	struct sockaddr_storage address;

	if (!net_parse_server(value, &address))
		return fail_config(
			f, "",
			strchr(value, '%') || !strncasecmp(value, "fe80:", 5)
				? "--dns %s: not an IP address with an interface of this "
				  "machine, as fe80::1%%eth0"
				: "--dns %s: not an IP address",
			value);
	if (net->dns_count == SMK_DNS_MAX)
		return fail_config(f, "", "--dns %s: at most %u", value, SMK_DNS_MAX);
	net->dns[net->dns_count++] = value;
	return 0;
}

bool net_is_asked(const struct net_options *options)
{
	return options->is_given || options->publish_count || options->dns_count;
}

int net_check(const struct net_options *options, struct failure *f)
{
	if (options->kind == NET_NONE && options->publish_count)
		return fail_config(f, "", "--publish %s: there is no network: use --net tsi",
				   options->texts[0]);
	if (options->kind == NET_NONE && options->dns_count)
		return fail_config(f, "", "--dns %s: there is no network: use --net tsi",
				   options->dns[0]);
	for (size_t i = 0; i < options->publish_count; i++)
		if (options->kind == NET_USER && options->publishes[i].address.ss_family != AF_INET)
			return fail_config(f, "", "--publish %s: --net user has IPv4 only",
					   options->texts[i]);
	return 0;
}
