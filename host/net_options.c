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

	o->net->allows_loopback = o->net->allows_link_local = o->net->has_control = false;
	for (int i = 0; i < NET__COUNT; i++) {
		if (strlen(kinds[i]) != length || strncmp(kinds[i], value, length) != 0 ||
		    (words && i != NET_TSI) || !set_words(o->net, words))
			continue;
		o->net->kind = (enum net_kind)i;
		o->net->is_given = true;
		return 0;
	}
	return fail_config(f, "",
			   "--net %s: tsi, tsi:loopback, tsi:link-local, tsi:control, user or none",
			   value);
}

/* A port from 1 on, and what stands behind it. */
static bool parse_port(const char *text, const char **ret_rest, uint16_t *ret)
{
	unsigned long number;
	char *end;

	if (*text < '1' || *text > '9')
		return false;
	number = strtoul(text, &end, 10);
	*ret = (uint16_t)number;
	*ret_rest = end;
	return number <= UINT16_MAX;
}

/* The address in front of the ports, if there is one: 192.0.2.1: or [2001:db8::1]: */
static bool parse_address(const char *text, const char **ret_rest, struct tsi_publish *ret)
{
	struct sockaddr_in *inet = (void *)&ret->address;
	struct sockaddr_in6 *inet6 = (void *)&ret->address;
	bool is_inet6 = *text == '[';
	const char *begin = text + is_inet6;
	size_t length = strcspn(begin, is_inet6 ? "]" : ":");
	char address[INET6_ADDRSTRLEN];

	*ret_rest = text;
	ret->length = is_inet6 ? sizeof(*inet6) : sizeof(*inet);
	ret->address.ss_family = is_inet6 ? AF_INET6 : AF_INET;
	if (!is_inet6 && !memchr(begin, '.', length)) {
		inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return true;
	}
	if (length >= sizeof(address))
		return false;
	memcpy(address, begin, length);
	address[length] = '\0';
	begin += length;
	if (is_inet6 && *begin++ != ']')
		return false;
	*ret_rest = begin + 1;
	return *begin == ':' &&
	       inet_pton(ret->address.ss_family, address,
			 is_inet6 ? (void *)&inet6->sin6_addr : (void *)&inet->sin_addr) == 1;
}

static bool parse_publish(const char *text, struct tsi_publish *ret)
{
	uint16_t host_port;

	*ret = (struct tsi_publish){.fd = -1};
	if (!parse_address(text, &text, ret) || !parse_port(text, &text, &host_port) ||
	    *text++ != ':' || !parse_port(text, &text, &ret->guest_port) || *text)
		return false;
	((struct sockaddr_in *)(void *)&ret->address)->sin_port = htons(host_port);
	return true;
}

int set_publish(struct run_options *o, const char *value, struct failure *f)
{
	struct net_options *net = o->net;
	struct tsi_publish publish;

	if (!parse_publish(value, &publish))
		return fail_config(f, "", "--publish %s: HOST:GUEST or IP:HOST:GUEST, two ports",
				   value);
	for (size_t i = 0; i < net->publish_count; i++)
		if (net->publishes[i].guest_port == publish.guest_port)
			return fail_config(f, "",
					   "--publish %s: the guest's port is published already",
					   value);
	if (net->publish_count == TSI_PUBLISHES_MAX)
		return fail_config(f, "", "--publish %s: at most %u", value, TSI_PUBLISHES_MAX);
	net->texts[net->publish_count] = value;
	net->publishes[net->publish_count++] = publish;
	return 0;
}

int set_dns(struct run_options *o, const char *value, struct failure *f)
{
	struct net_options *net = o->net;
	struct in6_addr address;

	if (inet_pton(AF_INET, value, &address) != 1 && inet_pton(AF_INET6, value, &address) != 1)
		return fail_config(f, "", "--dns %s: not an IP address", value);
	if (net->dns_count == SMK_DNS_MAX)
		return fail_config(f, "", "--dns %s: at most %u", value, SMK_DNS_MAX);
	net->dns[net->dns_count++] = value;
	return 0;
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
